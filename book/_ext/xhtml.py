"""HTML as XHTML: what a browser forgives, an EPUB's reader does not.

Every element is closed, every attribute has a value in quotes, characters stand for themselves, and
an SVG says that it is one. Scripts, style sheets and controls go: an EPUB has no use for them.
"""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser

VOID = {"area", "br", "col", "embed", "hr", "img", "source", "wbr"}
DROPPED = {"button", "noscript", "script", "style"}
NAME = re.compile(r"<([^\s/>]+)")
ATTRIBUTE = re.compile(r"""\s([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
#: A colour that a style sheet may set; the one behind the comma stands for it where there is none.
VARIABLE = re.compile(r"var\(--[\w-]+, *([^()]+)\)")
SVG = "http://www.w3.org/2000/svg"


class _Rewriter(HTMLParser):
    """Writes anew what it reads, a tag at a time."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open: list[str] = []
        self.depth = 0  # within how many elements that go

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            self.depth += 1
        elif tag != "input" and not self.depth:
            # The parser's own names are in small letters; SVG's are not: viewBox.
            text = self.get_starttag_text() or ""
            name = NAME.findall(text)[0]
            found = {key: unescape("".join(rest)) for key, *rest in ATTRIBUTE.findall(text)}
            if tag == "svg":
                found.setdefault("xmlns", SVG)
            values = {key: VARIABLE.sub(r"\1", value) for key, value in found.items()}
            attributes = "".join(f' {key}="{escape(value)}"' for key, value in values.items())
            self.parts.append(f"<{name}{attributes}{'/' * (tag in VOID)}>")
            if tag not in VOID:
                self.open.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag in DROPPED:
            self.depth -= 1
        elif tag not in VOID | {"input"} and not self.depth:
            self.parts.append(f"</{self.open.pop()}>")

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.parts.append(escape(data, quote=False))


def to_xhtml(html: str) -> str:
    """The body of a page, fit for an EPUB. An element that is not closed stays so."""
    rewriter = _Rewriter()
    rewriter.feed(html)
    rewriter.close()
    return "".join(rewriter.parts)
