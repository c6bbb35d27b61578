"""What each round of Noisy Student hands on, with stand-ins for all that takes time."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from cvcourse.data import ImageSet
from cvcourse.train import CheckpointError, Recipe
from cvcourse.train.noisy_student import Round, noisy_student


def images(n: int, first: int = 0, names: tuple[str, ...] = ("a", "b")) -> ImageSet:
    levels = torch.arange(first, first + n, dtype=torch.uint8)
    return ImageSet(levels.view(n, 1, 1, 1), torch.arange(n) % 2, names)


LABELED, UNLABELED, VALIDATION = images(4), images(6, 10), images(5, 20)
SAID = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [1.0, 0.0], [0.5, 0.5]])
SCORES = [0.5, 0.6, 0.6, 0.4]  # of the first teacher and of each round's student


class Stage:
    """Stands for training and measuring, and remembers what they were given."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.fits: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.asked: list[tuple[nn.Module, Tensor]] = []
        self.measured: list[tuple[nn.Module, ImageSet]] = []
        self.draws: list[float] = []
        self.bars: list[tuple[list[int], dict[str, Any]]] = []
        names = inspect.unwrap(noisy_student).__globals__
        for name in ("fit", "self_training", "accuracy", "progress"):
            patch.setitem(names, name, getattr(self, name))

    def fit(self, student: nn.Module, train: ImageSet, recipe: Recipe, **given: Any) -> None:
        self.fits.append({"student": student, "train": train, "recipe": recipe, **given})

    def self_training(self, labeled: ImageSet, soft: Tensor | None, **given: Any) -> str:
        self.steps.append({"labeled": labeled, "soft": soft, **given})
        return f"step {len(self.steps)}"

    def accuracy(self, model: nn.Module, image_set: ImageSet) -> float:
        self.measured.append((model, image_set))
        return SCORES[len(self.measured) - 1]

    def progress(self, numbers: range, **settings: Any) -> range:
        self.bars.append((list(numbers), settings))
        return numbers

    def ask(self, teacher: nn.Module, shown: Tensor) -> Tensor:
        self.asked.append((teacher, shown))
        return SAID

    def new_student(self, number: int) -> nn.Module:
        self.draws.append(float(torch.rand(())))
        return nn.Linear(1, number)

    def run(self, **settings: Any) -> tuple[nn.Module, list[Round]]:
        given = {"recipe": Recipe(epochs=2), "ask": self.ask} | settings
        return noisy_student(
            self.teacher, self.new_student, LABELED, UNLABELED, VALIDATION, **given
        )

    teacher = nn.Linear(1, 2).eval()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def test_three_rounds_on_all_images_without_patience(stage: Stage) -> None:
    last, rounds = stage.run()
    students = [given["student"] for given in stage.fits]
    assert [s.out_features for s in students] == [1, 2, 3]
    assert last is students[0], "as good is not better"
    assert rounds == [
        Round(1, 1.0, 0.5, 0.6, accepted=True),
        Round(2, 1.0, 0.6, 0.6, accepted=False),
        Round(3, 1.0, 0.6, 0.4, accepted=False),
    ]
    assert [teacher for teacher, _ in stage.asked] == [stage.teacher, last, last]
    assert all(shown is UNLABELED.images for _, shown in stage.asked)
    assert [model for model, _ in stage.measured] == [stage.teacher, *students]
    assert all(image_set is VALIDATION for _, image_set in stage.measured)
    assert stage.bars == [([1, 2, 3], {"desc": "rounds"})]
    for number, (given, step) in enumerate(zip(stage.fits, stage.steps, strict=True), 1):
        assert torch.equal(given.pop("train").labels, SAID.argmax(dim=1))
        assert given == {
            "student": students[number - 1],
            "recipe": Recipe(epochs=2),
            "validation": None,
            "step": f"step {number}",
            "seed": number,
            "fabric": None,
            "checkpoint": None,
        }
        assert torch.equal(step.pop("soft"), SAID)
        assert step == {"labeled": LABELED, "batch_size": 64, "augment": None}


