"""Colour, filters and noise on a batch, on any device: every image its own parameters.

The operations, their parameters and their rounding are those of `ops`; a parameter is a number for
all images or a (B,) tensor on their device, which a GPU is waited for to check. A fourth channel is
opacity: only blur and cutout change it.

>>> import torch
>>> from cvcourse.augment import batch_colour
>>> images = torch.full((2, 3, 4, 4), 100, dtype=torch.uint8)
>>> batch_colour.brightness(images, torch.tensor([0.5, 2.0]))[:, 0, 0, 0].tolist()
[50, 200]
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Any, Protocol, get_args

import torch
from torch import Tensor

from cvcourse.augment import ops
from cvcourse.augment.batch_geometry import each
from cvcourse.augment.chunks import by_chunks
from cvcourse.augment.ops import GREY
from cvcourse.checks import Grey, Images, Scalar, check_integer, check_range, checked, hints_of


class Operation(Protocol):
    """A change of the colours of a batch, which checks what it is given."""

    unchecked: Callable[..., Tensor]  #: with (B,) parameters; the checks would wait for a GPU

    def __call__(self, images: Tensor, *parameters: Any, **named: Any) -> Tensor:
        """Change a batch; see each operation."""


def _colours(
    dtype: torch.dtype = torch.float32, *, opacity: bool = False
) -> Callable[[Callable[..., Tensor]], Operation]:
    """Check a batch, give each image its parameters; `opacity`: a fourth channel changes as well.

    The operation is given the colours of a few images at a time, as this `dtype` and its own to
    overwrite, with parameters (b, 1, 1, 1); for what it may return see `by_chunks`.
    """

    def decorate(operation: Callable[..., Tensor]) -> Operation:
        signature = inspect.signature(operation)
        one, own = hints_of(getattr(ops, operation.__name__)), hints_of(operation)
        spans = {n: _of_each(one[n]) for n in signature.parameters if n in one and own[n] is Tensor}

        def unchecked(images: Tensor, *parameters: Any, **named: Any) -> Tensor:
            n = images.shape[1] if opacity else 3
            changed = torch.empty_like(images, memory_format=torch.contiguous_format)
            changed[:, n:] = images[:, n:]

            def change(some: slice, levels: Tensor) -> Tensor:
                own = (
                    p[some, None, None, None] if isinstance(p, Tensor) else p for p in parameters
                )
                return operation(levels, *own, **named)

            by_chunks(images[:, :n], dtype, change, changed[:, :n])
            return changed

        @wraps(operation)
        def whole(images: Tensor, *parameters: Any, **named: Any) -> Tensor:
            bound = signature.bind(images, *parameters, **named)
            for name in spans:
                bound.arguments[name] = each(images, bound.arguments[name])
            return unchecked(*bound.args, **bound.kwargs)

        whole.__annotations__ = own | spans | {"images": Images}
        result: Any = checked(whole)
        result.unchecked = unchecked
        return result

    return decorate


def _of_each(one: Any) -> Any:
    """A number or a tensor, in the range that an annotation of `ops` has for a number."""
    check_one = get_args(one)[1]
    whole = check_one.func is check_integer
    return Annotated[Scalar, partial(check_range, **check_one.keywords, whole=whole)]


@_colours()
def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply every level by a factor, 0 (black) to 10; 1 changes nothing.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> images = torch.full((2, 1, 1, 1), 100, dtype=torch.uint8)
    >>> batch_colour.brightness(images, torch.tensor([0.5, 2.0])).flatten().tolist()
    [50, 200]

    Args:
        images: (B, C, H, W) uint8.
        factor: a number for all images, or (B,) float on their device, 0 to 10.
    """
    return images.mul_(factor)


@_colours()
def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move every level away from its image's mean grey, 0 (all grey) to 10; 1 changes nothing.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> images = torch.tensor([0, 100, 200], dtype=torch.uint8).view(1, 1, 1, 3)
    >>> batch_colour.contrast(images, 0.5).flatten().tolist()
    [50, 100, 150]

    Args:
        images: (B, C, H, W) uint8.
        factor: a number for all images, or (B,) float on their device, 0 to 10.
    """
    mean = _grey(images.mean(dim=(2, 3), keepdim=True))  # (B, 1, 1, 1)
    return images.mul_(factor).add_((1 - factor) * mean)


@_colours()
def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Move every pixel away from its own grey, 0 (grey) to 10; 1 changes nothing.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1)
    >>> batch_colour.saturation(red, 0).flatten().tolist()
    [76, 76, 76]

    Args:
        images: (B, C, H, W) uint8.
        factor: a number for all images, or (B,) float on their device, 0 to 10.
    """
    if images.shape[1] == 1:
        return images
    grey = _grey(images).mul_(1 - factor)  # (B, 1, H, W)
    return images.mul_(factor).add_(grey)


