"""How many pictures a second `shapes` renders on one core, at 32 × 32. Aim: at least 5,000.

python benchmarks/render.py
"""

from __future__ import annotations

import time

import cv2
import torch

from cvcourse.data import Scene, render
from cvcourse.experiment import hardware

SCENES = {
    "default": Scene(),
    "every nuisance": Scene(
        shift=(0, 0.3), rotation=(-180, 180), occlusion=(0, 0.5), background="noise"
    ),
    "photographs behind": Scene(background="photograph"),
}


def images_per_second(scene: Scene, n: int = 5000, repeats: int = 3) -> float:
    """The best of a few runs: what the code can do when the machine lets it."""
    render(100, scene)  # loads the photographs
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        render(n, scene)
        seconds.append(time.perf_counter() - start)
    return n / min(seconds)


if __name__ == "__main__":
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print(hardware())
    for name, scene in SCENES.items():
        print(f"{name:20}{images_per_second(scene):8,.0f} images/s")
