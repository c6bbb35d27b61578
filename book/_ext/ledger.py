"""What the book shows of its claims, all from the same data (`ledger_data`), so nothing is copied.

`{claims-ledger}`: every claim, its verdict and its evidence, with a script that filters the rows.
`{measured} 03_one_layer`: the effects that a chapter measured; `:of:` names some of its claims.
A chapter's own table of verdicts gets the claims' statements, with links. `claims.json` goes along
with the site. A mistake in the data is a build warning.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import directives
from ledger_data import VERDICTS, Claim, css_class, effects, number, read_ledger, tally
from links import link_to, name_place
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

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
VERDICT_ROW = re.compile(r'<th scope="row">([\w-]+)</th>')
VERDICT_TABLE = """<table class="verdicts">
<thead><tr><th>Claim</th><th>Verdict</th><th>In short, and measured</th></tr></thead>
<tbody>
{}
</tbody>
</table>"""


def claims_of(env: BuildEnvironment, *, report: bool = False) -> list[Claim]:
    """Every claim of the ledger; the page that is being read now depends on all that says so."""
    root = Path(env.srcdir)
    results = (root / env.config.ledger_results).glob("*.json")
    for path in (root / env.config.ledger_claims, *(root / "notebooks").glob("*.ipynb"), *results):
        env.note_dependency(path.relative_to(root).as_posix())
    env.note_reread()  # a record may appear where there was none
    return _read(env, report=report)


def _read(env: BuildEnvironment, *, report: bool = False) -> list[Claim]:
    config = env.config
    claims, faults = read_ledger(Path(env.srcdir), config.ledger_claims, config.ledger_results)
    for fault in faults if report else ():
        logger.warning("%s: %s", config.ledger_claims, fault, type="ledger")
    return claims


class ClaimsLedger(SphinxDirective):
    """The ledger: a count of the verdicts, then one row a claim."""

    def run(self) -> list[nodes.Node]:
        """Read the data and build the table."""
        self.env.ledger_page = self.env.docname  # type: ignore[attr-defined]
        claims = claims_of(self.env, report=True)
        counts = Counter(claim.verdict for claim in claims)
        line = nodes.paragraph("", f"{len(claims)} claims: ", classes=["ledger-counts"])
        for verdict in VERDICTS:
            if counts[verdict]:
                line += [_badge(verdict, f"{counts[verdict]} {verdict}"), nodes.Text(" ")]
        widths = [width for _, _, width in COLUMNS]
        heads = [heading for _, heading, _ in COLUMNS]
        rows = [self._row(claim) for claim in claims]
        return [line, _table(heads, rows, ["claims-ledger", "colwidths-given"], widths)]

    def _row(self, claim: Claim) -> nodes.row:
        anchor = f"claim-{claim.id}"
        name_place(self.env, anchor, anchor, claim.id)
        name = nodes.reference("", "", nodes.literal("", claim.id), refid=anchor, internal=True)
        cells: dict[str, list[nodes.Node]] = {
            "claim": [nodes.paragraph("", "", name), nodes.paragraph("", claim.statement)],
            "notes": [nodes.paragraph("", ", ".join(claim.notes) or "—")],
            "verdict": [nodes.paragraph("", "", _badge(claim.verdict, claim.verdict))],
            "effect": [*_measured("chapter", claim.live)],
            "evidence": [*self._notebook(claim), *self._papers(claim)],
        }
        for record in claim.records:
            seeds = max((f.get("seeds", 0) for f in record["findings"]), default=0)
            source = record["dataset"] + (f", {seeds} seeds" if seeds else "")
            cells["effect"] += _measured(source, record)
        row = nodes.row(ids=[anchor])
        for column, _, _ in COLUMNS:
            empty = [] if cells[column] else ["ledger-empty"]
            content = cells[column] or [nodes.paragraph("", "—")]
            row += nodes.entry("", *content, classes=[f"ledger-{column}", *empty])
        return row

    def _notebook(self, claim: Claim) -> Iterable[nodes.Node]:
        if claim.notebook is None:
            return
        if f"notebooks/{claim.notebook}" not in self.env.found_docs:
            fault = f"claim {claim.id}: {claim.notebook} is not in the table of contents"
            logger.warning("%s: %s", self.config.ledger_claims, fault, type="ledger")
            return
        chapter = link_to(f"/notebooks/{claim.notebook}", self.env, role="doc")
        yield nodes.paragraph("", "", chapter)
        text = "the cell that settles it"
        cell = link_to(f"verdict-{claim.id}", self.env, role="ref", text=text)
        yield nodes.paragraph("", "", cell, classes=["ledger-cell"])

    def _papers(self, claim: Claim) -> Iterable[nodes.Node]:
        cite = self.env.get_domain("cite").role("t") if claim.papers else None
        for key in claim.papers:
            assert cite is not None
            found, _ = cite("cite:t", key, key, self.lineno, self.state.inliner)
            yield nodes.paragraph("", "", *found)


class Measured(SphinxDirective):
    """What a chapter measured: the effects of its claims, as a table."""

    required_arguments = 1
    option_spec = {"of": directives.unchanged}  # noqa: RUF012 - docutils' own way

    def run(self) -> list[nodes.Node]:
        """One row an effect, in the order of the chapter."""
        wanted = self.options.get("of", "").split()
        claims = {c.id: c for c in claims_of(self.env) if c.notebook == self.arguments[0]}
        if not claims or set(wanted) - claims.keys():
            missing = ", ".join(set(wanted) - claims.keys()) or "any claim"
            raise self.error(f"{self.arguments[0]} does not settle {missing}")
        rows = []
        for id in wanted or claims:
            for effect in claims[id].live["effect"]:
                cells = (nodes.paragraph("", effect["what"]), nodes.paragraph("", number(effect)))
                rows.append(nodes.row("", *(nodes.entry("", cell) for cell in cells)))
        return [_table(["what", "measured"], rows, ["measured"], [60, 40])]


def _table(
    heads: list[str], rows: list[nodes.row], classes: list[str], widths: list[int]
) -> nodes.table:
    head = nodes.row("", *(nodes.entry("", nodes.paragraph("", text)) for text in heads))
    columns = [nodes.colspec(colwidth=width) for width in widths]
    group = nodes.tgroup("", *columns, nodes.thead("", head), nodes.tbody("", *rows))
    group["cols"] = len(widths)
    return nodes.table("", group, classes=classes)


def _badge(verdict: str, text: str) -> nodes.Node:
    return nodes.inline("", text, classes=["verdict-badge", css_class(verdict)])


def _measured(source: str, bundle: dict[str, Any]) -> Iterable[nodes.Node]:
    """The effects of one run, and how its findings came out."""
    if not bundle:
        return
    said = "; ".join(effects(bundle))
    line = nodes.paragraph("", "", nodes.strong("", f"{source}: "), nodes.Text(said))
    line += nodes.inline("", f" {tally(bundle)}", classes=["ledger-tally"])
    yield line


def name_claim_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Give each cell that settles a claim a name, so that the ledger can lead to it."""
    for source in doctree.findall(nodes.literal_block):
        for id in CLAIM_CALL.findall(source.astext()):
            cell = source.parent.parent if "cell_input" in source.parent["classes"] else source
            cell["ids"].append(f"verdict-{id}")
            name_place(app.env, f"verdict-{id}", f"verdict-{id}", id)


