"""Small valid things to call with, made anew each time; with a seed of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cvcourse.data import ImageSet
from cvcourse.models import MLP, standardized
from cvcourse.train import Batch, Recipe

N, CLASSES, SIDE = 6, 3, 8


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Numbers from 0 to 1."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Logits, say."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pictures(*shape: int, seed: int = 0) -> Tensor:
    """Bytes."""
    return (256 * random(*(shape or (N, 3, SIDE, SIDE)), seed=seed)).byte()


def photograph(*shape: int) -> np.ndarray:
    """Bytes of one picture, (H, W, 3)."""
    return pictures(*(shape or (12, 10, 3))).numpy().copy()


def labels(n: int = N, n_classes: int = CLASSES) -> Tensor:
    """0, 1, 2, 0, 1, 2, …"""
    return torch.arange(n) % n_classes


def boxes(n: int = N) -> Tensor:
    """x0, y0, x1, y1 in pixels."""
    return torch.tensor([[1.0, 2.0, 5.0, 7.0]]).repeat(n, 1)


def masks(n: int = N, side: int = SIDE) -> Tensor:
    """Bool."""
    found = torch.zeros(n, side, side, dtype=torch.bool)
    found[:, 2 : side - 1, 1 : side - 3] = True
    return found


def image_set(n: int = N, n_classes: int = CLASSES, side: int = SIDE, seed: int = 0) -> ImageSet:
    """Labelled pictures with boxes and masks."""
    names = tuple("abcdefghij"[:n_classes])
    pixels = pictures(n, 3, side, side, seed=seed)
    return ImageSet(pixels, labels(n, n_classes), names, boxes(n), masks(n, side))


def unlabeled(n: int = N) -> ImageSet:
    """Pictures without labels."""
    return ImageSet(pictures(n, 3, SIDE, SIDE, seed=1), torch.full((n,), -1), tuple("abc"))


def net(n_classes: int = CLASSES, train: bool = False) -> nn.Module:
    """A model of two layers, (B, 3, 8, 8) uint8 → logits; in evaluation mode."""
    torch.manual_seed(0)
    return standardized(MLP, image_set(n_classes=n_classes), hidden=(4,)).train(train)


def conv_net() -> nn.Module:
    """Two convolutions, a pooling and a linear layer, on floats (B, 3, 8, 8)."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 3)
    ).eval()


def batch(n: int = N) -> Batch:
    """The first pictures of the image set."""
    some = image_set(n)
    generator = torch.Generator().manual_seed(0)
    return Batch(some.images, some.labels, torch.arange(n), generator, 0.5)


def recipe(**settings: Any) -> Recipe:
    """One short epoch."""
    return Recipe(**{"epochs": 1, "batch_size": 3, **settings})


def probabilities(n: int = N, n_classes: int = CLASSES) -> Tensor:
    """Rows that sum to 1."""
    return normal(n, n_classes, seed=4).softmax(1)


class Answers(nn.Module):
    """A model that answers with one number everywhere, or in an odd shape."""

    def __init__(self, value: float = 0.0, shape: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(CLASSES) + value)
        self.shape = shape

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, 3), whatever the images are."""
        logits = self.weight.expand(len(images), CLASSES)
        return logits if self.shape is None else logits.new_zeros(self.shape)


class Scaled(nn.Module):
    """Bytes to feature maps: the pictures themselves, as floats."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) uint8 → the same, float."""
        return images.float() / 255
