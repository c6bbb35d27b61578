"""What steps and augmentations return, and what a batch that was made by hand holds."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from answering import LABELED, RECIPE, TRAIN, Answers, new_model
from torch import Tensor, nn

from cvcourse.augment import CutMix, MixUp
from cvcourse.train import Batch, DivergedError, History, fit, supervised
from cvcourse.train.mix import mixed
from cvcourse.train.multi_head import multi_head_step
from cvcourse.train.pseudo_label import self_training


def returning(what: Callable[[Tensor], Any]) -> Any:
    def step(model: nn.Module, batch: Batch) -> Any:
        return what(F.cross_entropy(model(batch.images), batch.labels))

    return step


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        (lambda loss: loss, TypeError, r"the step returned tensor.*return loss, \{\}"),
        (lambda loss: None, TypeError, "the step returned None"),
        (lambda loss: (loss, {}, 1), TypeError, "the step returned"),
        (lambda loss: (loss, [loss]), TypeError, "the step returned"),
        (lambda loss: (loss.item(), {}), TypeError, "the step's loss is"),
        (lambda loss: (loss.detach(), {}), TypeError, "the step's loss is"),
        (lambda loss: (loss.repeat(2), {}), TypeError, "the step's loss is"),
        (lambda loss: (loss, {"a": "x"}), TypeError, "the step's a is 'x'; expected one number"),
        (lambda loss: (loss, {"a": None}), TypeError, "the step's a is None"),
        (lambda loss: (loss, {"a": torch.ones(2)}), TypeError, "the step's a is tensor"),
        (lambda loss: (loss, {"a": torch.tensor(1j)}), TypeError, "the step's a is tensor"),
        (lambda loss: (loss, {"epoch": loss}), ValueError, "metrics have epoch, which fit"),
    ],
)
def test_what_a_step_returns_is_looked_at(what: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit(new_model(), TRAIN, RECIPE, step=returning(what))


@pytest.mark.parametrize(
    ("value", "mean"),
    [
        (torch.tensor(True), 1.0),
        (True, 1.0),
        (0.25, 0.25),
        (3, 3.0),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3.0),
        (torch.tensor(200, dtype=torch.uint8), 200.0),
        (torch.tensor(0.7, dtype=torch.bfloat16), 0.69921875),
        (torch.tensor(60000.0, dtype=torch.float16), 60000.0),
        (torch.tensor([0.5]), 0.5),
    ],
)
def test_metrics_are_means_in_float32_whatever_they_were(value: Any, mean: float) -> None:
    recipe = replace(RECIPE, batch_size=4)  # ten steps
    history = fit(new_model(), TRAIN, recipe, step=returning(lambda loss: (loss, {"a": value})))
    assert history[0]["a"] == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize(
    ("augment", "error", "message"),
    [
        (lambda images, generator: None, TypeError, "what augment made is None"),
        (lambda images, generator: (images, images), TypeError, "what augment made is"),
        (lambda images, generator: images[:1], ValueError, "augment made 1 of 2 images"),
        (lambda images, generator: images * math.nan, ValueError, "augment made NaN"),
    ],
)
def test_what_an_augmentation_makes_is_looked_at(
    augment: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fit(new_model(), TRAIN, RECIPE, augment=augment)
    step = self_training(LABELED, batch_size=4, augment=augment)
    with pytest.raises(error, match=message.replace("of 2", "of 24")):
        fit(new_model(), TRAIN, RECIPE, step=step)


def test_an_augmentation_may_make_floats() -> None:
    whole, halves = (
        fit(Answers(lambda y: y), TRAIN, RECIPE, augment=augment)
        for augment in (None, lambda images, generator: images.float() / 2)
    )
    assert whole.column("loss") != halves.column("loss")


def test_the_accuracy_is_the_share_of_images_whose_largest_logit_is_at_their_label() -> None:
    logits, labels = 5.0 * torch.eye(10)[:4], torch.tensor([0, 1, 2, 9])
    batch = Batch(logits, labels, torch.arange(4), torch.Generator())
    assert supervised(nn.Identity(), batch)[1]["accuracy"] == 0.75


@pytest.mark.parametrize("step", [mixed(CutMix()), mixed(MixUp()), supervised])
def test_classes_that_are_ruled_out_give_no_nan(step: Any) -> None:
    eight = TRAIN[TRAIN.labels < 8]
    model = Answers(lambda y: y.index_fill(1, torch.tensor([8, 9]), -math.inf))
    history = fit(model, eight, RECIPE, step=step)
    assert math.isfinite(history[0]["loss"])
    assert bool(model.layer.weight.isfinite().all())


def test_mixing_is_pytorchs_cross_entropy_of_soft_labels() -> None:
    model, batch = (
        new_model(),
        Batch(TRAIN.images, TRAIN.labels, torch.arange(40), torch.Generator()),
    )
    loss, _ = mixed(MixUp())(model, batch)
    mixture = MixUp()(TRAIN.images, torch.Generator())
    expected = F.cross_entropy(model(mixture.images), mixture.targets(TRAIN.labels, 10))
    assert torch.equal(loss, expected)


def test_a_checkpoint_is_never_of_a_run_that_has_diverged(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"

    def step(model: nn.Module, batch: Batch) -> Any:
        loss, metrics = supervised(model, batch)
        return loss * (math.nan if batch.progress >= 0.5 else 1.0), metrics

    recipe = replace(RECIPE, batch_size=4)
    with pytest.raises(DivergedError, match="nan at step 6 of 10, at learning rate"):
        fit(new_model(), TRAIN, recipe, step=step, checkpoint=path, checkpoint_every=1)
    with pytest.raises(DivergedError, match="nan at step 6 of 10"):
        fit(new_model(), TRAIN, recipe, step=step, checkpoint=path, checkpoint_every=1)


def test_a_column_that_nobody_measured_is_named() -> None:
    with pytest.raises(KeyError, match="no column 'los'; there are epoch, loss"):
        History([{"epoch": 1.0, "loss": 2.0}]).column("los")


def test_batches_made_by_hand_are_looked_at_more_closely() -> None:
    def batch(labels: Any, images: Tensor = TRAIN.images) -> Batch:
        return Batch(images, labels, torch.arange(40), torch.Generator())

    for labels, message in (
        (TRAIN.labels - 1, "labels runs from -1"),
        (TRAIN.labels[:5], r"\(5,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            supervised(new_model(), batch(labels))
    with pytest.raises(TypeError, match=r"labels are torch\.float32"):
        supervised(new_model(), batch(TRAIN.labels.float()))
    with pytest.raises(TypeError, match=r"Batch\.labels is None"):
        batch(None)
    with pytest.raises(ValueError, match="answers NaN"):
        supervised(Answers(lambda y: y * math.nan), batch(TRAIN.labels))
    with pytest.raises(ValueError, match="for 0 images"):
        supervised(new_model(), batch(TRAIN.labels[:0], TRAIN.images[:0]))


def test_a_batch_made_by_hand_finds_its_rows_or_says_that_there_are_none() -> None:
    batch = Batch(TRAIN.images[:2], TRAIN.labels[:2], torch.tensor([4, 1]), torch.Generator())
    table = torch.arange(5) * 10
    assert batch.rows("table", table).tolist() == [40, 10]
    with pytest.raises(ValueError, match="indices runs from 1 to 4; expected 0 to 3"):
        batch.rows("table", table[:4])


def test_what_a_mix_makes_is_looked_at() -> None:
    def no_mix(images: Tensor, generator: torch.Generator) -> Any:
        return images

    with pytest.raises(TypeError, match=r"(?s)what mix made is tensor.*expected Mixed"):
        fit(new_model(), TRAIN, RECIPE, step=mixed(no_mix))


@pytest.mark.parametrize("losses", [{}, {"box": F.cross_entropy}])
def test_losses_are_for_heads_that_are_there(losses: Any) -> None:
    model = Answers(lambda y: {"class": y})
    with pytest.raises(ValueError, match=r"losses are for \[.*\]; the heads are \['class'\]"):
        fit(model, TRAIN, RECIPE, step=multi_head_step(TRAIN, losses))
