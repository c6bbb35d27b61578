"""Practice for chapter 4: counts, steps, a convolution by hand, and what moves along.

>>> from cvcourse.practice import fully_connected_to_convolution as practice
>>> _ = practice.own_kernels.check(216)
✗ That is a convolution: one set of kernels. Here every position has its own.
>>> _ = practice.smallest_shift.check(5)
✗ Strides multiply, they do not add up: each works on what the one before left.
>>> _ = practice.correlate.check(lambda image, kernel: image)
✗ Called with image = a tensor (7, 9) float32, kernel = [[-1.3, 0], [0.1,
0.7]], your function gives the shape (7, 9); expected (6, 8).
>>> _ = practice.as_convolution.check(lambda weight, c, h, w: weight.view(-1, c, w, h))
✗ Height and width have changed places: pictures are (C, H, W).
>>> _ = practice.flicker.check(...)
… flicker: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong
from cvcourse.practice.trace import calls


@Number.of(
    hint="How many positions has the new map, after padding and stride? Each has 8 kernels.",
    why="16 × 16 positions × 8 maps × (3 × 3 × 3) weights. A convolution would have 216.",
    mistakes={
        "That is stride 1. With stride 2 the map has half as many positions each way.": 221_184,
        "That is a convolution: one set of kernels. Here every position has its own.": 216,
        "You left out the three channels: each kernel is 3 × 3 × 3.": 18_432,
        "Without padding the map would have 15 × 15 positions. Pad by 1, and it has 16 × "
        "16.": 48_600,
        "That is with biases; the question is how many weights.": 57_344,
        "That is one kernel for each position. There are 8 maps, each with its own.": 6912,
    },
)
def own_kernels() -> int:
    """Weights of a locally connected layer, 3×32×32 → 8 maps, 3×3 patches, stride 2, padding 1."""
    side = (32 + 2 * 1 - 3) // 2 + 1
    return side * side * 8 * (3 * 3 * 3)


@Number.of(
    hint="After the first stride of 2, one step of the map is two pixels. What does the second do "
    "to that?",
    why="Strides multiply. ReLU and the 3×3 kernels themselves cost nothing here.",
    mistakes={
        "Strides multiply, they do not add up: each works on what the one before left.": 5,
        "Only the first of the strides? The third convolution has one, too.": 2,
        "Kernels do not matter here: a convolution with stride 1 moves along at every shift.": 3,
        "Two strides of 2, not three: the middle convolution has stride 1.": 8,
        "A shift by one pixel changes which pixels the strides visit.": 1,
    },
)
def smallest_shift() -> int:
    """Smallest shift, in pixels, at which 3×3 convolutions of stride 2, 1, 2 move along exactly."""
    return 2 * 1 * 2


def _image_and_kernel(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    image = torch.randn(7, 9, generator=generator)
    return image, torch.randn(3, 3, generator=generator)


def _correlate(image: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    maps = F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)
    return maps[0, 0]


@Function.of(
    hint="The unit at (y, x) is (image[y : y + K, x : x + K] * kernel).sum().",
    why="What deep learning calls a convolution does not flip its kernel: it is a correlation. "
    "Since the kernel is learned, nobody minds.",
    inputs=_image_and_kernel,
    forbidden={"F.conv2d. Here it is to be written by hand": calls("conv2d", "conv1d")},
    mistakes={
        "You flip the kernel, as mathematicians do. nn.Conv2d does not.": lambda image, kernel: (
            _correlate(image, kernel.flip(0, 1))
        ),
        "You flip the kernel from left to right. It is not flipped at all.": lambda image, kernel: (
            _correlate(image, kernel.flip(1))
        ),
        "You flip the kernel upside down. It is not flipped at all.": lambda image, kernel: (
            _correlate(image, kernel.flip(0))
        ),
        "The map is as large as the picture: you padded. Without padding, a patch must fit in.": (
            lambda image, kernel: _correlate(image, kernel, padding=1)
        ),
        "Rows and columns of the kernel have changed places.": lambda image, kernel: _correlate(
            image, kernel.T
        ),
        "That is the mean over the patch; expected the sum.": lambda image, kernel: (
            _correlate(image, kernel) / kernel.numel()
        ),
        "The last row and column are missing: there are H − K + 1 places, not H − K.": (
            lambda image, kernel: _correlate(image, kernel)[:-1, :-1]
        ),
        "You step by the kernel's size. Neighbouring patches overlap: step by 1.": (
            lambda image, kernel: _correlate(image, kernel, stride=3)
        ),
    },
)
def correlate(image: Tensor, kernel: Tensor) -> Tensor:
    """Image (H, W), kernel (K, K) → map (H − K + 1, W − K + 1): stride 1, no padding."""
    size = len(kernel)
    rows = [
        [
            (image[y : y + size, x : x + size] * kernel).sum()
            for x in range(image.shape[1] - size + 1)
        ]
        for y in range(image.shape[0] - size + 1)
    ]
    return torch.stack([torch.stack(row) for row in rows])


def _fully_connected(generator: torch.Generator) -> tuple[Tensor, int, int, int]:
    weight = torch.randn(4, 2 * 3 * 5, generator=generator)
    return weight, 2, 3, 5


@Function.of(
    hint="Each row of the weight is a flattened picture. Give it its shape back.",
    why="A fully connected layer is a convolution whose kernel is as large as the picture. On a "
    "larger picture it then answers at every place.",
    inputs=_fully_connected,
    mistakes={
        "Height and width have changed places: pictures are (C, H, W).": (
            lambda weight, c, h, w: weight.view(-1, c, w, h)
        ),
        "Channels come first when a picture is flattened: (C, H, W), not (H, W, C).": (
            lambda weight, c, h, w: weight.view(-1, h, w, c).permute(0, 3, 1, 2)
        ),
        "The shape fits, but you swapped the axes after shaping: the numbers are in the wrong "
        "places.": lambda weight, c, h, w: weight.view(-1, c, w, h).transpose(2, 3),
        "The kernel is flipped; nn.Conv2d does not flip it back.": lambda weight, c, h, w: (
            weight.view(-1, c, h, w).flip(2, 3)
        ),
        "You transposed the weight first. A row of it, as it stands, is one flattened kernel.": (
            lambda weight, c, h, w: weight.T.reshape(-1, c, h, w)
        ),
        "The output comes first in a convolution's weight: (K, C, H, W).": (
            lambda weight, c, h, w: weight.view(-1, c, h, w).transpose(0, 1)
        ),
    },
)
def as_convolution(weight: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Weight of a fully connected layer (K, C·H·W) → the same as a convolution's (K, C, H, W)."""
    return weight.view(-1, channels, height, width)


