"""What must hold on a GPU too; skipped, with the reason, where there is none."""

import pytest
import torch

from cvcourse.augment import RandAugment, crop_and_flip
from cvcourse.augment.randaugment import OPERATIONS
from cvcourse.data import render, split_labels
from cvcourse.experiment import repeat
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import History, Recipe, Step, accuracy, fit, predict
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
        for batch in batches(run, epoch, first):
            devices.add(batch.images.device.type)
            assert batch.images.dtype == torch.uint8
            yield batch

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
