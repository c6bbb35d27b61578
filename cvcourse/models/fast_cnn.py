"""A network that learns photographs in a few passes: for a GPU, and for the impatient."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.checks import Count, check_finite, checked

SHRINK = 1 / 9  #: of the logits, so that training begins with answers that are not yet sure
LEAST_VARIANCE = 5e-4  #: added to each, so that flat pictures do not make filters without bounds
FASTER = 64.0  #: how much faster batch norm's biases are learned


class FastCNN(nn.Module):
    """Whitening, three blocks of two 3×3 convolutions, the largest value of a map, one layer.

    The network of Jordan (2024, section 3), after Page (2018), without its last refinements. Three
    things make it learn in a dozen passes: the first layer is computed from the pictures and stays
    (`whiten`); a block's first convolution begins by handing its input on (section 3.3); and the
    biases of batch norm are learned faster than all else (`parameter_groups`).

    1,972,792 parameters at the default width.

    >>> import torch
    >>> from cvcourse.models.fast_cnn import FastCNN
    >>> model = FastCNN(n_classes=10, width=8)
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])

    Args:
        n_classes: number of logits.
        channels: image channels, C.
        width: channels of the first block; the other two have four times as many.
    """

    @checked
    def __init__(self, *, n_classes: Count = 10, channels: Count = 3, width: Count = 64) -> None:
        super().__init__()
        patch = 4 * channels  # numbers in a window of 2×2
        self.first = nn.Conv2d(channels, 2 * patch, 2)
        self.first.weight.requires_grad = False
        self.blocks = nn.Sequential(
            nn.GELU(),
            _block(2 * patch, width),
            _block(width, 4 * width),
            _block(4 * width, 4 * width),
        )
        self.classifier = nn.Linear(4 * width, n_classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) with H, W ≥ 9 → logits (B, n_classes)."""
        maps = self.blocks(self.first(images))  # (B, 4 width, (H - 1) // 8, (W - 1) // 8)
        return SHRINK * self.classifier(maps.amax(dim=(2, 3)))

    @checked
    @torch.no_grad()
    def whiten(self, images: Tensor) -> None:
        """Make the first layer's outputs uncorrelated, with variance 1, on these pictures.

        Its filters are the principal components of all windows of 2×2, each divided by the standard
        deviation along it, and their negatives, as GELU lets one sign pass (section 3.2).

        Args:
            images: (B, C, H, W) float, as the network gets them; two windows at least.

        Raises:
            TypeError: they are no floats.
            ValueError: they have another shape, or a pixel is not finite.
        """
        channels = self.first.in_channels
        if not images.is_floating_point():
            raise TypeError(f"images are {images.dtype}; expected floats, as `Standardize` makes")
        if images.ndim != 4 or images.shape[1] != channels or min(images.shape[2:]) < 2:
            raise ValueError(
                f"images have shape {tuple(images.shape)}; expected (B, {channels}, H, W) with "
                "H, W ≥ 2"
            )
        if len(images) * (images.shape[2] - 1) * (images.shape[3] - 1) < 2:
            raise ValueError(f"{len(images)} images have fewer than two windows; expected more")
        check_finite("images", images, *images.shape[1:])
        patches = F.unfold(images, 2).transpose(0, 1).flatten(1)  # (4C, B × windows)
        variances, components = torch.linalg.eigh(torch.cov(patches))  # (4C,), (4C, 4C)
        filters = components / (variances + LEAST_VARIANCE).sqrt()  # one a column
        filters = filters.T.unflatten(1, self.first.weight.shape[1:])  # (4C, C, 2, 2)
        self.first.weight.copy_(torch.cat([filters, -filters]))

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """For `fit`: batch norm's biases learn 64 times as fast as the rest (section 3.4)."""
        norms = [m.bias for m in self.modules() if isinstance(m, nn.BatchNorm2d)]
        rest = [p for p in self.parameters() if p.requires_grad and all(p is not b for b in norms)]
        return [
            {"params": rest, "lr": learning_rate},
            {"params": norms, "lr": FASTER * learning_rate, "weight_decay": 0.0},
        ]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """Two convolutions, of which the first hands its input on at first, and halves the maps."""
    return nn.Sequential(
        _handing_on(inputs, outputs),
        nn.MaxPool2d(2),
        _norm(outputs),
        nn.GELU(),
        _handing_on(outputs, outputs),
        _norm(outputs),
        nn.GELU(),
    )


def _handing_on(inputs: int, outputs: int) -> nn.Conv2d:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    nn.init.dirac_(convolution.weight[:inputs])
    return convolution


def _norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with biases only: the scales stay 1."""
    norm = nn.BatchNorm2d(channels, momentum=0.4)
    norm.weight.requires_grad = False
    return norm
