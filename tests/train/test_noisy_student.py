from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from resuming import Killed, killed_after
from torch import Tensor, nn

from cvcourse.augment import crop_and_flip
from cvcourse.data import render, split_labels
from cvcourse.models import SmallCNN, SmallResNet, standardized
from cvcourse.train import CheckpointError, Recipe, accuracy, fit
from cvcourse.train.noisy_student import Round, noisy_student

SPLIT = split_labels(render(300, seed=0, size=8), 4, validation_per_class=5, seed=0)
RECIPE = Recipe(epochs=2, batch_size=70, learning_rate=1e-2)  # 3 steps an epoch


def new_teacher() -> nn.Module:
    torch.manual_seed(0)
    return standardized(SmallResNet(width=2), SPLIT.unlabeled).eval()


def new_student(number: int) -> nn.Module:
    noised = SmallResNet(width=2 + number, dropout=0.2, stochastic_depth=0.2)
    return standardized(noised, SPLIT.unlabeled)


class Chain:
    """Makes the students, and says who was asked for the labels: the truth, whoever it is."""

    def __init__(self, new: Callable[[int], nn.Module]) -> None:
        self.new = new
        self.asked: list[nn.Module] = []
        self.students: list[nn.Module] = []

    def ask(self, teacher: nn.Module, images: Tensor) -> Tensor:
        self.asked.append(teacher)
        return nn.functional.one_hot(SPLIT.unlabeled_truth, 10).float()

    def student(self, number: int) -> nn.Module:
        self.students.append(self.new(number))
        return self.students[-1]


def run(
    directory: Path | None = None, stop: int | None = None, seed: int = 0, **settings: Any
) -> tuple[list[nn.Module], list[Round]]:
    """The students of three rounds, and what the rounds came to."""
    chain = Chain(new_student)
    teacher = new_teacher()
    torch.seed()  # whatever went before must not matter
    with killed_after(stop):
        _, rounds = noisy_student(
            teacher,
            chain.student,
            **{
                "labeled": SPLIT.labeled,
                "unlabeled": SPLIT.unlabeled,
                "validation": SPLIT.validation,
                "recipe": RECIPE,
                "augment": crop_and_flip,
                "seed": seed,
                "directory": directory,
                **settings,
            },
        )
    return chain.students, rounds


def same(a: list[nn.Module], b: list[nn.Module]) -> bool:
    states = [(x.state_dict(), y.state_dict()) for x, y in zip(a, b, strict=True)]
    return all(torch.equal(x[name], y[name]) for x, y in states for name in x)


def test_the_records_are_of_the_students() -> None:
    best = accuracy(new_teacher(), SPLIT.validation)
    students, rounds = run()
    assert [made.number for made in rounds] == [1, 2, 3]
    for student, made in zip(students, rounds, strict=True):
        assert made.teacher_accuracy == best
        assert made.student_accuracy == accuracy(student, SPLIT.validation)
        assert made.accepted == (made.student_accuracy > best)
        assert made.coverage == 1
        best = max(best, made.student_accuracy)


@pytest.mark.parametrize("good", [True, False])
def test_validation_says_who_teaches_next(good: bool) -> None:
    """Students learn from what `ask` says: the truth, or nothing at a rate of almost 0."""
    chain = Chain(lambda number: standardized(SmallResNet(width=8), SPLIT.unlabeled))
    first = new_teacher()
    if not good:
        fit(first, SPLIT.validation, Recipe(epochs=60, batch_size=50, learning_rate=1e-2))
    recipe = Recipe(epochs=12, batch_size=64, learning_rate=1e-2 if good else 1e-9)
    last, rounds = noisy_student(
        first,
        chain.student,
        SPLIT.labeled,
        SPLIT.unlabeled,
        SPLIT.validation,
        recipe,
        rounds=2,
        ask=chain.ask,
    )
    assert rounds[0].accepted == good
    assert chain.asked == [first, chain.students[0] if good else first]
    both = zip(chain.students, rounds, strict=True)
    accepted = [first, *(student for student, made in both if made.accepted)]
    assert last is accepted[-1]


def test_without_validation_every_student_teaches_next() -> None:
    chain = Chain(lambda number: new_teacher())
    first = new_teacher()
    recipe = Recipe(epochs=1, batch_size=64, learning_rate=1e-9)  # none is better than its teacher
    sets = (SPLIT.labeled, SPLIT.unlabeled, None)
    last, rounds = noisy_student(first, chain.student, *sets, recipe, rounds=2, ask=chain.ask)
    assert chain.asked == [first, chain.students[0]]
    assert last is chain.students[1]
    assert [(r.teacher_accuracy, r.student_accuracy, r.accepted) for r in rounds] == [
        (None, None, True)
    ] * 2


