"""Seconds to find the receptive field of every node of a model, on one core. Aim: ResNet-50 ≤ 1 s.

python benchmarks/receptive_field.py
"""

from __future__ import annotations

import statistics
import time

import torch
import torchvision

from cvcourse.experiment import hardware
from cvcourse.receptive_field import receptive_field

NAMES = ("alexnet", "vgg16", "resnet50", "inception_v3", "mobilenet_v2", "densenet121")


def seconds(name: str, repeats: int = 5) -> tuple[float, int]:
    """Median time, tracing included, and how many nodes there are."""
    options = {"init_weights": False} if name == "inception_v3" else {}
    with torch.device("meta"):
        model = torchvision.models.get_model(name, **options)
    side = 299 if name == "inception_v3" else 224
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        fields = receptive_field(model, (3, side, side))
        times.append(time.perf_counter() - start)
    return statistics.median(times), len(fields)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(hardware())
    for name in NAMES:
        taken, nodes = seconds(name)
        print(f"{name:16}{taken:8.3f} s for {nodes} nodes")
