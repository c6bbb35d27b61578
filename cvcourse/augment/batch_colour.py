"""Colour, filters and noise on a batch, on any device: every image its own parameters.

The operations, their parameters and their rounding are those of `ops`; a parameter is a number for
all images or a (B,) tensor on their device. A fourth channel is opacity and stays as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import torch
from torch import Tensor

from cvcourse.augment.batch_geometry import each
from cvcourse.augment.checks import MAX_FACTOR, Scalar, check_images, check_range
from cvcourse.augment.ops import GREY

P = ParamSpec("P")


def _colours(
    operation: Callable[Concatenate[Tensor, P], Tensor],
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """Check the images, and keep opacity out of the operation."""

    @functools.wraps(operation)
    def wrapped(images: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        check_images(images)
        if images.shape[1] == 4:
            changed = operation(images[:, :3], *args, **kwargs)
            return torch.cat([changed, images[:, 3:]], dim=1)
        return operation(images, *args, **kwargs)

    return wrapped


@_colours
def brightness(images: Tensor, factor: Scalar) -> Tensor:
    """Multiply every level by a factor, 0 (black) to 10; 1 changes nothing."""
    return _to_bytes(images * _factor(images, factor))


@_colours
def contrast(images: Tensor, factor: Scalar) -> Tensor:
    """Move every level away from its image's mean grey, 0 (all grey) to 10; 1 changes nothing."""
    factor = _factor(images, factor)
    pixels = images.float()
    mean = _grey(pixels.mean(dim=(2, 3), keepdim=True))  # (B, 1, 1, 1)
    return _to_bytes(pixels.mul_(factor).add_((1 - factor) * mean))


@_colours
def saturation(images: Tensor, factor: Scalar) -> Tensor:
    """Move every pixel away from its own grey, 0 (grey) to 10; 1 changes nothing."""
    factor = _factor(images, factor)
    pixels = images.float()
    grey = _grey(pixels).mul_(1 - factor)  # (B, 1, H, W)
    return _to_bytes(pixels.mul_(factor).add_(grey)) if images.shape[1] == 3 else images.clone()


@_colours
def hue(images: Tensor, turn: Scalar) -> Tensor:
    """Turn the colour wheel, −0.5 to 0.5 of a whole turn; 0 changes nothing.

    Exact to the rounding, where `ops.hue` goes through eight bits of HSV.
    """
    check_range("turn", turn, -0.5, 0.5, "of the colour wheel")
    turn = each(images, turn).view(-1, 1, 1)
    if images.shape[1] == 1:
        return images.clone()
    pixels = images.float()
    value, brightest = pixels.max(dim=1)  # (B, H, W)
    chroma = value - pixels.amin(dim=1)
    red, green, blue = pixels.unbind(1)
    # Where on the wheel, in sixths: 0 red, 2 green, 4 blue.
    ahead = torch.stack([green - blue, blue - red, red - green], dim=1)
    sector = ahead.gather(1, brightest.unsqueeze(1)).squeeze(1) / chroma.clamp(min=1)
    place = sector + 2 * brightest + 6 * turn
    offset = torch.tensor([5.0, 3.0, 1.0], device=images.device).view(1, 3, 1, 1)
    wheel = (place.unsqueeze(1) + offset).remainder_(6)  # (B, 3, H, W)
    depth = torch.minimum(wheel, 4 - wheel).clamp_(0, 1)
    return _to_bytes(value.unsqueeze(1) - chroma.unsqueeze(1) * depth)


@_colours
def posterize(images: Tensor, bits: Scalar) -> Tensor:
    """Keep the `bits` highest bits of every level, 1 to 8 (whole); 8 changes nothing."""
    check_range("bits", bits, 1, 8, "bits of each level to keep")
    dropped = 2 ** (8 - each(images, bits).long())
    return images & (256 - dropped).to(torch.uint8).view(-1, 1, 1, 1)


@_colours
def solarize(images: Tensor, threshold: Scalar) -> Tensor:
    """Invert the levels from a threshold on, 0 (all) to 256 (none)."""
    check_range("threshold", threshold, 0, 256, "a level; 256 changes nothing")
    from_level = each(images, threshold).ceil().to(torch.int16).view(-1, 1, 1, 1)
    return torch.where(images >= from_level, ~images, images)


