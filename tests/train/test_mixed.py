from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from resuming import Killed, killed_after, same, state
from torch import Tensor

from cvcourse.augment import CutMix, RandAugment, crop_and_flip
from cvcourse.augment.mix import Mixed
from cvcourse.data import render
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Batch, Recipe, fit
from cvcourse.train.mix import mixed


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    return RandAugment()(crop_and_flip(images, generator), generator)


def test_a_run_with_mixtures_is_taken_up_where_it_was_put_down(tmp_path: Path) -> None:
    train = render(80, seed=0)

    def run(path: Path | None, stop: int | None = None) -> dict[str, Tensor]:
        torch.manual_seed(0)
        model = standardized(SmallCNN, train)
        recipe = Recipe(epochs=2, batch_size=20, learning_rate=1e-2)
        with killed_after(stop):
            history = fit(
                model, train, recipe, step=mixed(CutMix()), augment=augment, checkpoint=path
            )
        assert len(history) == 2
        return state(model)

    with pytest.raises(Killed):
        run(tmp_path / "half.ckpt", stop=5)  # in the second epoch
    assert same(run(tmp_path / "half.ckpt"), run(None))


def test_a_mixed_step_is_the_cross_entropy_of_the_mixture() -> None:
    images = torch.arange(4 * 3, dtype=torch.uint8).view(4, 3, 1, 1)
    labels, partners = torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 3, 0])
    batch = Batch(images, labels, torch.arange(4), torch.Generator().manual_seed(7))

    def mix(images: Tensor, generator: torch.Generator) -> Mixed:
        assert generator is batch.generator
        return Mixed(images.flip(0), partners, 0.75)

    logits = torch.tensor([[9.0, 0, 0], [0, 9, 1], [0, 0, 5], [0, 2, 0]], requires_grad=True)

    def model(shown: Tensor) -> Tensor:
        assert torch.equal(shown, images.flip(0))
        return logits

    loss, metrics = mixed(mix)(model, batch)  # type: ignore[arg-type]
    own, other = (F.cross_entropy(logits, wanted) for wanted in (labels, labels[partners]))
    torch.testing.assert_close(loss, 0.75 * own + 0.25 * other)
    assert metrics["accuracy"] == 0.75  # all but the last, whose own label is 0
