"""RandAugment: n random operations, all of one strength m, in place of a searched policy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from cvcourse.augment import batch_colour, batch_geometry, geometry, matrices, ops
from cvcourse.augment.matrices import Size
from cvcourse.checks import (
    Checked,
    Grey,
    Image,
    Images,
    Natural,
    Scalar,
    check_image,
    check_images,
    check_integer,
    check_number,
    checked,
)

MAX_STRENGTH = 30.0  #: the largest m; AutoAugment's ranges end here
Strength = Annotated[float, partial(check_number, low=0, high=MAX_STRENGTH, meaning='or "random"')]


def _factor(level: Any) -> tuple[Any]:
    return (1 + 0.9 * level,)


def _bits(level: Any) -> tuple[Any]:
    lost = 4 * abs(level)
    return (8 - (lost.round() if isinstance(lost, Tensor) else round(lost)),)


# The operations of colour, each with its parameters at a level from −1 to 1: a number or a tensor.
_COLOURS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "autocontrast": lambda level: (),
    "equalize": lambda level: (),
    "brightness": _factor,
    "contrast": _factor,
    "saturation": _factor,
    "sharpness": _factor,
    "posterize": _bits,
    "solarize": lambda level: (256 * (1 - abs(level)),),
}
_MOTIONS = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")

OPERATIONS = ("identity", *_COLOURS, *_MOTIONS)
"""The fourteen of the paper; their places are their numbers.

