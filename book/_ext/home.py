"""What the home page shows of the chapters, read from them when the site is built: no copies.

`<!-- output of notebooks/x.ipynb id -->` becomes the stored picture or HTML of one cell, so an
explorable lives on another page without a kernel and without PyTorch; where a notebook that says so
is run, it is nothing.
`{chapters}` makes a card for each chapter: its title, its minutes and its verdicts.
`{verdict-wall}` has one tile for each claim; those that no set of notes makes stand by themselves.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from ledger import claims_of
from ledger_data import VERDICTS, Claim, css_class
from nbformat import NotebookNode
from outputs import versions_of
from parts import markdown, paragraph, read_cells
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

BORROWED = re.compile(r"<!-- output of (\S+) (\S+) -->")
MINUTES = re.compile(r"\*\*Time\*\* (\d+) minutes to read")


def stored_output(env: BuildEnvironment, path: str, id: str) -> nodes.container:
    """What the cell with this id has shown: HTML as it is, or a picture with its text.

    Raises:
        ValueError: there is no such notebook or cell, or it has shown neither.
    """
    try:
        cells = read_cells(env, path)
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read the notebook {path}: {error}") from error
    cell = next((cell for cell in cells if cell.get("id") == id), None)
    if cell is None:
        raise ValueError(f"{path} has no cell {id!r}; name an id that stands in it")
    found: list[nodes.Node] = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if "text/html" in data:
            found.append(nodes.raw("", data["text/html"], format="html"))
        elif "image/png" in data:
            alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
            found += pictures(env, output, alt)
    if not found:
        raise ValueError(f"cell {id} of {path} stores no picture and no HTML; run the notebook")
    return nodes.container("", *found, classes=["notebook-output", "cell_output"])


def pictures(env: BuildEnvironment, output: NotebookNode, alt: str) -> list[nodes.image]:
    """A figure for wide screens and for narrow ones, as files; or one picture for all."""
    versions = versions_of(output)
    if not versions:
        plain = output.data["image/png"].replace("\n", "")
        return [nodes.image(uri=f"data:image/png;base64,{plain}", alt=alt)]
    folder = Path(env.doctreedir).with_name("borrowed")
    folder.mkdir(exist_ok=True)
    here = Path(env.srcdir, env.docname).parent
    made = []
    for name, content in versions.items():
        file = folder / f"{sha256(content).hexdigest()[:16]}-{name}"
        file.write_bytes(content)
        uri = Path(os.path.relpath(file, here)).as_posix()
        made.append(nodes.image(uri=uri, alt=alt, classes=[name.removesuffix(".svg")]))
    return made


def borrow(app: Sphinx, doctree: nodes.document) -> None:
    """Put outputs where a text wants them."""
    for comment in list(doctree.findall(nodes.raw)):
        if wanted := BORROWED.fullmatch(comment.astext().strip()):
            try:
                comment.replace_self(stored_output(app.env, *wanted.groups()))
            except ValueError as error:
                logger.warning("%s", error, location=comment)


class Chapters(SphinxDirective):
    """Cards that lead to chapters. The content is YAML: name of the notebook → a line about it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """One card a chapter, in the order given."""
        lines = yaml.safe_load("\n".join(self.content)) or {}
        cards = [self._card(name, line) for name, line in lines.items()]
        return [nodes.bullet_list("", *cards, classes=["chapter-cards"])]

    def _card(self, name: str, line: str) -> nodes.Node:
        first = read_cells(self.env, f"notebooks/{name}.ipynb")[0].source
        minutes = MINUTES.search(first)
        if minutes is None:
            expected = "expected “**Time** 20 minutes to read” in its first cell"
            raise self.error(f"{name} does not say how long it takes; {expected}")
        title = markdown(self, f"{{doc}}`/notebooks/{name}`", classes=["chapter-title"])
        verdicts = [claim.verdict for claim in claims_of(self.env) if claim.notebook == name]
        marks = [  # each a sign alone; it is read out as a word
            nodes.inline("", verdict, classes=["verdict-mark", css_class(verdict)])
            for verdict in sorted(verdicts, key=VERDICTS.index)
        ]
        many = f" · {len(marks)} claim{'s' * (len(marks) > 1)} " if marks else ""
        return nodes.list_item(
            "",
            title,
            paragraph(line),
            paragraph(f"{minutes[1]} min{many}", *marks, classes=["chapter-facts"]),
        )


class VerdictWall(SphinxDirective):
    """A tile for each claim, coloured by its verdict, that leads to its row in the ledger."""

    def run(self) -> list[nodes.Node]:
        """All tiles, verdict by verdict, each kind with its number; then those of our own."""
        claims = claims_of(self.env)
        groups: list[nodes.Node] = []
        for verdict in VERDICTS:
            of_notes = [c for c in claims if c.verdict == verdict and not c.ours]
            tiles = [self._tile(claim, claim.id) for claim in of_notes]
            groups += self._group(verdict, tiles, [css_class(verdict)])
        ours = [self._tile(c, f"{c.id}, {c.verdict}", c.verdict) for c in claims if c.ours]
        groups += self._group("of our own", ours, [])
        return [nodes.container("", *groups, classes=["verdict-wall"])]

    def _tile(self, claim: Claim, name: str, *verdicts: str) -> nodes.Node:
        link = markdown(self, f"{{ref}}`{name} <claim-{claim.id}>`")
        return nodes.list_item("", link, classes=[*map(css_class, verdicts)])

    def _group(self, what: str, tiles: list[nodes.Node], classes: list[str]) -> list[nodes.Node]:
        label = paragraph(nodes.strong("", str(len(tiles))), f" {what}")
        wall = nodes.bullet_list("", *tiles, classes=["tiles"])
        return [nodes.container("", label, wall, classes=classes)] if tiles else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives, which want the claims."""
    app.setup_extension("ledger")
    app.connect("doctree-read", borrow, priority=400)  # before Sphinx collects pictures
    app.add_directive("chapters", Chapters)
    app.add_directive("verdict-wall", VerdictWall)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
