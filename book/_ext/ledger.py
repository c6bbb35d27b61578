"""The `{claims-ledger}` directive: every claim of the book, its verdict and its evidence.

What is said of a claim stands in one file (`ledger_claims`); what was measured comes from the
outputs of its chapter and from the JSON records that the notebooks leave (`ledger_results`). A
mistake in any of them is a build warning. The page gets a script that filters the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from ledger_data import VERDICTS, Claim, Effect, fill_in, printed, read_claims, read_effects
from links import link_to
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.domains.std import StandardDomain

logger = logging.getLogger(__name__)

#: Each column: its CSS class, its heading, its share of the width in percent.
COLUMNS = (
    ("claim", "Claim", 32),
    ("notes", "Notes", 7),
    ("verdict", "Verdict", 17),
    ("effect", "Measured effect", 28),
    ("evidence", "Evidence", 16),
)
CLAIM_CALL = re.compile(r"(?<![\w.])claim\(\s*\"([\w-]+)\"")


class ClaimsLedger(SphinxDirective):
    """The ledger: a count of the verdicts, then one row a claim."""

    def run(self) -> list[nodes.Node]:
        """Read the data and build the table."""
        root = Path(self.env.srcdir)
        claims_file = root / self.config.ledger_claims
        records = sorted((root / self.config.ledger_results).glob("*.json"))
        self.env.note_reread()  # a record may appear where there was none
        for path in (claims_file, *records):
            self.env.note_dependency(path.relative_to(root).as_posix())
        try:
            claims, faults = read_claims(claims_file.read_text("utf-8"))
        except OSError as error:
            claims, faults = [], [f"cannot read the claims: {error.strerror}"]
        for fault in faults:
            self._warn(fault)
        named = [(path.relative_to(root).as_posix(), path.read_text("utf-8")) for path in records]
        effects, record_faults = read_effects(named, claims)
        for name, fault in record_faults:
            logger.warning("%s: %s", name, fault, type="ledger")
        return [self._counts(claims), self._table(claims, effects)]

    def _counts(self, claims: list[Claim]) -> nodes.Node:
        counts = Counter(claim.verdict for claim in claims)
        line = nodes.paragraph("", f"{len(claims)} claims: ", classes=["ledger-counts"])
        for verdict in VERDICTS:
            if counts[verdict]:
                line += [_badge(verdict, f"{counts[verdict]} {verdict}"), nodes.Text(" ")]
        return line

    def _table(self, claims: list[Claim], effects: dict[str, list[Effect]]) -> nodes.Node:
        table = nodes.table(classes=["claims-ledger", "colwidths-given"])
        group = nodes.tgroup(cols=len(COLUMNS))
        group += [nodes.colspec(colwidth=width) for _, _, width in COLUMNS]
        head, body = nodes.thead(), nodes.tbody()
        head += nodes.row(
            "", *(nodes.entry("", nodes.paragraph("", heading)) for _, heading, _ in COLUMNS)
        )
        body += [self._row(claim, effects.get(claim.id, [])) for claim in claims]
        group += [head, body]
        table += group
        return table

    def _row(self, claim: Claim, effects: list[Effect]) -> nodes.Node:
        anchor = f"claim-{claim.id}"
        standard = cast("StandardDomain", self.env.get_domain("std"))
        standard.anonlabels[anchor] = self.env.docname, anchor
        standard.labels[anchor] = self.env.docname, anchor, claim.id
        name = nodes.reference("", "", nodes.literal("", claim.id), refid=anchor, internal=True)
        shown = [*self._in_chapter(claim), *effects]
        cells: dict[str, list[nodes.Node]] = {
            "claim": [nodes.paragraph("", "", name), nodes.paragraph("", claim.statement)],
            "notes": [nodes.paragraph("", ", ".join(claim.notes) or "—")],
            "verdict": [nodes.paragraph("", "", _badge(claim.verdict, claim.verdict))],
            "effect": [_effect(effect) for effect in shown],
            "evidence": [*self._notebook(claim), *self._papers(claim)],
        }
        row = nodes.row(ids=[anchor])
        for column, _, _ in COLUMNS:
            empty = [] if cells[column] else ["ledger-empty"]
            content = cells[column] or [nodes.paragraph("", "—")]
            row += nodes.entry("", *content, classes=[f"ledger-{column}", *empty])
        return row

    def _in_chapter(self, claim: Claim) -> Iterable[Effect]:
        """The effect that the ledger states, with the numbers that the chapter prints."""
        path = Path(self.env.srcdir, "notebooks", f"{claim.notebook}.ipynb")
        if not claim.effect:
            return
        self.env.note_dependency(path.relative_to(self.env.srcdir).as_posix())
        text, faults = fill_in(
            claim.effect, printed(path.read_text("utf-8")) if path.exists() else ""
        )
        for fault in faults:
            self._warn(f"claim {claim.id}: {fault}")
        yield Effect("chapter", text)

    def _notebook(self, claim: Claim) -> Iterable[nodes.Node]:
        if claim.notebook is None:
            return
        docname = f"notebooks/{claim.notebook}"
        if docname not in self.env.found_docs:
            self._warn(
                f"claim {claim.id}: the notebook {claim.notebook} is not in the table of contents"
            )
            return
        yield nodes.paragraph("", "", link_to(f"/{docname}", self.env, role="doc"))
        if claim.verdict != "not yet tested":
            text = "the cell that settles it"
            cell = link_to(f"verdict-{claim.id}", self.env, role="ref", text=text)
            yield nodes.paragraph("", "", cell, classes=["ledger-cell"])

    def _warn(self, fault: str) -> None:
        logger.warning("%s: %s", self.config.ledger_claims, fault, type="ledger")

    def _papers(self, claim: Claim) -> Iterable[nodes.Node]:
        if not claim.papers:
            return
        cite = self.env.get_domain("cite").role("t")
        assert cite is not None
        for key in claim.papers:
            found, _ = cite("cite:t", key, key, self.lineno, self.state.inliner)
            yield nodes.paragraph("", "", *found)


def _badge(verdict: str, text: str) -> nodes.Node:
    kind = f"verdict-{verdict.replace(' ', '-')}"
    return nodes.inline("", text, classes=["verdict-badge", kind])


def _effect(effect: Effect) -> nodes.Node:
    text = effect.text if effect.reproduced else f"{effect.text} (not reproduced)"
    return nodes.paragraph("", "", nodes.strong("", f"{effect.source}: "), nodes.Text(text))


def name_claim_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Give each cell that settles a claim a name, so that the ledger can lead to it."""
    standard = cast("StandardDomain", app.env.get_domain("std"))
    for source in doctree.findall(nodes.literal_block):
        for id in CLAIM_CALL.findall(source.astext()):
            cell = source.parent.parent if "cell_input" in source.parent["classes"] else source
            anchor = f"verdict-{id}"
            cell["ids"].append(anchor)
            standard.anonlabels[anchor] = app.env.docname, anchor
            standard.labels[anchor] = app.env.docname, anchor, id


def add_filter(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script that filters the rows, on the page that has them and on no other."""
    if doctree and any(
        "claims-ledger" in table["classes"] for table in doctree.findall(nodes.table)
    ):
        app.add_js_file("ledger.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and where its data are, relative to the source folder."""
    app.connect("doctree-read", name_claim_cells)
    app.connect("html-page-context", add_filter)
    app.add_config_value("ledger_claims", "claims.yml", "env")
    app.add_config_value("ledger_results", "results", "env")
    app.add_directive("claims-ledger", ClaimsLedger)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
