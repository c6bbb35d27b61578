"""Accuracy and what it depends on: means, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cvcourse.checks import Count, Numbers, Positive, check_integer, checked
from cvcourse.experiment import Interval, Results
from cvcourse.plot.style import COLOURS, GREY, MARKERS, PAPER, finite, literal

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
        each = finite("values", values)  # (n_seeds, n)
        each = each[:, None] if each.ndim == 1 else each
        if each.ndim != 2 or each.shape[1] != at.size:
            raise ValueError(f"values are {each.shape}; expected (n_seeds, {at.size})")
        at = finite("places beside which values are drawn", at)
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


def _positions(name: str, values: Positions) -> NDArray:
    given = np.atleast_1d(np.asarray(values))
    return given if given.dtype.kind == "U" else finite(name, given)
