"""Effects against the length of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    for ax, (title, effects) in zip(axes[:, 0], drawn.items(), strict=True):
        for number, (what, effect) in enumerate(effects.items()):
            mean, low, high = np.array(list(effect.values())).T  # (n_budgets,) each
            estimate = Interval(mean, low, high, seeds=0)
            draw = band if len(effect) > 1 else whiskers  # a band of one point is none
            draw(ax, list(effect), estimate, fill(what, 34), arm=number)
        if ax.get_ylim()[0] < 0:  # where effects change their sign
            ax.axhline(0, color=GREY, linestyle=":", marker="")
        ax.set_title(literal(title), loc="left")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1.05), fontsize="small")
    log_ticks(axes[-1, 0], sorted(budgets))
    axes[-1, 0].set_xticklabels([f"×{budget:g}" for budget in sorted(budgets)])
    axes[-1, 0].set_xlabel("length of training (×1: the chapter’s)")
    return fig


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
