"""A small convolutional network: the course's workhorse."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Annotated, Any, Literal

from torch import Tensor, nn

from cvcourse.checks import Count, check_integer, checked

Side = Annotated[int, partial(check_integer, low=8, meaning="pixels, which are halved three times")]


class SmallCNN(nn.Module):
    """Three blocks of 3×3 convolution, 2×2 max-pool, batch norm, ReLU; average pool; one layer.

    24,346 parameters at the default width.

    >>> import torch
    >>> from cvcourse.models import SmallCNN
    >>> model = SmallCNN(n_classes=10)
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    >>> sum(p.numel() for p in model.parameters())
    24346

    Args:
        n_classes: number of logits.
        channels: image channels, C.
        width: channels after the first block; each further block doubles them.
        padding_mode: what surrounds the maps: zeros, which tell the network where the border is,
            or, "circular", the maps' other side, so that no place differs from another.
    """

    @checked
    def __init__(
        self,
        *,
        n_classes: Count = 10,
        channels: Count = 3,
        width: Count = 16,
        padding_mode: Literal["zeros", "circular"] = "zeros",
    ) -> None:
        super().__init__()
        widths = (channels, width, 2 * width, 4 * width)
        self.features = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(inputs, outputs, 3, padding=1, bias=False, padding_mode=padding_mode),
                    nn.MaxPool2d(2),
                    nn.BatchNorm2d(outputs),  # after the pooling: a quarter of the work
                    nn.ReLU(),
                )
                for inputs, outputs in pairwise(widths)
            )
        )
        self.classifier = nn.Linear(widths[-1], n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) with H, W ≥ 8 → logits (B, n_classes)."""
        maps = self.features(images)  # (B, 4 width, H / 8, W / 8)
        return self.classifier(maps.mean(dim=(2, 3)))


class FlattenCNN(SmallCNN):
    """The same convolutions without the average: the last layer sees every position of every map.

    33,946 parameters at the default size and width.

    >>> import torch
    >>> from cvcourse.models import FlattenCNN
    >>> model = FlattenCNN(n_classes=10, size=32)
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    >>> sum(p.numel() for p in model.parameters())
    33946

    Args:
        size: side of the images, at least 8.
        settings: those of `SmallCNN`.
    """

    @checked
    def __init__(self, *, size: Side = 32, **settings: Any) -> None:
        super().__init__(**settings)
        averaged = self.classifier
        positions = (size // 8) ** 2
        self.classifier = nn.Linear(positions * averaged.in_features, averaged.out_features)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, size, size) → logits (B, n_classes)."""
        return self.classifier(self.features(images).flatten(1))
