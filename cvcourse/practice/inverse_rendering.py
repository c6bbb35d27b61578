"""Practice for chapter 1: two senses, mixed colours, directions, boxes, a search for them.

>>> from cvcourse.practice import inverse_rendering as practice
>>> _ = practice.joint_error.check(1.5)
✗ That is the average of the two errors. Independent errors partly cancel: two
reports, well weighed, beat the better one.
>>> _ = practice.mix.check(lambda share, colour, background: share * colour[:, None, None])
✗ The object is there, on black. What remains of the pixel belongs to the
background.
>>> _ = practice.orientation.check(lambda dy, dx: dy.atan2(dx).rad2deg())
✗ Opposite directions still differ. Fold them together: modulo 180.
>>> _ = practice.box_of.check(...)
… box_of: no answer yet. Put yours in place of the dots.
>>> _ = practice.improve.check(...)
… improve: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="Weights 1/σ², divided by their sum. The variance of w₁·a + w₂·b is w₁²σ₁² + w₂²σ₂².",
    why="Precisions (1/σ²) add up, so even a sense with twice the error makes the other one "
    "better.",
    tolerance=0.005,
    mistakes={
        "That is the average of the two errors. Independent errors partly cancel: two reports, "
        "well weighed, beat the better one.": 1.5,
        "That is the hand alone. The eye is worse, but what it says still helps.": 1.0,
        "That is what equal weights give, worse than the hand alone. Trust the hand more.": (
            1.25**0.5
        ),
        "That is a squared error. Take its root.": 0.8,
        "So large is the error of the two reports' sum. Weigh them, and average.": 5**0.5,
        "That is what weights of 1/σ give. The best ones go with 1/σ².": (8 / 9) ** 0.5,
    },
)
def joint_error() -> float:
    """Root-mean-square error, in pixels, of eye (2 pixels) and hand (1 pixel); two decimals."""
    precision = 1 / 2**2 + 1 / 1**2
    return precision**-0.5


def _share_and_colours(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    share = torch.rand(4, 6, generator=generator)
    colour, background = torch.rand(2, 3, generator=generator)
    return share, colour, background


@Function.of(
    hint="colour[:, None, None] has the shape (3, 1, 1), and meets (H, W) pixel by pixel.",
    why="It is one line, it can be differentiated, and it is a common way to soften an edge.",
    inputs=_share_and_colours,
    mistakes={
        "The two colours have changed places: where the share is 1, the object must show.": (
            lambda share, colour, background: (
                (1 - share) * colour[:, None, None] + share * background[:, None, None]
            )
        ),
        "The background shines through the object. Where the share is 1, nothing of it is left.": (
            lambda share, colour, background: (
                share * colour[:, None, None] + background[:, None, None] + 0 * share
            )
        ),
        "The object is there, on black. What remains of the pixel belongs to the background.": (
            lambda share, colour, background: share * colour[:, None, None]
        ),
        "A pixel belongs to both, each in part; you give it to one of them.": (
            lambda share, colour, background: torch.where(
                share > 0.5, colour[:, None, None], background[:, None, None]
            )
        ),
        "Every pixel gets half of each; expected as much as its share says.": (
            lambda share, colour, background: (colour + background)[:, None, None] / 2 + 0 * share
        ),
        "Right numbers, wrong order: expected (3, H, W), channels first.": (
            lambda share, colour, background: (
                share[..., None] * colour + (1 - share[..., None]) * background
            )
        ),
    },
)
def mix(share: Tensor, colour: Tensor, background: Tensor) -> Tensor:
    """Share of each pixel that is the object's (H, W), two colours (3,) → picture (3, H, W)."""
    return share * colour[:, None, None] + (1 - share) * background[:, None, None]


@Function.of(
    hint="torch.atan2(dy, dx) knows all four quadrants. Then % folds opposite directions together.",
    why="A dark-to-bright edge and a bright-to-dark one count as the same: HOG's edges have "
    "no sign.",
    inputs=lambda generator: tuple(torch.randn(2, 50, generator=generator)),
    mistakes={
        "These are radians; the exercise asks for degrees.": (
            lambda dy, dx: torch.atan2(dy, dx) % torch.pi
        ),
        "These are radians, folded at 180: turn them into degrees first.": (
            lambda dy, dx: torch.atan2(dy, dx) % 180
        ),
        "Opposite directions still differ. Fold them together: modulo 180.": (
            lambda dy, dx: torch.atan2(dy, dx).rad2deg()
        ),
        "Modulo 360 keeps opposite directions apart; an edge without a sign needs 180.": (
            lambda dy, dx: torch.atan2(dy, dx).rad2deg() % 360
        ),
        "dy and dx have changed places: a change along x alone is at 0 degrees, not at 90.": (
            lambda dy, dx: torch.atan2(dx, dy).rad2deg() % 180
        ),
        "Half of the directions came out negative: the arctangent of a quotient lies from −90 to "
        "90.": lambda dy, dx: (dy / dx).atan().rad2deg(),
        "The absolute value folds too much: 30 and −30 degrees are different edges.": (
            lambda dy, dx: torch.atan2(dy, dx).rad2deg().abs()
        ),
    },
)
def orientation(dy: Tensor, dx: Tensor) -> Tensor:
    """Direction of each change in brightness, in degrees, 0 to below 180."""
    return torch.atan2(dy, dx).rad2deg() % 180


