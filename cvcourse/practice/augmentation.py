"""Practice for chapter 8: labels that do not survive, hulls that grow, bytes, boxes, the middle.

>>> from cvcourse.practice import augmentation as practice
>>> _ = practice.all_classes.check(0.5)
✗ That is the accuracy on the arrows alone; expected that on all ten classes.
>>> _ = practice.there_and_back.check(1.0)
✗ For points, turning back undoes it. But of the box only the hull was kept,
and it is turned back as a box.
>>> _ = practice.brighten.check(lambda images, factor: None)
… brighten returns nothing yet. Write its body, and end it with return.
>>> _ = practice.flip_boxes.check(...)
… flip_boxes: no answer yet. Put yours in place of the dots.
>>> _ = practice.about_the_middle.check(lambda matrix, width, height: None)
… about_the_middle returns nothing yet. Write its body, and end it with return.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="A flipped left arrow looks like a right one. What is the best that one can say of an "
    "arrow then? The other eight are untouched.",
    why="Eight tenths are all right, and two tenths are a coin's toss: no training gets "
    "beyond 90 %.",
    mistakes={
        "That is the accuracy on the arrows alone; expected that on all ten classes.": 0.5,
        "The chapter measured that in one training; the question is for the best possible.": 0.88,
        "Even a guess between the two arrows is right every other time.": 0.8,
        "Nothing would be lost if labels went along. They do not: half of the arrows have the "
        "wrong one.": 1.0,
        "Two classes of ten suffer, left and right.": 0.95,
    },
)
def all_classes() -> float:
    """Best accuracy on ten classes, two of them left and right arrow, trained half flipped."""
    others, arrows = 8 / 10, 2 / 10
    return others * 1.0 + arrows * 0.5


@Number.of(
    hint="The hull of a square of side 1, turned by 30°, has the side cos 30° + sin 30°. And then "
    "once more.",
    why="Turning a point back undoes the turn. Taking the hull cannot be undone: compose the "
    "matrices first, and take one hull.",
    tolerance=0.005,
    mistakes={
        "For points, turning back undoes it. But of the box only the hull was kept, and it is "
        "turned back as a box.": 1.0,
        "That is one turn. The way back makes it grow again.": (0.75**0.5 + 0.5) ** 2,
        "That is the side after one turn; expected the area after two.": 0.75**0.5 + 0.5,
        "It does not grow by the same amount twice, but by the same factor.": (
            1 + 2 * ((0.75**0.5 + 0.5) ** 2 - 1)
        ),
        "That is the growth after two turns by 45°.": 4.0,
    },
)
def there_and_back() -> float:
    """Growth of a square box's area, turned by 30° and back, its hull taken each time."""
    side = torch.tensor(30.0).deg2rad()
    growth = float(side.cos() + side.sin()) ** 2
    return growth * growth


def _bytes(generator: torch.Generator) -> tuple[Tensor, float]:
    images = torch.randint(0, 256, (2, 3, 4, 4), generator=generator, dtype=torch.uint8)
    return images, 0.4 + 1.5 * float(torch.rand((), generator=generator))


def _brighten(
    images: Tensor,
    factor: float,
    *,
    change: Callable[..., Tensor] = torch.mul,
    high: float | None = 255,
    whole: Callable[[Tensor], Tensor] = torch.round,
) -> Tensor:
    """Right, or with one thing wrong; without a highest level they wrap round."""
    levels = change(images.float(), factor)
    return whole(levels) % 256 if high is None else whole(levels.clamp(0, high))


@Function.of(
    hint="Leave the bytes (.float()), multiply, clip to 0 … 255, round, and go back to bytes.",
    why="Bytes cannot be brighter than 255: without the clip, a lamp turns black.",
    inputs=_bytes,
    dtype="uint8",
    mistakes={
        "What is too bright starts again at 0: bytes wrap round. Clip to 255 first.": partial(
            _brighten, high=None
        ),
        "Too bright for bytes: clip to 0 … 255.": partial(_brighten, high=math.inf),
        "You cut the fraction off; expected the nearest byte: round.": partial(
            _brighten, whole=torch.floor
        ),
        "Not rounded: expected bytes.": partial(_brighten, whole=torch.clone),
        "Clipped at 1: these are bytes from 0 to 255, not fractions.": partial(_brighten, high=1),
        "You divide by the factor.": partial(_brighten, change=torch.div),
        "You add the factor; expected levels times the factor.": partial(
            _brighten, change=torch.add
        ),
    },
)
def brighten(images: Tensor, factor: float) -> Tensor:
    """(B, C, H, W) uint8 → the same, every level multiplied by a factor, clipped and rounded."""
    return (images.float() * factor).clamp(0, 255).round().to(torch.uint8)


def _boxes(generator: torch.Generator) -> tuple[Tensor, int]:
    corner = 30 * torch.rand(6, 2, generator=generator)
    side = 1 + 10 * torch.rand(6, 2, generator=generator)
    return torch.cat([corner, corner + side], dim=1), 50


def _flip(
    boxes: Tensor,
    width: int,
    *,
    order: Sequence[int] = (2, 1, 0, 3),
    mirrored: Sequence[int] = (0, 2),
    less: int = 0,
) -> Tensor:
    """Columns in this order, some of them mirrored; right, or with one thing wrong."""
    flipped = boxes[:, list(order)]
    flipped[:, list(mirrored)] = width - less - flipped[:, list(mirrored)]
    return flipped


