"""A sentence of a chapter is short enough to be read once, in a second language too."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FOR_TEACHERS = [ROOT / "book" / "teaching.md", ROOT / "book" / "exam.md"]
MOST = 35  #: words; a formula or a piece of code is one
READER = MarkdownIt().enable("table").use(dollarmath_plugin)
END = re.compile(r"(?<=[.!?…])(?<!\bal\.)[)”’\"]*\s+(?=[“‘(\"]*[A-Z0-9])")


def sentences(markdown: str) -> Iterator[str]:
    """What a reader reads of a text, a sentence at a time; not its tables, nor blocks of code."""
    in_table = False
    for token in READER.parse(markdown):
        in_table = token.type == "table_open" or (in_table and token.type != "table_close")
        if token.type == "inline" and not in_table:
            said = {"text": None, "softbreak": " ", "code_inline": "X", "math_inline": "X"}
            parts = [part for part in token.children or [] if part.type in said]
            yield from END.split("".join(said[part.type] or part.content for part in parts))


def words(sentence: str) -> int:
    """How many a reader reads."""
    return sum(any(map(str.isalnum, word)) for word in sentence.split())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_sentence_is_longer_than_35_words(path: Path) -> None:
    cells = nbformat.read(path, nbformat.NO_CONVERT).cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    found = [sentence for text in prose for sentence in sentences(text)]
    assert len(found) > 50
    assert [sentence for sentence in found if words(sentence) > MOST] == []


@pytest.mark.parametrize("path", FOR_TEACHERS, ids=lambda path: path.stem)
def test_nor_is_one_of_the_pages_for_teachers(path: Path) -> None:
    found = [*sentences(path.read_text("utf-8"))]
    assert len(found) > 50
    assert [sentence for sentence in found if words(sentence) > MOST] == []


def test_a_sentence_ends_where_a_reader_ends_it() -> None:
    text = "# A title\n\nOne (Wei et al. 2022) *has* `x = 1. Y` and $a. B$, see\n[that](#fig-a.B)."
    text += " Is it? “No.” (It is 3.5.)\n\n| a. B |\n|---|\n| c. D |\n\n    make it. Now"
    found = ["A title", "One (Wei et al. 2022) has X and X, see that.", "Is it?", "“No."]
    assert [*sentences(text)] == [*found, "(It is 3.5.)"]
    assert words("One – two [3, 4] 5 %.") == 5
