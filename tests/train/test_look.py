"""What is found out before anything is trained or measured, and how it is said."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from answering import LABELED, RECIPE, TRAIN, Answers, new_model
from lightning_fabric import Fabric
from torch import Tensor, nn

from cvcourse.augment import CutMix, MixUp, RandAugment, crop_and_flip
from cvcourse.data import render
from cvcourse.models import SingleLayer, SmallCNN, standardized
from cvcourse.train import (
    Batch,
    accuracy,
    evaluate,
    fit,
    predict,
    supervised,
)
from cvcourse.train.distill import distillation
from cvcourse.train.fixmatch import fixmatch
from cvcourse.train.mix import mixed
from cvcourse.train.multi_head import multi_head_step
from cvcourse.train.pseudo_label import pseudo_labeling, self_training, teacher_probabilities

UNLABELED = replace(TRAIN, labels=torch.full((40,), -1))
ONE_WITHOUT = replace(TRAIN, labels=torch.where(torch.arange(40) == 3, -1, TRAIN.labels))


USES: dict[str, Callable[[nn.Module], Any]] = {
    "fit": lambda model: fit(model, TRAIN, RECIPE),
    "fit, validation": lambda model: fit(
        model, TRAIN, RECIPE, validation=LABELED, step=lambda m, b: (m.layer.weight.sum(), {})
    ),
    "evaluate": lambda model: evaluate(model, TRAIN),
    "accuracy": lambda model: accuracy(model, TRAIN),
    "predict": lambda model: predict(model, TRAIN.images),
}
MEASURES = ["fit", "fit, validation", "evaluate", "accuracy"]


@pytest.mark.parametrize("use", ["fit", "evaluate", "accuracy", "predict"])
@pytest.mark.parametrize("make", [SingleLayer, SmallCNN])
def test_a_model_that_takes_no_bytes_is_told_what_is_missing(use: str, make: Any) -> None:
    model = make(**({"size": 8} if make is SingleLayer else {}))
    with pytest.raises(ValueError, match=r"uint8; it takes floats.*standardized\(model, train\)"):
        USES[use](model)


@pytest.mark.parametrize("use", ["fit", "evaluate", "predict"])
def test_images_of_another_size_are_told(use: str) -> None:
    other = standardized(SingleLayer, render(20, seed=0, size=16))
    with pytest.raises(ValueError, match=r"the model cannot take images of shape \(\d+, 3, 8, 8\)"):
        USES[use](other)


@pytest.mark.parametrize(
    "of",
    [
        lambda y: (y, y),
        lambda y: {"class": y},
        lambda y: None,
        lambda y: y[:, 0],
        lambda y: y.mean(dim=0, keepdim=True),
        lambda y: y.long(),
        lambda y: y.detach().numpy(),
    ],
)
@pytest.mark.parametrize("use", ["fit", "fit, validation", "evaluate", "predict"])
def test_answers_that_are_no_rows_of_floats_are_told(use: str, of: Any) -> None:
    with pytest.raises(ValueError, match=r"the model gives .* for \d+ images; expected a tensor"):
        USES[use](Answers(of))


@pytest.mark.parametrize("use", MEASURES)
@pytest.mark.parametrize("n", [5, 12])
def test_there_is_one_output_for_each_class(use: str, n: int) -> None:
    model = Answers(lambda y: torch.cat([y, y], dim=1)[:, :n])
    with pytest.raises(ValueError, match=f"the model has {n} outputs; expected 10, one for each"):
        USES[use](model)


def test_outputs_for_the_validation_set_are_counted_before_anything_is_trained() -> None:
    taken: list[Batch] = []

    def step(model: nn.Module, batch: Batch) -> Any:
        taken.append(batch)
        return model(batch.images).sum(), {}

    with pytest.raises(ValueError, match="the model has 5 outputs; expected 10"):
        fit(new_model(n_classes=5), TRAIN, RECIPE, validation=LABELED, step=step)
    assert not taken


@pytest.mark.parametrize("step", [supervised, mixed(CutMix()), mixed(MixUp())])
def test_steps_that_learn_from_labels_want_them_all(step: Any) -> None:
    for train, missing in ((UNLABELED, 40), (ONE_WITHOUT, 1)):
        with pytest.raises(ValueError, match=f"{missing} images of the training set have no label"):
            fit(new_model(), train, RECIPE, step=step)
    with pytest.raises(ValueError, match="the model has 5 outputs; expected 10"):
        fit(new_model(n_classes=5), TRAIN, RECIPE, step=step)


def test_measuring_wants_all_labels() -> None:
    with pytest.raises(ValueError, match="1 of 40 images of `validation` have no label"):
        fit(new_model(), TRAIN, RECIPE, validation=ONE_WITHOUT)
    with pytest.raises(ValueError, match="1 of 40 images of `image_set` have no label"):
        evaluate(new_model(), ONE_WITHOUT)
    with pytest.raises(ValueError, match="`image_set` is empty"):
        accuracy(new_model(), TRAIN[:0])
    names = replace(LABELED, class_names=tuple("abcdefghij"))
    with pytest.raises(ValueError, match="`validation` has classes a, b, c"):
        fit(new_model(), TRAIN, RECIPE, validation=names)


@pytest.mark.parametrize(
    "step",
    [
        distillation(new_model().eval()),
        distillation(new_model().eval(), alpha=0.5),
        fixmatch(LABELED, weak=crop_and_flip, strong=RandAugment(), batch_size=4),
        pseudo_labeling(LABELED, batch_size=4),
        self_training(LABELED, torch.full((40, 10), 0.1), batch_size=4),
    ],
)
def test_steps_that_need_no_labels_train_without(step: Any) -> None:
    assert math.isfinite(fit(new_model(), UNLABELED, RECIPE, step=step)[0]["loss"])


def test_a_student_of_the_teachers_width_may_have_another() -> None:
    teacher = new_model(n_classes=5).eval()
    fit(new_model(n_classes=5), TRAIN, RECIPE, step=distillation(teacher))
    with pytest.raises(ValueError, match="the model has 5 outputs; expected 10"):
        fit(new_model(n_classes=5), TRAIN, RECIPE, step=distillation(teacher, alpha=0.5))


@pytest.mark.parametrize("change", [lambda t: t[:30], lambda t: torch.cat([t, t])])
def test_a_table_has_a_row_for_each_training_image(change: Any) -> None:
    table = change(torch.zeros(40, 10))
    with pytest.raises(ValueError, match=f"teacher has {len(table)} rows; expected 40"):
        fit(new_model(), TRAIN, RECIPE, step=distillation(table))
    with pytest.raises(ValueError, match=f"soft_labels has {len(table)} rows; expected 40"):
        fit(new_model(), TRAIN, RECIPE, step=self_training(LABELED, table.softmax(dim=1)))
    truth = TRAIN[torch.arange(len(table)) % 40]
    with pytest.raises(ValueError, match=f"train has {len(table)} rows; expected 40"):
        fit(
            new_model(), TRAIN, RECIPE, step=multi_head_step(truth, {"class": lambda y, t: y.sum()})
        )


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_teachers_that_answer_no_number_teach_nothing(bad: float) -> None:
    teacher = Answers(lambda y: y * bad).eval()
    with pytest.raises(ValueError, match="the teacher answers NaN or infinity for 20 of 20"):
        fit(new_model(), TRAIN, RECIPE, step=distillation(teacher))
    with pytest.raises(ValueError, match="teacher answers NaN or infinity for 40 of 40"):
        distillation(torch.full((40, 10), bad))
    with pytest.raises(ValueError, match="answers NaN"):
        teacher_probabilities(teacher, TRAIN.images)


@pytest.mark.parametrize("measure", [accuracy, evaluate, lambda m, s: predict(m, s.images)])
def test_a_model_that_answers_nan_has_no_accuracy(measure: Any) -> None:
    def of_some(logits: Tensor) -> Tensor:
        logits[logits.argmax(dim=1) == logits.argmax(dim=1)[0], 4] = math.nan
        return logits

    with pytest.raises(ValueError, match=r"answers NaN or infinity for \d+ of 40 images"):
        measure(Answers(of_some), TRAIN)
    ruled_out = Answers(lambda y: y.index_fill(1, torch.tensor([9]), -math.inf))
    measure(ruled_out, TRAIN[TRAIN.labels < 9])


def groups(model: nn.Module, **settings: Any) -> list[dict[str, Any]]:
    return [{"params": list(model.parameters()), **settings}]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"lr": -1.0}, ValueError, "lr of a group is -1.0; expected at least 0"),
        ({"lr": math.nan}, ValueError, "lr of a group is nan"),
        ({"lr": "1e-3"}, TypeError, "lr of a group is '1e-3'"),
        ({"lr": 0.0}, ValueError, "the lr of every parameter group is 0"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay of a group is -1.0"),
        ({"learning_rate": 0.1}, ValueError, "a parameter group has learning_rate; expected"),
    ],
)
def test_the_optimizer_moves_by_a_positive_rate(
    settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = new_model()
    with pytest.raises(error, match=message):
        fit(model, TRAIN, RECIPE, parameters=groups(model, **settings))


def test_parameters_are_the_models_own_and_some_take_a_gradient() -> None:
    model = new_model()
    with pytest.raises(ValueError, match=r"2 of the params in parameters\[0\] are not the model's"):
        fit(model, TRAIN, RECIPE, parameters=groups(copy.deepcopy(model)))
    with pytest.raises(TypeError, match="parameters is"):
        fit(model, TRAIN, RECIPE, parameters=model.parameters())
    with pytest.raises(TypeError, match=r"parameters\[0\] is"):
        fit(model, TRAIN, RECIPE, parameters=list(model.parameters()))
    for given in ([], [{"params": []}], [{"lr": 0.1}]):
        with pytest.raises(ValueError, match="the model has nothing to train"):
            fit(model, TRAIN, RECIPE, parameters=given)
    for given in (None, groups(model)):
        with pytest.raises(ValueError, match="the model has nothing to train"):
            fit(model.requires_grad_(False), TRAIN, RECIPE, parameters=given)


def test_groups_may_come_as_a_generator_or_a_single_tensor() -> None:
    for given in (lambda m: m.parameters(), lambda m: next(m.parameters())):
        model = new_model()
        before = next(model.parameters()).detach().clone()
        fit(model, TRAIN, RECIPE, parameters=[{"params": given(model)}])
        assert not torch.equal(next(model.parameters()), before)


@pytest.mark.parametrize(
    ("fabric", "recipe"), [("32-true", "bf16-mixed"), ("bf16-mixed", "32-true")]
)
def test_a_fabric_of_another_precision_is_refused(fabric: Any, recipe: Any) -> None:
    made = Fabric(accelerator="cpu", devices=1, precision=fabric)
    with pytest.raises(
        ValueError, match=f"fabric's precision is '{fabric}', the recipe's '{recipe}'"
    ):
        fit(new_model(), TRAIN, replace(RECIPE, precision=recipe), fabric=made)
    fit(new_model(), TRAIN, replace(RECIPE, precision=fabric), fabric=made)


@pytest.mark.filterwarnings("ignore:.*bf16-mixed")
def test_half_precision_is_bfloat16_on_a_cpu() -> None:
    half, brain = (
        Fabric(accelerator="cpu", devices=1, precision=kind) for kind in ("16-mixed", "bf16-mixed")
    )
    recipe = replace(RECIPE, precision="16-mixed")
    histories = [fit(new_model(), TRAIN, recipe, fabric=made) for made in (half, brain)]
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", SingleLayer),
        ("train", TRAIN.images),
        ("recipe", {"epochs": 1}),
        ("validation", (TRAIN.images, TRAIN.labels)),
        ("step", "supervised"),
        ("augment", "flip"),
        ("seed", -1),
        ("seed", 1.5),
        ("fabric", "cpu"),
        ("checkpoint", 3),
        ("checkpoint_every", 1.5),
        ("keep_interrupted", "no"),
    ],
)
def test_every_argument_of_fit_is_looked_at(name: str, value: Any) -> None:
    given = {"model": new_model(), "train": TRAIN, "recipe": RECIPE} | {name: value}
    with pytest.raises((TypeError, ValueError), match=rf"^{name} is "):
        fit(**given)


class Counting(nn.Module):
    """Counts in a buffer, draws, and has a norm that learns as it looks."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.layer = nn.BatchNorm1d(192), nn.Linear(192, 10)
        self.register_buffer("seen", torch.tensor(0))

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        torch.rand(3)
        np.random.rand()  # noqa: NPY002
        return self.layer(self.norm(images.flatten(1) / 255))


def test_the_look_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Counting()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def stop(model: nn.Module, batch: Batch) -> Any:
        assert model.training
        told = {name.removeprefix("_forward_module."): v for name, v in model.state_dict().items()}
        assert all(torch.equal(told[name], value) for name, value in before.items())
        drawn.append(float(torch.rand(())))
        raise KeyboardInterrupt

    drawn: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        fit(model, TRAIN, RECIPE, validation=LABELED, step=stop, seed=7)
    torch.manual_seed(7)
    assert drawn == [float(torch.rand(()))]


def test_measuring_leaves_no_trace() -> None:
    model = standardized(SmallCNN(width=4), TRAIN).train()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    evaluate(model, TRAIN)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training


def test_a_model_without_weights_can_be_asked() -> None:
    assert predict(nn.Flatten(), TRAIN.images.float()).shape == (40, 192)


def test_an_image_set_is_one() -> None:
    with pytest.raises(TypeError, match=r"image_set is \(tensor"):
        evaluate(new_model(), (TRAIN.images, TRAIN.labels))  # type: ignore[arg-type]
