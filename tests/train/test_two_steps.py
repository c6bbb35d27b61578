"""The loop against the same loop written by hand, and where it stops."""

import math
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from resuming import Killed, killed_after
from torch import Tensor, nn

from cvcourse.data import render
from cvcourse.models import standardized
from cvcourse.train import Batch, DivergedError, Recipe, fit, supervised

TRAIN = render(12, seed=0, size=8)


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), TRAIN)


@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_three_steps_are_those_written_by_hand(clip_norm: float | None) -> None:
    order: list[Tensor] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        order.append(batch.indices)
        return supervised(model, batch)

    model, twin = new_model(), new_model()
    recipe = Recipe(
        epochs=1,
        batch_size=4,
        optimizer="sgd",
        schedule="cosine",
        learning_rate=0.1,
        weight_decay=0.0,
        clip_norm=clip_norm,
    )
    history = fit(model, TRAIN, recipe, step=step)
    parameters = list(twin.parameters())
    speeds = [torch.zeros_like(p) for p in parameters]
    losses = []
    for number, indices in enumerate(order):
        loss = nn.functional.cross_entropy(twin(TRAIN.images[indices]), TRAIN.labels[indices])
        gradients = torch.autograd.grad(loss, parameters)
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
        shrunk = 1.0 if clip_norm is None else min(1.0, clip_norm / (norm + 1e-6))
        rate = 0.1 * (1 + math.cos(math.pi * number / 3)) / 2
        with torch.no_grad():
            for p, v, g in zip(parameters, speeds, gradients, strict=True):
                v.mul_(0.9).add_(shrunk * g)
                p.sub_(rate * (shrunk * g + 0.9 * v))  # Nesterov
        losses.append(loss.item())
    for mine, by_hand in zip(model.parameters(), parameters, strict=True):
        torch.testing.assert_close(mine, by_hand, rtol=1e-4, atol=1e-6)
    assert history.column("loss") == [pytest.approx(sum(losses) / 3, rel=1e-5)]
    assert history.column("epoch") == [1.0]


def test_epochs_are_counted_from_1() -> None:
    history = fit(new_model(), TRAIN, Recipe(epochs=3, batch_size=6))
    assert history.column("epoch") == [1.0, 2.0, 3.0]


def test_a_run_taken_up_within_an_epoch_sees_the_batches_that_are_left(tmp_path: Path) -> None:
    seen: list[list[int]] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        seen.append(batch.indices.tolist())
        return supervised(model, batch)

    recipe, path = Recipe(epochs=1, batch_size=3), tmp_path / "run.ckpt"
    with pytest.raises(Killed), killed_after(1):
        fit(new_model(), TRAIN, recipe, step=step, checkpoint=path, checkpoint_every=1)
    (first,) = seen
    seen.clear()  # what a step has closed over is part of what the run is
    fit(new_model(), TRAIN, recipe, step=step, checkpoint=path)
    assert len(seen) == 3
    assert sorted(index for batch in (first, *seen) for index in batch) == list(range(12))


def test_on_a_cpu_nothing_is_recorded() -> None:
    plain, asked = (
        fit(
            new_model(),
            TRAIN,
            Recipe(epochs=1, batch_size=3, capture=capture),
            fabric=Fabric(accelerator="cpu", devices=1),
        )
        for capture in (False, True)
    )
    assert plain == asked


@pytest.mark.parametrize("clip_norm", [None, 1.0])
@pytest.mark.parametrize(("bad", "looked"), [(0, 50), (50, 51), (99, 100)])
def test_a_diverging_run_says_at_which_step(clip_norm: float | None, bad: int, looked: int) -> None:
    """An epoch has 51 steps; the loss is looked at every 50 and at an epoch's end."""
    taken: list[int] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss, metrics = supervised(model, batch)
        taken.append(len(taken))
        return loss * (math.inf if taken[-1] == bad else 1.0), metrics

    recipe = Recipe(epochs=2, batch_size=1, clip_norm=clip_norm)
    images = TRAIN[torch.arange(51) % 12]
    with pytest.raises(DivergedError, match=f"at step {bad + 1} of 102"):
        fit(new_model(), images, recipe, step=step)
    assert len(taken) == looked
