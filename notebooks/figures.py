"""Every figure as a page shows it: in lines, and again for phones.

On a narrow screen a figure's words would be too small: there it is as wide as
a phone, its panels below each other. This is an extension of IPython, which
`execute.py` loads into the kernel; the pages of the book take these versions,
other readers of a notebook its PNG.
"""

from __future__ import annotations

import base64
import gzip
import io
import re
from itertools import pairwise
from math import ceil
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
from IPython.core.formatters import BaseFormatter
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.legend import Legend
from traitlets import ObjectName, Unicode

from execute import FIGURE

WIDTH = 3.2  #: inches: a phone's column, where ten points are ten points
DPI = 110  #: of the page's dots, as in `cvcourse.plot`
SMALL = 64  #: pixels: what a network is given
FEW = 9  #: texts with a picture; more are written all over it
PICTURES = 5  #: in a row, at most
LETTER = 0.075  #: inches, of the small words above a picture
DIGITS = re.compile(r"\d+\.\d{3,}")
POINTS = re.compile(r'="([\d.]+)pt"')


def narrow(figure: Figure) -> bool:
    """Lay a figure out anew for a phone; whether there was need to."""
    placed = [ax.get_subplotspec() for ax in figure.axes]
    simple = not figure.subfigs and None not in placed
    if figure.get_figwidth() <= WIDTH + 0.8 or not simple:
        return False
    charts = [ax for ax in figure.axes if ax.axison]
    for ax in charts:
        name(ax, charts)
        complete(ax)
    arrange(figure)
    for legend in list(figure.legends):
        figure.legend(**anew(legend, figure), loc="outside upper left")
    for ax in charts:
        if own := ax.get_legend():
            on_top(ax, own, figure)
    figure.draw_without_rendering()
    for ax in charts:
        tilt(ax)
    return True


def arrange(figure: Figure) -> None:
    """Charts below each other, pictures in shorter rows."""
    rows = rows_of(figure.axes)
    columns = max(map(len, rows))
    for ax in figure.axes:
        if not ax.axison:
            text = wrapped(ax.get_title(), int(WIDTH / columns / LETTER))
            ax.title.set_text(text)
    heights = [height(row[0], columns) for row in rows]
    own = filter(None, (ax.get_legend() for ax in figure.axes))
    lines = sum(len(each.get_texts()) for each in (*figure.legends, *own))
    figure.set_size_inches(WIDTH, sum(heights) + 0.2 * lines)
    grid = GridSpec(len(rows), columns, figure, height_ratios=heights)
    for r, row in enumerate(rows):
        for c, ax in enumerate(row):
            ax.set_subplotspec(grid[r, :] if ax.axison else grid[r, c])


def rows_of(axes: list[Axes]) -> list[list[Axes]]:
    """Charts stand alone; a row of pictures is cut where it is too long."""
    rows: list[list[Axes]] = []
    for ax in axes:
        spec = ax.get_subplotspec()
        assert spec
        fits = together(spec.get_gridspec().ncols, axes)
        at = spec.colspan.start
        if ax.axison or not rows or rows[-1][0].axison or at % fits == 0:
            rows.append([])
        rows[-1].append(ax)
    return rows


def together(columns: int, axes: list[Axes]) -> int:
    """How many of a row of pictures stand beside each other, titles and all."""
    pictures = [ax for ax in axes if not ax.axison]
    if any(len(ax.texts) > FEW for ax in pictures):
        return 1  # to be read
    words = []
    for ax in pictures:
        title = ax.get_title()
        words += title.split("\n") if "\n" in title else title.split()
        words += under(ax)
    longest = max(map(len, words), default=1)
    most = max(1, min(PICTURES, int(WIDTH / (LETTER * longest))))
    return ceil(columns / ceil(columns / most))  # rows as long as each other


def under(ax: Axes) -> list[str]:
    """What is written under a picture; one text names its row."""
    few = 1 < len(ax.texts) <= FEW
    return [text.get_text() for text in ax.texts] if few else []


def height(ax: Axes, columns: int) -> float:
    """Of its row, in inches: as high as before, or as wide as its place."""
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    box = ax.get_position()
    high = box.height * figure.get_figheight()
    if ax.axison:
        names = [label.get_text() for label in ax.get_yticklabels()]
        lines = max((name.count("\n") + 1 for name in names), default=1)
        return max(high, 1.0, 0.19 * lines * len(names)) + 0.6
    named = 0.8 if any(len(each.texts) == 1 for each in figure.axes) else 0
    title = 0.17 * (1 + ax.get_title().count("\n")) if ax.get_title() else 0.04
    side = (WIDTH - named) / columns
    below = 0.26 * len(under(ax))
    return side * high / (box.width * figure.get_figwidth()) + title + below


