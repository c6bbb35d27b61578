"""Practice for chapter 6: fields by hand, the recurrence, and a network made to measure.

>>> from cvcourse.practice import receptive_fields as practice
>>> _ = practice.pool_after_stride.check(8)
✗ P + K − 1 holds for stride 1. Here the convolution has stride 3: neighbours
in its map are 3 pixels apart.
>>> _ = practice.by_hand.check((12, 2, 5.5))
✗ The last kernel works on a map whose units are two pixels apart: times the
jump.
>>> _ = practice.pixels_of.check(...)
… pixels_of: no answer yet. Put yours in place of the dots.
>>> _ = practice.effective_share.check(...)
… effective_share: no answer yet. Put yours in place of the dots.
>>> _ = practice.made_to_measure.check(...)
… made_to_measure: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong
from cvcourse.receptive_field import Field, receptive_field

Layers = list[tuple[int, int, int, int]]


@Number.of(
    hint="The pool's units look at outputs of the convolution that are 3 pixels apart.",
    why="5 + (4 − 1) · 3 = 14. The pool's own stride matters only for what comes after it.",
    mistakes={
        "P + K − 1 holds for stride 1. Here the convolution has stride 3: neighbours in its map "
        "are 3 pixels apart.": 8,
        "Fields do not add up: the four patches overlap.": 9,
        "Four patches of 5, side by side, would be 20. They overlap: each starts 3 pixels on.": 20,
        "Four units have three steps between them, not four.": 17,
        "You used the pool's stride. What counts is the stride of the layer before it.": 11,
    },
)
def pool_after_stride() -> int:
    """Field, in pixels, of a 4×4 pool of stride 2 after a 5×5 convolution of stride 3."""
    return 5 + (4 - 1) * 3


@Number.of(
    hint="A 3×3 kernel of dilation 2 reaches 2 · (3 − 1) pixels further. After the pool, one step "
    "is two pixels.",
    why="1 → 5 → 9 → 10 → 14. Two dilated layers gain eight pixels, and keep the jump at 1.",
    mistakes={
        "You left out the dilation: each kernel reaches twice as far.": (10, 2, 4.5),
        "You left out the dilation, and one step after the pool is two pixels.": (8, 2, 3.5),
        "The last kernel works on a map whose units are two pixels apart: times the jump.": (
            12,
            2,
            5.5,
        ),
        "The size and the start are right. The pool's stride of 2 is the jump.": (14, 1, 6.5),
        "Size and jump are right. Without padding the first field does not start at pixel 0: its "
        "centre moves in by half of each reach.": (14, 2, 0),
        "A dilation leaves gaps, it is no stride: it does not change the jump.": (27, 8, 13),
        "The pool's window reaches one pixel further, too.": (13, 2, 6),
    },
)
def by_hand() -> tuple[float, float, float]:
    """Size, jump, start of: 3×3 dilation 2, twice; 2×2 pool, stride 2; 3×3. No padding."""
    size, jump, start = 1, 1, 0.0
    for kernel, stride, dilation in [(3, 1, 2), (3, 1, 2), (2, 2, 1), (3, 1, 1)]:
        size += (kernel - 1) * dilation * jump
        start += (kernel - 1) * dilation / 2 * jump
        jump *= stride
    return size, jump, start


def _stack(generator: torch.Generator) -> tuple[Layers, int]:
    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    layers = [(draw(2, 6), draw(1, 4), draw(0, 3), draw(1, 4)) for _ in range(4)]
    return layers, draw(3, 9)


def _ends(
    layers: Layers,
    unit: int,
    *,
    jump_first: bool = False,
    dilate: bool = True,
    pad: bool = True,
    less: int = 1,
    apart: int | None = None,
    further: int = 0,
) -> tuple[float, float]:
    """First and last pixel by the recurrence, right or with one thing wrong."""
    size, jump, first = 1, 1, 0
    for kernel, stride, padding, dilation in layers:
        jump *= stride if jump_first else 1
        size += (kernel - less) * (dilation if dilate else 1) * jump
        first -= (padding if pad else 0) * jump
        jump *= 1 if jump_first else stride
    first += unit * (apart or jump)
    return first, first + size - 1 + further


@Function.of(
    hint="The recurrence gives size, jump and start. The unit's field is centred at start + unit · "
    "jump, and reaches (size − 1) / 2 pixels to each side.",
    why="The first pixel of unit 0 is minus all the padding, each counted with the jump of "
    "its layer.",
    inputs=_stack,
    mistakes={
        "You multiply the jump before you use it. A layer's own stride matters only for what comes "
        "after it.": partial(_ends, jump_first=True),
        "The dilation is missing: a kernel reaches (k − 1) · d.": partial(_ends, dilate=False),
        "The padding is missing: it moves the fields out of the picture.": partial(
            _ends, pad=False
        ),
        "A kernel of k adds k − 1: a unit gains nothing from a 1×1.": partial(_ends, less=0),
        "That is the field of unit 0. Each unit further is one jump further.": (
            lambda layers, unit: _ends(layers, 0)
        ),
        "Neighbouring units are one jump apart, not one pixel.": partial(_ends, apart=1),
        "The first pixel is right, and the last one too far: it is still seen, so the field holds "
        "last − first + 1 pixels.": partial(_ends, further=1),
        "Half a pixel too far on both sides: from its centre a field reaches (size − 1) / 2.": (
            lambda layers, unit: np.add(_ends(layers, unit), (-0.5, 0.5))
        ),
        "Units are counted from 0.": lambda layers, unit: _ends(layers, unit - 1),
        "A field may begin outside of the picture, in the padding: do not cut it off at 0.": (
            lambda layers, unit: tuple(max(0, end) for end in _ends(layers, unit))
        ),
        "That is the first pixel and the size; expected the first and the last.": (
            lambda layers, unit: (_ends(layers, unit)[0], 1 - np.subtract(*_ends(layers, unit)))
        ),
    },
)
def pixels_of(layers: Layers, unit: int) -> tuple[float, float]:
    """Layers (kernel, stride, padding, dilation) → first and last pixel that a unit can see."""
    size, jump, start = 1, 1, 0.0
    for kernel, stride, padding, dilation in layers:
        size += (kernel - 1) * dilation * jump
        start += ((kernel - 1) * dilation / 2 - padding) * jump
        jump *= stride
    centre = start + unit * jump
    return centre - (size - 1) / 2, centre + (size - 1) / 2


def _gradient(generator: torch.Generator) -> tuple[Tensor, float]:
    """A bell of gradients of either sign."""
    place = torch.arange(11) - 5
    bell = torch.exp(-(place[:, None] ** 2 + place**2) / 12)
    noise = torch.randn(11, 11, generator=generator)
    return bell * noise, 0.8 + 0.15 * float(torch.rand((), generator=generator))


def _needed(mass: Tensor, level: float, descending: bool | None = True) -> int:
    """How many pixels, in that order or as they come, hold this share of the mass."""
    ordered = mass.flatten()
    if descending is not None:
        ordered = ordered.sort(descending=descending).values
    return int((ordered.cumsum(0) / ordered.sum() < level).sum()) + 1


@Function.of(
    hint="Sort the absolute gradients, largest first, add them up, and see how many it takes.",
    why="This is the effective field: in a deep stack, a small share of what a unit can see.",
    inputs=_gradient,
    mistakes={
        "Take the absolute values first: a pixel with a negative gradient matters, too.": (
            lambda gradient, level: _needed(gradient, level) / gradient.numel()
        ),
        "Sort the pixels first, the largest in front; you take them as they come.": (
            lambda gradient, level: (
                _needed(gradient.abs(), level, descending=None) / gradient.numel()
            )
        ),
        "You began with the pixels that matter least. Largest first.": lambda gradient, level: (
            _needed(gradient.abs(), level, descending=False) / gradient.numel()
        ),
        "You count the pixels that reach this share of the largest one; expected how many hold "
        "this share of the sum.": lambda gradient, level: (
            (gradient.abs() >= level * gradient.abs().max()).float().mean()
        ),
        "You compare each pixel with the largest one. The question is how many it takes to hold "
        "that share of the sum.": lambda gradient, level: (
            (gradient.abs() >= (1 - level) * gradient.abs().max()).double().mean()
        ),
        "One pixel is missing: count the one that takes the sum over the level.": (
            lambda gradient, level: (_needed(gradient.abs(), level) - 1) / gradient.numel()
        ),
        "These are squares; the exercise asks for the absolute gradient.": lambda gradient, level: (
            _needed(gradient.square(), level) / gradient.numel()
        ),
    },
)
def effective_share(gradient: Tensor, level: float) -> float:
    """Gradient (H, W) → smallest share of its pixels with `level` of all absolute gradient."""
    falling = gradient.abs().flatten().sort(descending=True).values
    held = falling.cumsum(0) / falling.sum()
    return (int((held < level).sum()) + 1) / len(held)


def _last(model: Any) -> Field:
    *_, (_, field) = receptive_field(model, (3, 64, 64)).items()
    return field


def _weights(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@Project.of(
    hint="Start with a stride early: after it every further kernel gains twice as much. 1×1 and "
    "few maps are cheap; pooling costs no weights at all.",
    why="Pooling and dilation widen the view for nothing; channels are what costs.",
    run=lambda network: network(),
    called_with="no arguments",
    requirements={
        "Return a network, such as nn.Sequential(…).": lambda model: isinstance(model, nn.Module),
        "It must take pictures (1, 3, 64, 64) and give maps (1, C, h, w).": lambda model: (
            model(torch.zeros(1, 3, 64, 64)).ndim == 4 and _last(model).name != ""
        ),
        "Some layer sees all of the picture at once (an adaptive pool, say). Keep to local ones.": (
            lambda model: not _last(model).is_global
        ),
        "Its last units are not 4 pixels apart. Strides multiply: two strides of 2, or one of 4.": (
            lambda model: _last(model).jump == (4, 4)
        ),
        "Its last units see less than 24 × 24 pixels. Larger kernels, more layers or dilation, "
        "best after the strides.": lambda model: min(_last(model).size or (0,)) >= 24,
        "Its last units see more than 24 × 24 pixels. A kernel of k adds (k − 1) · dilation · "
        "jump.": (lambda model: max(_last(model).size or (99,)) <= 24),
        "It sees the right square, but with over 1,000 weights. Fewer maps; or "
        "pool.": lambda model: _weights(model) <= 1000,
        "Only pooling so far: there is nothing to learn. At least one convolution.": lambda model: (
            any(isinstance(layer, nn.Conv2d) for layer in model.modules())
        ),
    },
)
def made_to_measure() -> nn.Module:
    """A network for 3-channel pictures: units see 24 × 24 pixels, jump 4, at most 1,000 weights."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 5, padding=2),  # sees 5; 304 weights
        nn.ReLU(),
        nn.MaxPool2d(4),  # sees 8, jump 4
        nn.Conv2d(4, 6, 3, padding=1),  # sees 16; 222 weights
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, padding=1),  # sees 24; 330 weights
    )


