"""Pages that show quickly, keep still while they load, say what they are, and serve everybody.

Scripts wait until the page can be read, and leave what is far from the reader alone. Code has no
more elements than colours. Every image states its size, so that no text jumps when it comes, and is
fetched when the reader gets near, unless a page begins with it. The other half of this stands in
`book/_templates`: what the theme loads without need is left out there.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from html import unescape
from io import BytesIO
from pathlib import Path
from textwrap import shorten
from typing import Any

import imagesize
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

#: Sphinx's settings, which scripts within the page add to while it is read.
AT_ONCE = "documentation_options.js"
THEME_SCRIPT = "scripts/pydata-sphinx-theme.js"
EVERY_BLOCK = re.compile(r'document\.querySelectorAll\(\["pre",[^]]*\]\.join\(", "\)\)')
TOP = 500  #: characters of text that may stand above an image at the beginning of a page
FIGURE = re.compile(r'<script type="module">\n(.*?)</script>', re.DOTALL)
#: For whoever drives a browser: stir, as readers do, until every figure has come alive.
AWAKE = """dispatchEvent(new Event('wheel')) && document.readyState === 'complete'
    && !document.querySelector('script[data-src], [data-explorable]:not([data-alive])')"""
TAG = re.compile(r"<[^>]*>")
EMBEDDED = "data:image/png;base64,"
#: Words of code that both colour schemes show in the colour of the code around them. They are half
#: of all the elements of a chapter, each of which the browser has to lay out.
UNCOLOURED = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')
IMAGE = re.compile(r'<img (?P<attributes>[^>]*?src="(?P<source>[^"]+)"[^>]*?)\s*/?>')
#: What docutils and pandas write → what a screen reader can use.
ACCESSIBLE = {
    'role="doc-biblioentry"': 'role="listitem"',  # the former is deprecated
    "<th></th>": "<td></td>",  # pandas: an empty heading over the index
}


def describe(doctree: nodes.document | None, default: str) -> str:
    """The first paragraph of a page, as the one sentence or two that a search engine shows."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        if isinstance(paragraph.parent, nodes.section) and len(paragraph.astext()) > 50:
            return shorten(paragraph.astext(), 160, placeholder=" …")
    return default


def sized(body: str, files: dict[str, Path]) -> str:
    """A page's text, in which images state their width and height, and only the top is urgent."""

    def mend(found: re.Match[str]) -> str:
        attributes, source = found["attributes"], unescape(found["source"])
        file: Path | BytesIO | None = files.get(source.rsplit("/", 1)[-1])
        if source.startswith(EMBEDDED):
            file = BytesIO(b64decode(source[len(EMBEDDED) :][:64]))  # its size is at the beginning
        if file and 'width="' not in attributes:  # the word may stand in its text
            width, height = imagesize.get(file)
            attributes += f' width="{width:.0f}" height="{height:.0f}"'
        if len(TAG.sub("", body[: found.start()])) > TOP:
            attributes += ' loading="lazy"'
        return f"<img {attributes}>"

    return IMAGE.sub(mend, body)


def apart(body: str, static: Path, address: Callable[[str], str]) -> str:
    """A page's text, whose interactive figures have their scripts in files, for `scroll.js` to ask.

    A page holds a network or two in them, which nobody should wait for. Files of modules cannot be
    had from disk; of plain scripts, they can.
    """

    def move(found: re.Match[str]) -> str:
        code = f'(() => {{\n"use strict";\n{found[1]}}})();\n'
        name = f"figures/{sha256(code.encode()).hexdigest()[:12]}.js"
        (static / "figures").mkdir(parents=True, exist_ok=True)
        (static / name).write_text(code, "utf-8")
        return f'<script type="later" data-src="{address(f"_static/{name}")}"></script>'

    return FIGURE.sub(move, body)


def deferred(script: Any) -> Any:
    """A script that runs once the page is read; a copy, as Sphinx shares scripts among pages."""
    if not script.filename or AT_ONCE in script.filename:
        return script
    attributes = script.attributes | {"defer": ""}
    return type(script)(script.filename, priority=script.priority, **attributes)


def lighten(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mend what the theme is given to make a page of."""
    context["description"] = describe(doctree, app.config.html_title)
    if page != "search":  # whose own scripts build on these, and do not wait
        context["script_files"] = [deferred(script) for script in context["script_files"]]
    if "body" in context:
        files = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}
        body = UNCOLOURED.sub(r"\1", sized(context["body"], files))
        for inaccessible, accessible in ACCESSIBLE.items():
            body = body.replace(inaccessible, accessible)
        context["body"] = apart(
            body, Path(app.outdir, "_static"), lambda name: context["pathto"](name, resource=True)
        )


def rest(app: Sphinx, exception: Exception | None) -> None:
    """Write `theme.js`: the theme's script, but for its look at every block of code.

    It asks each whether it can be scrolled, for which the browser must lay out the whole page, far
    sections too. `scroll.js` asks when the reader gets near.
    """
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    script, found = EVERY_BLOCK.subn("[]", (static / THEME_SCRIPT).read_text("utf-8"))
    if found != 1:
        raise ExtensionError(
            f"{THEME_SCRIPT} measures blocks of code in {found} places; expected one. See what the "
            "theme's new version does, and mend EVERY_BLOCK in book/_ext/light.py"
        )
    (static / "theme.js").write_text(script, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """After the extensions that add scripts to a page, and before `one_stylesheet` reads them."""
    # Jupyter Book sets it, whether or not sphinx_comments is there, whose it is.
    app.add_config_value("comments_config", {}, "")
    app.connect("html-page-context", lighten, priority=900)
    app.connect("build-finished", rest, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
