"""RandAugment: n random operations, all of one strength m, in place of a searched policy."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cvcourse.augment import batch_colour, batch_geometry, geometry, matrices, ops
from cvcourse.augment.matrices import Size
from cvcourse.checks import check_image, check_images, check_integer, check_range

MAX_STRENGTH = 30.0  #: the largest m; AutoAugment's ranges end here


class _Colour(NamedTuple):
    """An operation on one image and on a batch, and its parameter at a level from −1 to 1."""

    single: Callable[..., np.ndarray]
    batch: Callable[..., Tensor]
    parameter: Callable[[float], float] | None


def _colour(name: str, parameter: Callable[[float], float] | None = None) -> _Colour:
    return _Colour(getattr(ops, name), getattr(batch_colour, name), parameter)


def _factor(level: float) -> float:
    return 1 + 0.9 * level


_COLOURS = {
    "autocontrast": _colour("autocontrast"),
    "equalize": _colour("equalize"),
    "brightness": _colour("brightness", _factor),
    "contrast": _colour("contrast", _factor),
    "saturation": _colour("saturation", _factor),
    "sharpness": _colour("sharpness", _factor),
    "posterize": _colour("posterize", lambda level: 8 - round(4 * abs(level))),
    "solarize": _colour("solarize", lambda level: 256 * (1 - abs(level))),
}
_MOTIONS = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")

OPERATIONS = ("identity", *_COLOURS, *_MOTIONS)
"""The fourteen of the paper; their places are their numbers.

