"""What a step costs on a GPU, as it is and recorded as a CUDA graph: `Recipe(capture=True)`.

Aim: FixMatch with 64 + 448 pictures a step and a residual net of 300 thousand weights, at most
5 ms a step.

    python benchmarks/capture.py            # on a GPU
    python benchmarks/capture.py --steps 4  # a trial on a CPU, where nothing is recorded
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import count, islice
from typing import Any

import torch
from few_labels_gpu import LABELED, STRONG, UNLABELED
from in_turns import report, write
from lightning_fabric import Fabric

from cvcourse.augment import crop_and_flip
from cvcourse.data import ImageSet, render, split_labels
from cvcourse.models import SmallResNet, standardized
from cvcourse.train import Recipe
from cvcourse.train.fit import Run
from cvcourse.train.fixmatch import fixmatch
from cvcourse.train.look import groups_of
from cvcourse.train.step import Augment, Step, supervised

WAYS = {
    "as it is": {},
    "recorded": {"capture": True},
    "recorded, compiled": {"capture": True, "compile": True},
}


def new_run(method: str, train: ImageSet, steps: int, **numbers: Any) -> Run:
    """A training that has not begun."""
    gpu = train.device.type == "cuda"
    recipe = Recipe(
        epochs=20 * steps,  # more than are taken
        batch_size=UNLABELED if method == "FixMatch" else LABELED,
        optimizer="sgd",
        learning_rate=0.03,
        ema_decay=0.999,
        precision="bf16-mixed" if gpu else "32-true",
        **numbers,
    )
    parts = split_labels(train, 25, validation_per_class=0, seed=0)
    torch.manual_seed(0)
    model = standardized(SmallResNet, train, width=32)
    step: Step = supervised
    augment: Augment | None = None
    if method == "FixMatch":
        step = fixmatch(parts.labeled, weak=crop_and_flip, strong=STRONG, batch_size=LABELED)
    elif method == "labels alone":
        augment = STRONG
    pictures = parts.unlabeled[:2000] if method == "FixMatch" else train[:640]
    fabric = Fabric(devices=1, precision=recipe.precision)
    return Run(model, pictures, recipe, None, step, augment, groups_of(model, None), 0, fabric)


def seconds_a_step(run: Run, steps: int) -> float:
    """The median of ten parts of these steps, after as many to warm up."""
    batches = (batch for epoch in count() for batch in run.batches(epoch, 0))
    times = []
    part = max(1, steps // 10)
    run.model.train()
    for number in range(-10, 10):
        begun = time.perf_counter()
        for batch in islice(batches, part):
            run.optimize(batch)
        run.check_finite()  # waits for the GPU
        if number >= 0:
            times.append((time.perf_counter() - begun) / part)
    return statistics.median(times)


def main() -> None:
    """Every method in every way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    steps = parser.parse_args().steps
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    train = render(4000, size=32).to(device)
    found = {}
    for method in ("FixMatch", "labels alone", "labels alone, not augmented"):
        seconds = {
            way: seconds_a_step(new_run(method, train, steps, **numbers), steps)
            for way, numbers in WAYS.items()
        }
        report(method, seconds, ours="recorded")
        found[method] = {way: round(1000 * value, 3) for way, value in seconds.items()}
    if device.type == "cuda":
        write("capture", found, ["torch"], quantity="ms a step")


if __name__ == "__main__":
    main()
