"""Colour, filters and noise on a batch, on any device: every image its own parameters.

The operations, their parameters and their rounding are those of `ops`; a parameter is a number for
all images or a (B,) tensor on their device. A fourth channel is opacity: only blur and cutout
change it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from cvcourse.augment.batch_geometry import chunks, each
from cvcourse.augment.checks import MAX_FACTOR, Scalar, check_images, check_range
from cvcourse.augment.ops import GREY


def _colours(operation: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Check the images, give each its parameters, and keep opacity out of the operation.

    The operation is given a few images at a time, with parameters (b, 1, 1, 1), and returns their
    colours.
    """

    @functools.wraps(operation)
    def wrapped(images: Tensor, *parameters: Scalar | torch.Generator) -> Tensor:
        check_images(images)
        spread = [p if isinstance(p, torch.Generator) else each(images, p) for p in parameters]
        changed = images.clone(memory_format=torch.contiguous_format)
        for some in chunks(images, (images.shape[2], images.shape[3])):
            own = [
                p if isinstance(p, torch.Generator) else p[some, None, None, None] for p in spread
            ]
            changed[some, :3] = operation(images[some, :3].contiguous(), *own)
        return changed

    return wrapped


@_colours
def brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply every level by a factor, 0 (black) to 10; 1 changes nothing."""
    _check_factor(factor)
    return _to_bytes(images.float().mul_(factor))


@_colours
def contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move every level away from its image's mean grey, 0 (all grey) to 10; 1 changes nothing."""
    _check_factor(factor)
    pixels = images.float()
    mean = _grey(pixels.mean(dim=(2, 3), keepdim=True))  # (B, 1, 1, 1)
    return _to_bytes(pixels.mul_(factor).add_((1 - factor) * mean))


@_colours
def saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Move every pixel away from its own grey, 0 (grey) to 10; 1 changes nothing."""
    _check_factor(factor)
    if images.shape[1] == 1:
        return images
    pixels = images.float()
    grey = _grey(pixels).mul_(1 - factor)  # (B, 1, H, W)
    return _to_bytes(pixels.mul_(factor).add_(grey))


@_colours
def hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the colour wheel, −0.5 to 0.5 of a whole turn; 0 changes nothing.

    Exact to the rounding, where `ops.hue` goes through eight bits of HSV.
    """
    check_range("turn", turn, -0.5, 0.5, "of the colour wheel")
    if images.shape[1] == 1:
        return images
    red, green, blue = pixels = images.float().unbind(1)  # (B, H, W)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    # Where on the wheel, in sixths of a turn: 0 red, 2 green, 4 blue.
    width = chroma.clamp(min=1)
    place = torch.where(
        red == value,
        (green - blue) / width,
        torch.where(green == value, (blue - red) / width + 2, (red - green) / width + 4),
    ).add_(6 * turn[:, 0])
    for channel, offset in zip(pixels, (5, 3, 1), strict=True):
        sixths = place + offset
        sixths -= 6 * (sixths / 6).floor_()
        depth = (2 - sixths.sub_(2).abs_()).clamp_(0, 1)
        torch.addcmul(value, chroma, depth, value=-1, out=channel)
    return _to_bytes(torch.stack(pixels, dim=1))


@_colours
def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Keep the `bits` highest bits of every level, 1 to 8 (whole); 8 changes nothing."""
    check_range("bits", bits, 1, 8, "bits of each level to keep")
    return images & (256 - 2 ** (8 - bits.long())).to(torch.uint8)


@_colours
def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the levels from a threshold on, 0 (all) to 256 (none)."""
    check_range("threshold", threshold, 0, 256, "a level; 256 changes nothing")
    highest_kept = (threshold.ceil() - 1).clamp(min=0).to(torch.uint8)  # so bytes do
    inverted = (images > highest_kept) | (threshold == 0)
    return images ^ (inverted.to(torch.uint8) * 255)


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


@_colours
def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    """Move every pixel away from its smoothed neighbourhood, 0 (smooth) to 10; 1 changes nothing.

    The outermost pixels have no whole neighbourhood and stay.
    """
    _check_factor(factor)
    height, width = images.shape[2:]
    if min(height, width) <= 2:
        return images
    # Neighbours are found in the flat array: wrong at the edges, where they are not wanted.
    flat = images.flatten().to(torch.int16)
    rows = flat[: -2 * width] + flat[width:-width]
    rows += flat[2 * width :]
    nine = rows[:-2] + rows[1:-1]
    nine += rows[2:]
    smooth = torch.zeros_like(flat)
    inner = slice(width + 1, len(flat) - width - 1)
    torch.add(nine, flat[inner], alpha=4, out=smooth[inner])  # of weight 13
    blend = smooth.view_as(images) * ((1 - factor) / 13)
    sharp = _to_bytes(blend.addcmul_(images, factor))
    for edge in (0, -1):
        sharp[:, :, edge], sharp[..., edge] = images[:, :, edge], images[..., edge]
    return sharp


def blur(images: Tensor, sigma: Scalar) -> Tensor:
    """Smooth by a Gaussian of standard deviation `sigma`, 0 to 0.25 of the shorter side."""
    check_images(images)
    check_range("sigma", sigma, 0, 0.25, "a fraction of the shorter side")
    height, width = images.shape[2:]
    pixels = each(images, sigma) * min(height, width)
    down, across = (_smoothing(n, pixels).unsqueeze(1) for n in (height, width))  # (B, 1, n, n)
    smooth = torch.empty_like(images)
    for some in chunks(images, (height, width)):
        smooth[some] = _to_bytes(down[some] @ images[some].float() @ across[some].mT)
    return smooth


@_colours
def noise(images: Tensor, std: Tensor, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise to every level: standard deviation 0 to 1, where white is 1."""
    check_range("std", std, 0, 1, "of the range from black to white")
    grain = torch.randn(images.shape, generator=generator, device=images.device)
    return _to_bytes(grain.mul_(255 * std).add_(images))


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


def _check_factor(factor: Tensor) -> None:
    check_range("factor", factor, 0, MAX_FACTOR, "1 changes nothing")


def _to_bytes(pixels: Tensor) -> Tensor:
    """Float levels, ours to overwrite, to the nearest byte."""
    return pixels.add_(0.5).clamp_(0, 255).to(torch.uint8)
