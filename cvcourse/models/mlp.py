"""A multi-layer perceptron: fully connected layers with ReLU between them."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from cvcourse.checks import Count, checked


class MLP(nn.Module):
    """Fully connected layers on the flattened image.

    >>> import torch
    >>> from cvcourse.models import MLP
    >>> MLP(n_classes=10, size=8, hidden=(16,))(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 10])

    Args:
        n_classes: number of logits.
        channels: image channels, C.
        size: image height and width in pixels.
        hidden: width of each hidden layer.
    """

    @checked
    def __init__(
        self,
        *,
        n_classes: Count = 10,
        channels: Count = 3,
        size: Count = 32,
        hidden: tuple[Count, ...] = (256, 128),
    ) -> None:
        super().__init__()
        widths = (channels * size * size, *hidden)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.features = nn.Sequential(nn.Flatten(), *layers)
        self.classifier = nn.Linear(widths[-1], n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) → logits (B, n_classes)."""
        return self.classifier(self.features(images))
