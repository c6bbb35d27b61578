"""What a notebook asks is what its chapter's module has, and it is left unanswered."""

from __future__ import annotations

import ast
import re
from typing import Any

import nbformat
import pytest
from chapters import CHAPTERS, ROOT, chapter, exercises_of


def page(name: str) -> list[Any]:
    """The code cells of a chapter's notebook."""
    (path,) = (ROOT / "notebooks").glob(f"[0-9][0-9]_{name}.ipynb")
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def asked(cell: Any) -> str | None:
    found = re.search(r"^practice\.(\w+)\.check\(", cell.source, re.MULTILINE)
    return found[1] if found else None


def test_practice_in_a_notebook_is_of_its_chapter() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        found = re.findall(
            r"from cvcourse\.practice import (\w+) as practice", path.read_text("utf-8")
        )
        assert found in ([], [path.stem[3:]])
        assert set(found) <= set(CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_notebook_asks_exactly_the_exercises(name: str) -> None:
    cells = page(name)
    exercises = [exercise.name for exercise in exercises_of(name)]
    assert [asked(cell) for cell in cells if asked(cell)] == exercises
    assert [cell.source for cell in cells].count("practice.quiz") == 1


@pytest.mark.parametrize("name", CHAPTERS)
def test_an_answer_takes_no_name_that_the_chapter_uses(name: str) -> None:
    """Or an answer would break the chapter when one of its cells is run again."""
    cells = [cell for cell in page(name) if "setup" not in cell.metadata.get("tags", ())]
    practice = [cell.source for cell in cells if "practice." in cell.source]
    rest = [cell.source for cell in cells if "practice." not in cell.source]
    defined = {
        node.name
        for node in ast.parse("\n".join(practice)).body
        if isinstance(node, ast.FunctionDef)
    }
    used = {node.id for node in ast.walk(ast.parse("\n".join(rest))) if isinstance(node, ast.Name)}
    assert not ({"practice"} | defined) & used


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
