"""The book as a PDF: a part of it, printed and read back."""

from __future__ import annotations

import re
import sys
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("playwright.sync_api", reason="no Playwright")
pypdf = pytest.importorskip("pypdf", reason="no pypdf")
ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))
import pdf  # noqa: E402

#: A page each with: a list of links, figures, formulas, a table longer than a sheet, short text.
NAMES = [
    "book/index",
    "notebooks/03_one_layer",
    "notebooks/11_distillation",
    "book/claims",
    "book/about",
]


@pytest.fixture(scope="module")
def book(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not any(map(pdf.shutil.which, pdf.BROWSERS)):
        pytest.skip("no Chromium on the PATH")
    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    pdf.print_book(site, NAMES).write(path)
    return pypdf.PdfReader(path)


@pytest.fixture(scope="module")
def texts(book: Any) -> list[str]:
    return [page.extract_text() for page in book.pages]


def bookmarks(book: Any) -> list[tuple[str, int]]:
    """The pages' own bookmarks, and the sheets (from 0) that they lead to."""
    tops = [entry for entry in book.outline if not isinstance(entry, list)]
    return [(entry.title, book.get_destination_page_number(entry)) for entry in tops]


def title(site: Path, name: str) -> str:
    found = re.search(r"<title>(.+?)</title>", (site / f"{name}.html").read_text("utf-8"))
    assert found
    return unescape(found[1])


def test_the_whole_table_of_contents_is_printed_in_its_order() -> None:
    text = (ROOT / "_toc.yml").read_text("utf-8")
    written = re.findall(r"^(?:root:| +- file:) (\S+)$", text, re.MULTILINE)
    assert len(written) > 20
    assert list(pdf.chapters(yaml.safe_load(text))) == written


def test_every_page_has_its_bookmark_in_order_and_sections_below(book: Any, site: Path) -> None:
    found = bookmarks(book)
    assert [name for name, _ in found] == [title(site, name).split(" — ")[0] for name in NAMES]
    starts = [sheet for _, sheet in found]
    assert starts == sorted(set(starts))
    assert starts[0] == 0
    below = [str(entry) for entry in book.outline if isinstance(entry, list)]
    assert sum("'Verdicts'" in sections for sections in below) == 2
    assert book.page_mode == "/UseOutlines"


def test_sheets_are_full_and_numbered_through_the_book(
    book: Any, texts: list[str], site: Path
) -> None:
    starts = [sheet for _, sheet in bookmarks(book)] + [len(texts)]
    lengths = [end - start for start, end in pairwise(starts)]
    assert all(10 <= length <= 40 for length in lengths[1:3]), lengths
    for number, text in enumerate(texts, 1):
        name = NAMES[sum(start < number for start in starts[:-1]) - 1]
        foot = f"{title(site, name)} · {number}"
        assert " ".join(text.split()).endswith(foot)
        shown = len(text) - len(foot) > 100 or len(book.pages[number - 1].images) > 0
        assert shown, f"sheet {number} is empty"


def test_figures_formulas_and_answers_are_there(book: Any, texts: list[str]) -> None:
    (_, one_layer), (_, distillation), (_, claims) = bookmarks(book)[1:4]
    pictures = sum(len(page.images) for page in book.pages[one_layer:distillation])
    assert pictures >= 8
    assert "softmax" in "".join(texts[distillation:claims])
    assert re.search(r"𝐿|𝛼|𝜏|𝑇|KL", "".join(texts[distillation:claims])), "no formula"
    assert "Right." in "".join(texts[one_layer:distillation]), "a quiz is printed unfolded"


def test_links_between_pages_stay_inside_the_file(book: Any) -> None:
    inside = outside = 0
    for page in book.pages:
        for link in page.get("/Annots", ()):
            action = link.get_object().get("/A", {})
            inside += action.get("/S") == "/GoTo"
            outside += "03_one_layer.html" in str(action.get("/URI", ""))
    assert inside > 10
    assert outside == 0
