"""VGG: nothing but 3×3 convolutions and 2×2 max-pooling, and then deeper."""

from __future__ import annotations

from torch import Tensor, nn

from cvcourse.checks import Count, checked

WIDTHS = (64, 128, 256, 512, 512)  #: maps in each of the five blocks

# Convolutions in each block; the paper's columns A, B, D and E.
BLOCKS: dict[int, tuple[int, ...]] = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


class VGG(nn.Module):
    """VGG with 11, 13, 16 or 19 learned layers (Simonyan & Zisserman 2015, table 1).

    VGG-16 has 138,357,544 parameters at 1,000 classes. The state dict has torchvision's names and
    shapes, so torchvision's weights load unchanged and give the same logits.

    The convolutions start as He et al. (2015) have it, which sixteen layers of ReLU need to pass a
    signal on; the paper trained its shallowest network first and started the deeper from that.

    >>> import torch
    >>> from cvcourse.models import VGG
    >>> with torch.device("meta"):  # shapes, without weights
    ...     VGG(16, n_classes=10)(torch.empty(2, 3, 224, 224)).shape
    torch.Size([2, 10])

    Args:
        depth: how many layers have weights; three of them are fully connected.
        batch_norm: normalise after each convolution (not in the paper, which is older).
        n_classes: number of logits.

    Raises:
        ValueError: there is no VGG of this depth.
    """

    @checked
    def __init__(
        self, depth: int = 16, *, batch_norm: bool = False, n_classes: Count = 1000
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ValueError(
                f"VGG's depth is {depth!r}; expected one of {', '.join(map(str, BLOCKS))}"
            )
        layers: list[nn.Module] = []
        channels = 3
        for width, convolutions in zip(WIDTHS, BLOCKS[depth], strict=True):
            for _ in range(convolutions):
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(width))
                layers.append(nn.ReLU(inplace=True))
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)  # changes nothing at 224 × 224
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, n_classes),
        )
        for module in self.features:
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) with H, W ≥ 32 → logits (B, n_classes)."""
        maps = self.avgpool(self.features(images))  # (B, 512, 7, 7)
        return self.classifier(maps.flatten(1))
