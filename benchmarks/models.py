"""Our AlexNet and VGG against torchvision's: the same weights, the same images, in turns.

Aim: 1.00 ± 0.03 × theirs. The layers are the same, so anything else is a mistake of ours, or noise.

    python benchmarks/models.py
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
import torchvision
from in_turns import medians, report, write
from torch import Tensor, nn

from cvcourse.models import VGG, AlexNet

ROUNDS = 15


def forward(model: nn.Module, images: Tensor) -> Callable[[], object]:
    """A batch through the network, as at test time."""

    def run() -> None:
        model.eval()
        with torch.no_grad():
            model(images)

    return run


def training_step(model: nn.Module, images: Tensor) -> Callable[[], object]:
    """A batch forward and backward; the gradients are made anew each time."""
    labels = torch.zeros(len(images), dtype=torch.int64)

    def run() -> None:
        model.train()
        model.zero_grad()
        F.cross_entropy(model(images), labels).backward()

    return run


def main() -> None:
    """Measure, print, write down."""
    cases: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], int, int]] = {
        "AlexNet, 4 images of 224 × 224": (AlexNet, torchvision.models.alexnet, 4, 224),
        "VGG-11, 2 images of 96 × 96": (lambda: VGG(11), torchvision.models.vgg11, 2, 96),
    }
    tables = {}
    for title, (make, make_theirs, batch, size) in cases.items():
        ours, theirs = make(), make_theirs()
        ours.load_state_dict(theirs.state_dict())
        images = torch.randn(batch, 3, size, size)
        for what in (forward, training_step):
            contestants = {"ours": what(ours, images), "torchvision": what(theirs, images)}
            name = f"{title}: {what.__name__.replace('_', ' ')}"
            tables[name] = report(name, medians(contestants, ROUNDS), ours="ours")
    write("models", tables, ["torch", "torchvision"])


if __name__ == "__main__":
    main()
