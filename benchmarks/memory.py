"""Peak memory of loading CIFAR-10 (JPEG) and training on it. Aim: 1.5 × (data + model + optimiser).

What Python and its libraries take themselves is measured first, on a tiny run, and left out.

    CVCOURSE_DATA=… python benchmarks/memory.py
"""

from __future__ import annotations

import resource

import torch
from in_turns import write

from cvcourse.data import load, render
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Recipe, fit

BATCH = 128


def peak() -> int:
    """The most memory this process has had resident so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure and print."""
    recipe = Recipe(epochs=1, batch_size=BATCH, learning_rate=1e-2)
    tiny = render(4 * BATCH)
    fit(standardized(SmallCNN(), tiny), tiny, recipe)  # libraries, kernels, one batch's activations
    baseline = peak()
    train = load("cifar10-jpeg", "train")
    loaded = peak()
    model = standardized(SmallCNN(), train)
    fit(model, train, recipe)
    state = sum(tensor.nbytes for tensor in model.state_dict().values())
    wanted = (
        train.images.nbytes + train.labels.nbytes + 3 * state
    )  # weights and AdamW's two moments
    measured = {
        "baseline, libraries and one batch": baseline,
        "data + model + optimiser": wanted,
        "peak above baseline, loading": loaded - baseline,
        "peak above baseline, training": peak() - baseline,
    }
    mebibytes = {name: round(value / 2**20, 1) for name, value in measured.items()}
    for name, value in mebibytes.items():
        print(f"{name:36}{value:8.1f} MiB")
    ratio = measured["peak above baseline, training"] / wanted
    print(f"{'ratio':36}{ratio:8.2f}")
    tables = {"CIFAR-10 (JPEG)": mebibytes | {"ratio": round(ratio, 2)}}
    write("memory", tables, ["torch", "numpy"], quantity="MiB resident")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
