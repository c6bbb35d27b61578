"""Every figure's style, in one place: readable on light pages and dark, and without colour."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from cvcourse.experiment import Interval

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
    """A dotted line at the accuracy of guessing."""
    ax.axhline(1 / n_classes, color=GREY, linestyle=":", linewidth=1.2, marker="")
    ax.annotate(
        "chance",
        (1, 1 / n_classes),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="small",
        color=GREY,
    )


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
