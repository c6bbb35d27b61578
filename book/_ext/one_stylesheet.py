"""One stylesheet for the whole book, of the rules that its pages can use.

The theme and the extensions bring ten, of half a megabyte, and a page shows nothing before it has
them all. Once the pages are written, a rule is kept if each class that it names stands anywhere in
a page or in a script. What is left is a tenth, and comes in one piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tinycss2

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from tinycss2.ast import Node

NAME = "book.css"
LINK = re.compile(r'\s*<link [^>]*rel="stylesheet"[^>]*>')
ADDRESS = re.compile(r'href="(?P<static>[^"?]*_static/)(?P<file>[^"?]+)')
SCRIPT = re.compile(r'<script [^>]*src="[^"?]*_static/([^"?]+)')
#: At-rules that hold rules; others, such as @keyframes, stay as they are.
HOLDERS = {"media", "supports", "container", "layer"}


def selectors(prelude: list[Node]) -> Iterator[list[Node]]:
    """What stands between the commas."""
    start = 0
    for place, token in enumerate(prelude):
        if token == ",":
            yield prelude[start:place]
            start = place + 1
    yield prelude[start:]


def can_match(selector: list[Node], words: set[str]) -> bool:
    """Whether every class that must be there is; within `:not(…)` and the like, none must."""
    named = [name for dot, name in pairwise(selector) if dot == "." and name.type == "ident"]
    return all(name.value in words for name in named)


def in_use(rules: list[Node], words: set[str]) -> Iterator[str]:
    """The rules that can match anything, as text."""
    for rule in rules:
        if rule.type == "qualified-rule":
            used = [each for each in selectors(rule.prelude) if can_match(each, words)]
            if used:
                names = ",".join(tinycss2.serialize(each).strip() for each in used)
                yield f"{names}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in HOLDERS and rule.content:
            held = "".join(in_use(tinycss2.parse_rule_list(rule.content, True, True), words))
            if held:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{held}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword != "font-face":  # icons.css draws
            yield rule.serialize()


def purge(css: str, words: set[str]) -> str:
    """A stylesheet without the rules for classes that are not among the words."""
    return "\n".join(in_use(tinycss2.parse_stylesheet(css, True, True), words))


def bundle(app: Sphinx, exception: Exception | None) -> None:
    """Put one stylesheet in the place of all, in every page that was written."""
    if exception or app.builder.format != "html":
        return
    out, static = Path(app.outdir), Path(app.outdir, "_static")
    pages = [page for page in out.rglob("*.html") if static not in page.parents]
    texts = {page: page.read_text("utf-8") for page in pages}
    scripts = {name for text in texts.values() for name in SCRIPT.findall(text)}
    sources = [*texts.values(), *((static / name).read_text("utf-8") for name in scripts)]
    sheets: dict[str, None] = {}  # an ordered set
    for page, text in texts.items():
        start, *rest = LINK.split(text)
        addresses = [ADDRESS.search(link) for link in LINK.findall(text)]
        found = [address for address in addresses if address and address["file"] != NAME]
        if found:
            sheets |= dict.fromkeys(address["file"] for address in found)
            link = f'\n<link rel="stylesheet" href="{found[0]["static"]}{NAME}">'
            page.write_text("".join([start, link, *rest]), "utf-8")
    if sheets:
        words = set(re.findall(r"[\w-]+", " ".join(sources)))
        css = {sheet: purge((static / sheet).read_text("utf-8"), words) for sheet in sheets}
        parts = [f"/* {sheet} */\n{rules}\n" for sheet, rules in css.items()]
        (static / NAME).write_text("".join(parts), "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """After everything is written, the colours of code too, which the theme writes last."""
    app.connect("build-finished", bundle, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
