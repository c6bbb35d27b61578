"""One change at a time to pictures that already exist.

The renderer can redraw a scene with the object elsewhere; a photograph can only be resampled. These
are the same four changes, made that way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.data.image_set import ImageSet

Change = Literal["shift", "crop", "scale", "occlusion"]

_LIMITS = {"shift": (0.0, 1.0), "crop": (0.1, 1.0), "scale": (0.1, 10.0), "occlusion": (0.0, 1.0)}


def perturb(image_set: ImageSet, change: Change, amount: float, *, seed: int = 0) -> ImageSet:
    """The same images, each with one change; what leaves the frame is lost.

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
        An ImageSet of the same size and device. Resampling is bilinear.

    Raises:
        ValueError: an unknown change, or an amount out of its range.
    """
    if change not in _LIMITS:
        raise ValueError(f"change is {change!r}; expected one of {tuple(_LIMITS)}")
    low, high = _LIMITS[change]
    if not low <= amount <= high:
        raise ValueError(f"{change} of {amount!r}; expected {low:g} to {high:g}")
    draw = torch.rand(len(image_set), 2, generator=torch.Generator().manual_seed(seed))  # (N, 2)
    images = image_set.images
    if change == "occlusion":
        changed = images.masked_fill(_bar(draw[:, 0], amount, images), 128)
    else:
        changed = _resample(images, *_window(change, amount, draw))
    return replace(image_set, images=changed, boxes=None, masks=None)


def _window(change: Change, amount: float, draw: Tensor) -> tuple[float, Tensor]:
    """The part of the original to look at: its side, and its centre (N, 2), frame = [−1, 1]²."""
    if change == "shift":
        angle = 2 * torch.pi * draw[:, 0]
        return 1.0, -2 * amount * torch.stack([angle.cos(), angle.sin()], dim=1)
    if change == "crop":
        return amount, (2 * draw - 1) * (1 - amount)
    return 1 / amount, torch.zeros_like(draw)


def _resample(images: Tensor, side: float, centre: Tensor) -> Tensor:
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = side
    theta[:, :, 2] = centre
    changed = torch.empty_like(images)
    for some in torch.arange(len(images)).split(2048):  # bounds the float copies
        shape = list(images[some].shape)
        grid = F.affine_grid(theta[some].to(images.device), shape, align_corners=False)
        moved = F.grid_sample(
            images[some].float(), grid, padding_mode="border", align_corners=False
        )
        changed[some] = moved.round().clamp(0, 255).to(torch.uint8)
    return changed


def _bar(draw: Tensor, amount: float, images: Tensor) -> Tensor:
    """Hidden pixels (N, 1, H, W) bool: `amount` of the frame, from one of the four sides."""
    height, width = images.shape[-2:]
    y = ((torch.arange(height) + 0.5) / height).view(1, height, 1)
    x = ((torch.arange(width) + 0.5) / width).view(1, 1, width)
    side = (draw * 4).long().view(-1, 1, 1)  # left, top, right, bottom
    across = torch.where(side % 2 == 0, x, y)  # (N, H, W)
    depth = torch.where(side < 2, across, 1 - across)
    return (depth < amount).unsqueeze(1).to(images.device)
