"""Augmentation of a batch: every image its own random draw, on any device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.augment import batch_colour
from cvcourse.augment.batch_geometry import windows
from cvcourse.checks import Checked, Grey, Images, Natural, Share, check_fields, checked


@checked
def crop_and_flip(
    images: Tensor, generator: torch.Generator, *, padding: Natural = 4, flip: Share = 0.5
) -> Tensor:
    """Shift every image by up to `padding` pixels each way, and mirror about every other one.

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
        flip: the probability that an image is mirrored; 0 where that would change its class, as
            it does a digit's.

    Returns:
        A new tensor of the same shape, dtype and device.
    """
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(
            f"images have shape {tuple(images.shape)}; expected (B, C, H, W), at least one pixel"
        )
    b, c, h, w = images.shape
    device = images.device
    y, x = torch.randint(0, 2 * padding + 1, (2, b, 1), generator=generator, device=device)
    flipped = torch.rand(b, 1, generator=generator, device=device) < flip  # like y and x, (B, 1)
    both = F.pad(torch.cat([images, images.flip(3)]), [padding] * 4)  # (2B, C, H, W)
    # A picture's window begins at one place of the flat memory of both versions: its number times
    # the pixels of a padded picture, plus y rows, plus x. A mirrored one counts x from the right.
    number = torch.arange(b, device=device).unsqueeze(1) + b * flipped
    x = torch.where(flipped, 2 * padding - x, x)
    start = (number * c * both.shape[2] + y) * both.shape[3] + x
    return windows(both, start.squeeze(1), (h, w))


@dataclass(frozen=True)
class Cutout(Checked):
    """Hide a square of every image, its centre anywhere (DeVries and Taylor 2017).

    What of it lies outside the image hides nothing, as in their code. FixMatch's strong view ends
    so, with grey squares of half the side (Sohn et al. 2020).

    >>> import torch
    >>> from cvcourse.augment import Cutout
    >>> white = torch.full((4, 3, 16, 16), 255, dtype=torch.uint8)
    >>> Cutout(0.5)(white, torch.Generator().manual_seed(0)).unique().tolist()
    [128, 255]

    Attributes:
        side: of the square, 0 to 1 of the shorter side of the image.
        fill: the level to paint, 0 to 255.

    Raises:
        ValueError: a number outside its range.
    """

    side: Share = 0.5
    fill: Grey = 128

    @checked
    def __call__(self, images: Images, generator: torch.Generator) -> Tensor:
        """Hide a square of each of (B, C, H, W) uint8; the generator is on their device."""
        x, y = torch.rand(2, len(images), generator=generator, device=images.device)
        return batch_colour.cutout.unchecked(images, x, y, self.side, fill=self.fill)


@dataclass(frozen=True)
class Compose:
    """Several augmentations of a batch, one after the other, as one.

    FixMatch's strong view with RandAugment (Sohn et al. 2020), whose authors' code leaves each of
    the two operations out with probability ½:

    >>> import torch
    >>> from cvcourse.augment import Compose, Cutout, RandAugment, crop_and_flip
    >>> strong = Compose([crop_and_flip, RandAugment(2, m="random"), Cutout(0.5)])
    >>> images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    >>> strong(images, torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 32, 32])

    Attributes:
        steps: each (images, generator) → images.
    """

    steps: Sequence[Callable[[Tensor, torch.Generator], Tensor]]

    def __post_init__(self) -> None:
        check_fields(self)
        for step in self.steps:
            if not callable(step) or isinstance(step, type):
                raise TypeError(f"a step is {step!r}; expected one to call, such as RandAugment()")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Augment a batch, each step with the same generator."""
        for step in self.steps:
            images = step(images, generator)
        return images