def state_claims(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make a chapter's table of verdicts from the data: statements, links and numbers, too."""
    ledger = getattr(app.env, "ledger_page", None)
    if ledger is None or app.builder.format != "html":
        return
    claims: dict[str, Claim] = {}
    for raw in doctree.findall(nodes.raw):
        if '<table class="verdicts">' in raw.astext():
            claims = claims or {claim.id: claim for claim in _read(app.env)}
            link = app.builder.get_relative_uri(page, ledger)
            found = [claims[id] for id in VERDICT_ROW.findall(raw.astext()) if id in claims]
            rows = [_verdict_row(claim, link) for claim in found if claim.live]
            raw.children = [nodes.Text(VERDICT_TABLE.format("\n".join(rows)))]


def _verdict_row(claim: Claim, link: str) -> str:
    measured = "<br>".join(escape(effect) for effect in effects(claim.live))
    return (
        f'<tr><th scope="row"><a href="{link}#claim-{claim.id}">{claim.id}</a>: '
        f"{escape(claim.statement)}</th>"
        f'<td><span class="verdict-badge {css_class(claim.verdict)}">{claim.verdict}</span></td>'
        f"<td>{escape(claim.live['short'])}<small>{measured}</small></td></tr>"
    )


def publish(app: Sphinx, error: Exception | None) -> None:
    """Write all claims beside the pages, for other programs; `claims.schema.json` says how."""
    if error is None and app.builder.format == "html":
        claims = [asdict(c) | {"verdict": c.verdict} for c in _read(app.env)]
        text = json.dumps({"claims": claims}, indent=1, ensure_ascii=False)
        Path(app.outdir, "claims.json").write_text(text, "utf-8")


def add_filter(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script that filters the rows, on the page that has them and on no other."""
    if page == getattr(app.env, "ledger_page", None):
        app.add_js_file("ledger.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives and where their data are, relative to the source folder."""
    app.connect("doctree-read", name_claim_cells)
    app.connect("doctree-resolved", state_claims)
    app.connect("html-page-context", add_filter)
    app.connect("build-finished", publish)
    app.add_config_value("ledger_claims", "claims.yml", "env")
    app.add_config_value("ledger_results", "results", "env")
    app.add_directive("claims-ledger", ClaimsLedger)
    app.add_directive("measured", Measured)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
