"""Practice for chapter 5: sides, counts, groups, and the error that the contest was won by.

>>> from cvcourse.practice import lenet_alexnet_vgg as practice
>>> _ = practice.first_map.check(54)
✗ 54 comes out without the padding of 2 on each side, or if the place where the
filter starts is not counted.
>>> _ = practice.averaged_vgg.check(14714688 + 512 * 1000)
✗ The biases of the new layer are missing.
>>> _ = practice.costs.check(lambda c_in, c_out, kernel, side, groups: None)
… costs returns nothing yet. Write its body, and end it with return.
>>> _ = practice.two_paths.check(...)
… two_paths: no answer yet. Put yours in place of the dots.
>>> _ = practice.top_k_error.check(...)
… top_k_error: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="The last patch must still fit in: ⌊(side + 2 · padding − kernel) / stride⌋ + 1.",
    why="(224 + 4 − 11) / 4 is 54.25: rounded down, and one more for the place it starts at, 55.",
    mistakes={
        "54 comes out without the padding of 2 on each side, or if the place where the filter "
        "starts is not counted.": 54,
        "These are the steps. Round them down, and count the place where the filter starts.": 54.25,
        "A map has whole positions: round the steps down.": 55.25,
        "Round down, not up; or, if you began with 227 pixels, those need no padding.": 56,
        "You forgot the stride of 4.": 218,
        "The padding is on both sides, and a map has whole positions.": 54.75,
        "After the pooling it is 27. The question is about the convolution.": 27,
    },
)
def first_map() -> int:
    """Side of AlexNet's first map: 224 pixels, filters of 11, stride 4, padding 2."""
    return (224 + 2 * 2 - 11) // 4 + 1


@Number.of(
    hint="The convolutions have 14,714,688. The average leaves 512 numbers for the one layer.",
    why="From 138 million to 15. VGG's size sits in the layer after its flattening, not in "
    "its depth.",
    mistakes={
        "You flattened: 7 × 7 × 512 numbers. The average leaves one for each of the 512 maps.": (
            14_714_688 + 25_088 * 1000 + 1000
        ),
        "The biases of the new layer are missing.": 14_714_688 + 512 * 1000,
        "You kept the two hidden layers of 4,096. Only one layer is left.": (
            14_714_688 + 512 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
        ),
        "That is the new layer alone. Add the convolutions.": 513_000,
        "That is the convolutions alone. Add the new layer.": 14_714_688,
        "That is VGG-16 as published. Replace its head.": 138_357_544,
    },
)
def averaged_vgg() -> int:
    """Parameters of VGG-16 with an average over positions and one layer to 1,000 classes."""
    convolutions = 14_714_688
    return convolutions + 512 * 1000 + 1000


def _layer(generator: torch.Generator) -> tuple[int, ...]:
    draw = [int(torch.randint(1, 6, (), generator=generator)) for _ in range(4)]
    groups = 1 + draw[0] % 3
    return groups * 4 * draw[1], groups * 4 * draw[2], 2 * draw[3] + 1, 7 + draw[0], groups


def _costs(
    c_in: int,
    c_out: int,
    kernel: int,
    side: int,
    groups: int,
    *,
    biases: Callable[[int, int], int] = lambda c_out, groups: c_out,
    split: int = 1,
    power: int = 2,
    places: Callable[[int], int] = lambda side: side**2,
) -> tuple[int, int]:
    """Parameters and multiply-adds, right or with one thing wrong."""
    weights = c_out * c_in // groups**split * kernel**power
    return weights + biases(c_out, groups), weights * places(side)


