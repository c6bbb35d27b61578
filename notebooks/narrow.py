"""A figure as a phone shows it: as wide as that, its panels below each other.

Charts stand one below the other, each with the words that it had from those
beside it, its legend on top. Long rows of pictures are cut into shorter ones.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil, lcm
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.text import Text

WIDTH = 3.2  #: inches: a phone's column, where ten points are ten points
LETTER = 0.075  #: inches, of the small words above a picture
SMALLEST = 25 / 3  #: points: `fontsize="small"`
GAP = 5  #: pixels between two words
NAME = 28  #: letters of a legend's line, which is as wide as its panel
LINE = 0.16  #: inches, of the names along an axis
PICTURES = 7  #: in a row, at most
ALONE = 3  #: pictures, and nothing else: each in a row of its own
FEW = 9  #: texts with a picture; more are written all over it


def narrow(figure: Figure) -> bool:
    """Lay a figure out anew for a phone; whether there was need to."""
    placed = [ax.get_subplotspec() for ax in figure.axes]
    simple = placed and not figure.subfigs and None not in placed
    if figure.get_figwidth() <= WIDTH or not simple:
        return False
    figure.draw_without_rendering()  # for the sizes that its panels have
    charts = [ax for ax in figure.axes if ax.axison]
    for ax in charts:
        inherit_words(ax, charts)
        complete(ax)
    for text in figure.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), SMALLEST))
    arrange(figure)
    for legend in list(figure.legends):
        if legend.get_texts():
            said = anew(legend, figure.axes)
            figure.legend(**said, loc="outside upper left")
    for ax in charts:
        if (own := ax.get_legend()) and own.get_texts():
            on_top(ax, own)
    if charts and isinstance(
        engine := figure.get_layout_engine(), ConstrainedLayoutEngine
    ):
        engine.set(h_pad=0.1)  # inches: a title is nearer to its own panel
    figure.draw_without_rendering()
    for ax in charts:
        tilt(ax)
    return True


def arrange(figure: Figure) -> None:
    """Charts below each other, pictures in shorter rows."""
    rows = rows_of(figure.axes)
    for row, columns in rows:
        for ax in row:
            if not ax.axison:
                letters = int(WIDTH / columns / LETTER)
                ax.title.set_text(wrapped(ax.get_title(), letters))
    sizes = [size(row[0], columns) for row, columns in rows]
    own = filter(None, (ax.get_legend() for ax in figure.axes))
    legends = [each.get_texts() for each in (*figure.legends, *own)]
    said = [text.get_text() for texts in legends for text in texts]
    lines = sum(wrapped(each, NAME).count("\n") + 1 for each in said)
    figure.set_size_inches(WIDTH, sum(map(sum, sizes)) + 0.2 * lines)
    heights = [inside for inside, _ in sizes]
    whole = lcm(*(columns for _, columns in rows))
    grid = GridSpec(len(rows), whole, figure, height_ratios=heights)
    for r, (row, columns) in enumerate(rows):
        wide = whole // columns
        for c, ax in enumerate(row):
            ax.set_subplotspec(grid[r, c * wide : (c + 1) * wide])


def rows_of(axes: list[Axes]) -> list[tuple[list[Axes], int]]:
    """What stands beside each other, and in how many columns.

    Charts stand alone. Rows of pictures are cut where they are too long; those
    under common titles are cut together, so that a column stays one.
    """
    charts = [([ax], 1) for ax in axes if ax.axison]
    lines: dict[int, list[Axes]] = {}
    for ax in axes:
        if not ax.axison and (spec := ax.get_subplotspec()):
            lines.setdefault(spec.rowspan.start, []).append(ax)
    cut: list[tuple[list[Axes], int]] = []
    for block in blocks([*lines.values()]):
        length = together(block, alone=len(axes) <= ALONE)
        for start in range(0, len(block[0]), length):
            for line in block:
                cut.append((line[start : start + length], length))
                if start and len(line[0].texts) == 1:  # the row's name
                    repeat(line[0].texts[0], line[start])
    return charts + cut if axes[0].axison else cut + charts


def blocks(lines: list[list[Axes]]) -> list[list[list[Axes]]]:
    """Lines of pictures, each with those that its titles stand above."""
    found: list[list[list[Axes]]] = []
    for line in lines:
        if not found or any(title_of(ax) for ax in line):
            found.append([])
        found[-1].append(line)
    return found


def repeat(text: Text, ax: Axes) -> None:
    """The same text at the same place of another picture."""
    copy = ax.text(*text.get_position(), text.get_text())
    copy.update_from(text)
    copy.set_transform(ax.transAxes)


def together(block: list[list[Axes]], *, alone: bool) -> int:
    """How many of a line's pictures stand beside each other, words and all."""
    pictures = [ax for line in block for ax in line]
    if alone or any(len(ax.texts) > FEW for ax in pictures):
        return 1  # to be looked at closely
    words = []
    for ax in pictures:
        title = ax.get_title()
        words += title.split("\n") if "\n" in title else title.split()
        words += under(ax)
    longest = max(map(len, words), default=1)
    most = max(1, min(PICTURES, int(WIDTH / (LETTER * longest))))
    columns = len(block[0])
    return ceil(columns / ceil(columns / most))  # lines as long as each other


def under(ax: Axes) -> list[str]:
    """What is written under a picture; one text names its row."""
    few = 1 < len(ax.texts) <= FEW
    return [text.get_text() for text in ax.texts] if few else []


