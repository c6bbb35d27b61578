"""CutMix and MixUp: two images in one, and both their labels in the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
import torch.nn.functional as F
from scipy.special import betaincinv
from torch import Tensor

from cvcourse.checks import (
    Checked,
    Count,
    Images,
    Share,
    check_fields,
    check_labels,
    check_number,
    check_range,
    checked,
)

Alpha = Annotated[float, partial(check_number, low=0, high=1000, meaning="of Beta", above=True)]


@dataclass(frozen=True)
class Mixed:
    """A mixed batch.

    Attributes:
        images: (B, C, H, W) uint8.
        partners: (B,) int64, whose picture was mixed in.
        share: λ, how much of each image is its own, 0 to 1; exact.
    """

    images: Images
    partners: Tensor
    share: Share

    def __post_init__(self) -> None:
        check_fields(self)
        check_labels("partners", self.partners, len(self.images), len(self.images))

    @checked
    def targets(self, labels: Tensor, n_classes: Count) -> Tensor:
        """Soft targets (B, n_classes) that sum to 1, from labels (B,) int64 in [0, n_classes)."""
        if labels.dtype != torch.int64 or labels.shape != self.partners.shape:
            found = f"{tuple(labels.shape)} {labels.dtype}"
            raise ValueError(f"labels are {found}; expected ({len(self.images)},) torch.int64")
        if labels.device.type == "cpu":  # a GPU would have to wait, and refuses them by itself
            check_range("labels", labels, 0, n_classes - 1, "classes")
        own = F.one_hot(labels, n_classes).float()  # (B, n_classes)
        return self.share * own + (1 - self.share) * own[self.partners]


Mix = Callable[[Tensor, torch.Generator], Mixed]


@dataclass(frozen=True)
class CutMix(Checked):
    """Paste a box of one image into another (Yun et al. 2019, algorithm A1).

    λ ~ Beta(α, α), one for the batch as in the paper; the box has sides √(1 − λ) of the image's and
    its centre anywhere, and is clipped to the image. λ is then counted anew from the pixels pasted.

    >>> import torch
    >>> from cvcourse.augment import CutMix
    >>> images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    >>> mixed = CutMix()(images, torch.Generator().manual_seed(0))
    >>> mixed.targets(torch.tensor([0, 1, 2, 0]), n_classes=3).sum(dim=1).tolist()
    [1.0, 1.0, 1.0, 1.0]

    Attributes:
        alpha: α, above 0 to 1000; at 1 every λ is as likely.
    """

    alpha: Alpha = 1.0

    @checked
    def __call__(self, images: Images, generator: torch.Generator) -> Mixed:
        """Mix a (B, C, H, W) uint8 batch with itself in another order; the input stays."""
        share, y, x = _draw(self.alpha, images.device, generator)
        partners = _partners(images, generator)
        height, width = images.shape[2:]
        x0, y0, x1, y1 = clipped_box(share, x, y, height, width)
        mixed = images.clone()
        mixed[:, :, y0:y1, x0:x1] = images[partners, :, y0:y1, x0:x1]
        return Mixed(mixed, partners, 1 - (x1 - x0) * (y1 - y0) / (height * width))


@dataclass(frozen=True)
class MixUp(Checked):
    """The weighted mean of two images (Zhang et al. 2018), λ ~ Beta(α, α), one for the batch.

    Levels are rounded to bytes; λ is exact in the targets.

    >>> import torch
    >>> from cvcourse.augment import MixUp
    >>> images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    >>> mixed = MixUp(alpha=0.2)(images, torch.Generator().manual_seed(0))
    >>> mixed.images.shape, 0 <= mixed.share <= 1
    (torch.Size([4, 3, 8, 8]), True)

    Attributes:
        alpha: α, above 0 to 1000; the smaller, the nearer is λ to 0 or 1.
    """

    alpha: Alpha = 1.0

    @checked
    def __call__(self, images: Images, generator: torch.Generator) -> Mixed:
        """Mix a (B, C, H, W) uint8 batch with itself in another order; the input stays."""
        share, *_ = _draw(self.alpha, images.device, generator)
        partners = _partners(images, generator)
        pixels = images.float()
        mean = torch.lerp(pixels[partners], pixels, share)
        return Mixed(mean.add_(0.5).to(torch.int16).to(torch.uint8), partners, share)


@checked
def clipped_box(
    share: Share, x: Share, y: Share, height: Count, width: Count
) -> tuple[int, int, int, int]:
    """CutMix's box x0, y0, x1, y1 in pixels: its centre at x, y (0 to 1), its area 1 − share.

    >>> from cvcourse.augment.mix import clipped_box
    >>> clipped_box(0.75, 0.5, 0.5, 32, 32), clipped_box(0.75, 0.0, 0.5, 32, 32)
    ((8, 8, 24, 24), (0, 8, 8, 24))

    Args:
        share: λ as it was drawn, 0 to 1.
        x: of the centre, 0 to 1 of the width.
        y: the same, of the height.
        height: of the image in pixels.
        width: of the image in pixels.

    Returns:
        x0, y0, x1, y1, ends exclusive, inside the image.
    """
    side = (1 - share) ** 0.5
    tall, wide = int(height * side), int(width * side)
    row, column = int(y * height), int(x * width)
    x0, y0 = max(column - wide // 2, 0), max(row - tall // 2, 0)
    x1, y1 = min(column - wide // 2 + wide, width), min(row - tall // 2 + tall, height)
    return x0, y0, x1, y1


def _draw(
    alpha: float, device: torch.device, generator: torch.Generator
) -> tuple[float, float, float]:
    """λ ~ Beta(α, α), through its inverse distribution function, and two uniform numbers."""
    draws = torch.rand(3, generator=generator, device=device, dtype=torch.float64).tolist()
    return float(betaincinv(alpha, alpha, draws[0])), draws[1], draws[2]


def _partners(images: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randperm(len(images), generator=generator, device=images.device)