def _mask(generator: torch.Generator) -> tuple[Tensor]:
    """A triangle, so that the middle of its box is not the centre of its mass; H ≠ W."""
    mask = torch.zeros(20, 32, dtype=torch.bool)
    top, left, height = (int(torch.randint(2, 8, (), generator=generator)) for _ in range(3))
    for row in range(height + 2):
        mask[top + row, left : left + 2 * row + 1] = True
    return (mask,)


def _edges(mask: Tensor) -> tuple[float, float, float, float]:
    rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
    x0, x1, y0, y1 = (float(x) for x in (columns[0], columns[-1], rows[0], rows[-1]))
    return x0, x1 + 1, y0, y1 + 1


def _box(x0: float, x1: float, y0: float, y1: float, wide: float, high: float) -> Tensor:
    return torch.tensor(
        [(x0 + x1) / 2 / wide, (y0 + y1) / 2 / high, (x1 - x0) / wide, (y1 - y0) / high]
    )


def _short_box(mask: Tensor) -> Tensor:
    x0, x1, y0, y1 = _edges(mask)
    return _box(x0, x1 - 1, y0, y1 - 1, mask.shape[1], mask.shape[0])


def _corner_box(mask: Tensor) -> Tensor:
    x, y, width, height = _box(*_edges(mask), mask.shape[1], mask.shape[0])
    return torch.stack([x - width / 2, y - height / 2, width, height])


def _corners(mask: Tensor) -> Tensor:
    x0, x1, y0, y1 = _edges(mask)
    high, wide = mask.shape
    return torch.tensor([x0 / wide, y0 / high, x1 / wide, y1 / high])


def _box_by_mass(mask: Tensor, half: float = 0.5) -> Tensor:
    x0, x1, y0, y1 = _edges(mask)
    high, wide = mask.shape
    y, x = mask.nonzero().float().mean(dim=0) + half
    return torch.tensor([x / wide, y / high, (x1 - x0) / wide, (y1 - y0) / high])


@Function.of(
    hint="mask.any(dim=0) says which columns hold a pixel; .nonzero() gives their numbers.",
    why="These are four of the ten numbers from which the chapter draws a picture again.",
    inputs=_mask,
    mistakes={
        "x and y have changed places: x runs along a row, over the second axis of the mask.": (
            lambda mask: _box(*_edges(mask)[2:], *_edges(mask)[:2], mask.shape[0], mask.shape[1])
        ),
        "The box is one pixel too small: the last pixel belongs to it, up to its far edge.": (
            _short_box
        ),
        "These are pixels; the exercise asks for fractions of the picture's width and height.": (
            lambda mask: _box(*_edges(mask), 1, 1)
        ),
        "That is the centre of the object's mass; expected the centre of its box.": _box_by_mass,
        "That is the centre of the object's mass, of its pixels' corners at that; expected the "
        "centre of its box.": lambda mask: _box_by_mass(mask, half=0.0),
        "That is the box's two corners; expected its centre, and its width and height.": _corners,
        "x and width belong to the picture's width, y and height to its height: this picture is "
        "not square.": lambda mask: _box(*_edges(mask), mask.shape[0], mask.shape[1]),
        "You divide by the width throughout: y and height are fractions of the picture's height.": (
            lambda mask: _box(*_edges(mask), mask.shape[1], mask.shape[1])
        ),
        "You divide by the height throughout: x and width are fractions of the picture's width.": (
            lambda mask: _box(*_edges(mask), mask.shape[0], mask.shape[0])
        ),
        "The size is right. The place is the box's corner; expected its centre.": (_corner_box),
        "The centre is half a pixel off: a box from pixel 3 to pixel 5 reaches from 3 to 6, so its "
        "centre is 4.5.": lambda mask: (
            _box(*_edges(mask), mask.shape[1], mask.shape[0])
            - (torch.tensor([0.5 / mask.shape[1], 0.5 / mask.shape[0], 0, 0]))
        ),
    },
)
def box_of(mask: Tensor) -> Tensor:
    """Mask (H, W) bool → x, y of its box's centre, width, height, as fractions (4,)."""
    height, width = mask.shape
    rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
    x0, x1 = columns[0, 0], columns[-1, 0] + 1  # ends exclusive
    y0, y1 = rows[0, 0], rows[-1, 0] + 1
    x, w = (x0 + x1) / 2 / width, (x1 - x0) / width
    y, h = (y0 + y1) / 2 / height, (y1 - y0) / height
    return torch.stack([x, y, w, h])


