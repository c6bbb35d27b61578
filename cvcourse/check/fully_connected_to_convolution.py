"""Practice for chapter 4: counts, steps, a convolution by hand, and what moves along."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.check.function import Function
from cvcourse.check.number import Number
from cvcourse.check.quiz import Question, Quiz, Right, Wrong
from cvcourse.models import LocallyConnected2d


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
    hint="After the first stride of 2, one step of the map is two pixels. What does the "
    "second do to "
    "that?",
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
    image = torch.randn(7, 9, generator=generator, dtype=torch.float64)
    return image, torch.randn(3, 3, generator=generator, dtype=torch.float64)


def _correlate(image: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    maps = F.conv2d(image[None, None], kernel[None, None], stride=stride, padding=padding)
    return maps[0, 0]


@Function.of(
    hint="The unit at (y, x) is (image[y : y + K, x : x + K] * kernel).sum().",
    why="What deep learning calls a convolution does not flip its kernel: it is a "
    "correlation. Since "
    "the kernel is learned, nobody minds.",
    inputs=_image_and_kernel,
    mistakes={
        "You flip the kernel, as mathematicians do. nn.Conv2d does not.": lambda image, kernel: (
            _correlate(image, kernel.flip(0, 1))
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
def convolve(image: Tensor, kernel: Tensor) -> Tensor:
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
    weight = torch.randn(4, 2 * 3 * 5, generator=generator, dtype=torch.float64)
    return weight, 2, 3, 5


@Function.of(
    hint="Each row of the weight is a flattened picture. Give it its shape back.",
    why="A fully connected layer is a convolution whose kernel is as large as the picture. On "
    "a larger "
    "picture it then answers at every place.",
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
        "The output comes first in a convolution's weight: (K, C, H, W).": (
            lambda weight, c, h, w: weight.view(-1, c, h, w).transpose(0, 1)
        ),
    },
)
def as_convolution(weight: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Weight of a fully connected layer (K, C·H·W) → the same as a convolution's (K, C, H, W)."""
    return weight.view(-1, channels, height, width)


def _layer_and_images(generator: torch.Generator) -> tuple[nn.Module, Tensor, int]:
    seed = int(torch.randint(1000, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layer: nn.Module = (
            nn.Conv2d(2, 3, 3, padding=1, bias=False)
            if seed % 2
            else LocallyConnected2d(2, 3, 6, 3, padding=1, bias=False)
        )
    images = torch.randn(2, 2, 6, 6, generator=generator, dtype=torch.float64)
    return layer.double().requires_grad_(False), images, 2


def _gap(
    change: Callable[[Tensor, int], Tensor], undo: Callable[[Tensor, int], Tensor]
) -> Callable[[nn.Module, Tensor, int], Tensor]:
    """Shift the picture one way, the map another, and compare; not relative."""
    return lambda layer, images, shift: (
        layer(change(images, shift)) - undo(layer(images), shift)
    ).norm()


def _right(x: Tensor, shift: int) -> Tensor:
    return x.roll(shift, dims=3)


_moved = _gap(_right, _right)


@Function.of(
    hint="Two ways round: layer(shifted images), and shifted layer(images). .roll(shift, dims=3) "
    "shifts along a row.",
    why="0 for a convolution with circular padding. With zeros at the border, or with a kernel for "
    "each place, it is not.",
    inputs=_layer_and_images,
    mistakes={
        "You compare the shifted picture's map with the unshifted map: that asks whether it stays. "
        "Shift the map as well.": lambda layer, images, shift: (
            _gap(_right, lambda x, _: x)(layer, images, shift) / layer(images).norm()
        ),
        "You shift down, over dims=2; a row runs along dims=3.": lambda layer, images, shift: (
            _gap(lambda x, s: x.roll(s, 2), lambda x, s: x.roll(s, 2))(layer, images, shift)
            / layer(images).norm()
        ),
        "That is the difference itself. Divide by the norm of the map, so that layers compare.": (
            _moved
        ),
        "You divide by the norm of the pictures; expected that of their map.": (
            lambda layer, images, shift: _moved(layer, images, shift) / images.norm()
        ),
        "That is the squared error. Take the norm, not its square.": lambda layer, images, shift: (
            (_moved(layer, images, shift) / layer(images).norm()) ** 2
        ),
        "One of the two shifts goes left: a positive shift for the pictures wants the same for the "
        "map.": lambda layer, images, shift: (
            _gap(_right, lambda x, s: x.roll(-s, 3))(layer, images, shift) / layer(images).norm()
        ),
    },
)
def disagreement(layer: nn.Module, images: Tensor, shift: int) -> Tensor:
    """Of a layer that keeps the size: ‖f(shifted x) − shifted f(x)‖ / ‖f(x)‖, along a row."""
    maps, moved = layer(images), layer(images.roll(shift, dims=3))
    return (moved - maps.roll(shift, dims=3)).norm() / maps.norm()


quiz = Quiz(
    Question(
        "From locally connected to convolution: what does sharing the weights save?",
        Wrong("Storage and computation.", "Both multiply exactly as often."),
        Right("Storage only.", "Each position still multiplies its own patch."),
        Wrong("Computation only.", "It stores one set of kernels instead of one a position."),
    ),
    Question(
        "Which of the two steps helped more on new pictures?",
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
            "The locally connected one ends in an average, and knows nothing two pixels away.",
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