quiz = Quiz(
    Question(
        "A unit's receptive field is 212 × 212 pixels. Does it use all of them?",
        Wrong("Yes, that is what the number means.", "It says what the unit can depend on."),
        Right(
            "It can depend on each, but leans on a smaller part near the middle.",
            "Many paths lead from the middle to the unit, few from the rim.",
        ),
        Wrong("No, only on a 3 × 3 patch.", "That is what its layer sees, in the map below it."),
    ),
    Question(
        "Which of these makes the field grow?",
        Wrong("A ReLU.", "It looks at one position only."),
        Wrong("A 1×1 convolution.", "It mixes maps, at one position."),
        Right("A 2×2 pooling.", "Pooling is a layer with a kernel, like any other."),
        Wrong("Batch norm, once trained.", "Then it is a scale and a shift at each position."),
    ),
    Question(
        "Three 3×3 layers or one 7×7 layer: which has fewer weights?",
        Wrong("The stack, always.", "At a network's entrance, from 3 channels to 64, it has more."),
        Right(
            "The stack, if the number of channels stays the same.",
            "27 C² against 49 C². From 3 channels to 64 it is 75,456 against 9,408.",
        ),
        Wrong("The single layer, always.", "With 64 channels throughout, it has nearly twice."),
    ),
    Question(
        "Two papers give 483 and 427 pixels for “ResNet-50”. Which one made a mistake?",
        Wrong("The first.", "It is right for the model that it looked at."),
        Wrong("The second.", "It is right for the model that it looked at."),
        Right(
            "Neither: they put the strides in different units.",
            "A name does not fix the field. Ask the model at hand.",
        ),
    ),
)
"""The questions that end the chapter."""
