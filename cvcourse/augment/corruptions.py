"""One change at a time to pictures that already exist.

The renderer can redraw a scene with the object elsewhere; a photograph can only be resampled. These
are the same four changes, made that way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from cvcourse.augment import batch_geometry, matrices
from cvcourse.augment.matrices import Size
from cvcourse.checks import Seed, check_number, checked
from cvcourse.data.image_set import ImageSet

Change = Literal["shift", "crop", "scale", "occlusion"]

_LIMITS = {"shift": (0.0, 1.0), "crop": (0.1, 1.0), "scale": (0.1, 10.0), "occlusion": (0.0, 1.0)}


@checked
def corrupt(image_set: ImageSet, change: Change, amount: float, *, seed: Seed = 0) -> ImageSet:
    """The same images, each with one change; what leaves the frame is lost.

    >>> from cvcourse.augment import corrupt
    >>> from cvcourse.data import render
    >>> pictures = render(10, seed=0)
    >>> corrupt(pictures, "shift", 0.125).images.shape
    torch.Size([10, 3, 32, 32])

    Args:
        image_set: the originals, untouched. Boxes and masks would no longer fit and are left out.
        change: what to do —
            "shift": move by `amount` of the side, 0 to 1, in a random direction;
            "crop": keep a window of `amount` of the side, 0.1 to 1, anywhere, and enlarge it;
            "scale": enlarge about the centre by `amount`, 0.1 to 10 (below 1: shrink);
            "occlusion": a grey bar from a random side hides `amount` of the picture, 0 to 1.
            Where a picture ends before the frame does, its edge pixels continue.
        amount: how much, see above.
        seed: of the random directions, windows and sides.

    Returns:
        An ImageSet of the same size and device. Resampling is bilinear, by `batch_geometry.warp`.

    Raises:
        TypeError: the amount is no number.
        ValueError: an unknown change, or an amount out of its range.
    """
    check_number(change, amount, *_LIMITS[change], "see corrupt")
    draw = torch.rand(len(image_set), 2, generator=torch.Generator().manual_seed(seed))  # (N, 2)
    images = image_set.images
    if change == "occlusion":
        changed = images.masked_fill(_bar(draw[:, 0], amount, images), 128)
    else:
        matrix = _matrix(change, amount, draw, (images.shape[2], images.shape[3]))
        changed = batch_geometry.warp(images, matrix.to(images.device), fill="edge")
    return replace(image_set, images=changed, boxes=None, masks=None)


def _matrix(change: Change, amount: float, draw: Tensor, size: Size) -> Tensor:
    """The map (N, 3, 3) of every image, from two random numbers each (N, 2)."""
    if change == "shift":
        angle = 2 * torch.pi * draw[:, 0]
        return matrices.translation(amount * angle.cos(), amount * angle.sin(), size)
    if change == "scale":
        return matrices.scaling(torch.full_like(draw[:, 0], amount), size)
    height, width = size
    x, y = (draw * (1 - amount)).unbind(1)  # (N,) each: the window's first corner, in sides
    box = x * width, y * height, (x + amount) * width, (y + amount) * height
    return matrices.window(box, size)


def _bar(draw: Tensor, amount: float, images: Tensor) -> Tensor:
    """Hidden pixels (N, 1, H, W) bool: `amount` of the frame, from one of the four sides."""
    height, width = images.shape[-2:]
    y = ((torch.arange(height) + 0.5) / height).view(1, height, 1)
    x = ((torch.arange(width) + 0.5) / width).view(1, 1, width)
    side = (draw * 4).long().view(-1, 1, 1)  # left, top, right, bottom
    across = torch.where(side % 2 == 0, x, y)  # (N, H, W)
    depth = torch.where(side < 2, across, 1 - across)
    return (depth < amount).unsqueeze(1).to(images.device)
