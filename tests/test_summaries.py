"""The one-page summaries: every chapter's question and answer, and no number that is typed in."""

import re
from pathlib import Path

import nbformat

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
#: A number with its interval: these change from run to run, and belong to the chapter's data.
MEASURED = re.compile(r"\d%? \[[-+−]?\d")


def test_every_summary_shows_what_its_own_chapter_measured() -> None:
    for chapter, summary in SUMMARIES.items():
        assert re.findall(r"^```\{measured\} (\w+)$", summary["text"], re.MULTILINE) == [chapter]


def test_no_measured_number_is_typed_in() -> None:
    typed = {name: MEASURED.findall(summary["text"]) for name, summary in SUMMARIES.items()}
    assert {name: found for name, found in typed.items() if found} == {}
    tables = {name for name, summary in SUMMARIES.items() if "\n|" in summary["text"]}
    assert tables == set()


def test_every_summary_has_its_chapters_title_asks_and_answers() -> None:
    for chapter, summary in SUMMARIES.items():
        first = nbformat.read(CHAPTERS[chapter], as_version=4).cells[0].source
        assert first.startswith(f"# {summary['title']}\n")
        assert "**Question.**" in summary["text"], chapter
        assert "**Answer.**" in summary["text"], chapter


def test_every_chapter_has_its_summary_in_order() -> None:
    assert list(SUMMARIES) == list(CHAPTERS)
