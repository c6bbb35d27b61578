"""Every figure's style, in one place: readable on light pages and dark, and without colour.

>>> import matplotlib.pyplot as plt
>>> from cvcourse import plot
>>> plot.use_style()
>>> fig = plot.grid([[plot.signed(((-1.0, 0.0), (0.5, 1.0)))]], titles=["weights"])
>>> fig.axes[0].get_title()
'weights'
>>> plt.close(fig)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from textwrap import fill
from typing import Annotated

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from cvcourse import fonts
from cvcourse.checks import Count, Numbers, Positive, check_array, check_integer, checked
from cvcourse.experiment import Claim, Interval, Record, Results

BLUE, ORANGE, GREEN, PURPLE, SKY, GREY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#AA4499",
    "#56B4E9",
    "#6B6B6B",
)
"""Okabe & Ito's colours, told apart with any kind of colour vision.

>>> from cvcourse import plot
>>> plot.BLUE, plot.ORANGE, plot.GREEN
('#0072B2', '#D55E00', '#009E73')
>>> plot.PURPLE, plot.SKY, plot.GREY
('#AA4499', '#56B4E9', '#6B6B6B')
"""
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY)
"""The colour of each arm, by its number; each also has its own marker.

>>> from cvcourse import plot
>>> plot.COLOURS.index(plot.GREEN)
2
"""
MARKERS = "osD^vX"
"""The marker of each arm, by its number.

>>> from cvcourse import plot
>>> plot.MARKERS[2]
'D'
"""
SWEEPS = {
    "shift": "shift (of the side)",
    "crop": "side kept by the crop",
    "scale": "scale",
    "occlusion": "share hidden",
    "brightness": "light added (1: to white)",
    "rotation": "rotation (degrees)",
}
"""What the axis of a sweep says.

>>> from cvcourse import plot
>>> plot.SWEEPS["shift"]
'shift (of the side)'
"""
Arm = Annotated[int, partial(check_integer, low=0, high=5, meaning="a colour and marker")]
Positions = Numbers | Sequence[str]  #: along an axis: numbers, or names
PAPER, INK = "#fcfcfa", "#222222"
"""What a figure is drawn on, and what is written in.

