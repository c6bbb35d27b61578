"""FixMatch and its fair opponents on CIFAR-10, with the papers' numbers, on a GPU.

The most wanted runs come first; no run is begun that would not end in time, if it takes as long as
one of its kind took before. Every result is a line of JSON, written as soon as it is there, with
the machine, the versions and the date; a run whose line is there is not made again. A trial of
everything on a CPU takes a few steps of each (a FixMatch step, seconds):

    CVCOURSE_DATA=… python benchmarks/few_labels_gpu.py results.jsonl --size 0.0002 --minutes 1
    CVCOURSE_DATA=… python benchmarks/few_labels_gpu.py results.jsonl
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

from cvcourse.augment import Compose, Cutout, RandAugment, crop_and_flip
from cvcourse.data import ImageSet, load, split_labels
from cvcourse.experiment.records import hardware
from cvcourse.models import SmallResNet, standardized
from cvcourse.train import Recipe, accuracy, fit
from cvcourse.train.fixmatch import fixmatch

STEPS = 25_000
LABELED, UNLABELED = 64, 448  # pictures a step
RUNS = [  # method, labels in all, times the steps, seed
    (method, labels, times, seed)
    for labels, seed in ((250, 0), (250, 1), (4000, 0), (250, 2), (4000, 1), (4000, 2))
    for method, times in (("FixMatch", 1), ("labels alone", 1), ("labels alone", 3))
]
STRONG = Compose([crop_and_flip, RandAugment(2, m="random"), Cutout(0.5)])


def error(
    method: str, labels: int, steps: int, seed: int, train: ImageSet, test: ImageSet
) -> float:
    """The error on the test photographs, in percent, after one training."""
    parts = split_labels(train, labels // 10, validation_per_class=0, seed=seed)
    torch.manual_seed(seed)
    model = standardized(SmallResNet, train, width=32)
    on_gpu = train.device.type == "cuda"
    numbers = {
        "optimizer": "sgd",
        "learning_rate": 0.03,
        "schedule": "cosine",
        "ema_decay": 0.999,
        "precision": "bf16-mixed" if on_gpu else "32-true",
        "capture": on_gpu,
        "compile": on_gpu,
    }
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]  # norms and biases
    groups = [
        {"params": decayed, "weight_decay": 5e-4},
        {"params": others, "weight_decay": 0.0},
    ]
    if method == "FixMatch":
        pool = parts.unlabeled[: steps * UNLABELED]  # all of it, but in a trial
        recipe = Recipe.for_steps(steps, len(pool), batch_size=UNLABELED, **numbers)
        step = fixmatch(parts.labeled, weak=crop_and_flip, strong=STRONG, batch_size=LABELED)
        fit(model, pool, recipe, step=step, parameters=groups, seed=seed)
    else:  # a thousand steps at a time: the pictures, repeated, take memory
        a_pass = min(steps, 1000)
        often = parts.labeled.repeated(a_pass * LABELED)
        recipe = Recipe.for_steps(steps, len(often), batch_size=LABELED, **numbers)
        fit(model, often, recipe, augment=STRONG, parameters=groups, seed=seed)
    return 100 * (1 - accuracy(model, test))


def main() -> None:
    """As many runs as there is time for, in their order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="a file of JSON lines, added to")
    parser.add_argument("--size", type=float, default=1.0, help="so many times the steps")
    parser.add_argument("--minutes", type=float, default=8.0, help="all the time there is")
    given = parser.parse_args()
    end = time.monotonic() + 60 * given.minutes
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    train, test = (load("cifar10-jpeg", split).to(device) for split in ("train", "test"))
    took: dict[str, float] = {}  # seconds a step, by method
    lines = given.results.read_text("utf-8").splitlines() if given.results.exists() else []
    made = [
        [json.loads(line)[key] for key in ("method", "labels", "steps", "seed")] for line in lines
    ]
    for method, labels, times, seed in RUNS:
        steps = max(1, round(given.size * STEPS * times))
        if [method, labels, steps, seed] in made:
            continue
        left = end - time.monotonic()
        if left < took.get(method, 0.0) * steps:
            print(f"left out: {method}, {labels} labels, {steps:,} steps, seed {seed}")
            continue
        begun = time.perf_counter()
        result = {
            "method": method,
            "labels": labels,
            "steps": steps,
            "seed": seed,
            "error": round(error(method, labels, steps, seed, train, test), 2),
            "seconds": round(time.perf_counter() - begun, 1),
            "hardware": hardware(),
            "torch": torch.__version__,
            "date": datetime.now(UTC).date().isoformat(),
        }
        took[method] = result["seconds"] / steps
        with given.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
        print(result, flush=True)


if __name__ == "__main__":
    main()
