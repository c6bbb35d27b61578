"""CutMix and MixUp: two images in one, and both their labels in the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from scipy.special import betaincinv
from torch import Tensor, nn

from cvcourse.augment.checks import check_images

if TYPE_CHECKING:
    from cvcourse.train import Batch, Step


@dataclass(frozen=True)
class Mixed:
    """A mixed batch.

    Attributes:
        images: (B, C, H, W) uint8.
        partners: (B,) int64, whose picture was mixed in.
        share: λ, how much of each image is its own, 0 to 1; exact.
    """

    images: Tensor
    partners: Tensor
    share: float

    def targets(self, labels: Tensor, n_classes: int) -> Tensor:
        """Soft targets (B, n_classes) that sum to 1, from labels (B,) int64 in [0, n_classes)."""
        own = F.one_hot(labels, n_classes).float()  # (B, n_classes)
        return self.share * own + (1 - self.share) * own[self.partners]


Mix = Callable[[Tensor, torch.Generator], Mixed]


@dataclass(frozen=True)
class CutMix:
    """Paste a box of one image into another (Yun et al. 2019, algorithm A1).

    λ ~ Beta(α, α), one for the batch as in the paper; the box has sides √(1 − λ) of the image's and
    its centre anywhere, and is clipped to the image. λ is then counted anew from the pixels pasted.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        _check_alpha(self.alpha)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Mixed:
        """Mix a (B, C, H, W) uint8 batch with itself in another order; the input stays."""
        check_images(images)
        share, y, x = _draw(self.alpha, images.device, generator)
        partners = _partners(images, generator)
        height, width = images.shape[2:]
        x0, y0, x1, y1 = clipped_box(share, x, y, height, width)
        mixed = images.clone()
        mixed[:, :, y0:y1, x0:x1] = images[partners, :, y0:y1, x0:x1]
        return Mixed(mixed, partners, 1 - (x1 - x0) * (y1 - y0) / (height * width))


@dataclass(frozen=True)
class MixUp:
    """The weighted mean of two images (Zhang et al. 2018), λ ~ Beta(α, α), one for the batch.

    Levels are rounded to bytes; λ is exact in the targets.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        _check_alpha(self.alpha)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Mixed:
        """Mix a (B, C, H, W) uint8 batch with itself in another order; the input stays."""
        check_images(images)
        share, *_ = _draw(self.alpha, images.device, generator)
        partners = _partners(images, generator)
        pixels = images.float()
        mean = torch.lerp(pixels[partners], pixels, share)
        return Mixed(mean.add_(0.5).to(torch.int16).to(torch.uint8), partners, share)


def mixed(mix: Mix) -> Step:
    """A step for `fit` that trains on mixed images and soft targets.

    `fit(model, train, recipe, step=mixed(CutMix()), augment=crop_and_flip)`: the augmentation comes
    first. All draws are from `fit`'s generator, so the run stays resumable. The accuracy reported
    is towards the label with the larger share.
    """

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        mixture = mix(batch.images, batch.generator)
        logits = model(mixture.images)  # (B, n_classes)
        targets = mixture.targets(batch.labels, logits.shape[1])
        right = logits.argmax(dim=1) == targets.argmax(dim=1)
        return F.cross_entropy(logits, targets), {"accuracy": right.float().mean()}

    return step


def clipped_box(
    share: float, x: float, y: float, height: int, width: int
) -> tuple[int, int, int, int]:
    """CutMix's box x0, y0, x1, y1 in pixels: its centre at x, y (0 to 1), its area 1 − share."""
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


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha <= 1000:  # also for NaN
        raise ValueError(f"alpha is {alpha!r}; expected above 0 to 1000, of Beta(alpha, alpha)")
