"""Still diagrams as inline SVG: boxes, arrows, and what they show in words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Any

from cvcourse.checks import Checked, Positive, checked
from cvcourse.experiment.tables import NO_MATH
from cvcourse.explore.base import STYLE
from cvcourse.explore.still import TONES, tone
from cvcourse.terminal import printable

WIDTH = 340  #: of every diagram, in pixels of a phone; a wide page shows it half as large again
SIZE = 13  #: of its letters
LETTER = 6.5  #: what a letter of that size takes at most, on average over a line
LINE = 17  #: from one line of text to the next
PAPER = "var(--cvx-paper, #fcfcfa)"
ROW = 92  #: from one row of boxes to the next
_NAMESPACE = uuid.UUID("0a0f0d4c-8c0b-5a6e-8f0e-6a3f5f1c7d10")


@dataclass(frozen=True)
class Diagram(Checked):
    """A drawing and its description; a notebook shows the one, a terminal the other.

    Attributes:
        title: what it is a drawing of, in a few words.
        description: all that it shows, in words.
        height: of the drawing; it is `WIDTH` wide.
        parts: its SVG elements.
    """

    title: str
    description: str
    height: Positive
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return printable(fill(f"{self.title}. {self.description}", 80))

    def svg(self) -> str:
        """The drawing, with its title and description; the same each time."""
        drawn = "".join(self.parts)
        name = f"diagram-{uuid.uuid5(_NAMESPACE, str(self) + drawn).hex[:12]}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:g}" '
            f'role="img" aria-labelledby="{name}-title {name}-words" '
            f'style="width: {1.25 * WIDTH:g}px; max-width: 100%; margin: 0 auto">'
            f'<title id="{name}-title">{escape(self.title)}</title>'
            f'<desc id="{name}-words">{escape(self.description)}</desc>{drawn}</svg>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        html = f'<style>\n{STYLE}</style>\n<div class="cvx {NO_MATH}">{self.svg()}</div>\n'
        return {"text/plain": str(self), "text/html": html}


@dataclass(frozen=True)
class Box:
    """One box of a flow.

    Attributes:
        column: where its middle is from left to right, 0 in the first column.
        row: where it is from top to bottom.
        text: one to three lines.
        kind: "data" (a thin frame), "network" (tinted, a thick frame) or "loss" (round ends).
        tone: one of the book's colours.
        span: its width in columns.
    """

    column: float
    row: float
    text: str
    kind: str = "data"
    tone: str = "grey"
    span: float = 1.0


@dataclass(frozen=True)
class Placed:
    """A box where it is drawn: its middle, its width and height."""

    box: Box
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right side."""
        return self.x + self.width / 2


@checked
def flow(
    title: str,
    description: str,
    boxes: Mapping[str, Box],
    arrows: Sequence[tuple[str, ...]],
) -> Diagram:
    """Boxes in rows and columns, from the top of the page down, joined by arrows.

    >>> from cvcourse.explore.diagram import Box, flow
    >>> boxes = {"x": Box(0, 0, "picture"), "net": Box(0, 1, "network", "network", "blue")}
    >>> print(flow("Prediction", "A picture enters a network.", boxes, [("x", "net")]))
    Prediction. A picture enters a network.

    Args:
        title: what it is a drawing of.
        description: all that it shows, in words.
        boxes: by their names.
        arrows: (from, to) or (from, to, words beside it). One that goes up is a gradient or a
            loop: it is dashed, and runs beside the boxes.

    Raises:
        ValueError: an arrow has no such box, or a text does not fit.
    """
    for name in (name for arrow in arrows for name in arrow[:2]):
        if name not in boxes:
            raise ValueError(
                f"an arrow has an end at {name!r}; expected one of {', '.join(boxes)}: add that box"
            )
    rises = any(boxes[end].row < boxes[start].row for start, end, *_ in arrows)
    step = (WIDTH - 24 * rises) / (1 + max(box.column for box in boxes.values()))
    placed = {
        name: Placed(
            box,
            x=step * (box.column + 0.5),
            y=28 + ROW * box.row,
            width=step * box.span - 10,
            height=14 + LINE * (box.text.count("\n") + 1),
        )
        for name, box in boxes.items()
    }
    parts = [
        _arrow(placed[start], placed[end], "".join(text), list(placed.values()))
        for start, end, *text in arrows
    ]
    parts += [draw_box(p.x, p.y, p.width, p.height, p.box) for p in placed.values()]
    height = max(p.y + p.height / 2 for p in placed.values()) + 6
    return Diagram(title, description, height, tuple(parts))


