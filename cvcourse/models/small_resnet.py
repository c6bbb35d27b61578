"""A small residual network with stochastic depth: a student that can be noised, and can grow."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from cvcourse.checks import Count, Share, checked


class ResidualBlock(nn.Module):
    """relu(shortcut(x) + branch(x)), two 3×3 convolutions in the branch (He et al. 2016, fig. 2).

    Args:
        inputs: channels that come in.
        outputs: channels that go out; more than come in also halve the maps, and the shortcut
            becomes a 1×1 convolution.
        drop: the probability that training leaves the branch of an image out (Huang et al. 2016).
    """

    def __init__(self, inputs: int, outputs: int, drop: float) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = (
            nn.Identity()
            if inputs == outputs
            else nn.Sequential(
                # Every second position, by a pooling: on processors without AVX-512 the gradient of
                # a 1×1 convolution with stride 2 and few channels writes past its memory (torch
                # 2.15, oneDNN 3.13).
                nn.MaxPool2d(1, stride),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )
        )
        self.drop = StochasticDepth(drop, mode="row")

    def forward(self, maps: Tensor) -> Tensor:
        """(B, inputs, h, w) → (B, outputs, h, w), or half of h and w."""
        return F.relu(self.shortcut(maps) + self.drop(self.branch(maps)))


class SmallResNet(nn.Module):
    """A 3×3 convolution, three stages of residual blocks, average pool, dropout, one layer.

    78,042 parameters at the default width and one block a stage.

    >>> import torch
    >>> from cvcourse.models import SmallResNet
    >>> model = SmallResNet(n_classes=10, width=4)
    >>> model(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 10])

    Args:
        n_classes: number of logits.
        channels: image channels, C.
        width: channels of the first stage; each further stage doubles them and halves the maps.
        blocks: residual blocks a stage, at least 1.
        dropout: probability of dropping a feature before the last layer.
        stochastic_depth: probability of leaving out the last block's branch; it rises from the
            first block on in equal steps (Huang et al. 2016, section 3, "linear decay").
    """

    @checked
    def __init__(
        self,
        *,
        n_classes: Count = 10,
        channels: Count = 3,
        width: Count = 16,
        blocks: Count = 1,
        dropout: Share = 0.0,
        stochastic_depth: Share = 0.0,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        widths = [width * 2**stage for stage in range(3) for _ in range(blocks)]
        self.features = nn.Sequential(
            *(
                ResidualBlock(inputs, outputs, stochastic_depth * number / len(widths))
                for number, (inputs, outputs) in enumerate(pairwise([width, *widths]), start=1)
            )
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(4 * width, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) with H, W ≥ 4 → logits (B, n_classes)."""
        maps = self.features(self.stem(images))  # (B, 4 width, H / 4, W / 4)
        return self.classifier(self.dropout(maps.mean(dim=(2, 3))))
