"""The whole book as one PDF: every page of the built site, in order, printed by Chromium.

    python book/pdf.py    # after `make book`; writes _build/book.pdf

Pages and their sections become bookmarks, and links between pages lead to the page's place in
the file. For the Korean terms the machine needs a font that has them.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).with_name("_ext")))
from light import AWAKE  # noqa: E402

SITE = ROOT / "_build" / "html"
OUTPUT = ROOT / "_build" / "book.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PAPER: dict[str, Any] = {
    "format": "A4",
    "margin": {"top": "18mm", "bottom": "18mm", "left": "20mm", "right": "20mm"},
}
#: Of a document that is nothing but the feet of pages.
FOOTERS = """
@page { margin: 0; }
body { margin: 0; }
p {
  display: flex; align-items: end; justify-content: center; box-sizing: border-box;
  height: 285mm; margin: 0; break-after: page; font: 8px sans-serif; color: #5a616b;
}
p:last-child { break-after: auto; }
"""
#: For print: nothing to click on, no frame around the text, no figure cut in two, no box that keeps
#: a long cell off the page it could begin on, the widest output on one line, nothing half faded in,
#: no empty box that opens another sheet, and the blank at a title's line break, for its bookmark.
STYLE = """
* { animation: none !important; }
.bd-header, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .prev-next-footer,
.bd-footer, .bd-footer-content, .headerlink, .copybtn, .skip-link, #jb-print-docs-body {
  display: none !important;
}
.bd-article-container, .bd-main .bd-content .bd-article-container {
  max-width: none !important; padding: 0 !important;
}
html { font-size: 12.5px !important; }
body { min-height: 0 !important; }
.bd-article { padding: 0 !important; }
.bd-article h1 { display: block !important; }
.cell, details, .cell_input, .cell_output, .highlight, [class*="highlight-"],
.pst-scrollable-table-container {
  display: block !important; break-inside: auto !important; overflow: visible !important;
}
table { break-inside: auto !important; }
pre {
  white-space: pre-wrap !important; break-inside: auto !important; overflow: visible !important;
  orphans: 4; widows: 4;
}
.cell_output pre { font-size: 9.2px !important; }
img, figure, tr { break-inside: avoid; }
h1, h2, h3, summary { break-after: avoid; }
h1, h2, h3 { white-space: pre-wrap !important; }
.toctree-wrapper:not(:has(*)) { display: none; }
.bd-article section > p:last-of-type { margin-bottom: 0 !important; }
"""
#: Whether each figure with a picture of the reader's has its answers, those at all shifts included.
ANSWERED = """() => [...document.querySelectorAll(".cvx:has(.cvx-own)")].every(
    (figure) => figure.querySelector(".cvx-summary").textContent.includes(" of 81 shifts"))"""


def chapters(node: Any) -> Iterator[str]:
    """The documents of a table of contents, in order."""
    if isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from chapters(child)


@contextmanager
def browser_tab() -> Iterator[Any]:
    """A tab of Chromium: of the one on this machine, or of Playwright's own."""
    with sync_playwright() as driver:
        installed = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = driver.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        yield browser.new_page(color_scheme="light")
        browser.close()


def print_page(tab: Any, address: str, path: Path) -> str:
    """Print a page of the site into a file, all that is folded unfolded; its title."""
    tab.goto(address)
    tab.wait_for_function(AWAKE)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")  # figures that wait for their reader
    tab.wait_for_function(ANSWERED)
    tab.add_style_tag(content=STYLE)
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    tab.pdf(path=path, **PAPER, outline=True, tagged=True)
    return str(tab.title())


def print_footers(tab: Any, titles: list[str], path: Path) -> None:
    """Print empty sheets, at whose foot stands the title of a page and its number in the book."""
    sheets = (f"<p>{escape(title)} · {number}</p>" for number, title in enumerate(titles, 1))
    tab.set_content(f"<style>{FOOTERS}</style>{''.join(sheets)}")
    tab.pdf(path=path, format="A4")


def print_book(site: Path, names: list[str]) -> PdfWriter:
    """Print these pages of a built site into one file, with links that stay inside it."""
    writer = PdfWriter()
    starts: dict[str, int] = {}
    titles: list[str] = []
    with tempfile.TemporaryDirectory() as folder, browser_tab() as tab:
        for name in names:
            print(f"{name} …", flush=True)
            path = Path(folder, f"{len(starts)}.pdf")
            address = (site / f"{name}.html").as_uri()
            title = print_page(tab, address, path)
            starts[address] = len(writer.pages)
            writer.append(PdfReader(path))
            titles += [title] * (len(writer.pages) - len(titles))
        print_footers(tab, titles, Path(folder, "footers.pdf"))
        footers = PdfReader(Path(folder, "footers.pdf"))
        for page, footer in zip(writer.pages, footers.pages, strict=True):
            page.merge_page(footer)
            page.compress_content_streams()
    lead_inside(writer, starts)
    writer.add_metadata({"/Title": "Image Classification, Tested"})
    writer.page_mode = "/UseOutlines"  # viewers show the bookmarks beside the text
    writer.compress_identical_objects()
    return writer


def lead_inside(writer: PdfWriter, starts: dict[str, int]) -> None:
    """Have links to pages of the site (address → its first sheet) lead to their sheets."""
    top = [NameObject("/XYZ"), NullObject(), NullObject(), NullObject()]
    for page in writer.pages:
        for annotation in page.get("/Annots", ()):
            link = annotation.get_object()
            target = urldefrag(str(link.get("/A", {}).get("/URI", ""))).url
            if target in starts:
                start = writer.pages[starts[target]].indirect_reference
                action = {
                    NameObject("/S"): NameObject("/GoTo"),
                    NameObject("/D"): ArrayObject([start, *top]),
                }
                link[NameObject("/A")] = DictionaryObject(action)


def main() -> None:
    """Print the pages of the table of contents."""
    if not (SITE / "book" / "index.html").exists():
        raise SystemExit("the site is not built yet; run `make book` first")
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    writer = print_book(SITE, list(chapters(contents)))
    writer.write(OUTPUT)
    print(f"{len(writer.pages)} pages in {OUTPUT}")


if __name__ == "__main__":
    main()
