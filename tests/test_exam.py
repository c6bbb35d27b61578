"""The exam questions fit their chapters, and what an answer says of an interval is what it is."""

import math
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "book" / "_ext")]
import chapter  # noqa: E402
from ledger_data import read_ledger  # noqa: E402

TEXT = (ROOT / "book" / "exam.md").read_text("utf-8")
PARTS = re.findall(
    r"^## \[(.+?)\]\(\.\./notebooks/(\w+)\.ipynb\)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S
)
CLAIMS = {claim.id: claim for claim in read_ledger(ROOT, "book/claims.yml", "cvcourse/results")[0]}
INF = math.inf
#: claim, effect → between which bounds its interval lies, and which numbers it holds.
READINGS: dict[tuple[str, str], tuple[float, float, list[float]]] = {
    ("one-run", "the same method again, points"): (-8, 8, [0]),
    ("one-run", "four times the pictures, points"): (2, INF, []),
    ("features-learned", "accuracy, learned minus hand-made features, 20 pictures"): (-1, 0, []),
    ("features-learned", "accuracy, learned minus hand-made features, 2,000 pictures"): (0, 1, []),
    ("features-learned", "the same, 6,000 pictures, trained for longer"): (0.05, 1, []),
    ("knn-similarity", "learned features minus pixels, on classes never seen"): (0.1, 1, []),
    ("knn-similarity", "learned features minus HOG, on classes never seen"): (-1, 1, [0]),
    ("fc-crop", "lead over chance that a single layer keeps, shifted by 1/8"): (0, 0.5, []),
    ("cnn-crop", "lead over chance that a CNN keeps, shifted by 1/4"): (0.8, INF, []),
    ("local-params", "accuracy gained by sharing, 200 pictures"): (0.05, 1, [0.2]),
    (
        "rf-definition",
        "share of the field looked at after training, on large minus on small objects",
    ): (0, 0.1, []),
    ("cnn-backbone", "accuracy, one shared backbone minus one each"): (-1, 1, [0, -0.05]),
    ("cnn-backbone", "box IoU, one shared backbone minus one each"): (-0.05, 0.05, []),
    ("cnn-backbone", "mask IoU, one shared backbone minus one each"): (-1, -0.02, []),
    ("cutmix-gain", "accuracy on large objects, CutMix minus none"): (-1, 0, []),
    ("cutmix-gain", "accuracy on large objects, MixUp minus none"): (-1, 1, [0]),
    ("cutmix-gain", "accuracy on small objects, CutMix minus none"): (-1, 0, []),
    ("randaugment-search", "accuracy, best of them minus none"): (-1, 1, [0]),
    ("transfer-freeze", "accuracy, frozen minus scratch, 2 labels per class"): (0, 1, []),
    ("transfer-freeze", "accuracy, frozen minus scratch, 100 labels per class"): (-1, 1, [0]),
    ("kd-mimic", "accuracy, from the teacher alone (T = 4) minus from labels"): (0.02, 1, []),
    ("soft-labels", "accuracy, soft minus shuffled answers (T = 4)"): (0.05, 1, []),
    ("kd-semantics", "a teacher of other classes minus scratch"): (0.05, 1, []),
    ("kd-semantics", "an untrained teacher minus scratch"): (-1, 1, [-0.03, 0, 0.03]),
    ("pseudo-label", "student minus teacher, 20 labels per class"): (0, 1, []),
    ("pseudo-label", "the same, 4 labels per class"): (-1, 1, [0]),
    ("pseudo-label", "student minus labels trained as long as both"): (0, 1, [0.03]),
    ("self-training", "gained beside it"): (-1, 1, [0]),
}
#: record, claim, effect → the same, of a longer run that an answer mentions.
LONGER: dict[tuple[str, str, str], tuple[float, float, list[float]]] = {
    (
        "02_search-shapes-x4",
        "knn-similarity",
        "learned features minus HOG, on classes never seen",
    ): (0, 1, []),
    (
        "09_cutmix_randaugment-shapes-x4",
        "randaugment-search",
        "accuracy, best of them minus none",
    ): (0, 1, []),
    (
        "10_transfer-shapes-x4",
        "transfer-freeze",
        "accuracy, frozen minus scratch, 100 labels per class",
    ): (-1, 0, []),
    ("13_noisy_student-shapes", "self-training", "gained beside it"): (0, 1, []),
    ("13_noisy_student-shapes-short", "self-training", "gained beside it"): (-1, 1, [0]),
}
#: Findings that answers rest on.
HOLD = [
    ("alexnet-relu-dropout", "but in a short run dropout costs over 5 points"),
    ("alexnet-relu-dropout", "with twice the epochs it gains more than the plain network does"),
    ("data-bias", "the augmentation that fits wins over half of it back"),
    ("data-bias", "and collecting does no more than 10 points better"),
    (
        "transfer-freeze",
        "nor does a head trained to its end close that gap: over 10 points are left",
    ),
    ("label-budget", "1 label: FixMatch is behind augmentation"),
    ("label-budget", "but in views without colour FixMatch is over 40 points better"),
    ("label-budget", "and the labels alone gain from these views, too"),
]


