"""LeNet-5: two convolutions, two averages, three layers that see everything."""

from __future__ import annotations

from torch import Tensor, nn

from cvcourse.checks import Count, checked


class LeNet5(nn.Module):
    """LeNet-5 in the form that is taught today (LeCun et al. 1998, section II-B, fig. 2).

    61,706 parameters at the default settings. The original has 60,000 that are trained: there, each
    map of C3 looks at some maps of S2 only (table I: 1,516 parameters instead of 2,416), each map
    of S2 and S4 has a trained factor and bias (12 and 32 more), and the output layer's templates
    are drawn by hand (850 fewer).

    >>> import torch
    >>> from cvcourse.models import LeNet5
    >>> model = LeNet5()
    >>> model(torch.zeros(2, 1, 32, 32)).shape
    torch.Size([2, 10])
    >>> sum(p.numel() for p in model.parameters())
    61706

    Args:
        n_classes: number of logits.
        channels: image channels, C.
    """

    @checked
    def __init__(self, *, n_classes: Count = 10, channels: Count = 1) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 5),  # C1: 28 × 28
            nn.Tanh(),
            nn.AvgPool2d(2),  # S2: 14 × 14
            nn.Conv2d(6, 16, 5),  # C3: 10 × 10
            nn.Tanh(),
            nn.AvgPool2d(2),  # S4: 5 × 5
            nn.Conv2d(16, 120, 5),  # C5: 1 × 1, so in effect fully connected
            nn.Tanh(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(120, 84),  # F6
            nn.Tanh(),
            nn.Linear(84, n_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, 32, 32) → logits (B, n_classes).

        Raises:
            ValueError: the images have another size.
        """
        if images.shape[-2:] != (32, 32):
            height, width = images.shape[-2:]
            raise ValueError(
                f"LeNet5 got images of {height} × {width} pixels; expected 32 × 32 — pad digits of "
                "28 × 28 by 2 on each side, or resize"
            )
        return self.classifier(self.features(images).flatten(1))  # (B, 120) → (B, n_classes)