@_colours
def autocontrast(images: Tensor) -> Tensor:
    """Stretch each channel so that it runs from 0 to 255; a channel of one level stays."""
    flat = images.flatten(2)
    low, high = flat.amin(2).float(), flat.amax(2).float()  # (B, C)
    stretched = high > low
    factor = torch.where(stretched, 255 / (high - low).clamp(min=1), 1)[..., None, None]
    low = torch.where(stretched, low, 0)[..., None, None]
    return _to_bytes((images - low).mul_(factor))


@_colours
def equalize(images: Tensor) -> Tensor:
    """Spread each channel's levels so that all are about equally frequent (as Pillow does)."""
    levels = images.flatten(2).long()  # (B, C, HW)
    counts = levels.new_zeros(*levels.shape[:2], 256)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    brightest = counts.gather(2, levels.amax(2, keepdim=True))  # (B, C, 1): they are not spread
    step = (levels.shape[2] - brightest) // 255
    below = counts.cumsum(2) - counts
    spread = ((below + step // 2) // step.clamp(min=1)).clamp_(0, 255)
    spread = torch.where(step > 0, spread, torch.arange(256, device=images.device))
    return spread.to(torch.uint8).gather(2, levels).view_as(images)


def sharpness(images: Tensor, factor: Scalar) -> Tensor:
    """Move every pixel away from its smoothed neighbourhood, 0 (smooth) to 10; 1 changes nothing.

    The outermost pixels have no whole neighbourhood and stay.
    """
    check_images(images)
    factor = _factor(images, factor)
    if min(images.shape[2:]) <= 2:
        return images.clone()
    sharp = images.clone()
    pixels = images.float()
    rows = pixels[:, :, :-2] + pixels[:, :, 1:-1] + pixels[:, :, 2:]
    inner = pixels[:, :, 1:-1, 1:-1]
    smooth = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * inner  # of weight 13
    sharp[:, :, 1:-1, 1:-1] = _to_bytes(inner * factor + smooth * ((1 - factor) / 13))
    return sharp


def blur(images: Tensor, sigma: Scalar) -> Tensor:
    """Smooth by a Gaussian of standard deviation `sigma`, 0 to 0.25 of the shorter side."""
    check_images(images)
    check_range("sigma", sigma, 0, 0.25, "a fraction of the shorter side")
    height, width = images.shape[2:]
    pixels = each(images, sigma) * min(height, width)
    down, across = (_smoothing(n, pixels).unsqueeze(1) for n in (height, width))  # (B, 1, n, n)
    return _to_bytes(down @ images.float() @ across.mT)


@_colours
def noise(images: Tensor, std: Scalar, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise to every level: standard deviation 0 to 1, where white is 1."""
    check_range("std", std, 0, 1, "of the range from black to white")
    grain = torch.randn(images.shape, generator=generator, device=images.device)
    return _to_bytes(grain.mul_(255 * each(images, std).view(-1, 1, 1, 1)).add_(images))


def cutout(images: Tensor, x: Scalar, y: Scalar, side: Scalar, *, fill: int = 0) -> Tensor:
    """Hide a square of every image (DeVries and Taylor 2017).

    Args:
        images: (B, C, H, W) uint8.
        x: the square's centre, 0 to 1 of the width.
        y: the same down the height.
        side: 0 to 1 of the shorter side of the image.
        fill: the level to paint, 0 to 255.
    """
    check_images(images)
    for name, value in (("x", x), ("y", y), ("side", side)):
        check_range(name, value, 0, 1, "a fraction of the side")
    check_range("fill", fill, 0, 255, "a grey level")
    height, width = images.shape[2:]
    half = each(images, side) * min(height, width) / 2
    rows = _between(each(images, y) * height, half, height)
    columns = _between(each(images, x) * width, half, width)
    return images.masked_fill(rows.view(-1, 1, height, 1) & columns.view(-1, 1, 1, width), fill)


def _between(centre: Tensor, half: Tensor, n: int) -> Tensor:
    """Which of n pixels lie in the interval: (B, n) bool."""
    at = torch.arange(n, device=centre.device)
    return (at >= (centre - half).round()[:, None]) & (at < (centre + half).round()[:, None])


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


def _factor(images: Tensor, factor: Scalar) -> Tensor:
    check_range("factor", factor, 0, MAX_FACTOR, "1 changes nothing")
    return each(images, factor).view(-1, 1, 1, 1)


def _to_bytes(pixels: Tensor) -> Tensor:
    """Float levels, ours to overwrite, to the nearest byte."""
    return pixels.add_(0.5).clamp_(0, 255).to(torch.uint8)
