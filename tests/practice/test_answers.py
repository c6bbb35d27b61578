"""Right answers in every form are taken; wrong ones are told what is wrong with them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from answers import RIGHT, WRONG
from chapters import CHAPTERS, chapter, exercises_of

pytestmark = pytest.mark.filterwarnings("ignore")  # such as of F.kl_div's default reduction

NAMES = {f"{name}.{one.name}" for name in CHAPTERS for one in exercises_of(name)}


def judge(name: str, answer: Any) -> tuple[bool, str]:
    """Whether an answer is right, and what is said of it."""
    module, exercise = name.split(".")
    feedback = getattr(chapter(module), exercise).judge(answer)
    text = " ".join(str(feedback).split())
    return feedback.mark == "✓" and feedback.text.startswith("Right."), text


def test_there_are_answers_to_all_exercises() -> None:
    assert set(RIGHT) == set(WRONG) == NAMES
    assert sum(map(len, RIGHT.values())) >= 60
    assert sum(map(len, WRONG.values())) >= 150


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_right_answer_is_right_in_any_form(name: str) -> None:
    said = [judge(name, answer) for answer in RIGHT[name]]
    assert [text for right, text in said if not right] == []


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_answer_is_wrong(name: str) -> None:
    said = [judge(name, answer) for _, answer in WRONG[name]]
    assert [text for right, text in said if right or "cannot be checked" in text] == []


#: Whose mistakes were accepted, or not recognised: all of them are now.
NO_MISS = {
    "augmentation.brighten",
    "augmentation.flip_boxes",
    "distillation.teach",
    "distillation.teach_with_labels",
    "lenet_alexnet_vgg.two_paths",
    "one_layer.logits",
    "one_layer.without_training",
}


def test_most_wrong_answers_are_told_what_is_wrong() -> None:
    told = {
        (name, number): bool(re.search(pattern, judge(name, answer)[1], re.I | re.S))
        for name in WRONG
        for number, (pattern, answer) in enumerate(WRONG[name])
    }
    missed = [case for case, hit in told.items() if not hit]
    assert len(missed) <= 0.2 * len(told), missed
    assert [case for case in missed if case[0] in NO_MISS] == []
