"""Every exercise: its solution is right, its mistakes are told apart, nothing raises."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from chapters import CHAPTERS, chapter, exercises_of
from scipy import stats
from torch import nn
from torchvision.ops import generalized_box_iou_loss

from cvcourse.practice.function import TRIALS, Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Quiz, Right
from cvcourse.receptive_field import receptive_field

EXERCISES = [
    pytest.param(one, id=f"{name}.{one.name}") for name in CHAPTERS for one in exercises_of(name)
]
WITH_MISTAKES = [case for case in EXERCISES if isinstance(case.values[0], Number | Function)]
FUNCTIONS = [case for case in EXERCISES if isinstance(case.values[0], Function)]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_solution_is_right(exercise: Any) -> None:
    feedback = exercise.judge(exercise.answer)
    assert feedback.mark == "✓", feedback.text


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_solution_that_is_shown_is_the_one_that_is_right(exercise: Any) -> None:
    """Its text alone, without the decorator, runs where its module's imports are known."""
    module = importlib.import_module(
        exercise.answer.__module__ if callable(exercise.answer) else exercise._solution.__module__
    )
    names: dict[str, Any] = dict(vars(module))
    exec(compile("from __future__ import annotations\n" + exercise.source, "shown", "exec"), names)
    shown = names[exercise.name]
    assert not exercise.source.startswith("@")
    answer = shown() if isinstance(exercise, Number) else shown
    assert exercise.judge(answer).mark == "✓"


@pytest.mark.parametrize("exercise", WITH_MISTAKES)
def test_each_mistake_gets_its_own_feedback(exercise: Any) -> None:
    assert len(exercise.mistakes) >= 3
    for feedback, wrong in exercise.mistakes.items():
        said = exercise.judge(wrong)
        assert (said.mark, said.text) == ("✗", feedback)


def network(*layers: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*layers)