@_colours()
def hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the colour wheel, −0.5 to 0.5 of a whole turn; 0 changes nothing.

    Exact to the rounding, where `ops.hue` goes through eight bits of HSV.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1)
    >>> batch_colour.hue(red, 0.5).flatten().tolist()
    [0, 255, 255]

    Args:
        images: (B, C, H, W) uint8.
        turn: a number for all images, or (B,) float on their device, −0.5 to 0.5.
    """
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)  # (B, H, W)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    # Where on the wheel, in sixths of a turn: 0 red, 2 green, 4 blue.
    width = chroma.clamp(min=1)
    place = torch.where(
        red == value,
        (green - blue) / width,
        torch.where(green == value, (blue - red) / width + 2, (red - green) / width + 4),
    ).add_(6 * turn[:, 0])
    for channel, offset in ((red, 5), (green, 3), (blue, 1)):
        sixths = place + offset
        sixths -= 6 * (sixths / 6).floor_()
        depth = (2 - sixths.sub_(2).abs_()).clamp_(0, 1)
        torch.addcmul(value, chroma, depth, value=-1, out=channel)
    return images


@_colours(torch.uint8)
def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the `bits` highest bits of every level, 1 to 8 (whole); 8 changes nothing.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> images = torch.tensor([100, 200], dtype=torch.uint8).view(1, 1, 1, 2)
    >>> batch_colour.posterize(images, 1).flatten().tolist()
    [0, 128]

    Args:
        images: (B, C, H, W) uint8.
        bits: a number for all images, or (B,) float on their device, whole, 1 to 8.
    """
    return images.bitwise_and_((256 - 2 ** (8 - bits.long())).to(torch.uint8))


@_colours(torch.int16)
def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the levels from a threshold on, 0 (all) to 256 (none).

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> images = torch.tensor([10, 200], dtype=torch.uint8).view(1, 1, 1, 2)
    >>> batch_colour.solarize(images, 128).flatten().tolist()
    [10, 55]

    Args:
        images: (B, C, H, W) uint8.
        threshold: a number for all images, or (B,) float on their device, a level, 0 to 256.
    """
    below = images.sub(threshold.ceil().to(torch.int16)).bitwise_right_shift_(15)  # all bits or 0
    return below.bitwise_xor_(images).bitwise_not_()  # of which the low byte counts


@_colours()
def autocontrast(images: Tensor) -> Tensor:
    """Stretch each channel so that it runs from 0 to 255; a channel of one level stays.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> images = torch.tensor([50, 90, 150], dtype=torch.uint8).view(1, 1, 1, 3)
    >>> batch_colour.autocontrast(images).flatten().tolist()
    [0, 102, 255]

    Args:
        images: (B, C, H, W) uint8.
    """
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    stretched = high > low
    factor = torch.where(stretched, 255 / (high - low).clamp(min=1), 1)  # (B, C, 1, 1)
    return images.sub_(torch.where(stretched, low, 0)).mul_(factor)


@_colours(torch.int64)
def equalize(images: Tensor) -> Tensor:
    """Spread each channel's levels so that all are about equally frequent (as Pillow does).

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> dark = torch.arange(64, dtype=torch.uint8).repeat_interleave(64).view(1, 1, 64, 64)
    >>> batch_colour.equalize(dark).max().item()
    255

    Args:
        images: (B, C, H, W) uint8.
    """
    levels = images.flatten(2)  # (B, C, HW)
    counts = levels.new_zeros(*levels.shape[:2], 256)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    brightest = counts.gather(2, levels.amax(2, keepdim=True))  # (B, C, 1): they are not spread
    step = (levels.shape[2] - brightest) // 255
    below = counts.cumsum(2) - counts
    spread = ((below + step // 2) // step.clamp(min=1)).clamp_(0, 255)
    spread = torch.where(step > 0, spread, torch.arange(256, device=images.device))
    return spread.to(torch.uint8).gather(2, levels).view_as(images)


@_colours(torch.int16)
def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Move every pixel away from its smoothed neighbourhood, 0 (smooth) to 10; 1 changes nothing.

    The outermost pixels have no whole neighbourhood and stay.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> spot = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    >>> spot[..., 2, 2] = 130
    >>> batch_colour.sharpness(spot, 0)[0, 0, 2].tolist()
    [0, 10, 50, 10, 0]

    Args:
        images: (B, C, H, W) uint8.
        factor: a number for all images, or (B,) float on their device, 0 to 10.
    """
    height, width = images.shape[2:]
    if min(height, width) <= 2:
        return images
    # Neighbours are found in the flat array: wrong at the edges, where they are not wanted.
    flat = images.flatten()
    rows = flat[: -2 * width] + flat[width:-width]
    rows += flat[2 * width :]
    nine = rows[:-2] + rows[1:-1]
    nine += rows[2:]
    smooth = torch.zeros_like(flat)
    inner = slice(width + 1, len(flat) - width - 1)
    smooth[inner] = nine.add_(flat[inner], alpha=4)  # of weight 13
    sharp = smooth.view_as(images) * ((1 - factor) / 13)
    sharp.addcmul_(images, factor)
    for edge in (0, -1):
        sharp[:, :, edge], sharp[..., edge] = images[:, :, edge], images[..., edge]
    return sharp