def draw_box(x: float, y: float, width: float, height: float, box: Box) -> str:
    """A box with its middle at (x, y).

    Raises:
        ValueError: its text does not fit.
    """
    if box.tone not in TONES:
        raise ValueError(f"the tone is {box.tone!r}; expected one of {', '.join(TONES)}")
    colour = tone(box.tone)
    network = box.kind == "network"
    place = (
        f'<rect x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" '
        f'height="{height:g}" rx="{min(height / 2, 16) if box.kind == "loss" else 5:g}" '
    )
    shape = (
        f'{place}fill="{PAPER}"/>{place}fill="{colour}" fill-opacity="{0.16 if network else 0.04}" '
        f'stroke="{colour}" stroke-width="{2.5 if network else 1.2}"/>'
    )
    lines = box.text.split("\n")
    top = y - LINE * (len(lines) - 1) / 2 + 4.5
    return shape + "".join(
        words(x, top + LINE * i, line, width - 4, strong=network and i == 0)
        for i, line in enumerate(lines)
    )


def words(
    x: float, y: float, text: str, room: float, *, strong: bool = False, halo: bool = False
) -> str:
    """A line of text around x; with a halo, no line is seen through it.

    Raises:
        ValueError: it takes more than its room.
    """
    if LETTER * len(text) > room:
        raise ValueError(
            f"{text!r} has {len(text)} letters and room for {int(room / LETTER)}; break it with "
            "\\n, or shorten it"
        )
    look = ' font-weight="600"' if strong else ""
    if halo:
        look += f' stroke="{PAPER}" stroke-width="6" paint-order="stroke"'
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{SIZE}" text-anchor="middle"{look}>'
        f"{escape(text)}</text>"
    )


def _arrow(start: Placed, end: Placed, text: str, others: Sequence[Placed]) -> str:
    """Straight across, straight down, down and across, or up beside the other boxes."""
    if end.y < start.y:
        edge = max(start.right, end.right) + 12
        for other in sorted(others, key=lambda placed: placed.x):
            left = other.x - other.width / 2
            if end.y < other.y < start.y and left - 8 < edge < other.right + 12:
                edge = other.right + 12
        points = [(start.right, start.y), (edge, start.y), (edge, end.y), (end.right, end.y)]
        return line(points, dashed=True)
    if end.y == start.y:
        sign = 1 if end.x > start.x else -1
        points = [
            (start.x + sign * start.width / 2, start.y),
            (end.x - sign * end.width / 2, end.y),
        ]
        x, y = (points[0][0] + points[1][0]) / 2, start.y - 6
    else:
        turn = end.y - end.height / 2 - 20
        corners = [] if start.x == end.x else [(start.x, turn), (end.x, turn)]
        points = [(start.x, start.y + start.height / 2), *corners, (end.x, end.y - end.height / 2)]
        x, y = start.x, (points[0][1] + points[1][1]) / 2 + 4
    return line(points) + (words(x, y, text, WIDTH, halo=True) if text else "")


def line(points: Sequence[tuple[float, float]], *, dashed: bool = False, tip: bool = True) -> str:
    """A line through these points, with a tip at its end."""
    (x0, y0), (x1, y1) = points[-2:]
    along = ((x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0))  # one step on the way
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    drawn = (
        f'<polyline points="{path}" fill="none" stroke="{tone("grey")}" stroke-width="1.6"'
        f"{dashes}/>"
    )
    if not tip:
        return drawn
    left = f"{x1 - 8 * along[0] - 4 * along[1]:g},{y1 - 8 * along[1] + 4 * along[0]:g}"
    right = f"{x1 - 8 * along[0] + 4 * along[1]:g},{y1 - 8 * along[1] - 4 * along[0]:g}"
    return f'{drawn}<polygon points="{x1:g},{y1:g} {left} {right}" fill="{tone("grey")}"/>'
