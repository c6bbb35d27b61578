"""What a notebook asks is what its chapter's module has, and it is left unanswered."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
from practice import CHAPTERS, ROOT, chapter, exercises_of

from cvcourse.check.number import Number

#: Chapters whose notebooks are still being written; their practice is not yet in them.
WAITING: set[str] = set()


def page(name: str) -> list[Any]:
    """The code cells of a chapter's notebook."""
    if name in WAITING:
        pytest.skip(f"practice has not been put into the notebook {name} yet")
    paths = list((ROOT / "notebooks").glob(f"[0-9][0-9]_{name}.ipynb"))
    if not paths:
        pytest.skip(f"the notebook {name} is not there yet")
    return [c for c in nbformat.read(paths[0], as_version=4).cells if c.cell_type == "code"]


def asked(cell: Any) -> str | None:
    found = re.search(r"^practice\.(\w+)\.check\(", cell.source, re.MULTILINE)
    return found[1] if found else None


def test_practice_in_a_notebook_is_of_its_chapter() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        found = re.findall(
            r"from cvcourse\.check import (\w+) as practice", path.read_text("utf-8")
        )
        assert found in ([], [path.stem[3:]])
        assert set(found) <= set(CHAPTERS) - WAITING


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_notebook_asks_exactly_the_exercises(name: str) -> None:
    cells = page(name)
    exercises = [exercise.name for exercise in exercises_of(name)]
    assert [asked(cell) for cell in cells if asked(cell)] == exercises
    assert [cell.source for cell in cells].count("practice.quiz") == 1
    elsewhere = "\n".join(cell.source for cell in cells if not asked(cell))
    answers = [one.name for one in exercises_of(name) if not isinstance(one, Number)]
    for exercise in answers:  # or an answer would break the chapter when a cell is run again
        assert not re.search(rf"^(def {exercise}\b|{exercise} =)", elsewhere, re.MULTILINE)


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_notebook_is_left_unanswered(name: str) -> None:
    """Its outputs are today's: no answer yet, hint and solution folded, and the quiz."""
    for cell in page(name):
        shown: dict[str, str] = {}
        for output in cell.outputs:
            shown |= output.get("data", {})
        if exercise := asked(cell):
            one = getattr(chapter(name), exercise)
            assert cell.outputs[0].text.startswith("…")
            assert shown["text/html"] == one._repr_html_()
            assert shown["text/plain"] == repr(one)
        if cell.source == "practice.quiz":
            assert shown["text/html"] == chapter(name).quiz._repr_html_()
