"""What must hold on a GPU too; skipped, with the reason, where there is none."""

import pytest
import torch

from cvcourse.augment import crop_and_flip
from cvcourse.data import render
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import History, Recipe, accuracy, fit
from cvcourse.train.run import Run

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")

TRAIN = render(512, seed=0)


def trained(accelerator: str, precision: str = "32-true") -> tuple[History, float]:
    from lightning_fabric import Fabric

    torch.manual_seed(0)
    model = standardized(SmallCNN(), TRAIN)
    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)
    history = fit(
        model, TRAIN, Recipe(epochs=4, learning_rate=1e-2, precision=precision), fabric=fabric
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
