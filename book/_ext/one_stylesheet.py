"""One stylesheet for the whole book, of the rules that its pages can use.

The theme and the extensions bring ten, of half a megabyte, and a page shows nothing before it has
them all. Once the pages are written, a rule is kept if each class that it names stands anywhere in
a page or in a script. What is left is a tenth, and comes in one piece, `book.css`, which is what
`book/_templates/static/webpack-macros.html` asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import tinycss2
from sphinx.application import Sphinx
from tinycss2.ast import Node

#: What the theme's own `webpack-macros.html` asks for ahead of the rest.
BEFORE_ALL = ("basic.css", "styles/pydata-sphinx-theme.css")
SCRIPT = re.compile(r'<script [^>]*src="[^"?]*_static/([^"?]+)')
#: At-rules that hold rules; others, such as @keyframes, stay as they are.
HOLDERS = {"media", "supports", "container", "layer"}


def can_match(selector: list[Node], words: set[str]) -> bool:
    """Whether every class that must be there is; within `:not(…)` and the like, none must."""
    named = [name for dot, name in pairwise(selector) if dot == "." and name.type == "ident"]
    return all(name.value in words for name in named)


def in_use(rules: list[Node], words: set[str]) -> Iterator[str]:
    """The rules that can match anything, as text."""
    for rule in rules:
        if rule.type == "qualified-rule":
            parted = groupby(rule.prelude, lambda token: token == ",")
            selectors = [list(tokens) for comma, tokens in parted if not comma]
            used = [selector for selector in selectors if can_match(selector, words)]
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


def take(sheets: dict[str, None], context: dict[str, Any]) -> None:
    """Note the stylesheets that a page would ask for, in their order, and have it ask for none."""
    found = sorted(context["css_files"], key=lambda sheet: sheet.priority)
    sheets |= dict.fromkeys(str(sheet.filename).removeprefix("_static/") for sheet in found)
    context["css_files"] = []


def bundle(sheets: dict[str, None], app: Sphinx, error: Exception | None) -> None:
    """Write what the pages can use of all these stylesheets."""
    if error or not sheets:  # no page was written
        return
    out, static = Path(app.outdir), Path(app.outdir, "_static")
    texts = [p.read_text("utf-8") for p in out.rglob("*.html") if static not in p.parents]
    scripts = {name for text in texts for name in SCRIPT.findall(text)}
    texts += [(static / name).read_text("utf-8") for name in scripts]
    words = set(re.findall(r"[\w-]+", " ".join(texts)))
    css = {
        sheet: purge((static / sheet).read_text("utf-8"), words) for sheet in (*BEFORE_ALL, *sheets)
    }
    parts = [f"/* {sheet} */\n{rules}\n" for sheet, rules in css.items()]
    (static / "book.css").write_text("".join(parts), "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """After everything is written, the colours of code too, which the theme writes last."""
    sheets: dict[str, None] = {}  # an ordered set
    app.connect("html-page-context", lambda *args: take(sheets, args[3]), priority=900)
    app.connect("build-finished", lambda app, error: bundle(sheets, app, error), priority=900)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": False}
