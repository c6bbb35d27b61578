"""The first step of every model: bytes become numbers around zero."""

from __future__ import annotations

from torch import Tensor, nn

from cvcourse.data import ImageSet


class Standardize(nn.Module):
    """uint8 images to (x / 255 − mean) / std, a channel at a time.

    The statistics are buffers: they travel with the model's weights, so that a model never meets
    those of another dataset.

    Args:
        mean: (C,) float, on the scale [0, 1].
        std: (C,) float, above 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.view(-1, 1, 1))
        self.register_buffer("std", std.view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) uint8, or float already on [0, 1] → (B, C, H, W) float."""
        if images.is_floating_point():
            return (images - self.mean) / self.std
        return images.float().div_(255).sub_(self.mean).div_(self.std)  # in one piece of memory


def standardized(model: nn.Module, train: ImageSet) -> nn.Sequential:
    """`model` behind the statistics of the images that it is going to be trained on."""
    return nn.Sequential(Standardize(*train.statistics()), model)
