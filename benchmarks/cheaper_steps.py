"""Two ways to take more steps in the same time on a CPU: bf16, and several seeds at once.

A step of the course's small networks in float32, against the same step under bf16 autocast, and
against its share of a step that trains several seeds in one go (`torch.func.vmap`: their networks'
weights stacked, a convolution of them a grouped one). What bf16 loses is measured, too: how far a
trained network's logits are from float32's, how often they name the same class, and how accurate
networks end that were trained in it, seed by seed.

    python benchmarks/cheaper_steps.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from in_turns import medians, report, write
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from cvcourse.data import VARIED, ImageSet, load
from cvcourse.experiment import interval
from cvcourse.models import SmallCNN, SmallResNet, standardized
from cvcourse.train import Recipe, accuracy, fit, fitted, predict
from cvcourse.train.recipe import Precision

ROUNDS = 9
SEEDS = 4
CASES: dict[str, tuple[Callable[..., nn.Module], int, int]] = {  # network, pictures a step, pixels
    "SmallCNN(width=8), 32 of 16 × 16": (partial(SmallCNN, width=8), 32, 16),
    "SmallCNN(width=16), 64 of 32 × 32": (partial(SmallCNN, width=16), 64, 32),
    "SmallResNet(width=16), 64 of 32 × 32": (SmallResNet, 64, 32),
    "SmallResNet(width=32), 128 of 32 × 32": (partial(SmallResNet, width=32), 128, 32),
}


def step(model: nn.Module, images: Tensor, labels: Tensor, *, bf16: bool) -> None:
    """Forward and backward; the gradients are made anew each time."""
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = F.cross_entropy(model(images), labels)
    loss.backward()


def several(models: list[nn.Module], images: Tensor, labels: Tensor) -> Callable[[], object]:
    """A step of all these networks in one go, each on pictures (B, C, H, W) of its own."""
    weights, buffers = stack_module_state(models)
    theirs = images.expand(len(models), *images.shape).contiguous()  # (S, B, C, H, W)

    def loss(weights: dict, buffers: dict, images: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(models[0], (weights, buffers), images), labels)

    return lambda: vmap(grad(loss), randomness="different")(weights, buffers, theirs)


def agreement(make: Callable[..., nn.Module], train: ImageSet, test: ImageSet) -> dict[str, float]:
    """A trained network's answers in bf16 beside its answers in float32."""
    torch.manual_seed(0)
    model = standardized(make, train)
    fit(model, train, Recipe(epochs=5, learning_rate=1e-2))
    exact = predict(model, test.images)
    with torch.autocast("cpu", torch.bfloat16):
        rough = predict(model, test.images)
    return {
        "largest difference of logits": round(float((rough - exact).abs().max()), 4),
        "largest logit": round(float(exact.abs().max()), 2),
        "same class": float((rough.argmax(1) == exact.argmax(1)).float().mean()),
    }


def trained_in_bf16(train: ImageSet, test: ImageSet) -> dict[str, float]:
    """How much more accurate a SmallCNN ends than the same in float32, with its interval."""

    def trained(precision: Precision, seed: int) -> float:
        recipe = Recipe(epochs=10, batch_size=32, learning_rate=2e-2, precision=precision)
        return accuracy(fitted(SmallCNN, train, recipe, seed=seed), test)

    gain = interval([trained("bf16-mixed", s) - trained("32-true", s) for s in range(8)])
    return {name: round(float(getattr(gain, name)), 4) for name in ("mean", "low", "high")}


def main() -> None:
    """Measure, print, write down."""
    torch.set_num_threads(1)
    tables = {}
    for title, (make, batch, size) in CASES.items():
        images, labels = torch.randn(batch, 3, size, size), torch.arange(batch) % 10
        images = images.contiguous(memory_format=torch.channels_last)
        models = [make().to(memory_format=torch.channels_last).train() for _ in range(SEEDS)]
        take = partial(step, models[0], images, labels)
        seconds = medians(
            {
                "float32": partial(take, bf16=False),
                "bf16": partial(take, bf16=True),
                f"{SEEDS} seeds in one go": several(models, images, labels),
            },
            ROUNDS,
            time.thread_time,
        )
        seconds[f"{SEEDS} seeds in one go, a seed"] = (
            seconds.pop(f"{SEEDS} seeds in one go") / SEEDS
        )
        tables[title] = report(title, seconds, ours="float32")
    train, test = (load("shapes", split, n=1000, scene=VARIED) for split in ("train", "test"))
    for make in (SmallCNN, SmallResNet):
        tables[f"{make.__name__}: bf16 beside float32"] = measured = agreement(make, train, test)
        print(make.__name__, measured)
    tables["SmallCNN: accuracy trained in bf16, minus in float32"] = trained_in_bf16(train, test)
    print(tables["SmallCNN: accuracy trained in bf16, minus in float32"])
    write("cheaper_steps", tables, ["torch"])


if __name__ == "__main__":
    main()