def at_least(vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.stack([vectors[labels == c].mean(dim=0) for c in range(10)])


def first_pictures(vectors: torch.Tensor, labels: torch.Tensor) -> tuple[Any, Any]:
    weight = torch.stack([vectors[labels == c][0] for c in range(10)])
    return weight, -weight.square().sum(dim=1) / 2


def greedy(start: torch.Tensor, error: Callable[..., float]) -> torch.Tensor:
    """All combinations, in a fine grid: good, but dear."""
    best = start
    for step in (0.05, 0.02, 0.01, 0.005, 0.002):
        for _ in range(6):
            moves = torch.cartesian_prod(*[torch.tensor([-step, 0, step], dtype=start.dtype)] * 4)
            best = min((best + move for move in moves), key=error)
    return best


def half_step(start: torch.Tensor, error: Callable[..., float]) -> torch.Tensor:
    best = start
    for i in range(4):
        for change in (0.05, -0.05):
            tried = best.clone()
            tried[i] += change
            best = min(best, tried, key=error)
    return best


def with_mode(backbone: nn.Module, images: torch.Tensor) -> torch.Tensor:
    backbone.eval()
    return backbone(images).detach()


def with_gradient(backbone: nn.Module, images: torch.Tensor) -> torch.Tensor:
    backbone.eval()
    maps = backbone(images)
    backbone.train()
    return maps


def frozen(backbone: nn.Module, images: torch.Tensor) -> torch.Tensor:
    maps = with_gradient(backbone.requires_grad_(False), images)
    return maps.detach()


def taught(backbone: nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        backbone[0].weight += 1  # type: ignore[index, operator]
        return backbone(images)


def put_back(backbone: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Dropout is off, batch norm still looks at the batch, but does not remember."""
    backbone[3].eval()  # type: ignore[index, operator]
    backbone[1].track_running_stats = False  # type: ignore[index, assignment]
    mean, std = backbone[1].running_mean, backbone[1].running_var  # type: ignore[index]
    backbone[1].running_mean = backbone[1].running_var = None  # type: ignore[index, assignment]
    maps = backbone(images).detach()
    backbone[1].running_mean, backbone[1].running_var = mean, std  # type: ignore[index, assignment]
    backbone[3].train()  # type: ignore[index, operator]
    return maps


def groups(module: nn.Module, rate: float) -> dict[str, Any]:
    return {"params": list(module.parameters()), "lr": rate}


def richest(reached: dict[str, float], work: dict[str, float]) -> str:
    return max(reached, key=lambda name: reached[name])


def shop(
    choose: Callable[[dict[str, float], dict[str, float]], str], *, free: bool = False
) -> Callable[..., tuple[str, int]]:
    """Spends everything on the method that is chosen by what all of them reach, and by work."""

    def spend(budget: int, backbone: int, work: Any, estimate: Any) -> tuple[str, int]:
        price = {name: 0 if free or name[:8] != "transfer" else backbone for name in work}
        labels = {name: (budget - price[name]) // 5 for name in work}
        chosen = choose({n: estimate(n, labels[n]) for n in work if labels[n] >= 1}, work)
        return chosen, labels[chosen]

    return spend


#: (chapter, exercise) → answers, one for each requirement, in order.
WRONG_ANSWERS: dict[tuple[str, str], list[Callable[..., Any]]] = {
    ("inverse_rendering", "improve"): [
        lambda start, error: error(start),
        lambda start, error: start,
        lambda start, error: (error(start), start)[1],
        half_step,
        greedy,
    ],
    ("one_layer", "without_training"): [
        at_least,
        lambda vectors, labels: (torch.full((10, 3072), float("nan")), torch.zeros(10)),
        lambda vectors, labels: (at_least(vectors, labels), torch.zeros(10)),
        first_pictures,
    ],
    ("receptive_fields", "made_to_measure"): [
        lambda: 24,
        network(nn.Flatten(), nn.Linear(3 * 64 * 64, 2)),
        network(nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(1)),
        network(nn.Conv2d(3, 1, 24, stride=1), nn.MaxPool2d(1, stride=2)),
        network(nn.Conv2d(3, 2, 3, stride=2), nn.Conv2d(2, 2, 3, stride=2)),
        network(nn.Conv2d(3, 1, 25, stride=4)),
        network(nn.Conv2d(3, 1, 24, stride=4)),
        network(nn.AvgPool2d(24, stride=4)),
    ],
    ("label_budget", "spend"): [
        lambda budget, backbone, work, estimate: "+ augmentation",
        lambda budget, backbone, work, estimate: ("+ augmentation", 0),
        lambda budget, backbone, work, estimate: ("+ augmentation", budget),
        shop(richest, free=True),
        shop(lambda reached, work: "+ augmentation"),
        shop(richest),
    ],
    ("transfer", "two_groups"): [
        lambda model, head, rate: {"params": list(model.parameters()), "lr": rate},
        lambda model, head, rate: [{"params": model, "lr": rate}],
        lambda model, head, rate: [groups(head, rate)],
        lambda model, head, rate: [groups(model, rate / 10), groups(head, rate)],
        lambda model, head, rate: [groups(model, rate / 10)],
        lambda model, head, rate: [groups(model, rate)],
    ],
    ("one_backbone_many_heads", "borrow"): [
        lambda backbone, images: images,
        taught,
        lambda backbone, images: backbone(images).detach(),
        put_back,
        with_gradient,
        with_mode,
        frozen,
    ],
}
PROJECTS = {
    (name, one.name) for name in CHAPTERS for one in exercises_of(name) if isinstance(one, Project)
}


def test_each_project_has_its_wrong_answers() -> None:
    assert set(WRONG_ANSWERS) == PROJECTS


@pytest.mark.parametrize("case", WRONG_ANSWERS, ids=".".join)
def test_each_requirement_can_be_missed(case: tuple[str, str]) -> None:
    exercise = getattr(chapter(case[0]), case[1])
    said = [exercise.judge(wrong) for wrong in WRONG_ANSWERS[case]]
    assert {feedback.mark for feedback in said} == {"✗"}
    assert [feedback.text for feedback in said] == list(exercise.requirements)


def raising(*_: Any) -> None:
    raise ValueError("the learner's own error")


def rude(*_: Any) -> None:
    raise BrokenError


class BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


class Broken:
    def __array__(self, *_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    def __float__(self) -> float:
        raise ZeroDivisionError


GARBAGE = [
    *(None, "", "7", b"7", True, float("nan"), float("inf"), -1, 10**400, 1j, [], {}, object()),
    *(np.array("x"), np.zeros((3, 3)), torch.zeros(2, 3), torch.tensor(1.0), [1, [2]], Broken()),
    *(lambda: None, lambda *_: "text", lambda *_: float("nan"), lambda *_: torch.zeros(99, 1, 2)),
    *(lambda *_: [1, [2]], lambda *_: {}, lambda *_: object(), lambda *_: Broken(), raising, rude),
    *(lambda *a: list(a[0]), lambda *a: a[0], lambda *a: a[-1], lambda *a: a[0] @ a[0]),
    *(int, nn.Linear, nn.Linear(2, 2), torch.relu, len, range(3), ...),
]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_answer_raises_or_is_taken_for_right(
    exercise: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in GARBAGE:
        assert exercise.check(answer) is exercise
        said = capsys.readouterr().out
        assert said[0] in "✗…", f"{answer!r}: {said}"
        assert len(said) > 20
        assert max(map(len, said.splitlines())) < 80 or "`" in said


@pytest.mark.parametrize("exercise", EXERCISES)
def test_feedback_does_not_give_the_answer_away(exercise: Any) -> None:
    """Neither the number, nor a line of the solution."""
    texts = [exercise.judge(answer).text for answer in GARBAGE]
    texts += list(exercise.requirements if isinstance(exercise, Project) else exercise.mistakes)
    if isinstance(exercise, Number) and np.ndim(exercise.answer) == 0:
        secret = [f"{exercise.answer:,}", f"{exercise.answer:.4g}", f"{exercise.answer}"]
    else:
        secret = [line.strip() for line in exercise.source.splitlines()[2:] if len(line) > 20]
    assert secret
    for text in texts:
        for part in secret:
            assert not re.search(rf"(?<![\d.,]){re.escape(part)}(?![\d.,]*\d)", text), (part, text)


@pytest.mark.parametrize("exercise", FUNCTIONS)
def test_the_same_answer_gets_the_same_feedback(exercise: Any) -> None:
    generator = torch.Generator()
    calls = [exercise.inputs(generator.manual_seed(seed)) for seed in range(TRIALS)]
    again = [exercise.inputs(generator.manual_seed(seed)) for seed in range(TRIALS)]
    for first, second in zip(calls, again, strict=True):
        for a, b in zip(first, second, strict=True):
            assert torch.equal(a, b) if isinstance(a, torch.Tensor) else str(a) == str(b)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_a_few_exercises_and_a_quiz(name: str) -> None:
    assert 3 <= len(exercises_of(name)) <= 5
    assert isinstance(exercises_of(name)[0], Number), "it begins with a prediction"
    quiz = chapter(name).quiz
    assert isinstance(quiz, Quiz)
    assert 3 <= len(quiz.questions) <= 5
    places = {[type(o) for o in question.options].index(Right) for question in quiz.questions}
    assert len(places) > 1, "the right option must not always stand at the same place"


def test_losses_agree_with_the_libraries() -> None:
    from cvcourse.practice import one_backbone_many_heads, one_layer

    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        boxes = one_backbone_many_heads.giou_loss.inputs(generator)
        ours = one_backbone_many_heads.giou_loss.answer(*boxes)
        torch.testing.assert_close(ours, generalized_box_iou_loss(*boxes))
        scores = one_layer.cross_entropy.inputs(generator)
        theirs = nn.functional.cross_entropy(*scores)
        torch.testing.assert_close(one_layer.cross_entropy.answer(*scores), theirs)


def test_a_units_pixels_are_those_of_the_tool() -> None:
    from cvcourse.practice import receptive_fields

    for seed in range(10):
        layers, unit = receptive_fields.pixels_of.inputs(torch.Generator().manual_seed(seed))
        unit += 20  # away from the border, where a dilated kernel may skip the first pixels
        model = nn.Sequential(
            *(nn.Conv2d(1, 1, k, stride=s, padding=p, dilation=d) for k, s, p, d in layers)
        )
        *_, (_, field) = receptive_field(model, (1, 900, 900)).items()
        top, _, bottom, _ = field.region(unit, unit)
        first, last = receptive_fields.pixels_of.answer(layers, unit)
        assert (top, bottom) == (first, last + 1)


def test_a_fair_gap_is_that_of_the_paired_t_test() -> None:
    from cvcourse.practice import label_budget

    for seed in range(6):
        method, base = label_budget.fair_gap.inputs(torch.Generator().manual_seed(seed))
        paired = stats.ttest_rel(method, base).confidence_interval(0.95)
        assert label_budget.fair_gap.answer(method, base) == pytest.approx(tuple(paired))


def test_the_budget_is_spent_on_what_the_chapter_measured() -> None:
    from cvcourse.experiment import load_record
    from cvcourse.practice.label_budget import COUNTS, MEASURED, WORK

    record = load_record("14_label_budget-shapes")
    found = record.results["methods"]
    assert record.settings["counts"] == list(COUNTS)
    assert {name for name in found.values if "/" not in name} == MEASURED.keys()
    five = COUNTS.index(5)
    for name, accuracies in MEASURED.items():
        assert accuracies == pytest.approx(found.interval(name).mean, abs=0.006)
        work = found[f"{name}/work"][0, five] / found["labels only/work"][0, five]
        assert WORK[name] == pytest.approx(work, abs=0.06)


def test_every_kind_of_method_is_the_right_one_for_some_purse() -> None:
    from cvcourse.practice.label_budget import WALLETS, WORK, estimate, spend

    bought = {spend.answer(*wallet, WORK, estimate)[0] for wallet in WALLETS}
    assert len(bought) >= 4, bought
