"""Every figure's style, in one place: readable on light pages and dark, and without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from cvcourse.experiment import Interval, Results

# Okabe & Ito's colours, told apart with any kind of colour vision; each also has its own marker.
BLUE, ORANGE, GREEN, PURPLE, SKY, GREY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#AA4499",
    "#56B4E9",
    "#6B6B6B",
)
MARKERS = "osD^vX"
PAPER, INK = "#fcfcfa", "#222222"


def use_style() -> None:
    """Set the book's style for every figure from here on."""
    mpl.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": "#8a8a8a",
            "axes.facecolor": PAPER,
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, PURPLE, SKY, GREY])
            + cycler(marker=list(MARKERS)),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "figure.facecolor": PAPER,
            "figure.figsize": (7.2, 3.6),
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


def band(
    ax: Axes, x: ArrayLike, estimate: Interval, label: str, *, arm: int = 0, dashed: bool = False
) -> None:
    """A line through the means with its interval shaded.

    Args:
        ax: where to draw.
        x: (n,) positions.
        estimate: an interval of (n,) values.
        label: the line's name in the legend.
        arm: which colour and marker, 0 to 5; the same arm looks the same in every figure.
        dashed: for a second version of an arm.
    """
    color = (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY)[arm]
    ax.plot(
        x, estimate.mean, "--" if dashed else "-", color=color, marker=MARKERS[arm], label=label
    )
    ax.fill_between(x, estimate.low, estimate.high, color=color, alpha=0.2, linewidth=0)


def chance(ax: Axes, n_classes: int) -> None:
    """A dotted line at the accuracy of guessing, named in the legend."""
    ax.axhline(1 / n_classes, color=GREY, linestyle=":", linewidth=1.4, marker="", label="chance")


def picture(ax: Axes, image: Tensor | NDArray, title: str = "") -> None:
    """One image without axes.

    Args:
        ax: where to draw.
        image: (C, H, W) uint8, or float of any range, which is stretched to fill it.
        title: stands above it.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = (array - low) / (high - low or 1)
    array = array.transpose(1, 2, 0)
    if array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    ax.imshow(array, interpolation="nearest")
    ax.set_title(title, fontsize="small", loc="center")
    ax.axis("off")


def signed(values: Tensor | NDArray) -> NDArray[np.uint8]:
    """A picture of numbers around zero: orange above, blue below, white at zero.

    Args:
        values: (H, W) float.

    Returns:
        (3, H, W) uint8; the largest absolute value gets the full colour.
    """
    array = np.asarray(values, dtype=np.float64)
    scaled = array / (2 * np.abs(array).max() or 1) + 0.5
    colours = mpl.colormaps["PuOr_r"](scaled)[..., :3]  # (H, W, 3) in [0, 1]
    return (colours * 255).round().astype(np.uint8).transpose(2, 0, 1)


def grid(
    rows: Sequence[Sequence[Tensor | NDArray]],
    *,
    row_titles: Sequence[str] = (),
    titles: Sequence[str] = (),
    width: float = 7.2,
) -> Figure:
    """Rows of pictures.

    Args:
        rows: images as `picture` takes them; rows of one length.
        row_titles: one a row, at its left.
        titles: one a column, above the first row.
        width: of the figure in inches.
    """
    columns = len(rows[0])
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
                row_titles[r],
                transform=axes[r, 0].transAxes,
                ha="right",
                va="center",
                fontsize="small",
            )
    return fig


def panels(
    results: Results,
    sweeps: Mapping[str, Sequence[float]],
    arms: Sequence[str],
    *,
    n_classes: int,
    labels: Mapping[str, str] | None = None,
) -> Figure:
    """Accuracy against each sweep, a panel a sweep, a band an arm.

    Args:
        results: holds "arm/sweep" for every arm and sweep, (n_seeds, len(values)).
        sweeps: name → the values along x.
        arms: which to draw; the order sets colour and marker.
        n_classes: for the line of chance.
        labels: a sweep's label on the x axis, where its name does not do.
    """
    fig, axes = plt.subplots(
        1, len(sweeps), figsize=(7.2, 2.9), sharey=True, squeeze=False, layout="constrained"
    )
    for ax, (sweep, values) in zip(axes[0], sweeps.items(), strict=True):
        for number, arm in enumerate(arms):
            band(ax, values, results.interval(f"{arm}/{sweep}"), arm, arm=number)
        chance(ax, n_classes)
        ax.set(xlabel=(labels or {}).get(sweep, sweep), ylim=(0, 1.03))
        ax.locator_params(axis="x", nbins=4)
    axes[0, 0].set_ylabel("test accuracy")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper left", ncols=len(names))
    return fig
