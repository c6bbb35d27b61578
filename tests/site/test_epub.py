"""The book as an EPUB: XHTML, a little book, and faults that the check finds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pages import ROOT

sys.path[:0] = [str(ROOT / "book"), str(ROOT / "book" / "_ext")]
from ebook import to_xhtml  # noqa: E402
from epub import settings  # noqa: E402
from epub_check import faults  # noqa: E402

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQ"
PIXEL += "DwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
FIGURE = (
    '<style>p {}</style><div data-explorable="a"><figure class="cvx cvx-still">'
    '<svg viewBox="0 0 9 9" role="img" aria-label="A bar"><rect fill="var(--cvx-blue, #0072b2)"/>'
    '</svg><figcaption class="cvx-summary">A bar.</figcaption></figure></div>'
    '<script type="module">if (1 < 2 && "</p>") fetch("https://example.org");</script>'
)
SETTINGS = f"""
html_static_path = [{str(ROOT / "book" / "_ext" / "ebook.css")!r}]
epub_css_files = ['ebook.css']
extensions = ['myst_nb', 'mathml', 'folding', 'numbering', 'outputs', 'ebook']
source_suffix = {{'.md': 'myst-nb', '.ipynb': 'myst-nb'}}
root_doc = 'book/index'
nb_execution_mode, myst_update_mathjax = 'off', False
myst_enable_extensions = ['dollarmath']
project = author = copyright = epub_contributor = epub_description = epub_title = 'Little'
version, html_use_index, epub_show_urls, epub_tocscope = '1', False, 'no', 'includehidden'
epub_basename, epub_identifier, epub_uid = 'book', 'https://example.org/little', 'book'
suppress_warnings = ['epub.unknown_project_files']
"""


@pytest.fixture
def book(tmp_path: Path, build: Callable[..., tuple[Path, str]]) -> Path:
    """A book of two pages: prose, and a notebook with all that a browser would run or draw."""
    picture = {"text/plain": "<Figure size 1x1>", "image/png": PIXEL}
    outputs = [new_output("display_data", data) for data in (picture, {"text/html": FIGURE})]
    figure = {"caption": "A pixel.", "name": "fig-pixel"}
    shown = {"mystnb": {"figure": figure, "image": {"alt": "One pixel"}}}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# A chapter\n\nIt costs $\\frac{a}{b}$<br>as [below](#fig-pixel)."),
            new_code_cell("draw()", outputs=outputs[:1], metadata=shown),
            new_code_cell("play()", outputs=outputs[1:], metadata={"tags": ["hide-input"]}),
        ],
        metadata={"language_info": {"name": "python", "pygments_lexer": "python"}},
    )
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / "00_chapter.ipynb")
    home = "# Home\n\nSee [it](../notebooks/00_chapter.ipynb), or <a href='a.json'>data</a>.\n\n"
    home += "```{toctree}\n:hidden:\n../notebooks/00_chapter\n```\n"
    folder, warnings = build(SETTINGS, "epub", **{"book/index": home})
    assert warnings == ""
    return folder / "book.epub"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p hidden>a&nbsp;b<br>c</p>", '<p hidden="">a\xa0b<br/>c</p>'),
        ("a<script>if (a < b) c();</script>&lt;b", "a&lt;b"),
        ("<a title=x class='y z'>&quot;</a>", '<a class="y z" title="x">"</a>'),
        ('<linearGradient id="a"/>', '<linearGradient id="a"></linearGradient>'),
        ('<label><input type="checkbox"> all</label>', "<label> all</label>"),
        ('<svg viewBox="0"></svg>', '<svg viewBox="0" xmlns="http://www.w3.org/2000/svg"></svg>'),
        (
            '<a href="a/b.json">b</a> <a href="http://a.json">a</a>',
            'b <a href="http://a.json">a</a>',
        ),
        ('<rect fill="var(--a, #f1f1ec)"/>', '<rect fill="#f1f1ec"></rect>'),
        ("<style>p > a {}</style><!-- b -->c", "c"),
    ],
)
def test_html_becomes_xhtml(html: str, expected: str) -> None:
    assert to_xhtml(html) == expected
    ElementTree.fromstring(f"<p>{expected}</p>")


def test_a_little_book_has_no_fault_and_all_that_it_should(book: Path) -> None:
    assert faults(book) == []
    with ZipFile(book) as archive:
        chapter = archive.read("notebooks/00_chapter.xhtml").decode()
        package = archive.read("content.opf").decode()
        contents = archive.read("nav.xhtml").decode()
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
    assert '<a href="notebooks/00_chapter.xhtml">0 · A chapter</a>' in contents
    assert len(pictures) == 1
    for there in ("<mfrac>", 'alt="One pixel"', "Figure 0.1", 'fill="#0072b2"', "A still picture"):
        assert there in chapter
    for gone in ("<script", "<style", "example.org", 'type="checkbox"', r"\frac"):
        assert gone not in chapter
    assert 'properties="mathml svg"' in package
    assert "schema:accessibilitySummary" in package


#: What is done to a file of the little book → what the check says.
DAMAGE = [
    ("notebooks/00_chapter.xhtml", "<br/>", "<br>", "is no XML"),
    ("notebooks/00_chapter.xhtml", 'alt="One pixel"', 'alt=" "', "has no text"),
    ("notebooks/00_chapter.xhtml", 'aria-label="A bar"', "", "a drawing has no text"),
    ("notebooks/00_chapter.xhtml", "#fig-pixel", "#fig-else", "leads nowhere"),
    ("notebooks/00_chapter.xhtml", '"../_images/', '"https://example.org/', "loads https://"),
    ("notebooks/00_chapter.xhtml", "<br/>", "<script></script>", "holds a script"),
    ("notebooks/00_chapter.xhtml", "<br/>", '<i class="math">\\pi</i>', r"is raw: \pi"),
    ("_static/ebook.css", "p {", "p { background: url(//example.org/a.png);", "loads //example"),
    ("_static/ebook.css", "p {", "p { background: url(a.png);", "a.png leads nowhere"),
    ("content.opf", ' properties="mathml svg"', "", "holds ['mathml', 'svg']"),
    ("content.opf", "00_chapter.xhtml", "01_chapter.xhtml", "does not list notebooks/00_ch"),
    ("content.opf", "00_chapter.xhtml", "01_chapter.xhtml", "which is not there"),
    ("mimetype", "epub", "zip", "mimetype does not say"),
]


def damage(book: Path, name: str, old: str, new: str) -> Path:
    """A copy in which a file is not as it should be."""
    path = book.with_name("damaged.epub")
    with ZipFile(book) as archive, ZipFile(path, "w", ZIP_DEFLATED) as copy:
        for each in archive.namelist():
            text = archive.read(each)
            if each == name:
                assert old.encode() in text
                text = text.replace(old.encode(), new.encode())
            copy.writestr(each, text, ZIP_STORED if each == "mimetype" else None)
    return path


def test_every_fault_is_found(book: Path) -> None:
    for name, old, new, said in DAMAGE:
        found = faults(damage(book, name, old, new))
        assert any(said in fault for fault in found), (said, found)


def test_the_type_must_come_first_and_not_compressed(book: Path) -> None:
    path = book.with_name("late.epub")
    with ZipFile(book) as archive, ZipFile(path, "w") as copy:
        for name in sorted(archive.namelist(), reverse=True):
            copy.writestr(name, archive.read(name))
    assert any("the archive begins with" in fault for fault in faults(path))


def test_the_book_is_set_up_for_no_browser() -> None:
    found = settings(ROOT)
    assert {"myst_nb", "mathml", "home", "ledger", "ebook"} <= set(found["extensions"])
    assert not any("theme" in name or "button" in name for name in found["extensions"])
    assert found["version"] in (ROOT / "CITATION.cff").read_text("utf-8")
