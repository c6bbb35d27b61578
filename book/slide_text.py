"""Markdown of a chapter, cut down to what a slide holds, as HTML that needs nothing beside it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

from mathml import to_mathml

MOST = 600  #: characters of a section's opening
OF_A_PARAGRAPH = 260
OF_AN_ITEM = 140
HEADLINE = 40  #: so short a first sentence says too little alone
#: What a block that is shown whole takes of the room.
WHOLE = {"math_block": 120, "math_block_label": 120, "code_block": 60, "fence": 120, "table": 300}
PREDICT = "**Predict"
END = re.compile(r"(?<=[.?!…:])(?<!\bal\.)[)”’\"*_]*\s+(?=[“‘(\"*_`$]*[A-Z0-9])")
PAIRED = ("**", "`", "$")
LINK = re.compile(r"(?<!!)\[([^][]+)\]\(([^)\s]+)\)")
ANCHOR = re.compile(r'<a id="[\w-]+"></a>')
ITEM = re.compile(r"^(?:[-*]|\d+\.) ", re.MULTILINE)


class Block(NamedTuple):
    """A part of a text that stands by itself: a heading, a paragraph, a list, a formula …."""

    kind: str
    text: str


def _formula(tex: str, options: dict[str, Any]) -> str:
    return to_mathml(tex, display=options["display_mode"])


MARKDOWN = (
    MarkdownIt("commonmark", {"html": True})
    .enable("table")
    .use(dollarmath_plugin, renderer=_formula)
)


def blocks(markdown: str) -> Iterator[Block]:
    """The blocks of a text; notes in the margin are left out."""
    lines, aside = markdown.splitlines(), False
    for token in MARKDOWN.parse(markdown):
        if token.level or token.map is None:
            continue
        text = "\n".join(lines[slice(*token.map)]).strip("\n")
        if token.type == "html_block":
            aside = text.startswith("<div")
        elif not aside:
            yield Block(token.type.removesuffix("_open"), text)


def to_html(markdown: str, names: dict[str, str]) -> str:
    """HTML of Markdown whose links are words.

    Args:
        markdown: the text.
        names: what a link to a place is replaced by: "#fig-shift" → "Figure 3.2".
    """
    text = ANCHOR.sub("", markdown)
    return str(MARKDOWN.render(LINK.sub(lambda link: names.get(link[2], link[1]), text)))


def line_to_html(markdown: str) -> str:
    """The same of one line, such as a heading, which is no paragraph."""
    return str(MARKDOWN.renderInline(LINK.sub(r"\1", markdown)))


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph; none ends within bold words, code or a formula."""
    found: list[str] = []
    start = 0
    for end in END.finditer(paragraph):
        sentence = paragraph[start : end.end()]
        if not any(sentence.count(mark) % 2 for mark in PAIRED):
            found.append(sentence.strip())
            start = end.end()
    return [*found, paragraph[start:].strip()]


def opening(paragraph: str, most: int) -> str:
    """The first sentences of a paragraph, as many as fit; one at least."""
    first, *rest = sentences(" ".join(paragraph.split()))
    for sentence in rest:
        if len(first) > HEADLINE and len(first) + len(sentence) > most:
            break
        first += f" {sentence}"
    return first


def shortened(block: Block, room: int) -> str:
    """What a slide shows of a block; nothing, if it is not for slides."""
    if block.kind in WHOLE:
        return block.text
    if block.kind == "paragraph":
        return opening(block.text, min(room, OF_A_PARAGRAPH))
    if block.kind in ("bullet_list", "ordered_list"):
        mark = "1. " if block.kind == "ordered_list" else "- "
        items = (item for item in ITEM.split(block.text) if item.strip())
        return "\n".join(mark + opening(item, OF_AN_ITEM) for item in items)
    return ""


def introduction(text: list[Block]) -> tuple[str, list[Block]]:
    """What opens a section, as Markdown: its first blocks, shortened, and the blocks left over."""
    shown: list[str] = []
    room = MOST
    for number, block in enumerate(text):
        part = shortened(block, room)
        room -= WHOLE.get(block.kind, len(part))
        if shown and part and room < 0:
            shown[-1] = whole(shown[-1])
            return "\n\n".join(shown).strip(), text[max(0, number - 1) :]  # with what leads to it
        shown.append(part)
    return "\n\n".join(shown).strip(), []


def whole(paragraph: str) -> str:
    """A paragraph without a last sentence that leads to something which is not shown."""
    *rest, last = sentences(paragraph)
    return " ".join([*rest, last] if last.endswith((".", "?", "!", "”")) else rest)


def formulas(text: list[Block]) -> Iterator[str]:
    """Each displayed formula with the sentence that leads to it and the one that follows."""
    ends = [Block("", "")]
    around = zip([*ends, *text[:-1]], text, [*text[1:], *ends], strict=True) if text else ()
    for before, formula, after in around:
        if formula.kind.startswith("math_block"):
            lead = sentences(before.text)[-1] if before.kind == "paragraph" else ""
            rest = opening(after.text, OF_AN_ITEM) if after.kind == "paragraph" else ""
            yield "\n\n".join([lead, formula.text, rest])


def predictions(text: list[Block]) -> Iterator[str]:
    """What the reader is asked to predict."""
    for block in text:
        if block.kind == "blockquote" and PREDICT in block.text:
            yield re.sub(r"^> ?", "", block.text, flags=re.MULTILINE)
