"""What must hold on a GPU too; skipped, with the reason, where there is none."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from cvcourse.augment import RandAugment, crop_and_flip
from cvcourse.augment.randaugment import OPERATIONS
from cvcourse.data import render, split_labels
from cvcourse.experiment import repeat
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Batch, History, Recipe, Step, accuracy, fit, predict, supervised
from cvcourse.train.distill import distillation
from cvcourse.train.fit import Run
from cvcourse.train.fixmatch import fixmatch
from cvcourse.train.noisy_student import noisy_student
from cvcourse.train.pseudo_label import pseudo_labeling

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")

TRAIN = render(512, seed=0)


def trained(accelerator: str, precision: str = "32-true") -> tuple[History, float]:
    from lightning_fabric import Fabric

    torch.manual_seed(0)
    model = standardized(SmallCNN(), TRAIN)
    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)
    history = fit(
        model,
        TRAIN,
        Recipe(epochs=4, batch_size=32, learning_rate=1e-2, precision=precision),
        fabric=fabric,
    )
    return history, accuracy(model, render(500, seed=1))


def test_the_gpu_agrees_with_the_cpu() -> None:
    (cpu, _), (gpu, _) = trained("cpu"), trained("cuda")
    torch.testing.assert_close(gpu.column("loss")[:1], cpu.column("loss")[:1], atol=0.02, rtol=0)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_every_precision_learns(precision: str) -> None:
    assert trained("cuda", precision)[1] > 0.9


def test_images_and_augmentation_stay_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = set()
    batches = Run.batches

    def spy(run: Run, epoch: int, first: int = 0):
        for indices in batches(run, epoch, first):
            images = run.batch(indices).images
            devices.add(images.device.type)
            assert images.dtype == torch.uint8
            yield indices

    monkeypatch.setattr(Run, "batches", spy)
    fit(standardized(SmallCNN(), TRAIN), TRAIN, Recipe(epochs=1), augment=crop_and_flip)
    assert devices == {"cuda"}


SPLIT = split_labels(TRAIN, 10, validation_per_class=10, seed=0)  # all of it on the CPU


def new_model() -> torch.nn.Module:
    torch.manual_seed(0)
    return standardized(SmallCNN(), TRAIN).eval()


STEPS: dict[str, Step] = {
    "teacher": distillation(new_model()),
    "cached": distillation(predict(new_model(), SPLIT.unlabeled.images)),
    "pseudo-labeling": pseudo_labeling(SPLIT.labeled, threshold=0.0, augment=crop_and_flip),
    "fixmatch": fixmatch(SPLIT.labeled, weak=crop_and_flip, strong=crop_and_flip, threshold=0.0),
}


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("name", STEPS)
def test_steps_bring_what_they_need_to_the_device(name: str, precision: str) -> None:
    recipe = Recipe(epochs=2, precision=precision)
    history = fit(new_model(), SPLIT.unlabeled, recipe, step=STEPS[name])
    assert len(history) == 2  # fit itself refuses a loss that is not finite


def test_noisy_student_on_the_device() -> None:
    _, rounds = noisy_student(
        new_model(),
        lambda number: new_model(),
        SPLIT.labeled,
        SPLIT.unlabeled,
        SPLIT.validation,
        Recipe(epochs=2),
        rounds=2,
        augment=crop_and_flip,
    )
    assert [made.number for made in rounds] == [1, 2]


def test_an_experiment_may_return_what_is_on_the_device() -> None:
    found = repeat(lambda seed: {"weights": torch.full((2, 3), float(seed), device="cuda")}, 2)
    assert found["weights"].shape == (2, 2, 3)
    assert found["weights"][1].mean() == 1


def test_randaugment_does_the_same_on_the_device() -> None:
    images, generator = TRAIN.images, torch.Generator().manual_seed(0)
    chosen = torch.randint(len(OPERATIONS), (2, len(images)), generator=generator)
    up = torch.rand(chosen.shape, generator=generator) < 0.5
    augment = RandAugment(n=2, m=12)
    here = augment.on_batch(images, chosen, up).int()
    there = augment.on_batch(images.cuda(), chosen.cuda(), up.cuda()).cpu().int()
    off = (here - there).abs()
    assert (off > 1).float().mean() < 1e-3  # rounding, and where it tips a threshold


def recorded_and_not(**changes: Any) -> tuple[History, History]:
    """FixMatch as it is, and recorded as a CUDA graph, from the same weights and draws."""
    histories = []
    for capture in (False, True):
        recipe = Recipe(epochs=3, batch_size=40, capture=capture, **changes)
        augment = RandAugment(n=2, m="random")
        step = fixmatch(SPLIT.labeled.to("cuda"), weak=crop_and_flip, strong=augment, threshold=0.0)
        pool = SPLIT.unlabeled.to("cuda")
        histories.append(fit(new_model(), pool, recipe, step=step))
    return histories[0], histories[1]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd", "schedule": "cosine", "learning_rate": 0.03, "ema_decay": 0.9},
        {"clip_norm": 1.0},
        {"precision": "bf16-mixed"},
    ],
    ids=["AdamW", "SGD", "clipped", "bf16"],
)
def test_a_recorded_step_is_the_step(changes: dict[str, Any]) -> None:
    """It draws other pictures and another rate at each step, as without a recording."""
    plain, played = recorded_and_not(**changes)
    assert len(plain) * (len(SPLIT.unlabeled) // 40) > 20, "most steps are played"
    wanted = {"atol": 0.05 if "precision" in changes else 0.02, "rtol": 0}
    torch.testing.assert_close(played.column("loss"), plain.column("loss"), **wanted)
    assert played.column("learning_rate") == plain.column("learning_rate")


def test_dropout_is_drawn_anew_in_a_recording() -> None:
    class Noise(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 2)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            kept = F.dropout(torch.ones(len(images), 1, device=images.device), 0.5)
            seen.append(kept.mean().detach())
            return self.layer(kept)

    seen: list[torch.Tensor] = []

    def step(model: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, Any]]:
        loss = model(batch.images).square().mean()
        return loss, {"kept": seen[-1]}

    pool = SPLIT.unlabeled.to("cuda")
    history = fit(Noise(), pool, Recipe(epochs=5, batch_size=len(pool), capture=True), step=step)
    assert len(set(history.column("kept"))) == 5


@pytest.mark.parametrize("asks", ["progress", "number", "elsewhere"])
def test_a_step_that_cannot_be_recorded_says_so(asks: str) -> None:
    def step(model: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, Any]]:
        loss, metrics = supervised(model, batch)
        if asks == "progress":
            return loss * batch.progress, metrics
        if asks == "number":
            return loss, {"loss before": loss.item()}
        return loss + TRAIN.images.cuda().float().mean(), metrics

    recipe = Recipe(epochs=1, batch_size=32, capture=True)
    with pytest.raises(RuntimeError, match=r"cannot be recorded as a CUDA graph.*leave Recipe"):
        fit(new_model(), TRAIN, recipe, step=step)
    again = fit(new_model(), TRAIN, Recipe(epochs=1, batch_size=32, capture=True))
    assert len(again) == 1, "the GPU and its random numbers go on"
