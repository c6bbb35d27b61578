"""Augmentation of a batch: every image its own random draw, on any device."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.augment.batch_geometry import windows


def crop_and_flip(images: Tensor, generator: torch.Generator, *, padding: int = 4) -> Tensor:
    """Shift every image by up to `padding` pixels each way, and mirror every other one.

    The standard augmentation of CIFAR (He et al. 2016, section 4.2): pad with black, crop the
    original size at a random place, flip left and right with probability ½.

    >>> import torch
    >>> from cvcourse.augment import crop_and_flip
    >>> images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    >>> crop_and_flip(images, torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 32, 32])

    Args:
        images: (B, C, H, W), any dtype.
        generator: on the images' device.
        padding: pixels, at least 0.

    Returns:
        A new tensor of the same shape, dtype and device.
    """
    b, c, h, w = images.shape
    device = images.device
    y, x = torch.randint(0, 2 * padding + 1, (2, b, 1), generator=generator, device=device)
    flipped = torch.rand(b, 1, generator=generator, device=device) < 0.5  # like y and x, (B, 1)
    both = F.pad(torch.cat([images, images.flip(3)]), [padding] * 4)  # (2B, C, H, W)
    # A picture's window begins at one place of the flat memory of both versions: its number times
    # the pixels of a padded picture, plus y rows, plus x. A mirrored one counts x from the right.
    number = torch.arange(b, device=device).unsqueeze(1) + b * flipped
    x = torch.where(flipped, 2 * padding - x, x)
    start = (number * c * both.shape[2] + y) * both.shape[3] + x
    return windows(both, start.squeeze(1), (h, w))
