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

import torch
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="A flipped left arrow looks like a right one. What is the best that one can say of "
    "an arrow "
    "then? The other eight are untouched.",
    why="Eight tenths are all right, and two tenths are a coin's toss: no training gets "
    "beyond 90 %.",
    mistakes={
        "That is the accuracy on the arrows alone; expected that on all ten classes.": 0.5,
        "Even a guess between the two arrows is right every other time.": 0.8,
        "Nothing would be lost if labels went along. They do not: half of the arrows have the "
        "wrong "
        "one.": 1.0,
        "Two classes of ten suffer, left and right.": 0.95,
        "Right, in per cent; expected a share, from 0 to 1.": 90,
    },
)
def all_classes() -> float:
    """Best accuracy on ten classes, two of them left and right arrow, trained half flipped."""
    others, arrows = 8 / 10, 2 / 10
    return others * 1.0 + arrows * 0.5


@Number.of(
    hint="The hull of a square of side 1, turned by 30°, has the side cos 30° + sin 30°. And "
    "then once "
    "more.",
    why="Turning a point back undoes the turn. Taking the hull cannot be undone: compose the "
    "matrices "
    "first, and take one hull.",
    tolerance=0.005,
    mistakes={
        "For points, turning back undoes it. But of the box only the hull was kept, and it is "
        "turned "
        "back as a box.": 1.0,
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


def _times(images: Tensor, factor: float) -> Tensor:
    return images.float() * factor


@Function.of(
    hint="Leave the bytes (.float()), multiply, clip to 0 … 255, round, and go back to bytes.",
    why="Bytes cannot be brighter than 255: without the clip, a lamp turns black.",
    inputs=_bytes,
    mistakes={
        "What is too bright starts again at 0: bytes wrap round. Clip to 255 first.": (
            lambda images, factor: _times(images, factor).round().long() % 256
        ),
        "Too bright for bytes: clip to 0 … 255.": lambda images, factor: _times(
            images, factor
        ).round(),
        "You cut the fraction off; expected the nearest byte: round.": lambda images, factor: (
            _times(images, factor).clamp(0, 255).floor()
        ),
        "Not rounded: expected bytes.": lambda images, factor: _times(images, factor).clamp(0, 255),
        "Clipped at 1: these are bytes from 0 to 255, not fractions.": lambda images, factor: (
            _times(images, factor).clamp(0, 1).round()
        ),
        "You divide by the factor.": lambda images, factor: (
            (images.float() / factor).clamp(0, 255).round()
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


@Function.of(
    hint="The edge at x goes to width − x. Which of the two edges is then the left one?",
    why="And if a box had the name “left hand”, the name would have to change, too.",
    inputs=_boxes,
    mistakes={
        "Left and right edge have changed places: x0 must stay the smaller one.": (
            lambda boxes, width: torch.stack(
                [width - boxes[:, 0], boxes[:, 1], width - boxes[:, 2], boxes[:, 3]], dim=1
            )
        ),
        "Off by one: width − 1 belongs to the numbers of pixels. Edges run from 0 to width.": (
            lambda boxes, width: torch.stack(
                [width - 1 - boxes[:, 2], boxes[:, 1], width - 1 - boxes[:, 0], boxes[:, 3]], dim=1
            )
        ),
        "That is a flip upside down: y has changed, and not x.": lambda boxes, width: torch.stack(
            [boxes[:, 0], width - boxes[:, 3], boxes[:, 2], width - boxes[:, 1]], dim=1
        ),
        "You swapped the edges without mirroring them.": lambda boxes, width: boxes[
            :, [2, 1, 0, 3]
        ],
        "Nothing has moved.": lambda boxes, width: boxes,
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


def _shift(x: float, y: float) -> Tensor:
    shift = torch.eye(3)
    shift[:2, 2] = torch.tensor([x, y])
    return shift


@Function.of(
    hint="Three matrices, read from right to left: move the middle to (0, 0), map, move back.",
    why="Every turn, shear and zoom of the chapter is made this way; with the middle half a "
    "pixel off, "
    "a turn by 180° is off by a whole one.",
    inputs=_map_and_size,
    mistakes={
        "OpenCV counts from the centre of the first pixel, so the middle is at (W − 1)/2.": (
            lambda matrix, width, height: (
                _shift(width / 2, height / 2) @ matrix @ _shift(-width / 2, -height / 2)
            )
        ),
        "The other way round: a product of matrices is read from right to left.": (
            lambda matrix, width, height: (
                _shift(-(width - 1) / 2, -(height - 1) / 2)
                @ matrix
                @ _shift((width - 1) / 2, (height - 1) / 2)
            )
        ),
        "Width and height have changed places: x belongs to the width.": (
            lambda matrix, width, height: (
                _shift((height - 1) / 2, (width - 1) / 2)
                @ matrix
                @ _shift(-(height - 1) / 2, -(width - 1) / 2)
            )
        ),
        "You move the middle to (0, 0), but not back.": lambda matrix, width, height: (
            matrix @ _shift(-(width - 1) / 2, -(height - 1) / 2)
        ),
        "You move back, but never moved the middle to (0, 0).": lambda matrix, width, height: (
            _shift((width - 1) / 2, (height - 1) / 2) @ matrix
        ),
        "That is the map about the corner.": lambda matrix, width, height: matrix,
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