>>> from cvcourse.augment.randaugment import OPERATIONS
>>> len(OPERATIONS), OPERATIONS[:3]
(14, ('identity', 'autocontrast', 'equalize'))
"""


@dataclass(frozen=True)
class RandAugment:
    """Augment by n operations drawn from fourteen, each at strength m (Cubuk et al. 2020).

    The ranges are AutoAugment's: at m = 30 a rotation by 30°, a shear by a slope of 0.3, a shift by
    150/331 of the side, factors of 1 ± 0.9, 4 bits left by posterize, all levels inverted by
    solarize. Directions are tossed. At m = 0 only autocontrast and equalize change anything: they
    have no strength. Every operation changes the more the larger m is — solarize and posterize
    too, whose parameters fall.

    The geometry of all n operations is one resampling, after the colours; shears keep the centre
    in place, where AutoAugment's keep the top left corner.

    >>> import torch
    >>> from cvcourse.augment import RandAugment
    >>> images = torch.full((4, 3, 16, 16), 100, dtype=torch.uint8)
    >>> RandAugment(n=2, m=9)(images, torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 16, 16])

    Attributes:
        n: how many operations, at least 0; drawn with replacement.
        m: strength, 0 to 30.
        fill: the level outside the image, 0 to 255.

    Raises:
        ValueError: a number outside its range.
    """

    n: int = 2
    m: float = 9.0
    fill: int = 128

    def __post_init__(self) -> None:
        check_integer("n", self.n, 0, None, "operations on each image")
        check_range("m", self.m, 0, MAX_STRENGTH, "strength")
        check_range("fill", self.fill, 0, 255, "a grey level")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Augment a batch, each image with its own draws; `fit` takes it as `augment=`.

        Args:
            images: (B, C, H, W) uint8, any device.
            generator: on the same device.

        Returns:
            A new batch of the same shape.
        """
        shape, device = (self.n, len(images)), images.device
        chosen = torch.randint(len(OPERATIONS), shape, generator=generator, device=device)
        up = torch.rand(shape, generator=generator, device=device) < 0.5
        return self.on_batch(images, chosen, up)

    def one(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Augment one (H, W) or (H, W, C) uint8 image; a new one of the same shape."""
        chosen = rng.integers(len(OPERATIONS), size=self.n).tolist()
        return self.on_image(image, chosen, (rng.random(self.n) < 0.5).tolist())

    def on_image(self, image: np.ndarray, chosen: list[int], up: list[bool]) -> np.ndarray:
        """The operations with these numbers, each up (+) or down (−) its range."""
        check_image(image)
        motions = _motions(self._level, image.shape[:2])
        motion = np.eye(3)
        for number, upwards in zip(chosen, up, strict=True):
            name, sign = OPERATIONS[number], 1.0 if upwards else -1.0
            motion = motions[int(upwards), number] @ motion
            if name in _COLOURS:
                colour = _COLOURS[name]
                parameters = [colour.parameter(sign * self._level)] if colour.parameter else []
                image = colour.single(image, *parameters)
        if any(OPERATIONS[number] in _MOTIONS for number in chosen):
            return geometry.warp(image, motion, fill=self.fill)
        return image.copy()

    def on_batch(self, images: Tensor, chosen: Tensor, up: Tensor) -> Tensor:
        """The operations numbered (n, B) int64 by image, each up or down its range, (n, B) bool."""
        check_images(images)
        table = _motions(self._level, (images.shape[2], images.shape[3]))
        motions = torch.tensor(table, dtype=torch.float32, device=images.device)
        motion = torch.eye(3, device=images.device).expand(len(images), 3, 3)
        moved = torch.zeros(len(images), dtype=torch.int64, device=images.device)
        place = torch.arange(len(images), device=images.device)  # whose image stands here
        first = len(OPERATIONS) - len(_MOTIONS)
        for numbers, upwards in zip(chosen, up, strict=True):
            images, place, groups = _grouped(images, place, numbers, len(OPERATIONS))
            self._recolour(images, upwards[place], groups)
            motion = motions[upwards.long(), numbers] @ motion
            moved |= numbers >= first
        images, place, (_, rest) = _grouped(images, place, moved, 2)
        images[rest] = batch_geometry.warp(images[rest], motion[place[rest]], fill=self.fill)
        return images.index_select(0, place.argsort())

    @property
    def _level(self) -> float:
        return self.m / MAX_STRENGTH

    def _recolour(self, images: Tensor, up: Tensor, groups: list[slice]) -> None:
        """Change in place those images whose operation is one of colour."""
        for name, group in zip(OPERATIONS, groups, strict=True):
            if name not in _COLOURS or group.start == group.stop:
                continue
            colour, parameters = _COLOURS[name], []
            if colour.parameter:
                plus, minus = colour.parameter(self._level), colour.parameter(-self._level)
                parameters = [torch.where(up[group], float(plus), float(minus))]
            images[group] = colour.batch(images[group], *parameters)


@functools.lru_cache
def _motions(level: float, size: Size) -> np.ndarray:
    """Every operation's matrix, down and up its range: (2, 14, 3, 3); those of colour stand still.

    Looked up, not worked out for each batch: on a GPU that took as long as the rest.
    """
    lean = math.degrees(math.atan(0.3 * level))
    step = 150 / 331 * level
    table = np.tile(np.eye(3), (2, len(OPERATIONS), 1, 1))
    for direction, sign in enumerate((-1, 1)):
        moving = {
            "rotate": matrices.rotation(sign * 30 * level, size),
            "shear_x": matrices.shear(sign * lean, 0, size),
            "shear_y": matrices.shear(0, sign * lean, size),
            "translate_x": matrices.translation(sign * step, 0, size),
            "translate_y": matrices.translation(0, sign * step, size),
        }
        for name, matrix in moving.items():
            table[direction, OPERATIONS.index(name)] = matrix
    return table


def _grouped(
    images: Tensor, place: Tensor, numbers: Tensor, n: int
) -> tuple[Tensor, Tensor, list[slice]]:
    """Bring images of the same number (B,) in [0, n) together, so that each group is a slice.

    Returns:
        The images in a new order, whose each is now, and the n slices.
    """
    order = numbers[place].argsort()
    ends = torch.bincount(numbers, minlength=n).cumsum(0).tolist()
    groups = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    return images.index_select(0, order), place[order], groups
