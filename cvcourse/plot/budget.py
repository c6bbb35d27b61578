"""Effects against the length of training."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from cvcourse.checks import checked
from cvcourse.experiment import Claim, Interval, Record
from cvcourse.plot.charts import band, log_ticks, whiskers
from cvcourse.plot.style import GREY, literal


@checked
def by_budget(claims: Mapping[str, Claim], records: Sequence[Record]) -> Figure:
    """What was measured against the length of training, a row a claim, a band an effect.

    Of a claim's effects, those with an interval that are printed as the first of them is.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> from cvcourse.experiment import claim, interval, load_records, more
    >>> gain = interval([0.10, 0.11, 0.12])
    >>> made = claim("gain", "confirmed", {"it is": more(gain)}, effect={"gain": gain}, short="yes")
    claim gain: confirmed
      ✓ it is
    >>> fig = plot.by_budget({"What it gains": made}, load_records("13_noisy_student"))
    >>> [label.get_text() for label in fig.axes[0].get_xticklabels()]
    ['×1']
    >>> plt.close(fig)

    Args:
        claims: title of the row → claim, as this run has settled it: a training as long as the
            chapter's, ×1.
        records: what is known of longer ones, as `load_records` gives it.

    Returns:
        The figure; `plt.show()` shows it.
    """
    drawn = {title: _by_budget(claim, records) for title, claim in claims.items()}
    drawn = {title: effects for title, effects in drawn.items() if effects}
    if not drawn:
        raise ValueError("no claim has an effect with an interval; expected at least one")
    rows = len(drawn)
    fig, axes = plt.subplots(
        rows, 1, figsize=(7.2, 0.5 + 1.9 * rows), sharex=True, squeeze=False, layout="constrained"
    )
    budgets = {budget for effects in drawn.values() for e in effects.values() for budget in e}
    arms: dict[str, int] = {}
    for ax, (title, effects) in zip(axes[:, 0], drawn.items(), strict=True):
        common = _common(list(effects))
        names = {what: what[len(common) :] for what in effects}
        if common:
            ax.set_ylabel(fill(common.rstrip(",: "), 22))
        arms |= _arms([*names.values()], arms)
        for what, effect in effects.items():
            mean, low, high = np.array(list(effect.values())).T  # (n_budgets,) each
            estimate = Interval(mean, low, high, seeds=0)
            draw = band if len(effect) > 1 else whiskers  # a band of one point is none
            draw(ax, list(effect), estimate, fill(names[what], 34), arm=arms[names[what]])
        if ax.get_ylim()[0] < 0:  # where effects change their sign
            ax.axhline(0, color=GREY, linestyle=":", marker="")
        ax.set_title(literal(title), loc="left")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1.05), fontsize="small")
    marked = [b for b in sorted(budgets) if not any(b < other < 1.7 * b for other in budgets)]
    log_ticks(axes[-1, 0], marked)
    axes[-1, 0].set_xticklabels([f"×{budget:g}" for budget in marked])
    axes[-1, 0].set_xlabel("length of training (×1: the chapter’s)")
    return fig


def _common(names: list[str]) -> str:
    """How all of several names begin, up to a comma or colon: "accuracy, "."""
    pieces = zip(*(re.split("(?<=[,:] )", name) for name in names), strict=False)
    same = takewhile(lambda pieces: len(set(pieces)) == 1, pieces if len(names) > 1 else ())
    return "".join(piece for piece, *_ in same)


def _arms(names: list[str], before: Mapping[str, int]) -> dict[str, int]:
    """A colour for each name: that of the panels above, or one that this panel does not have."""
    free = (arm for arm in count() if arm not in {before[n] for n in names if n in before})
    return {name: before[name] if name in before else next(free) for name in names}


def _by_budget(
    claim: Claim, records: Sequence[Record]
) -> dict[str, dict[float, tuple[float, float, float]]]:
    """Effect → budget → estimate and ends of its interval."""
    runs = [(1.0, claim.as_data())]
    runs += [
        (float(record.budget), made)
        for record in records
        for made in record.claims
        if made["id"] == claim.id and record.budget != 1
    ]
    with_interval = [effect for effect in runs[0][1]["effect"] if "low" in effect]
    return {
        effect["what"]: {
            budget: (same["estimate"], same["low"], same["high"])
            for budget, run in sorted(runs, key=lambda run: run[0])
            for same in run["effect"]
            if same["what"] == effect["what"] and "low" in same
        }
        for effect in with_interval
        if effect["format"] == with_interval[0]["format"]
    }
