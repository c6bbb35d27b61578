"""Pages that show quickly, keep still while they load, and say in a sentence what they are.

Scripts wait until the page can be read. Every image states its size, so that no text jumps when it
comes, and all but the first are fetched when the reader gets near. The other half of this stands
in `book/_templates`: what the theme loads without need is left out there.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import imagesize
from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: Sphinx's settings, which scripts within the page add to while it is read.
AT_ONCE = "documentation_options.js"
IMAGE = re.compile(r'<img (?P<attributes>[^>]*?src="(?P<source>[^"]+)"[^>]*?)\s*/?>')


def describe(doctree: nodes.document | None, default: str) -> str:
    """The first paragraph of a page, as the one sentence or two that a search engine shows."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        if isinstance(paragraph.parent, nodes.section) and len(paragraph.astext()) > 50:
            return shorten(paragraph.astext(), 160, placeholder=" …")
    return default


def sized(body: str, files: dict[str, Path]) -> str:
    """A page's text, in which images state their width and height, and only the first is urgent."""
    seen = 0

    def mend(found: re.Match[str]) -> str:
        nonlocal seen
        attributes = found["attributes"]
        file = files.get(unescape(found["source"]).rsplit("/", 1)[-1])
        if file and "width" not in attributes:
            width, height = imagesize.get(file)
            attributes += f' width="{width}" height="{height}"'
        if seen:
            attributes += ' loading="lazy"'
        seen += 1
        return f"<img {attributes}>"

    return IMAGE.sub(mend, body)


def set_waiting(script: Any, waits: bool) -> None:
    """Let a script run once the page is read, or at once. Sphinx shares scripts among pages."""
    if waits:
        script.attributes["defer"] = ""
    else:
        script.attributes.pop("defer", None)


def lighten(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mend what the theme is given to make a page of."""
    context["description"] = describe(doctree, app.config.html_title)
    for script in context["script_files"]:
        if script.filename:  # those of the search page build on each other, and do not wait
            set_waiting(script, page != "search" and AT_ONCE not in script.filename)
    if "body" in context:
        files = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}
        context["body"] = sized(context["body"], files)


def setup(app: Sphinx) -> dict[str, Any]:
    """After the extensions that add scripts to a page."""
    app.connect("html-page-context", lighten, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