def _draw(description: Tensor) -> Tensor:
    """A soft white box on black, from x, y, width and height as fractions, (32, 32)."""
    middle = (torch.arange(32, dtype=torch.float64) + 0.5) / 32
    x, y, width, height = description
    across = (0.5 + 32 * (width / 2 - (middle - x).abs())).clamp(0, 1)
    down = (0.5 + 32 * (height / 2 - (middle - y).abs())).clamp(0, 1)
    return down[:, None] * across


def _search(improve: Callable[..., Any]) -> dict[str, Any]:
    """Let it find a box from a start that is a few pixels off."""
    truth = torch.tensor([0.55, 0.45, 0.5, 0.35])
    start = truth + torch.tensor([0.06, -0.05, -0.08, 0.07])
    picture, calls = _draw(truth), 0

    def error(description: Any) -> float:
        nonlocal calls
        calls += 1
        numbers = torch.as_tensor(description, dtype=torch.float64)
        return float((_draw(numbers) - picture).abs().mean())

    found = improve(start.clone(), error)
    looks = calls
    return {"found": found, "looks": looks, "error": error, "before": error(start)}


@Project.of(
    hint="Try each number a little up and a little down. Keep what helps; halve the step if "
    "nothing does.",
    why="This is analysis by synthesis: a renderer and patience, and no learning at all. A network "
    "that makes the first guess and a search that polishes it make a good pair.",
    run=_search,
    called_with="a start (4,) float32 and a function error(description)",
    requirements={
        "Return the better description: four numbers, like the start.": lambda out: (
            len(out["found"]) == 4 and torch.as_tensor(out["found"]).isfinite().all()
        ),
        "You never asked error(…) what a change does; without looking it is a guess.": (
            lambda out: out["looks"] > 0
        ),
        "The drawing is no closer to the picture than it was. Keep a change only if error(…) "
        "fell.": (lambda out: out["error"](out["found"]) < 0.99 * out["before"]),
        "Closer, but by less than a factor of ten. Go round all four numbers several times, with "
        "smaller and smaller steps.": lambda out: out["error"](out["found"]) < 0.1 * out["before"],
        "Close enough, but with over 2,000 drawings. Change one number at a time instead of trying "
        "all combinations.": lambda out: out["looks"] <= 2000,
    },
)
def improve(start: Tensor, error: Callable[[Tensor], float]) -> Tensor:
    """A description (4,) → one whose drawing is closer to the picture."""
    best, lowest, step = start, error(start), 0.05
    while step > 1e-3:
        helped = False
        for i in range(len(best)):
            for change in (step, -step):
                tried = best.clone()
                tried[i] += change
                if error(tried) < lowest:
                    best, lowest, helped = tried, error(tried), True
        if not helped:
            step /= 2
    return best


quiz = Quiz(
    Question(
        "The network's drawings stand upright although the objects were turned. Why?",
        Wrong("The network was too small to see the angle.", "It was never asked for one."),
        Right(
            "The description has no number for the angle.",
            "Inverse rendering recovers what the description has a word for, and nothing else.",
        ),
        Wrong(
            "Averaging over positions throws the angle away.",
            "The network that drew does not average; and where one does, it learns the position "
            "later.",
        ),
    ),
    Question(
        "What does “75 % of our information is visual” rest on?",
        Wrong(
            "A count of nerve fibres.",
            "The one table of that kind gives nearly 90 %, and of channel capacities.",
        ),
        Wrong("A survey.", "Surveys exist, but they ask which sense people value most."),
        Right(
            "Nothing that we could find.",
            "So the verdict is “unsourced”: not false, but nobody can say of what it is 75 %.",
        ),
    ),
    Question(
        "You have 20 labelled drawings, of objects like ours, and want a classifier by tonight. "
        "Which features?",
        Right(
            "Designed ones, such as HOG.",
            "With two drawings a class they were clearly ahead; the lines cross later. (With as "
            "few photographs nothing was ahead.)",
        ),
        Wrong(
            "Learned ones, since learned features are better.",
            "With enough pictures, yes. Twenty are not enough.",
        ),
        Wrong(
            "It makes no difference.",
            "At 20 drawings the designed ones lead, at 2,000 the learned ones.",
        ),
    ),
    Question(
        "Why does turning the pictures upside down hurt a model that saw only upright ones?",
        Wrong("Pixels are lost.", "None: they are the same pixels in another order."),
        Right(
            "It never had a reason to learn what things look like that way.",
            "And practice cures it: a model that saw both kinds answers both.",
        ),
        Wrong(
            "Convolutions cannot see what is upside down.",
            "The HOG model, which has no convolutions, falls as well; the practised CNN does not.",
        ),
    ),
)
"""The questions that end the chapter."""
