"""The whole book as one PDF: every page of the built site, in order, printed by Chromium.

    python book/pdf.py    # after `make book`; writes _build/book.pdf

Pages and their sections become bookmarks, and links between pages lead to the page's place in
the file.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
OUTPUT = ROOT / "_build" / "book.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FOOTER = (
    '<div style="width: 100%; font-size: 8px; color: #5a616b; text-align: center">'
    '<span class="title"></span> · <span class="pageNumber"></span></div>'
)
#: For print: nothing to click on, no frame around the text, no figure cut in two.
STYLE = """
.bd-header, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .prev-next-footer,
.bd-footer, .bd-footer-content, .headerlink, .copybtn, .skip-link, #jb-print-docs-body {
  display: none !important;
}
.bd-article-container, .bd-main .bd-content .bd-article-container {
  max-width: none !important; padding: 0 !important;
}
html { font-size: 12.5px !important; }
.bd-article h1 { display: block !important; }
pre { white-space: pre-wrap !important; }
pre, .highlight, .cell, .cell_input, .cell_output {
  break-inside: auto !important; overflow: visible !important;
}
img, figure, tr { break-inside: avoid; }
h1, h2, h3 { break-after: avoid; }
"""


def chapters(node: Any) -> Iterator[str]:
    """The documents of a table of contents, in order."""
    if isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from chapters(child)


def print_pages(names: list[str], folder: Path) -> dict[str, Path]:
    """Print each page of the site into `folder`: the files by the pages' addresses."""
    printed = {}
    with sync_playwright() as driver:
        installed = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = driver.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        tab = browser.new_page(color_scheme="light")
        for number, name in enumerate(names):
            address = (SITE / f"{name}.html").as_uri()
            tab.goto(address, wait_until="load")
            tab.add_style_tag(content=STYLE)
            tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            path = folder / f"{number:03}.pdf"
            tab.pdf(
                path=path,
                format="A4",
                margin={"top": "18mm", "bottom": "18mm", "left": "20mm", "right": "20mm"},
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOTER,
                outline=True,
                tagged=True,
            )
            print(f"{name} …", flush=True)
            printed[address] = path
        browser.close()
    return printed


def merge(printed: dict[str, Path]) -> PdfWriter:
    """One file, with links that stay inside it."""
    writer = PdfWriter()
    starts = {}
    for address, path in printed.items():
        starts[address] = len(writer.pages)
        writer.append(PdfReader(path))
    for page in writer.pages:
        for annotation in page.get("/Annots", ()):
            link = annotation.get_object()
            target = urldefrag(str(link.get("/A", {}).get("/URI", ""))).url
            if target in starts:
                top = [NameObject("/XYZ"), NullObject(), NullObject(), NullObject()]
                start = writer.pages[starts[target]].indirect_reference
                action = {
                    NameObject("/S"): NameObject("/GoTo"),
                    NameObject("/D"): ArrayObject([start, *top]),
                }
                link[NameObject("/A")] = DictionaryObject(action)
    writer.add_metadata({"/Title": "Image Classification, Tested"})
    return writer


def main() -> None:
    """Print and merge."""
    if not (SITE / "book" / "index.html").exists():
        raise SystemExit("the site is not built yet; run `make book` first")
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        writer = merge(print_pages(list(chapters(contents)), Path(folder)))
        writer.compress_identical_objects()
        writer.write(OUTPUT)
    print(f"{len(writer.pages)} pages in {OUTPUT}")


if __name__ == "__main__":
    main()