def lies(run: dict[str, Any], what: str, low: float, high: float, holds: list[float]) -> None:
    """The interval of an effect lies there, and holds these numbers."""
    (effect,) = (one for one in run["effect"] if one["what"] == what)
    assert low < effect["low"] <= effect["high"] < high, effect
    assert all(effect["low"] <= number <= effect["high"] for number in holds), effect


@pytest.mark.parametrize(("claim", "what"), READINGS)
def test_an_interval_is_what_an_answer_says_of_it(claim: str, what: str) -> None:
    lies(CLAIMS[claim].live, what, *READINGS[claim, what])


@pytest.mark.parametrize(("record", "claim", "what"), LONGER)
def test_so_is_that_of_a_longer_run(record: str, claim: str, what: str) -> None:
    (run,) = (one for one in CLAIMS[claim].records if one["record"] == record)
    lies(run, what, *LONGER[record, claim, what])


@pytest.mark.parametrize(("claim", "finding"), HOLD)
def test_a_finding_that_an_answer_rests_on_holds(claim: str, finding: str) -> None:
    assert [f["holds"] for f in CLAIMS[claim].live["findings"] if f["what"] == finding] == [True]


def test_on_photographs_several_findings_of_fc_crop_fail() -> None:
    (run,) = (one for one in CLAIMS["fc-crop"].records if one["dataset"] == "cifar10-jpeg")
    assert [finding["holds"] for finding in run["findings"]].count(False) > 2


def test_every_chapter_has_outcomes_and_questions_in_order() -> None:
    assert [name for _, name, _ in PARTS] == chapter.chapters(ROOT)
    for title, name, text in PARTS:
        first = nbformat.read(chapter.find(ROOT, name), as_version=4).cells[0].source
        assert first.startswith(f"# {title}\n")
        outcomes = text.split("After this chapter a student can\n")[1].split("**1.**")[0]
        assert 4 <= outcomes.count("\n- ") <= 5, name
        questions = re.findall(r"^\*\*(\d)\.( Judge\.)?\*\*", text, re.M)
        assert [int(number) for number, _ in questions] in ([1, 2], [1, 2, 3]), name
        assert any(judge for _, judge in questions), name
        assert text.count("{dropdown} Model answer\n") == len(questions), name


def test_who_judges_is_given_the_chapters_numbers_with_the_question() -> None:
    for _, name, text in PARTS:
        for asked in re.findall(r"^\*\*\d\. Judge\.\*\*.*?^:::\{", text, re.M | re.S):
            assert re.search(r"```\{measured\} (\w+)", asked)[1] == name  # type: ignore[index]
        assert "opponent" in text or "control" in text, name


def test_no_measured_number_is_typed_in() -> None:
    assert re.findall(r"\d%? \[[-+−]?\d", TEXT) == []


@pytest.mark.parametrize("page", ["exam", "teaching"])
def test_the_glossarys_student_is_a_network_and_is_linked_where_one_is_meant(page: str) -> None:
    text = (ROOT / "book" / f"{page}.md").read_text("utf-8")
    assert text.count("{term}`student`") == 1  # or the first person of that name would be linked
