"""One fully connected layer: a template for each class."""

from __future__ import annotations

from torch import Tensor, nn

from cvcourse.checks import Count, checked


class SingleLayer(nn.Module):
    """logits = W x + b on the flattened image.

    >>> import torch
    >>> from cvcourse.models import SingleLayer
    >>> layer = SingleLayer(n_classes=10, channels=1, size=28)
    >>> layer(torch.zeros(2, 1, 28, 28)).shape, layer.templates().shape
    (torch.Size([2, 10]), torch.Size([10, 1, 28, 28]))

    Args:
        n_classes: number of logits.
        channels: image channels, C.
        size: image height and width in pixels.
    """

    @checked
    def __init__(self, *, n_classes: Count = 10, channels: Count = 3, size: Count = 32) -> None:
        super().__init__()
        self.shape = (channels, size, size)
        self.layer = nn.Linear(channels * size * size, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) → logits (B, n_classes)."""
        return self.layer(images.flatten(1))

    def templates(self) -> Tensor:
        """The weights as one picture a class, (n_classes, C, H, W)."""
        return self.layer.weight.detach().view(-1, *self.shape)