@Function.of(
    hint="Each of the C_out filters looks at C_in / G maps, and has one bias. It is used at every "
    "position.",
    why="Two numbers that follow different laws: the side counts for work alone, the bias for size "
    "alone.",
    inputs=_layer,
    mistakes={
        "The biases are missing: one for each output map.": partial(_costs, biases=lambda d, g: 0),
        "One bias for each group is not enough: each output map has one.": partial(
            _costs, biases=lambda d, g: g
        ),
        "You left out the groups: a filter sees only its own group's C_in / G maps.": partial(
            _costs, split=0
        ),
        "Divided by G twice. Each filter sees fewer maps; there are no fewer filters.": partial(
            _costs, split=2
        ),
        "The parameters are right. A filter multiplies at every position: times side².": partial(
            _costs, places=lambda side: 1
        ),
        "The map has side² positions, not side.": partial(_costs, places=lambda side: side),
        "Parameters do not depend on the side: the filters are shared.": (
            lambda c, d, k, side, groups: (
                side**2 * _costs(c, d, k, side, groups)[0],
                _costs(c, d, k, side, groups)[1],
            )
        ),
        "The parameters are right. Adding a bias is no multiplication.": (
            lambda c, d, k, side, groups: (
                _costs(c, d, k, side, groups)[0],
                _costs(c, d, k, side, groups)[0] * side**2,
            )
        ),
        "A filter is K × K: its side counts twice.": partial(_costs, power=1),
        "The other way round: first the parameters, then the multiply-adds.": lambda *layer: _costs(
            *layer
        )[::-1],
    },
)
def costs(c_in: int, c_out: int, kernel: int, side: int, groups: int) -> tuple[int, int]:
    """(parameters with biases, multiply-adds) of a convolution whose map has side² positions."""
    weights = c_out * (c_in // groups) * kernel**2
    return weights + c_out, weights * side**2


def _grouped(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    images = torch.randn(2, 6, 5, 5, generator=generator)
    return images, torch.randn(8, 3, 3, 3, generator=generator)


_FRONT, _BACK = slice(0, 3), slice(3, 6)


def _paths(
    images: Tensor,
    weight: Tensor,
    *,
    maps: tuple[slice, slice] = (_FRONT, _BACK),
    join: int = 1,
    padding: int = 1,
) -> Tensor:
    """Two paths, right or with one thing wrong."""
    halves = zip(maps, weight.chunk(2), strict=True)
    return torch.cat([F.conv2d(images[:, of], w, padding=padding) for of, w in halves], dim=join)


@Function.of(
    hint="Cut the maps in two along dim=1, the filters along dim=0; convolve; join along dim=1.",
    why="That is AlexNet's two paths: two machines that do not talk during a convolution.",
    inputs=_grouped,
    forbidden={
        "a grouped convolution, which is to be written here": lambda name, *given: (
            name == "conv2d" and given[1].shape[1] < given[0].shape[1]
        )
    },
    mistakes={
        "Joined along the batch: that makes twice as many pictures. Maps are along dim=1.": partial(
            _paths, join=0
        ),
        "The two paths are crossed: the first filters look at the first maps.": partial(
            _paths, maps=(_BACK, _FRONT)
        ),
        "Each path has its own half of the maps; yours both look at the first half.": partial(
            _paths, maps=(_FRONT, _FRONT)
        ),
        "Groups are neighbours: maps 0, 1, 2 and 3, 4, 5, not the even and the odd ones.": partial(
            _paths, maps=(slice(0, None, 2), slice(1, None, 2))
        ),
        "The filters have changed places: the first half of them looks at the first maps.": (
            lambda images, weight: _paths(images, weight.roll(4, 0))
        ),
        "The paths are joined in the wrong order: the first half of the filters comes first.": (
            lambda images, weight: _paths(images, weight).roll(4, 1)
        ),
        "Added up: each path makes maps of its own, so put them side by side.": (
            lambda images, weight: sum(_paths(images, weight).chunk(2, dim=1))
        ),
        "The picture has shrunk: pad by 1.": partial(_paths, padding=0),
    },
)
def two_paths(images: Tensor, weight: Tensor) -> Tensor:
    """Images (B, C, H, W), weight (K, C/2, 3, 3) → (B, K, H, W): two groups, padding 1, no bias."""
    half, filters = images.shape[1] // 2, weight.shape[0] // 2
    first = F.conv2d(images[:, :half], weight[:filters], padding=1)
    second = F.conv2d(images[:, half:], weight[filters:], padding=1)
    return torch.cat([first, second], dim=1)


def _guesses(generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    scores = torch.randn(40, 10, generator=generator)
    k = 2 + int(torch.randint(3, (), generator=generator))
    return scores, torch.randint(10, (40,), generator=generator), k


def _missed(scores: Tensor, labels: Tensor, k: int, largest: bool = True) -> Tensor:
    best = scores.topk(k, dim=1, largest=largest).indices
    return (best != labels[:, None]).all(dim=1).double()


@Function.of(
    hint="scores.topk(k, dim=1).indices is (B, k). A picture is missed if none of them is its "
    "label.",
    why="With k = 5 and 1,000 classes, this is the 15.3 % of 2012.",
    inputs=_guesses,
    mistakes={
        "That is the accuracy; the contest counted errors.": lambda scores, labels, k: (
            1 - _missed(scores, labels, k).mean()
        ),
        "That is the top-1 error: you only looked at the best guess.": lambda scores, labels, k: (
            _missed(scores, labels, 1).mean()
        ),
        "You count one guess too many: the k best, not k + 1.": lambda scores, labels, k: _missed(
            scores, labels, k + 1
        ).mean(),
        "You took the k lowest scores. The largest are the best guesses.": (
            lambda scores, labels, k: _missed(scores, labels, k, largest=False).mean()
        ),
        "You count every picture as missed. One hit among the k is enough; and it is the indices "
        "of the best scores that are compared with the labels.": lambda scores, labels, k: 1.0,
        "You looked at the k-th guess alone; all of the best k count.": lambda scores, labels, k: (
            (scores.topk(k, dim=1).indices[:, -1] != labels).double().mean()
        ),
        "That is the share of wrong guesses among all k · B. Ask for each picture whether one is "
        "right.": lambda scores, labels, k: (
            (scores.topk(k, dim=1).indices != labels[:, None]).double().mean()
        ),
    },
)
def top_k_error(scores: Tensor, labels: Tensor, k: int) -> Tensor:
    """Scores (B, classes), labels (B,) → share of pictures whose label is not among the k best."""
    best = scores.topk(k, dim=1).indices  # (B, k)
    return (best != labels[:, None]).all(dim=1).double().mean()


quiz = Quiz(
    Question(
        "Where are most of AlexNet's parameters, and where most of its multiplications?",
        Wrong("Both in the convolutions.", "The fully connected layers hold over nine tenths."),
        Wrong("Both in the fully connected layers.", "There each weight is used once a picture."),
        Right(
            "Parameters in the fully connected layers, multiplications in the convolutions.",
            "A convolution's weight works at every position; a fully connected one only once.",
        ),
    ),
    Question(
        "AlexNet's drawing has two rows. Why?",
        Right(
            "It was too much for one GPU of 3 GB, or nearly.",
            "Grouped convolutions are what is left of it when it runs on one machine.",
        ),
        Wrong(
            "One row sees colours, the other shapes.",
            "Training did make them so; nobody had planned it.",
        ),
        Wrong(
            "To average two networks.", "They share layers; the averages were of whole networks."
        ),
    ),
    Question(
        "“Small filters cut the parameters drastically”, and VGG-16 has twice AlexNet's. How so?",
        Wrong(
            "The sentence is wrong.", "For the same view and width, it is right: 27 C² to 49 C²."
        ),
        Right(
            "It is true of a stack that sees the same. VGG spends the savings on width and a head.",
            "Its head alone has 124 million.",
        ),
        Wrong("VGG-16 has more classes.", "Both have 1,000."),
    ),
    Question(
        "Dropout cost accuracy in our short run. What follows?",
        Wrong(
            "Dropout is harmful.",
            "It was not done yet: after sixteen times the training no loss is left that we see.",
        ),
        Right(
            "That it needs patience, and that a small experiment is a small experiment.",
            "The paper itself says that it about doubles the iterations needed.",
        ),
        Wrong("A bug.", "With more steps the same network learns: dropout slows it down."),
    ),
)
"""The questions that end the chapter."""