@Function.of(
    hint="The edge at x goes to width − x. Which of the two edges is then the left one?",
    why="And if a box had the name “left hand”, the name would have to change, too.",
    inputs=_boxes,
    mistakes={
        "Left and right edge have changed places: x0 must stay the smaller one.": partial(
            _flip, order=(0, 1, 2, 3)
        ),
        "The right edge was made of the new left one: x0 was overwritten before it was used.": (
            lambda boxes, width: torch.stack(
                [width - boxes[:, 2], boxes[:, 1], boxes[:, 2], boxes[:, 3]], dim=1
            )
        ),
        "Off by one: width − 1 belongs to the numbers of pixels. Edges run from 0 to width.": (
            partial(_flip, less=1)
        ),
        "That is a flip upside down: y has changed, and not x.": partial(
            _flip, order=(0, 3, 2, 1), mirrored=(1, 3)
        ),
        "y has changed, too. From left to right only x does.": partial(
            _flip, mirrored=(0, 1, 2, 3)
        ),
        "You swapped the edges without mirroring them.": partial(_flip, mirrored=()),
        "Nothing has moved.": lambda boxes, width: boxes,
        "The width is missing: an edge at x goes to width − x, not to −x.": (
            lambda boxes, width: _flip(boxes, 0)
        ),
    },
)
def flip_boxes(boxes: Tensor, width: int) -> Tensor:
    """Boxes (N, 4), x0, y0, x1, y1 as edges from 0 to width → those in the mirrored picture."""
    x0, y0, x1, y1 = boxes.unbind(dim=1)
    return torch.stack([width - x1, y0, width - x0, y1], dim=1)


def _map_and_size(generator: torch.Generator) -> tuple[Tensor, int, int]:
    matrix = torch.eye(3)
    matrix[:2, :2] += 0.4 * torch.randn(2, 2, generator=generator)
    return matrix, 40, 30


def _about(
    matrix: Tensor,
    width: int,
    height: int,
    *,
    there: int = -1,
    back: int = 1,
    less: int = 1,
    swap: bool = False,
    whole: bool = False,
) -> Tensor:
    """The map about the middle, right or with one thing wrong."""
    middle = (torch.tensor([height, width] if swap else [width, height]) - less) / 2
    first, last = torch.eye(3), torch.eye(3)
    first[:2, 2], last[:2, 2] = there * middle, back * middle
    if whole:
        first, last = first.trunc(), last.trunc()
    return last @ matrix @ first


@Function.of(
    hint="Three matrices, read from right to left: move the middle to (0, 0), map, move back.",
    why="Every turn, shear and zoom of the chapter is made this way; with the middle half a pixel "
    "off, a turn by 180° is off by a whole one.",
    inputs=_map_and_size,
    mistakes={
        "OpenCV counts from the centre of the first pixel, so the middle is at (W − 1)/2.": partial(
            _about, less=0
        ),
        "The middle of 40 pixels lies between two of them, at 19.5: do not round.": partial(
            _about, whole=True
        ),
        "The other way round: a product of matrices is read from right to left.": partial(
            _about, there=1, back=-1
        ),
        "Width and height have changed places: x belongs to the width.": partial(_about, swap=True),
        "You move the middle to (0, 0), but not back.": partial(_about, back=0),
        "You move back, but never moved the middle to (0, 0).": partial(_about, there=0),
        "That is the map about the corner: it was not moved, or moved and at once moved back.": (
            partial(_about, there=0, back=0)
        ),
    },
)
def about_the_middle(matrix: Tensor, width: int, height: int) -> Tensor:
    """Map (3, 3) about (0, 0) → the same map about the middle of a picture, (3, 3)."""
    there, back = torch.eye(3, dtype=matrix.dtype), torch.eye(3, dtype=matrix.dtype)
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2])
    there[:2, 2], back[:2, 2] = -middle, middle
    return back @ matrix @ there


quiz = Quiz(
    Question(
        "Which of these does every affine map keep?",
        Wrong("Angles.", "A shear changes them."),
        Wrong("The ratio of any two lengths.", "A square may become any parallelogram."),
        Right("The ratio of lengths along one line.", "And along parallels: middles stay middles."),
    ),
    Question(
        "The training pictures are all centred. How much did that hurt the small CNN when objects "
        "stood elsewhere?",
        Right(
            "Little: its average over positions knows that already.",
            "What a data set leaves out matters only where the architecture does not know it.",
        ),
        Wrong("As much as darkness did.", "Dark and turned pictures cost far more."),
        Wrong("It fell to chance.", "That happens to a single layer, in chapter 3."),
    ),
    Question(
        "An augmentation is a statement about the world. Which one?",
        Wrong("“The world looks like this.”", "It is a guess, and need not even be a good one."),
        Right(
            "“The class does not depend on this.”",
            "Where that is false (arrows, letters, 6 and 9), it is label noise.",
        ),
        Wrong("“More data never hurts.”", "Flips hurt two classes in ten."),
    ),
    Question(
        "A mask is warped along with its picture. How are its pixels resampled?",
        Wrong("As the picture's: bilinearly.", "Between class 3 and class 5 that makes a class 4."),
        Right("From the nearest pixel.", "Half a class is no class."),
        Wrong("Not at all.", "A mask has to move along with what it marks."),
    ),
)
"""The questions that end the chapter."""