>>> from cvcourse.augment.randaugment import OPERATIONS
>>> len(OPERATIONS), OPERATIONS[:3]
(14, ('identity', 'autocontrast', 'equalize'))
"""
_MOVING = range(len(OPERATIONS) - len(_MOTIONS), len(OPERATIONS))  # their numbers


@dataclass(frozen=True)
class RandAugment(Checked):
    """Augment by n operations drawn from fourteen, each at strength m (Cubuk et al. 2020).

    The ranges are AutoAugment's: at m = 30 a rotation by 30°, a shear by a slope of 0.3, a shift by
    150/331 of the side, factors of 1 ± 0.9, 4 bits left by posterize, all levels inverted by
    solarize. Directions are tossed. At m = 0 only autocontrast and equalize change anything: they
    have no strength. Every operation changes the more the larger m is — solarize and posterize
    too, whose parameters fall.

    The geometry of all n operations is one resampling, after the colours; shears keep the centre
    in place, where AutoAugment's keep the top left corner.

    Nothing waits for a GPU, and no shape depends on what was drawn: a CUDA graph takes up the whole
    call, `torch.compile` takes `on_batch`.

    >>> import torch
    >>> from cvcourse.augment import RandAugment
    >>> images = torch.full((4, 3, 16, 16), 100, dtype=torch.uint8)
    >>> RandAugment(n=2, m=9)(images, torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 16, 16])

    Attributes:
        n: how many operations, at least 0; drawn with replacement.
        m: strength, 0 to 30; or "random": for each operation on each image its own, every strength
            as likely, as in FixMatch (Sohn et al. 2020).
        fill: the level outside the image, 0 to 255.

    Raises:
        ValueError: a number outside its range.
    """

    n: Natural = 2
    m: Strength | Literal["random"] = 9.0
    fill: Grey = 128

    @checked
    def __call__(self, images: Images, generator: torch.Generator) -> Tensor:
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
        if self.m != "random":
            return self.on_batch(images, chosen, up)
        strength = torch.rand(shape, generator=generator, device=device) * MAX_STRENGTH
        return self.on_batch(images, chosen, up, strength)

    @checked
    def one(self, image: Image, rng: np.random.Generator) -> np.ndarray:
        """Augment one (H, W) or (H, W, C) uint8 image; a new one of the same shape."""
        chosen = rng.integers(len(OPERATIONS), size=self.n).tolist()
        up = (rng.random(self.n) < 0.5).tolist()
        strength = rng.uniform(0, MAX_STRENGTH, self.n).tolist() if self.m == "random" else None
        return self.on_image(image, chosen, up, strength)

    def on_image(
        self,
        image: np.ndarray,
        chosen: Sequence[int],
        up: Sequence[bool],
        strength: Sequence[float] | None = None,
    ) -> np.ndarray:
        """The operations with these numbers, each up (+) or down (−) its range, by m or its own."""
        check_image("image", image)
        motion = np.eye(3)
        strengths = [None] * len(chosen) if strength is None else strength
        for number, upwards, own in zip(chosen, up, strengths, strict=True):
            number = check_integer("chosen", number, 0, len(OPERATIONS) - 1, "in OPERATIONS")
            name, level = OPERATIONS[number], self._level(own) * (1 if upwards else -1)
            if name in _COLOURS:
                image = getattr(ops, name)(image, *_COLOURS[name](level))
            else:
                motion = _motion(number, level, image.shape[:2]) @ motion
        if any(number in _MOVING for number in chosen):
            return geometry.warp(image, motion, fill=self.fill)
        return image.copy()

    def on_batch(
        self, images: Tensor, chosen: Tensor, up: Tensor, strength: Tensor | None = None
    ) -> Tensor:
        """The operations numbered (n, B) int64 by image, each up or down its range, (n, B) bool.

        Their strengths are m, or (n, B) float; these are not checked, which would wait for a GPU.
        """
        check_images("images", images)
        level = self._level(strength)
        parameters = {  # each (n, B)
            name: [torch.where(up, *ends) for ends in zip(at(level), at(-level), strict=True)]
            for name, at in _COLOURS.items()
        }
        for step, numbers in enumerate(chosen):
            changes = [
                (numbers == number, getattr(batch_colour, name).unchecked, [p[step] for p in own])
                for number, (name, own) in enumerate(parameters.items(), start=1)
            ]
            images = _changed(images, changes)
        size = images.shape[2], images.shape[3]
        # What undoes an operation is the same at the opposite level, the last one first.
        back = torch.eye(3, device=images.device).expand(len(images), 3, 3)
        for undo in _motion(chosen, torch.where(up, -level, level), size):
            back = back @ undo
        warp = partial(batch_geometry.resample, size=size, fill=self.fill)
        return _changed(images, [((chosen >= _MOVING.start).any(dim=0), warp, [back])])

    def _level(self, strength: Any) -> Any:
        """From 0 to 1: of these strengths, or of m."""
        if strength is not None:
            return strength / MAX_STRENGTH
        if self.m == "random":
            raise ValueError('m is "random"; expected the strength of each operation, 0 to 30')
        return self.m / MAX_STRENGTH


def _motion(number: int | Tensor, level: Scalar, size: Size) -> Any:
    """An operation's matrix at a level from −1 to 1, (..., 3, 3); one of colour stands still."""
    turn, lean_x, lean_y, right, down = (level * (number == motion) for motion in _MOVING)
    library, angle = matrices.trigonometry(turn), turn * math.radians(30)
    cos, sin = library.cos(angle), library.sin(angle)
    matrix = matrices.about_centre(cos, sin - 0.3 * lean_x, -sin - 0.3 * lean_y, cos, size)
    matrix[..., 0, 2] += right * (150 / 331 * size[1])
    matrix[..., 1, 2] += down * (150 / 331 * size[0])
    return matrix


_Change = tuple[Tensor, Callable[..., Tensor], list[Tensor]]


def _changed(images: Tensor, changes: Iterable[_Change]) -> Tensor:
    """The images, new, after changes: which (B,) bool, by what, and its parameters (B, ...).

    No image is chosen twice. On a CPU each change is made to the images chosen. On a GPU that would
    be to wait until it is known which they are: each is made to all images, and taken where chosen.
    """
    if images.device.type == "cpu" and not torch.compiler.is_compiling():
        parts, place, n = [images], torch.arange(len(images)), len(images)
        for chosen, operation, parameters in changes:
            rows = chosen.nonzero().squeeze(1)
            if len(rows):
                some = images.index_select(0, rows)
                parts.append(operation(some, *(p[rows] for p in parameters)))
                place[rows] = torch.arange(n, n + len(rows))
                n += len(rows)
        return torch.cat(parts).index_select(0, place)
    result = images
    for chosen, operation, parameters in changes:
        result = torch.where(chosen.view(-1, 1, 1, 1), operation(images, *parameters), result)
    return result
