"""What our extensions make pages of: cells of notebooks, paragraphs, and labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import nbformat
from docutils import nodes
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective


def read_cells(env: BuildEnvironment, name: str) -> list[nbformat.NotebookNode]:
    """The cells of a notebook, by its path from the source folder; the page now depends on it."""
    env.note_dependency(name)
    return list(nbformat.read(Path(env.srcdir, name), as_version=4).cells)


def paragraph(*parts: nodes.Node | str, classes: Sequence[str] = ()) -> nodes.paragraph:
    """A paragraph of words and other things."""
    children = (nodes.Text(part) if isinstance(part, str) else part for part in parts)
    return nodes.paragraph("", "", *children, classes=[*classes])


def markdown(directive: SphinxDirective, text: str, classes: Sequence[str] = ()) -> nodes.paragraph:
    """A paragraph of Markdown, links and citations included, on the page of a directive."""
    return paragraph(*directive.parse_inline(text)[0], classes=classes)


def place_of(env: BuildEnvironment, name: str) -> tuple[str, str, str]:
    """The page, the anchor and the text of a label; empty where there is none."""
    return cast("StandardDomain", env.get_domain("std")).labels.get(name, ("", "", ""))


def name_place(env: BuildEnvironment, name: str, anchor: str, text: str) -> None:
    """Give a place on the page that is being read a name: links to it find it, and say `text`."""
    standard = cast("StandardDomain", env.get_domain("std"))
    standard.note_hyperlink_target(name, env.docname, anchor, text)