def test_every_setting_reaches_its_place(stage: Stage, tmp_path: Path) -> None:
    def augment(shown: Tensor, generator: torch.Generator) -> Tensor:
        return shown

    fabric = Fabric(accelerator="cpu", devices=1)
    _, (made,) = stage.run(
        rounds=1,
        recipe=Recipe(patience=3),
        augment=augment,
        threshold=0.8,
        per_class=3,
        soft=False,
        batch_size=7,
        seed=5,
        fabric=fabric,
        directory=tmp_path,
    )
    (given,), (step,) = stage.fits, stage.steps
    assert made.coverage == 0.5
    assert given["train"].labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (given["seed"], given["fabric"], given["validation"]) == (5001, fabric, VALIDATION)
    assert given["checkpoint"] == tmp_path / "round_1.ckpt"
    assert step == {"labeled": LABELED, "soft": None, "batch_size": 7, "augment": augment}


def test_students_are_made_from_the_rounds_own_seed(stage: Stage) -> None:
    stage.run(seed=2)
    expected = []
    for number in (1, 2, 3):
        torch.manual_seed(2000 + number)
        expected.append(float(torch.rand(())))
    assert stage.draws == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": Recipe(epochs=3)}, "recipe.epochs was 2, is now 3"),
        ({"augment": torch.flip}, "augment was absent, is now"),
        ({"threshold": 0.5}, "threshold was 0.0, is now 0.5"),
        ({"per_class": 2}, "per_class was absent, is now 2"),
        ({"soft": False}, "soft was True, is now False"),
        ({"batch_size": 8}, "batch_size was 64, is now 8"),
        ({"ask": lambda teacher, shown: SAID}, "ask was Stage.ask, is now"),
        ({"seed": 1}, "seed was 0, is now 1"),
    ],
)
def test_other_rounds_are_told_by_what_they_were_given(
    stage: Stage, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    stage.run(rounds=1, directory=tmp_path)
    stage.measured.clear()
    with pytest.raises(CheckpointError, match=message):
        stage.run(rounds=1, directory=tmp_path, **change)


def test_other_teachers_students_and_images_are_told_too(stage: Stage, tmp_path: Path) -> None:
    def rounds(*given: Any) -> None:
        stage.measured.clear()
        noisy_student(*given, Recipe(epochs=2), rounds=1, ask=ask, directory=tmp_path)

    def ask(teacher: nn.Module, shown: Tensor) -> Tensor:
        return SAID

    def student(number: int) -> nn.Module:
        return nn.Linear(1, 2)

    whole = [stage.teacher, student, LABELED, UNLABELED, VALIDATION]
    names = ["teacher", "new_student", "labeled", "unlabeled", "validation"]
    others = [nn.Linear(1, 3).eval(), nn.Flatten, images(5), images(6, 11), images(4)]
    rounds(*whole)
    for place, (name, other) in enumerate(zip(names, others, strict=True)):
        with pytest.raises(CheckpointError, match=rf"another run: {name}\b"):
            rounds(*whole[:place], other, *whole[place + 1 :])


@pytest.mark.parametrize("place", [3, 4])
def test_sets_of_other_classes_are_named(stage: Stage, place: int) -> None:
    sets: list[Any] = [stage.teacher, stage.new_student, LABELED, UNLABELED, VALIDATION]
    sets[place] = images(6, names=("a", "c"))
    name = ("unlabeled", "validation")[place - 3]
    with pytest.raises(ValueError, match=f"`{name}` has classes a, c; `labeled` has a, b"):
        noisy_student(*sets, Recipe(epochs=2), ask=stage.ask)
    with pytest.raises(ValueError, match="rounds is 0; expected at least 1"):
        stage.run(rounds=0)


def test_validation_wants_labels_before_anything_is_written(stage: Stage, tmp_path: Path) -> None:
    unlabeled = replace(VALIDATION, labels=torch.full((5,), -1))
    sets = (LABELED, UNLABELED, unlabeled)
    with pytest.raises(ValueError, match="5 of 5 images of `validation` have no label"):
        noisy_student(stage.teacher, stage.new_student, *sets, Recipe(), directory=tmp_path)
    assert not list(tmp_path.iterdir())
