"""The one-page summaries say what the chapters print; no number in their tables is invented."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
CHAPTERS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
SUMMARIES = {
    match["chapter"]: match
    for match in re.finditer(
        r"^## \[(?P<title>[^\n]+?)\]\(\.\./notebooks/(?P<chapter>\w+)\.ipynb\)\n"
        r"(?P<text>.*?)(?=^## |\Z)",
        (ROOT / "book/summaries.md").read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
}
#: A number with its interval, or alone: 0.66 [0.58, 0.74] · 99% · 60,965,224 · +0.05
NUMBER = r"[-+]?\d[\d,.]*\d%?|[-+]?\d%?"
MEASURED = re.compile(rf"(?:{NUMBER}) \[(?:{NUMBER}), (?:{NUMBER})\]|{NUMBER}")


def printed(path: Path) -> str:
    """Everything that a notebook's cells print, with single spaces."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = (output for cell in cells for output in cell.get("outputs", ()))
    return re.sub(r"\s+", " ", " ".join(output.get("text", "") for output in outputs))


def measured(summary: str) -> list[str]:
    """The numbers in a summary's tables: of each row, all cells but the first."""
    rows = re.findall(r"^\|[^|\n]*\|(.*)\|$", summary, re.MULTILINE)
    return [number.rstrip(",") for row in rows for number in MEASURED.findall(row)]


@pytest.mark.parametrize("chapter", SUMMARIES)
def test_every_measured_number_is_one_that_the_chapter_prints(chapter: str) -> None:
    numbers = measured(SUMMARIES[chapter]["text"])
    assert len(numbers) >= 3
    text = printed(CHAPTERS[chapter])
    invented = [n for n in numbers if not re.search(rf"(?<![\d.,]){re.escape(n)}(?![\d%])", text)]
    assert invented == [], "the chapter's cells print no such number: read it off again"


def test_every_summary_has_its_chapters_title_asks_and_answers() -> None:
    for chapter, summary in SUMMARIES.items():
        first = nbformat.read(CHAPTERS[chapter], as_version=4).cells[0].source
        assert first.startswith(f"# {summary['title']}\n")
        assert "**Question.**" in summary["text"], chapter
        assert "**Answer.**" in summary["text"], chapter


def test_every_chapter_has_its_summary_in_order() -> None:
    assert list(SUMMARIES) == list(CHAPTERS)
