"""What the home page shows of the chapters, read from them when the site is built: no copies.

`{notebook-output} notebooks/x.ipynb` with `:cell: id` puts the stored picture or HTML of one cell
on a page of prose, so an explorable lives there without a kernel and without PyTorch. `{chapters}`
makes a card for each chapter: its title, its minutes and its verdicts. `{verdict-wall}` has one
tile for each claim.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from ledger import claims_of
from ledger_data import VERDICTS, Claim, css_class
from links import link_to
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

MINUTES = re.compile(r"\*\*Time\*\* (\d+) minutes to read")


def read_cells(env: BuildEnvironment, name: str) -> list[dict[str, Any]]:
    """The cells of a notebook, by its path from the source folder; the page now depends on it."""
    env.note_dependency(name)
    cells: list[dict[str, Any]] = json.loads(Path(env.srcdir, name).read_text("utf-8"))["cells"]
    return cells


def text_of(stored: str | list[str]) -> str:
    """A text as notebooks store it: whole, or line by line."""
    return stored if isinstance(stored, str) else "".join(stored)


class NotebookOutput(SphinxDirective):
    """The stored output of one cell of a notebook: HTML as it is, or a picture with its text."""

    required_arguments = 1
    option_spec = {"cell": directives.unchanged_required}  # noqa: RUF012 - docutils' own way

    def run(self) -> list[nodes.Node]:
        """Find the cell and its output."""
        path, id = self.arguments[0], self.options.get("cell")
        try:
            cells = read_cells(self.env, path)
        except (OSError, ValueError) as error:
            raise self.error(f"cannot read the notebook {path}: {error}") from error
        cell = next((cell for cell in cells if cell.get("id") == id), None)
        if cell is None:
            raise self.error(f"{path} has no cell {id!r}; set :cell: to an id that stands in it")
        found: list[nodes.Node] = []
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "text/html" in data:
                found.append(nodes.raw("", text_of(data["text/html"]), format="html"))
            elif "image/png" in data:
                picture = text_of(data["image/png"]).replace("\n", "")
                alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
                found.append(nodes.image(uri=f"data:image/png;base64,{picture}", alt=alt))
        if not found:
            raise self.error(f"cell {id} of {path} stores no picture and no HTML; run the notebook")
        return [nodes.container("", *found, classes=["notebook-output", "cell_output"])]


class Chapters(SphinxDirective):
    """Cards that lead to chapters. The content is YAML: name of the notebook → a line about it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """One card a chapter, in the order given."""
        lines = yaml.safe_load("\n".join(self.content)) or {}
        claims = claims_of(self.env)
        cards = [
            self._card(name, line, [claim for claim in claims if claim.notebook == name])
            for name, line in lines.items()
        ]
        return [nodes.bullet_list("", *cards, classes=["chapter-cards"])]

    def _card(self, name: str, line: str, claims: list[Claim]) -> nodes.Node:
        first = text_of(read_cells(self.env, f"notebooks/{name}.ipynb")[0]["source"])
        minutes = MINUTES.search(first)
        if minutes is None:
            raise self.error(f"{name} does not say how long it takes; expected “**Time** 20 minutes"
                             " to read” in its first cell")  # fmt: skip
        number = nodes.inline("", str(int(name[:2])), classes=["chapter-number"])
        title = link_to(f"/notebooks/{name}", self.env, role="doc")
        facts = nodes.paragraph("", f"{minutes[1]} min", classes=["chapter-facts"])
        if claims:
            many = "claim" if len(claims) == 1 else "claims"
            marks = [_mark(claim) for verdict in VERDICTS for claim in claims
                     if claim.verdict == verdict]  # fmt: skip
            facts += [nodes.Text(f" · {len(claims)} {many} "), *marks]
        return nodes.list_item(
            "",
            nodes.paragraph("", "", number, title, classes=["chapter-title"]),
            nodes.paragraph("", line),
            facts,
        )


class VerdictWall(SphinxDirective):
    """A tile for each claim, coloured by its verdict, that leads to its row in the ledger."""

    def run(self) -> list[nodes.Node]:
        """All tiles, verdict by verdict, each kind with its number."""
        claims = claims_of(self.env)
        groups = []
        for verdict in VERDICTS:
            of_it = [claim for claim in claims if claim.verdict == verdict]
            if not of_it:
                continue
            number = nodes.strong("", str(len(of_it)))
            label = nodes.paragraph("", "", number, nodes.Text(f" {verdict}"))
            tiles = nodes.bullet_list(classes=["tiles"])
            tiles += [nodes.list_item("", nodes.paragraph("", "", self._tile(c))) for c in of_it]
            groups.append(nodes.container("", label, tiles, classes=[css_class(verdict)]))
        return [nodes.container("", *groups, classes=["verdict-wall"])]

    def _tile(self, claim: Claim) -> nodes.Node:
        return link_to(f"claim-{claim.id}", self.env, role="ref", text=claim.id)


def _mark(claim: Claim) -> nodes.Node:
    """A verdict as a sign alone; it is read out as a word."""
    return nodes.inline("", claim.verdict, classes=["verdict-mark", css_class(claim.verdict)])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("notebook-output", NotebookOutput)
    app.add_directive("chapters", Chapters)
    app.add_directive("verdict-wall", VerdictWall)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