def anew(legend: Legend, figure: Figure) -> dict[str, Any]:
    """What a legend says, for one that is set in its place."""
    names = [text.get_text() for text in legend.get_texts()]
    drawn = dict(zip(names, legend.legend_handles, strict=True))
    for ax in figure.axes:  # with their markers
        handles, labels = ax.get_legend_handles_labels()
        drawn |= {
            k: h for k, h in zip(labels, handles, strict=True) if k in drawn
        }
    legend.remove()
    return {
        "handles": list(drawn.values()),
        "labels": [fill(name.replace("\n", " "), 36) for name in drawn],
        "ncols": 2 if len(names) > 1 and max(map(len, names)) <= 14 else 1,
        "fontsize": "small",
    }


def on_top(ax: Axes, legend: Legend, figure: Figure) -> None:
    """Its legend between its title and itself, where it hides nothing."""
    ax.legend(
        **anew(legend, figure),
        title=ax.get_title(loc="left") or ax.get_title(),
        alignment="left",
        loc="lower left",
        bbox_to_anchor=(-0.05, 1.0),
    )
    for place in ("left", "center"):
        ax.set_title("", loc=place)


def wrapped(text: str, width: int) -> str:
    """Lines no longer than so many letters, if it has not got lines already."""
    return text if "\n" in text else fill(text, width)


def name(ax: Axes, charts: list[Axes]) -> None:
    """The title and label that a panel has from those above and to the left."""
    at = ax.get_subplotspec()
    for other in charts:
        place = other.get_subplotspec()
        assert at
        assert place
        alike = ax.get_shared_y_axes().joined(ax, other)
        if at.rowspan == place.rowspan and alike and not ax.get_ylabel():
            ax.set_ylabel(other.get_ylabel())
        if at.colspan == place.colspan and not ax.get_title(loc="left"):
            ax.set_title(other.get_title(loc="left"), loc="left")


def complete(ax: Axes) -> None:
    """Marks that a panel left to its neighbour, and words that fit."""
    ax.tick_params(labelleft=True, labelbottom=True)
    for axis, length in ((ax.yaxis, 18), (ax.xaxis, 14)):
        names = [label.get_text() for label in axis.get_ticklabels()]
        words = [name for name in names if " " in name and "$" not in name]
        if max(map(len, words), default=0) > length:
            axis.set_ticks(
                axis.get_ticklocs(), [fill(name, length) for name in names]
            )
    ax.set_title(fill(ax.get_title(loc="left"), 38), loc="left")
    ax.set_xlabel(fill(ax.get_xlabel(), 26))


def tilt(ax: Axes) -> None:
    """Marks along the bottom that would run into each other."""
    boxes = [
        label.get_window_extent()
        for label in ax.get_xticklabels()
        if label.get_text()
    ]
    if any(left.x1 > right.x0 for left, right in pairwise(boxes)):
        ax.tick_params(axis="x", labelrotation=40)


def as_svg(figure: Figure) -> str:
    """Sharp at every size, as large as a PNG of `DPI` is; gzip, base64."""
    for image in [image for ax in figure.axes for image in ax.images]:
        if max(image.get_size()) <= SMALL:
            image.set_interpolation("none")  # stored as it is, not enlarged
    for surface in figure.findobj(ContourSet):
        surface.set_rasterized(True)  # which has more corners than dots
    file = io.StringIO()
    with plt.rc_context({"svg.hashsalt": "cvcourse"}):  # the same at every run
        figure.savefig(
            file,
            format="svg",
            dpi=DPI,
            bbox_inches="tight",
            metadata={"Date": None},
        )
    text = DIGITS.sub(lambda n: f"{float(n[0]):.5g}", file.getvalue())
    text = POINTS.sub(
        lambda n: f'="{float(n[1]) * DPI / 72:.0f}"', text, count=2
    )
    packed = gzip.compress(text.encode(), mtime=0)
    return base64.b64encode(packed).decode()


class Versions(BaseFormatter):
    """Tells what a page shows of a figure, in its output's metadata."""

    format_type = Unicode(FIGURE)
    print_method = ObjectName("_repr_versions_")

    def __call__(self, shown: object) -> tuple[None, dict[str, str]] | None:
        """Wide, for a chart; and narrow; None for anything but a figure.

        Kinds are asked in turn, this one last, when the PNG is drawn.
        """
        if not isinstance(shown, Figure):
            return None
        pictures = any(ax.images for ax in shown.axes)  # as sharp in a PNG
        versions = {} if pictures else {"wide.svg": as_svg(shown)}
        if narrow(shown):
            versions["narrow.svg"] = as_svg(shown)
        return None, versions


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`--ext=figures` of a kernel; see `execute.run`."""
    formatter = shell.display_formatter
    assert formatter
    formatter.formatters[FIGURE] = Versions(parent=formatter)