@_colours(opacity=True)
def blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Smooth by a Gaussian of standard deviation `sigma`, 0 to 0.25 of the shorter side.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> spot = torch.zeros(1, 1, 9, 9, dtype=torch.uint8)
    >>> spot[..., 4, 4] = 255
    >>> batch_colour.blur(spot, 0.1)[0, 0, 4].tolist()
    [0, 0, 4, 27, 50, 27, 4, 0, 0]

    Args:
        images: (B, C, H, W) uint8.
        sigma: a number for all images, or (B,) float on their device, a fraction of the side.
    """
    height, width = images.shape[2:]
    pixels = sigma.flatten().float() * min(height, width)
    down, across = (_smoothing(n, pixels).unsqueeze(1) for n in (height, width))  # (B, 1, n, n)
    return down @ images @ across.mT


@_colours()
def noise(images: Tensor, std: Tensor, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise to every level: standard deviation 0 to 1, where white is 1.

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> grey = torch.full((1, 1, 64, 64), 128, dtype=torch.uint8)
    >>> noisy = batch_colour.noise(grey, 0.1, torch.Generator().manual_seed(0))
    >>> f"{noisy.float().std() / 255:.2f}"
    '0.10'

    Args:
        images: (B, C, H, W) uint8.
        std: a number for all images, or (B,) float on their device, 0 to 1.
        generator: on the images' device.
    """
    grain = torch.randn(images.shape, generator=generator, device=images.device)
    return images.add_(grain.mul_(255 * std))


@_colours(torch.uint8, opacity=True)
def cutout(images: Tensor, x: Tensor, y: Tensor, side: Tensor, *, fill: Grey = 0) -> Tensor:
    """Hide a square of every image (DeVries and Taylor 2017).

    >>> import torch
    >>> from cvcourse.augment import batch_colour
    >>> white = torch.full((1, 1, 4, 4), 255, dtype=torch.uint8)
    >>> batch_colour.cutout(white, 0.5, 0.5, 0.5)[0, 0, 1].tolist()
    [255, 0, 0, 255]

    Args:
        images: (B, C, H, W) uint8.
        x: the square's centre, 0 to 1 of the width.
        y: the same down the height.
        side: 0 to 1 of the shorter side of the image.
        fill: the level to paint, 0 to 255.
    """
    height, width = images.shape[2:]
    half = side * min(height, width) / 2
    rows = _between(y * height, half, torch.arange(height, device=images.device).unsqueeze(1))
    columns = _between(x * width, half, torch.arange(width, device=images.device))
    every_bit = (rows & columns).view(torch.uint8).neg()  # 255 or 0
    return images.bitwise_xor_((images ^ fill).bitwise_and_(every_bit))


def _between(centre: Tensor, half: Tensor | float, at: Tensor) -> Tensor:
    return (at >= (centre - half).round()) & (at < (centre + half).round())


def _smoothing(n: int, pixels: Tensor) -> Tensor:
    """Gaussians along a line of n pixels that is mirrored at its ends, as matrices (B, n, n)."""
    pixels = torch.where(pixels > 0.05, pixels, 0)
    longest = int((3 * pixels.amax()).ceil()) if len(pixels) else 0
    offsets = torch.arange(-longest, longest + 1, device=pixels.device)
    reach = (3 * pixels).ceil().unsqueeze(1)  # (B, 1)
    weights = torch.exp(-0.5 * (offsets / pixels.clamp(min=0.05).unsqueeze(1)) ** 2)
    weights = weights * (offsets.abs() <= reach)  # (B, offsets)
    weights = weights / weights.sum(dim=1, keepdim=True)
    place = (torch.arange(n, device=pixels.device).unsqueeze(1) + offsets).abs()  # (n, offsets)
    period = max(2 * (n - 1), 1)
    place = place % period
    place = torch.minimum(place, period - place) if n > 1 else place * 0
    matrix = weights.new_zeros(len(pixels), n, n)
    return matrix.scatter_add_(
        2, place.expand(len(pixels), -1, -1), weights.unsqueeze(1).expand(-1, n, -1)
    )


def _grey(pixels: Tensor) -> Tensor:
    """(B, C, H, W) float → (B, 1, H, W)."""
    if pixels.shape[1] == 1:
        return pixels.clone()
    red, green, blue = pixels.split(1, dim=1)
    return (red * GREY[0]).add_(green, alpha=GREY[1]).add_(blue, alpha=GREY[2])
