"""The book as an EPUB: what Sphinx's own builder leaves to do for this one.

Pages become XHTML without scripts and controls, for which an EPUB has no use: an interactive figure
is the still picture that it holds for pages without any, with its words. Formulas are MathML
already. The package document says which pages hold MathML and SVG, as the standard wants, and what
the book offers to whom.
"""

from __future__ import annotations

import posixpath
import re
from html import escape
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Comment
from docutils import nodes
from light import ACCESSIBLE
from sphinx.application import Sphinx
from sphinx.builders.epub3 import HTML_TAG, Epub3Builder

#: Style sheets; what else stands in `_static` is for browsers.
KEPT = {"ebook.css", "pygments.css"}
DROPPED = ["button", "input", "noscript", "script", "style"]
#: Files for other programs lie beside the site's pages alone.
FOR_PROGRAMS = 'a[href$=".json"]:not([href*=":"])'
#: A colour that a style sheet may set; the one behind the comma stands for it where there is none.
VARIABLE = re.compile(r"var\(--[\w-]+, *([^()]+)\)")
#: Names of SVG that the parser would write in small letters: viewBox.
CASED = re.compile(r"(?<=[<\s])[a-z]+[A-Z]\w*")
SVG = "http://www.w3.org/2000/svg"
STILL = "A still picture; in the book on the web, this figure answers to you. "
#: What readers with a disability can expect, in the terms of https://schema.org/accessMode.
ACCESS = {
    "accessMode": ("textual", "visual"),
    "accessModeSufficient": ("textual", "textual,visual"),
    "accessibilityFeature": (
        "alternativeText",
        "MathML",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
    ),
    "accessibilityHazard": ("none",),
    "accessibilitySummary": (
        "Every picture has a text that says what one sees. Formulas are MathML. Where the book on "
        "the web has an interactive figure, there is a still picture, described in words.",
    ),
}


class EbookBuilder(Epub3Builder):
    """Sphinx's builder, for a book whose first page lies in a folder."""

    supported_data_uri_images = False  # each picture becomes a file
    html_tag = HTML_TAG.replace(">", ' lang="en" xml:lang="en">')

    def get_toc(self) -> None:
        """Gather the contents; Sphinx has them begin in the first page's folder."""
        super().get_toc()
        for entry in self.refnodes:
            entry["refuri"] = posixpath.normpath(entry["refuri"])

    def toc_metadata(self, level: int, navpoints: list[Any]) -> dict[str, Any]:
        """The same identifier in the older table of contents as in the package document."""
        return super().toc_metadata(level, navpoints) | {"uid": escape(self.config.epub_identifier)}

    def build_content(self) -> None:
        """Write the package document, and complete it."""
        for path in Path(self.outdir, "_static").iterdir():
            if path.name not in KEPT:
                path.unlink()
        super().build_content()
        path = Path(self.outdir, "content.opf")
        text = path.read_text("utf-8")
        for name in self.files:
            if name.endswith(self.out_suffix):
                page = Path(self.outdir, name).read_text("utf-8")
                kinds = [
                    kind for tag, kind in (("<math", "mathml"), ("<svg", "svg")) if tag in page
                ]
                if kinds:
                    item = f'href="{name}"'
                    text = text.replace(item, f'{item} properties="{" ".join(kinds)}"', 1)
        offers = "".join(
            f'  <meta property="schema:{name}">{escape(value)}</meta>\n  '
            for name, values in ACCESS.items()
            for value in values
        )
        path.write_text(text.replace("</metadata>", f"{offers}</metadata>"), "utf-8")


def to_xhtml(html: str) -> str:
    """The body of a page, fit for an EPUB."""
    page = BeautifulSoup(html, "html.parser", multi_valued_attributes=None)
    for tag in page(DROPPED):
        tag.decompose()
    for link in page.select(FOR_PROGRAMS):
        link.unwrap()
    for caption in page.select("figcaption.cvx-summary"):
        caption.insert(0, STILL)
    for comment in page(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    cased = {name.lower(): name for name in CASED.findall(html)}
    for tag in page(True):
        tag.name = cased.get(tag.name, tag.name)
        values = {key: VARIABLE.sub(r"\1", str(value)) for key, value in tag.attrs.items()}
        tag.attrs = {cased.get(key, key): value for key, value in values.items()}
    for drawing in page("svg"):
        drawing["xmlns"] = SVG
    return page.decode()


def rewrite(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Make XHTML of a page."""
    sheets = context["css_files"]
    context["css_files"] = [each for each in sheets if Path(str(each.filename)).name in KEPT]
    if "body" in context:
        for inaccessible, accessible in ACCESSIBLE.items():
            context["body"] = context["body"].replace(inaccessible, accessible)
        context["body"] = to_xhtml(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the place of Sphinx's builder."""
    app.setup_extension("sphinx.builders.epub3")
    app.add_builder(EbookBuilder, override=True)
    # Jupyter Book sets it, whether or not sphinx_comments is there, whose it is.
    app.add_config_value("comments_config", {}, "")
    app.connect("html-page-context", rewrite, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