def size(ax: Axes, columns: int) -> tuple[float, float]:
    """Of its row, in inches: as high as before, or as its place is wide.

    And the words above and below it.
    """
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    box = ax.get_position()
    high = box.height * figure.get_figheight()
    if ax.axison:
        return max(high, 1.6, height_of_names(ax)), 0.6
    named = 0.8 if any(len(each.texts) == 1 for each in figure.axes) else 0
    above = title_of(ax)
    title = 0.17 * (1 + above.count("\n")) if above else 0.04
    side = (WIDTH - named) / columns
    below = 0.26 * len(under(ax))
    return side * high / (box.width * figure.get_figwidth()), title + below


def height_of_names(ax: Axes) -> float:
    """Inches in which no name at the left runs into the next one."""
    lines = [t.get_text().count("\n") + 1 for t in ax.get_yticklabels()]
    places = [ax.transData.transform((0, y))[1] for y in ax.get_yticks()]
    named = sorted(zip(places, lines, strict=True))
    bottom, top = (ax.transAxes.transform((0, y))[1] for y in (0, 1))
    needed = [
        LINE * (below + above) / 2 * (top - bottom) / (high - low)
        for (low, below), (high, above) in pairwise(named)
        if bottom <= low < high <= top
    ]
    return max(needed, default=0)


def anew(legend: Legend, axes: list[Axes]) -> dict[str, Any]:
    """What a legend of these panels says, for one in its place; it goes."""
    names = [text.get_text() for text in legend.get_texts()]
    drawn: dict[str, Any] = {}  # with markers, which legend_handles lack
    for ax in reversed(axes):
        found, labels = ax.get_legend_handles_labels()
        drawn |= dict(zip(labels, found, strict=True))
    said = zip(names, legend.legend_handles, strict=True)
    handles: list[Any] = [drawn.get(name, own) for name, own in said]
    legend.remove()
    return {
        "handles": handles,
        "labels": [wrapped(each.replace("\n", " "), NAME) for each in names],
        "ncols": 2 if len(names) > 1 and max(map(len, names)) <= 12 else 1,
        "fontsize": "small",
        "handlelength": 2.0,
        "title": legend.get_title().get_text() or None,
        "alignment": "left",
    }


def on_top(ax: Axes, legend: Legend) -> None:
    """Its legend between its title and itself, where it hides nothing."""
    said = anew(legend, [ax])
    titles = [ax.get_title(loc="left"), ax.get_title(), said["title"]]
    said["title"] = "\n".join(filter(None, titles))
    ax.legend(**said, loc="lower left", bbox_to_anchor=(-0.05, 1.0))
    for place in ("left", "center"):
        ax.set_title("", loc=place)


def wrapped(text: str, width: int) -> str:
    """Lines no longer than so many letters; lines and formulas stay."""
    return text if "\n" in text or "$" in text else fill(text, width)


def inherit_words(ax: Axes, charts: list[Axes]) -> None:
    """What a panel had from one beside it: title, labels and marks."""
    at = ax.get_subplotspec()
    for other in charts:
        place = other.get_subplotspec()
        assert at
        assert place
        across = ax.get_shared_y_axes().joined(ax, other)
        if at.rowspan == place.rowspan and across and not ax.get_ylabel():
            ax.set_ylabel(other.get_ylabel())
        above = place.rowspan.start < at.rowspan.start
        if above and at.colspan == place.colspan and not title_of(ax):
            ax.set_title(title_of(other), loc="left")
    if len(ax.get_shared_y_axes().get_siblings(ax)) > 1:
        ax.tick_params(labelleft=True)
    if len(ax.get_shared_x_axes().get_siblings(ax)) > 1:
        ax.tick_params(labelbottom=True)


def title_of(ax: Axes) -> str:
    """At the left, as the book's style has it, or in the middle."""
    return ax.get_title(loc="left") or ax.get_title()


def complete(ax: Axes) -> None:
    """Words in lines that fit."""
    across = len(ax.get_xticklabels()) or 1
    for axis, length in ((ax.yaxis, 18), (ax.xaxis, max(8, 33 // across))):
        names = [label.get_text() for label in axis.get_ticklabels()]
        words = [name for name in names if " " in name and "$" not in name]
        if words and axis is ax.yaxis:
            ax.margins(y=0.12)  # no name beside that of the other axis
        if max(map(len, words), default=0) > length:
            lines = [wrapped(name, length) for name in names]
            axis.set_ticks(axis.get_ticklocs(), lines)
    for place in ("left", "center"):
        ax.set_title(wrapped(ax.get_title(loc=place), 32), loc=place)
    below = ax.get_xlabel()
    if len(below) > 26:
        lines = below.replace(" (", "\n(").split("\n")
        ax.set_xlabel("\n".join(wrapped(line, 26) for line in lines))


def tilt(ax: Axes) -> None:
    """Marks along the bottom that would run into each other."""
    labels = [label for label in ax.get_xticklabels() if label.get_text()]
    boxes = sorted(
        (label.get_window_extent() for label in labels), key=lambda box: box.x0
    )
    if any(left.x1 + GAP > right.x0 for left, right in pairwise(boxes)):
        if any("\n" in label.get_text() for label in labels):
            said = [
                t.get_text().replace("\n", " ") for t in ax.get_xticklabels()
            ]
            ax.set_xticks(ax.get_xticks(), said)
        ax.tick_params(axis="x", labelrotation=40)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
