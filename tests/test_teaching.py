"""What the page for teachers says of the chapters is what they say of themselves."""

import importlib
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book"))
import assignment  # noqa: E402
import chapter  # noqa: E402
import grade  # noqa: E402

TEXT = (ROOT / "book" / "teaching.md").read_text("utf-8")
NAMES = chapter.chapters(ROOT)
TERM = re.findall(r"^\| (\d+) \| \[\]\(\.\./notebooks/(\w+)\.ipynb\) \| (.+) \|$", TEXT, re.M)
WEEK = re.findall(r"^\| (\d) \| ([\d, ]+) \| (\d+) \|", TEXT, re.M)


def first(name: str) -> str:
    return str(nbformat.read(chapter.find(ROOT, name), as_version=4).cells[0].source)


def minutes(name: str) -> int:
    found = re.search(r"\*\*Time\*\* (\d+) minutes to read", first(name))
    assert found
    return int(found[1])


def needs(name: str) -> str:
    before = first(name).split("**Before you start**")[1]
    named = re.findall(r"\((\d\d)_\w+\.ipynb\)|chapter (\d+)", before)
    return ", ".join(map(str, sorted({int(a or b) for a, b in named}))) or "–"


def test_a_term_has_a_chapter_a_week_with_its_minutes_needs_tasks_and_points() -> None:
    assert [name for _, name, _ in TERM] == NAMES
    assert [int(week) for week, _, _ in TERM] == [*range(1, len(NAMES) + 1)]
    for _, name, rest in TERM:
        practice = importlib.import_module(f"cvcourse.practice.{name[3:]}")
        cells = nbformat.read(chapter.find(ROOT, name), as_version=4).cells
        tasks = [getattr(practice, task) for task, *_ in assignment.tasks(cells)]
        points = sum(map(assignment.worth, tasks))
        assert rest == f"{minutes(name)} | {needs(name)} | {len(tasks)} | {points}", name


def test_what_a_chapter_needs_comes_before_it() -> None:
    for number, name in enumerate(NAMES):
        named = re.findall(r"\d+", needs(name))
        assert all(int(one) < number for one in named), name


def test_a_week_has_every_chapter_once_and_its_minutes() -> None:
    days = [[int(number) for number in chapters.split(", ")] for _, chapters, _ in WEEK]
    assert [number for day in days for number in day] == [*range(len(NAMES))]
    assert len(days) == 5
    told = [int(read) for _, _, read in WEEK]
    assert told == [sum(minutes(NAMES[number]) for number in day) for day in days]


def test_the_limits_of_a_mark_are_those_of_the_grader() -> None:
    assert f"takes over {grade.SECONDS:g} seconds" in TEXT
    assert grade.CALLS == 8
    assert "with eight more" in TEXT


def test_the_rubric_has_as_many_points_as_it_says() -> None:
    rows = re.findall(r"^\| \*\*.+?\*\* \((\d)\) \|", TEXT, re.M)
    told = re.search(r"^Of (\d+) points", TEXT, re.M)
    assert told
    assert sum(map(int, rows)) == int(told[1])


def test_only_the_chapters_of_the_table_leave_adamw() -> None:
    other = [
        name for name in NAMES if 'optimizer=\\"' in chapter.find(ROOT, name).read_text("utf-8")
    ]
    assert other == ["13_noisy_student"]
    assert "| chapter 13, the round by hand beside the package | SGD" in TEXT