def test_only_the_student_is_noised() -> None:
    shown: dict[str, list[tuple[bool, Tensor]]] = {"teacher": [], "student": []}

    def watch(model: nn.Module, name: str) -> nn.Module:
        def look(module: nn.Module, inputs: tuple[Tensor]) -> None:
            shown[name].append((module.training, inputs[0]))

        model.register_forward_pre_hook(look)
        return model

    def black(images: Tensor, generator: torch.Generator) -> Tensor:
        return torch.zeros_like(images)

    noisy_student(
        watch(new_teacher(), "teacher"),
        lambda number: watch(new_student(number), "student"),
        SPLIT.labeled,
        SPLIT.unlabeled,
        SPLIT.validation,
        RECIPE,
        rounds=1,
        augment=black,
    )
    assert not any(training for training, _ in shown["teacher"])
    asked = torch.cat([images for _, images in shown["teacher"]])  # in several pieces
    assert torch.equal(asked[-len(SPLIT.unlabeled) :], SPLIT.unlabeled.images)
    taught = [images for training, images in shown["student"] if training]
    assert len(taught) == 6
    assert all(len(images) == 64 + 70 and not images.any() for images in taught)


@pytest.mark.parametrize("stop", [0, 3, 6, 8, 12, 17])
def test_a_killed_run_comes_to_the_same_end(stop: int, tmp_path: Path) -> None:
    """Killed in a round, or between two; a round is six steps."""
    with pytest.raises(Killed):
        run(tmp_path, stop)
    (resumed, rounds), (through, expected) = run(tmp_path), run()
    assert rounds == expected
    assert same(resumed, through)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(f"round_{number}.ckpt" for number in (1, 2, 3)),
        "rounds.ckpt",
    ]


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    through, expected = run(tmp_path)
    again, rounds = run(tmp_path, stop=0)  # would raise at the first step
    assert rounds == expected
    assert same(again, through)


def test_another_runs_checkpoints_are_refused(tmp_path: Path) -> None:
    run(tmp_path)
    fewer = SPLIT.labeled[:-1]
    for change, message in (
        ({"seed": 1}, "seed was 0, is now 1"),
        ({"soft": False}, "soft was True, is now False"),
        ({"augment": None}, "augment was crop_and_flip, is now absent"),
        ({"threshold": 0.1}, "threshold was 0.0, is now 0.1"),
        ({"batch_size": 63}, "batch_size was 64, is now 63"),
        ({"labeled": fewer}, "labeled.images was .*; labeled.labels was"),
        ({"validation": SPLIT.validation[:-1]}, "validation.images was"),
    ):
        with pytest.raises(CheckpointError, match=message):
            run(tmp_path, **change)


def test_soft_and_hard_labels_differ_and_so_do_seeds() -> None:
    students, _ = run()
    assert not same(students[:1], run(soft=False)[0][:1])
    assert not same(students[:1], run(seed=1)[0][:1])


def test_bad_input_is_named() -> None:
    call = partial(noisy_student, recipe=RECIPE, new_student=new_student, labeled=SPLIT.labeled)
    sets = {"unlabeled": SPLIT.unlabeled, "validation": SPLIT.validation}
    with pytest.raises(ValueError, match="teacher is in training mode"):
        call(new_teacher().train(), **sets)
    with pytest.raises(ValueError, match="rounds is 0"):
        call(new_teacher(), **sets, rounds=0)
    with pytest.raises(ValueError, match="no images without a label"):
        call(new_teacher(), **sets | {"unlabeled": SPLIT.unlabeled[:0]})
    with pytest.raises(ValueError, match="no image reaches threshold 1"):
        call(new_teacher(), **sets, threshold=1.0)
    other = replace(SPLIT.unlabeled, class_names=tuple("abcdefghij"))
    with pytest.raises(ValueError, match="`unlabeled` has classes a, b"):
        call(new_teacher(), **sets | {"unlabeled": other})


def test_the_students_outgrow_a_teacher_of_few_labels() -> None:
    split = split_labels(render(1000, seed=0, size=16), 5, validation_per_class=10, seed=0)
    test, augment = render(500, seed=1000, size=16), partial(crop_and_flip, padding=1)
    torch.manual_seed(0)
    first = standardized(SmallCNN(width=8), split.unlabeled)
    recipe = Recipe(epochs=60, batch_size=50, learning_rate=1e-2)
    fit(first, split.labeled, recipe, augment=augment)
    last, rounds = noisy_student(
        first,
        lambda number: standardized(SmallCNN(width=8 + 4 * number), split.unlabeled),
        split.labeled,
        split.unlabeled,
        split.validation,
        replace(recipe, epochs=8, batch_size=64),
        rounds=2,
        augment=augment,
        threshold=0.8,
        per_class=80,
    )
    assert any(made.accepted for made in rounds)
    assert accuracy(last, test) > accuracy(first, test) + 0.03
    # A new teacher is sure of more; the old one, asked again, of the same.
    assert (rounds[1].coverage > rounds[0].coverage) == rounds[0].accepted
