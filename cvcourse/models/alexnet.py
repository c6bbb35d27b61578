"""AlexNet: as it was drawn for two GPUs in 2012, and on one path, as it is used today."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.checks import Count, NotNegative, checked


class AlexNet(nn.Module):
    """AlexNet on one path: Krizhevsky 2014 ("One weird trick", arXiv:1404.5997), as in torchvision.

    61,100,840 parameters at 1,000 classes. Its state dict has torchvision's names and shapes, so
    torchvision's weights load unchanged and give the same logits.

    >>> import torch
    >>> from cvcourse.models import AlexNet
    >>> with torch.device("meta"):  # shapes, without weights
    ...     AlexNet(n_classes=10)(torch.empty(2, 3, 224, 224)).shape
    torch.Size([2, 10])

    Args:
        n_classes: number of logits.
    """

    @checked
    def __init__(self, *, n_classes: Count = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),  # 55 × 55 from 224 × 224
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # 27 × 27
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # 13 × 13
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # 6 × 6
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)  # changes nothing at 224 × 224
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, n_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) with H, W ≥ 63 → logits (B, n_classes)."""
        maps = self.avgpool(self.features(images))  # (B, 256, 6, 6)
        return self.classifier(maps.flatten(1))


class TwoPathAlexNet(nn.Module):
    """The original AlexNet (Krizhevsky, Sutskever & Hinton 2012, section 3.5 and fig. 2).

    60,965,224 parameters at 1,000 classes. Each of the paper's two GPUs held half of every layer,
    and they exchanged maps only before the third convolution and in the fully connected layers.
    That is a grouped convolution: with groups=2, half of the filters see half of the maps.

    The paper speaks of images of 224 × 224, from which its first layer would make maps of 54 × 54
    and not its 55 × 55. A padding of 2 repairs that; so would images of 227 × 227 without padding.

    >>> import torch
    >>> from cvcourse.models import TwoPathAlexNet
    >>> with torch.device("meta"):
    ...     TwoPathAlexNet(n_classes=10)(torch.empty(2, 3, 224, 224)).shape
    torch.Size([2, 10])

    Args:
        n_classes: number of logits.
    """

    @checked
    def __init__(self, *, n_classes: Count = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4, padding=2),  # 48 maps on each path, 55 × 55
            nn.ReLU(inplace=True),
            PathwiseLRN(paths=2),
            nn.MaxPool2d(3, stride=2),  # 27 × 27
            nn.Conv2d(96, 256, 5, padding=2, groups=2),
            nn.ReLU(inplace=True),
            PathwiseLRN(paths=2),
            nn.MaxPool2d(3, stride=2),  # 13 × 13
            nn.Conv2d(256, 384, 3, padding=1),  # the paths exchange their maps
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 384, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # 6 × 6
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)  # changes nothing at 224 × 224
        self.classifier = nn.Sequential(
            nn.Linear(256 * 6 * 6, 4096),  # 2048 neurons on each path
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, n_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) with H, W ≥ 63 → logits (B, n_classes)."""
        maps = self.avgpool(self.features(images))  # (B, 256, 6, 6)
        return self.classifier(maps.flatten(1))


class PathwiseLRN(nn.Module):
    """Local response normalisation, on each path by itself (Krizhevsky et al. 2012, section 3.3).

    Each activation a is divided by (2 + α Σ a²)^0.75; the sum runs over five neighbouring maps at
    the same position, itself in the middle. (torch's own divides its α by their number, the paper
    does not; on a CPU it also takes several times as long.)

    >>> import torch
    >>> from cvcourse.models import PathwiseLRN
    >>> PathwiseLRN(paths=2)(torch.ones(1, 8, 4, 4)).shape
    torch.Size([1, 8, 4, 4])

    Args:
        paths: the maps are normalised in so many separate groups.
        alpha: α; the other constants are the paper's k = 2, n = 5 and β = 0.75.
    """

    @checked
    def __init__(self, *, paths: Count = 1, alpha: NotNegative = 1e-4) -> None:
        super().__init__()
        self.paths, self.alpha = paths, alpha

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W), C a multiple of `paths` → the same shape."""
        separate = maps.unflatten(1, (self.paths, -1)).flatten(0, 1)  # (B · paths, C / paths, H, W)
        squares = F.pad(separate.square(), (0, 0, 0, 0, 2, 2))
        near = squares.unfold(1, 5, 1).sum(-1)  # over neighbouring maps
        return (separate * (2 + self.alpha * near) ** -0.75).view_as(maps)
