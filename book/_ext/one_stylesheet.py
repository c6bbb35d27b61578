"""One stylesheet for the whole book, of the rules that its pages can use.

The theme and the extensions bring ten, of half a megabyte, and a page shows nothing before it has
them all. Once the pages are written, Lightning CSS leaves out the rules for classes that stand in
no page and in no script. What remains comes in one piece, `book.css`, which is what
`book/_templates/static/webpack-macros.html` asks for.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lightningcss import process_stylesheet
from sphinx.application import Sphinx

#: What the theme's own `webpack-macros.html` asks for ahead of the rest.
BEFORE_ALL = ("basic.css", "styles/pydata-sphinx-theme.css")
SCRIPT = re.compile(r'<script [^>]*src="[^"?]*_static/([^"?]+)')
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
FONT = re.compile(r"@font-face{.*?}")  # Font Awesome's: `icons.css` draws


def purge(css: str, words: set[str]) -> str:
    """A stylesheet without rules for classes that are not among the words, and without fonts."""
    kept = process_stylesheet(css, unused_symbols=set(CLASS.findall(css)) - words)
    return FONT.sub("", kept)


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
    return {"version": "3", "parallel_read_safe": True, "parallel_write_safe": False}