def _network_and_images(generator: torch.Generator) -> tuple[nn.Module, Tensor, int]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(1000, (), generator=generator)))
        convolution = nn.Conv2d(2, 8, 3, stride=2, padding=1)
        network = nn.Sequential(
            convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 6)
        )
    images = torch.randn(30, 2, 8, 8, generator=generator)
    return network.requires_grad_(False), images, 1


def _changed(network: nn.Module, images: Tensor, moved: Tensor) -> Tensor:
    return (network(images).argmax(dim=1) != network(moved).argmax(dim=1)).double()


@Function.of(
    hint="images.roll(shift, dims=3) shifts along a row. Compare the two argmax, picture by "
    "picture.",
    why="One pixel is enough, since the stride is 2. Zhang (2019) found the same in well-known "
    "networks, and less of it after a blur.",
    inputs=_network_and_images,
    mistakes={
        "That is the share of answers that stay; expected those that change.": (
            lambda network, images, shift: (
                1 - _changed(network, images, images.roll(shift, 3)).mean()
            )
        ),
        "You compare logits, and they nearly always change a little. Compare the classes.": (
            lambda network, images, shift: (
                (network(images) != network(images.roll(shift, 3))).any(dim=1).double().mean()
            )
        ),
        "You shift down, over dims=2; a row runs along dims=3.": lambda network, images, shift: (
            _changed(network, images, images.roll(shift, 2)).mean()
        ),
        "You shift to the left; a positive roll goes to the right.": (
            lambda network, images, shift: _changed(network, images, images.roll(-shift, 3)).mean()
        ),
        "What leaves on the right must come back on the left; you fill up with zeros.": (
            lambda network, images, shift: _changed(
                network, images, F.pad(images, (shift, -shift))
            ).mean()
        ),
        "Pictures lie along dims=0: you compare each with its neighbour in the batch.": (
            lambda network, images, shift: _changed(network, images, images.roll(shift, 0)).mean()
        ),
    },
)
def flicker(network: nn.Module, images: Tensor, shift: int) -> Tensor:
    """Share of images (B, C, H, W) whose predicted class changes when they are shifted right."""
    before = network(images).argmax(dim=1)  # (B,)
    after = network(images.roll(shift, dims=3)).argmax(dim=1)
    return (before != after).double().mean()


quiz = Quiz(
    Question(
        "From locally connected to convolution: what does sharing the weights save?",
        Wrong("Storage and computation.", "Both multiply exactly as often."),
        Right("Storage only.", "Each position still multiplies its own patch."),
        Wrong("Computation only.", "It stores one set of kernels instead of one a position."),
    ),
    Question(
        "Which of the two steps helped more on new pictures, in a short training?",
        Wrong(
            "Looking at a patch: it removes most of the parameters.",
            "It removed over 9 in 10, and the gap at few pictures hardly moved.",
        ),
        Right(
            "Sharing: every picture teaches each weight at every position.",
            "How weights may be used tells more about over-fitting than how many there are.",
        ),
        Wrong("They helped alike.", "Looking at a patch added under half of what sharing added."),
    ),
    Question(
        "A network was trained with objects in one place only. Which ones know them elsewhere?",
        Wrong(
            "All that end in an average over positions.",
            "The locally connected one ends in an average, and knows almost nothing from two "
            "pixels on.",
        ),
        Right(
            "The convolution, up to its strides and its border.",
            "The average needs something that moves along, and only shared weights give it that.",
        ),
        Wrong("None: it must be shown.", "Without a border, 8 pixels away, it answered as before."),
    ),
    Question(
        "Where is a convolution with zero padding not equivariant?",
        Right(
            "Near the border.",
            "The zeros do not move along. Away from the border the map moves exactly.",
        ),
        Wrong("Everywhere.", "Away from the border it is, to the last bit or so."),
        Wrong("At odd shifts.", "That is what a stride of 2 does."),
    ),
)
"""The questions that end the chapter."""