>>> from cvcourse import plot
>>> plot.PAPER, plot.INK
('#fcfcfa', '#222222')
"""


def use_style() -> None:
    """Set the book's style for every figure from here on, with fonts for scripts such as Hangul.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> plot.use_style()
    >>> plt.rcParams["axes.facecolor"] == plot.PAPER
    True
    """
    mpl.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": "#8a8a8a",
            "axes.facecolor": PAPER,
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=COLOURS) + cycler(marker=list(MARKERS)),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "figure.facecolor": PAPER,
            "figure.figsize": (7.2, 3.6),
            "font.family": fonts.family(),
            "font.size": 10,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "text.color": INK,
            "xtick.color": "#444444",
            "ytick.color": "#444444",
        }
    )


@checked
def literal(text: str) -> str:
    r"""A name as it is to be drawn: dollars are dollars, and begin no formula.

    Where no font of this system has one of its letters, that is said, once.

    >>> from cvcourse import plot
    >>> print(plot.literal("a $5 and a $10 note"))
    a \$5 and a \$10 note

    Args:
        text: such as the name of a class. The other functions here do this themselves.
    """
    fonts.tell_missing(text)
    return text.replace("$", r"\$")


@checked
def band(
    ax: Axes, x: Positions, estimate: Interval, label: str, *, arm: Arm = 0, dashed: bool = False
) -> None:
    """A line through the means with its interval shaded.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> from cvcourse.experiment import interval
    >>> fig, ax = plt.subplots()
    >>> plot.band(ax, [0, 4], interval([[0.9, 0.5], [0.8, 0.6], [0.9, 0.4]]), "CNN")
    >>> ax.get_legend_handles_labels()[1]
    ['CNN']
    >>> plt.close(fig)

    Args:
        ax: where to draw.
        x: (n,) positions, or their names.
        estimate: an interval of (n,) values.
        label: the line's name in the legend.
        arm: which colour and marker, 0 to 5; the same arm looks the same in every figure.
        dashed: for a second version of an arm.
    """
    label = literal(label)
    color = COLOURS[arm]
    x = _positions("x", x)
    if estimate.mean.size not in (1, x.size):
        raise ValueError(f"x are {x.shape}, the values of estimate {estimate.mean.shape}")
    mean = np.broadcast_to(estimate.mean, x.shape)  # what is unknown has one NaN for all
    ax.plot(x, mean, "--" if dashed else "-", color=color, marker=MARKERS[arm], label=label)
    ax.fill_between(x, estimate.low, estimate.high, color=color, alpha=0.2, linewidth=0)


@checked
def whiskers(
    ax: Axes,
    places: Positions,
    estimates: Interval | Sequence[Interval],
    label: str = "",
    *,
    arm: Arm = 0,
    across: bool = False,
    hollow: bool = False,
    values: Numbers | None = None,
) -> None:
    """A marker at each mean, and a whisker from end to end of its interval; dots for the seeds.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> from cvcourse.experiment import interval
    >>> fig, ax = plt.subplots()
    >>> plot.whiskers(ax, [0], [interval([0.80, 0.84, 0.79])], "CNN", arm=2)
    >>> ax.get_legend_handles_labels()[1]
    ['CNN']
    >>> plt.close(fig)

    Args:
        ax: where to draw.
        places: (n,) positions along x, or their names; across: along y.
        estimates: an interval of (n,) values, or n intervals.
        label: the markers' name in the legend; none when left out.
        arm: which colour and marker, 0 to 5; see `band`.
        across: draw from left to right.
        hollow: for a second version of an arm.
        values: (n_seeds, n) what the intervals are of, or (n_seeds,) for one; drawn as dots.
    """
    given = [estimates] if isinstance(estimates, Interval) else estimates
    if not given:
        raise ValueError("estimates are none; expected at least one")
    mean = np.concatenate([np.atleast_1d(e.mean) for e in given])  # (n,)
    reach = np.concatenate([e.reach.reshape(2, -1) for e in given], axis=1)  # (2, n)
    at = _positions("places", places)
    if at.shape != mean.shape:
        raise ValueError(f"places are {at.shape}, estimates {mean.shape}; expected as many")
    if values is not None:
        each = _finite("values", values)  # (n_seeds, n)
        each = each[:, None] if each.ndim == 1 else each
        if each.ndim != 2 or each.shape[1] != at.size:
            raise ValueError(f"values are {each.shape}; expected (n_seeds, {at.size})")
        at = _finite("places beside which values are drawn", at)
    x, y = (mean, at) if across else (at, mean)
    ax.errorbar(
        x,
        y,
        xerr=reach if across else None,
        yerr=None if across else reach,
        fmt=MARKERS[arm],
        color=COLOURS[arm],
        markerfacecolor=PAPER if hollow else COLOURS[arm],
        capsize=4,
        label=literal(label) or None,
    )
    if values is not None:
        beside = np.broadcast_to(at + (-0.22 if across else 0.12), each.shape)
        dots = (each, beside) if across else (beside, each)
        ax.plot(*dots, ".", color=GREY, markersize=4)


@checked
def log_ticks(ax: Axes, values: Sequence[Count | Positive]) -> None:
    """A logarithmic x axis, marked at these values and no others.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> fig, ax = plt.subplots()
    >>> plot.log_ticks(ax, [100, 1000])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['100', '1,000']
    >>> plt.close(fig)

    Args:
        ax: where to draw.
        values: above 0, in any unit.
    """
    ax.set_xscale("log")
    ax.set_xticks(values, [f"{value:,}" for value in values])
    ax.minorticks_off()


@checked
def chance(ax: Axes, n_classes: Count) -> None:
    """A dotted line at the accuracy of guessing, named in the legend.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> fig, ax = plt.subplots()
    >>> plot.chance(ax, n_classes=10)
    >>> f"{ax.lines[0].get_ydata()[0]:.1f}"
    '0.1'
    >>> plt.close(fig)

    Args:
        ax: where to draw; its y axis is accuracy, 0 to 1.
        n_classes: equally frequent.
    """
    ax.axhline(1 / n_classes, color=GREY, linestyle=":", linewidth=1.4, marker="", label="chance")


@checked
def picture(ax: Axes, image: Tensor | NDArray, title: str = "") -> None:
    """One image without axes.

    >>> import matplotlib.pyplot as plt
    >>> import torch
    >>> from cvcourse import plot
    >>> fig, ax = plt.subplots()
    >>> plot.picture(ax, torch.zeros(3, 8, 8, dtype=torch.uint8), "black")
    >>> ax.get_title()
    'black'
    >>> plt.close(fig)

    Args:
        ax: where to draw.
        image: (C, H, W) uint8, or float of any range, which is stretched to fill it.
        title: stands above it.
    """
    array = np.asarray(image) if image.dtype in (np.uint8, torch.uint8) else _finite("image", image)
    if array.ndim != 3 or array.shape[0] not in (1, 3) or not array.size:
        raise ValueError(f"image is {tuple(array.shape)}; expected (C, H, W) with C = 1 or 3")
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = (array - low) / (high - low or 1)
    array = array.transpose(1, 2, 0)
    if array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    ax.imshow(array, interpolation="nearest")
    ax.set_title(literal(title), fontsize="small", loc="center")
    ax.axis("off")


@checked
def signed(values: Numbers) -> NDArray[np.uint8]:
    """A picture of numbers around zero: orange above, blue below, white at zero.

    >>> import torch
    >>> from cvcourse import plot
    >>> plot.signed(torch.tensor([[-2.0, 0.0, 2.0]])).shape
    (3, 1, 3)

    Args:
        values: (H, W) float.

    Returns:
        (3, H, W) uint8; the largest absolute value gets the full colour.
    """
    array = _finite("values", values)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"values are {array.shape}; expected (H, W)")
    scaled = array / (2 * np.abs(array).max() or 1) + 0.5
    colours = mpl.colormaps["PuOr_r"](scaled)[..., :3]  # (H, W, 3) in [0, 1]
    return (colours * 255).round().astype(np.uint8).transpose(2, 0, 1)


@checked
def grid(
    rows: Sequence[Tensor | NDArray | Sequence[Tensor | NDArray]],
    *,
    row_titles: Sequence[str] = (),
    titles: Sequence[str] = (),
    width: Positive = 7.2,
) -> Figure:
    """Rows of pictures.

    >>> import matplotlib.pyplot as plt
    >>> import torch
    >>> from cvcourse import plot
    >>> black = torch.zeros(1, 8, 8, dtype=torch.uint8)
    >>> fig = plot.grid([[black, black]], titles=["before", "after"])
    >>> [ax.get_title() for ax in fig.axes]
    ['before', 'after']
    >>> plt.close(fig)

    Args:
        rows: images (C, H, W) as `picture` takes them; rows of one length.
        row_titles: one a row, at its left.
        titles: one a column, above the first row.
        width: of the figure in inches.

    Returns:
        The figure; `plt.show()` shows it.
    """
    columns = len(rows[0]) if len(rows) else 0
    if not columns or {len(row) for row in rows} != {columns}:
        raise ValueError(f"rows have {[len(row) for row in rows]} images; expected as many in each")
    for name, texts, n in (("row_titles", row_titles, len(rows)), ("titles", titles, columns)):
        if len(texts) not in (0, n):
            raise ValueError(f"{name} are {len(texts)}; expected {n}, or none")
    label_width = 0.9 if row_titles else 0.0
    side = (width - label_width) / columns
    fig, axes = plt.subplots(
        len(rows),
        columns,
        figsize=(width, len(rows) * side + (0.25 if titles else 0)),
        squeeze=False,
    )
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            picture(axes[r, c], image, titles[c] if titles and r == 0 else "")
        if row_titles:
            axes[r, 0].text(
                -0.12,
                0.5,
                literal(row_titles[r]),
                transform=axes[r, 0].transAxes,
                ha="right",
                va="center",
                fontsize="small",
            )
    return fig


@checked
def panels(
    results: Results,
    sweeps: Mapping[str, Sequence[float]],
    arms: Sequence[str],
    *,
    n_classes: Count,
) -> Figure:
    """Accuracy against each sweep, a panel a sweep, a band an arm.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> from cvcourse.experiment import repeat
    >>> results = repeat(lambda seed: {"CNN/shift": [0.9, 0.8 - 0.01 * seed]}, 3)
    >>> fig = plot.panels(results, {"shift": [0, 0.125]}, ["CNN"], n_classes=10)
    >>> fig.axes[0].get_xlabel()
    'shift (of the side)'
    >>> plt.close(fig)

    Args:
        results: holds "arm/sweep" for every arm and sweep, (n_seeds, len(values)).
        sweeps: name → the values along x.
        arms: which to draw; the order sets colour and marker.
        n_classes: for the line of chance.

    Returns:
        The figure; `plt.show()` shows it.
    """
    if not arms or not sweeps:
        raise ValueError(f"arms are {arms}, sweeps {dict(sweeps)}; expected at least one of each")
    fig, axes = plt.subplots(
        1, len(sweeps), figsize=(7.2, 2.9), sharey=True, squeeze=False, layout="constrained"
    )
    for ax, (sweep, values) in zip(axes[0], sweeps.items(), strict=True):
        for number, arm in enumerate(arms):
            band(ax, values, results.interval(f"{arm}/{sweep}"), arm, arm=number)
        chance(ax, n_classes)
        ax.set(xlabel=literal(SWEEPS.get(sweep, sweep)), ylim=(0, 1.03))
        ax.locator_params(axis="x", nbins=4)
    axes[0, 0].set_ylabel("test accuracy")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper left", ncols=len(names))
    return fig


@checked
def by_budget(claims: Sequence[Claim], records: Sequence[Record]) -> Figure:
    """What was measured against the length of training, a row a claim, a band an effect.

    Of a claim's effects, those with an interval that are printed as the first of them is.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> from cvcourse.experiment import claim, interval, load_records, more
    >>> gain = interval([0.10, 0.11, 0.12])
    >>> made = claim("gain", "confirmed", {"it is": more(gain)}, effect={"gain": gain}, short="yes")
    claim gain: confirmed
      ✓ it is
    >>> fig = plot.by_budget([made], load_records("13_noisy_student"))
    >>> [label.get_text() for label in fig.axes[0].get_xticklabels()]
    ['×1']
    >>> plt.close(fig)

    Args:
        claims: as this run has settled them: a training as long as the chapter's, ×1.
        records: what is known of longer ones, as `load_records` gives it.

    Returns:
        The figure; `plt.show()` shows it.
    """
    drawn = {claim.id: _by_budget(claim, records) for claim in claims}
    drawn = {id: effects for id, effects in drawn.items() if effects}
    if not drawn:
        raise ValueError("no claim has an effect with an interval; expected at least one")
    rows = len(drawn)
    fig, axes = plt.subplots(
        rows, 1, figsize=(7.2, 0.5 + 1.9 * rows), sharex=True, squeeze=False, layout="constrained"
    )
    budgets = {budget for effects in drawn.values() for e in effects.values() for budget in e}
    for ax, (id, effects) in zip(axes[:, 0], drawn.items(), strict=True):
        for number, (what, effect) in enumerate(effects.items()):
            mean, low, high = np.array(list(effect.values())).T  # (n_budgets,) each
            estimate = Interval(mean, low, high, seeds=0)
            band(ax, list(effect), estimate, fill(what, 34), arm=number)
        if ax.get_ylim()[0] < 0:  # where effects change their sign
            ax.axhline(0, color=GREY, linestyle=":", marker="")
        ax.set_title(literal(id), loc="left")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1.05), fontsize="small")
    log_ticks(axes[-1, 0], sorted(budgets))
    axes[-1, 0].set_xticklabels([f"×{budget:g}" for budget in sorted(budgets)])
    axes[-1, 0].set_xlabel("length of training, beside that of the chapter")
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


def _positions(name: str, values: Positions) -> NDArray:
    given = np.atleast_1d(np.asarray(values))
    return given if given.dtype.kind == "U" else _finite(name, given)


def _finite(name: str, values: Numbers | Tensor) -> NDArray[np.float64]:
    array = check_array(name, values)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; expected finite numbers")
    return array
