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
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from docutils.parsers.rst import directives
from ledger_data import VERDICTS, Claim, css_class, effects, number, read_ledger, tally
from parts import markdown, name_place, paragraph, place_of
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from trained_out import small_figure

logger = logging.getLogger(__name__)

#: The columns' headings, the last word of which is a CSS class, and shares of the width in percent.
COLUMNS = {
    "Claim": 26,
    "Notes": 6,
    "Verdict": 15,
    "Measured effect": 26,
    "When trained out": 14,
    "Evidence": 13,
}
CLAIM_CALL = re.compile(r"(?<![\w.])claim\(\s*\"([\w-]+)\"")
VERDICT_ROW = re.compile(r'<th scope="row">([\w-]+)</th>')
VERDICT_TABLE = """<table class="verdicts">
<thead><tr><th>Claim</th><th>Verdict</th><th>In short, and measured</th></tr></thead>
<tbody>
{}
</tbody>
</table>"""


def read(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Read all of it, once, before the pages that show it."""
    claims, faults = read_ledger(
        Path(app.srcdir), env.config.ledger_claims, env.config.ledger_results
    )
    for fault in faults:
        logger.warning("%s: %s", env.config.ledger_claims, fault, type="ledger")
    vars(env)["claims"] = claims


def claims_of(env: BuildEnvironment) -> list[Claim]:
    """Every claim of the ledger; the page that asks is read anew in every build."""
    env.note_reread()
    return cast("list[Claim]", vars(env)["claims"])


def counted(claims: list[Claim]) -> list[str]:
    """How often each verdict occurs, in their order: "3 corrected"."""
    counts = Counter(claim.verdict for claim in claims)
    return [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]


def whose(claims: list[Claim]) -> str:
    """The counts of the notes' claims and of ours: a claim is not the notes' because it is here."""
    notes = [claim for claim in claims if not claim.ours]
    ours = [claim for claim in claims if claim.ours]
    named = {"Claims of the notes": notes, "Claims of our own, which no set of notes makes": ours}
    return " ".join(
        f"{who}, {len(of)}: {', '.join(counted(of))}." for who, of in named.items() if of
    )


class ClaimsLedger(SphinxDirective):
    """The ledger: a count of the verdicts, whose the claims are, then one row a claim."""

    def run(self) -> list[nodes.Node]:
        """Build the table."""
        claims = claims_of(self.env)
        badges = [_badge(text.split(" ", 1)[1], text) for text in counted(claims)]
        spaced = [part for badge in badges for part in (badge, " ")]
        line = paragraph(f"{len(claims)} claims: ", *spaced, classes=["ledger-counts"])
        rows = [self._row_of(claim) for claim in claims]
        table = _table(COLUMNS, rows, ["claims-ledger", "colwidths-given"])
        return [line, paragraph(whose(claims), classes=["ledger-whose"]), table]

    def _row_of(self, claim: Claim) -> nodes.row:
        anchor = f"claim-{claim.id}"
        name_place(self.env, anchor, anchor, claim.id)
        name = nodes.reference("", "", nodes.literal("", claim.id), refid=anchor, internal=True)
        cells = (
            [paragraph(name), paragraph(claim.statement)],
            [paragraph(", ".join(claim.notes) or "ours")],
            [paragraph(_badge(claim.verdict, claim.verdict))],
            [*_measured(claim)],
            [*_trained_out(claim)],
            [*self._evidence(claim)],
        )
        row = nodes.row(ids=[anchor])
        for heading, content in zip(COLUMNS, cells, strict=True):
            classes = [f"ledger-{heading.split()[-1].lower()}"] + ["ledger-empty"] * (not content)
            row += nodes.entry("", *(content or [paragraph("—")]), classes=classes)
        return row

    def _evidence(self, claim: Claim) -> Iterator[nodes.Node]:
        if claim.notebook:
            yield markdown(self, f"{{doc}}`/notebooks/{claim.notebook}`")
            cell = f"{{ref}}`the cell that settles it <verdict-{claim.id}>`"
            yield markdown(self, cell, classes=["ledger-cell"])
        for key in claim.papers:
            yield markdown(self, f"{{cite:t}}`{key}`")


class Measured(SphinxDirective):
    """What a chapter measured: the effects of its claims, as a table; `:first:` so many of each."""

    required_arguments = 1
    option_spec = {  # noqa: RUF012 - docutils' own way
        "of": directives.unchanged,
        "first": directives.positive_int,
    }

    def run(self) -> list[nodes.Node]:
        """One row an effect, in the order of the chapter."""
        wanted = self.options.get("of", "").split()
        claims = {c.id: c for c in claims_of(self.env) if c.notebook == self.arguments[0]}
        if not claims or set(wanted) - claims.keys():
            missing = ", ".join(set(wanted) - claims.keys()) or "any claim"
            raise self.error(f"{self.arguments[0]} does not settle {missing}")
        most = self.options.get("first")
        found = [effect for id in wanted or claims for effect in claims[id].live["effect"][:most]]
        said = dict.fromkeys((effect["what"], number(effect)) for effect in found)  # each once
        rows = [_row(paragraph(what), paragraph(value)) for what, value in said]
        return [_table({"what": 60, "measured": 40}, rows, ["measured"])]


def _row(*cells: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def _table(columns: dict[str, int], rows: list[nodes.row], classes: list[str]) -> nodes.table:
    widths = [nodes.colspec(colwidth=width) for width in columns.values()]
    head = nodes.thead("", _row(*map(paragraph, columns)))
    group = nodes.tgroup("", *widths, head, nodes.tbody("", *rows), cols=len(columns))
    return nodes.table("", group, classes=classes)


def _badge(verdict: str, text: str) -> nodes.Node:
    return nodes.inline("", text, classes=["verdict-badge", css_class(verdict)])


def _measured(claim: Claim) -> Iterator[nodes.Node]:
    """The effects of each run, and how its findings came out; the records folded.

    A record that says the same to the last digit, of something that is counted, is left out.
    """
    said = [*effects(claim.live)] if claim.live else []
    if claim.live:
        yield _run("chapter", claim.live)
    if records := [record for record in claim.records if [*effects(record)] != said]:
        count = len(records)
        summary = f"{count} longer run{'s' * (count > 1)}"
        yield nodes.raw("", f"<details><summary>{summary}</summary>", format="html")
        for record in sorted(records, key=lambda run: (run["dataset"], run["budget"])):
            seeds = max((finding.get("seeds", 0) for finding in record["findings"]), default=0)
            times = f" ×{record['budget']:g}" * (record["budget"] != 1)
            yield _run(f"{record['dataset']}{times}" + f", {seeds} seeds" * (seeds > 0), record)
        yield nodes.raw("", "</details>", format="html")


def _run(source: str, run: dict[str, Any]) -> nodes.Node:
    marks = nodes.inline("", f" {tally(run)}", classes=["ledger-tally"])
    return paragraph(nodes.strong("", f"{source}: "), "; ".join(effects(run)), marks)


def _trained_out(claim: Claim) -> Iterator[nodes.Node]:
    """The effect against the training, in small, and three words; or why there is none."""
    if claim.untrained:
        yield paragraph(f"not applicable ({claim.untrained})")
    if trained := claim.trained_out:
        yield nodes.raw("", small_figure(trained), format="html")
        stays = f"×{trained['plateau']:g}" if trained["plateau"] else "not reached"
        why = f" ({claim.photographs})" if claim.photographs else ""
        for what, word, more in (
            ("direction kept", trained["direction"], ""),
            ("plateau at", stays, ""),
            ("photographs", trained["photographs"], why),
        ):
            yield paragraph(f"{what}: ", nodes.strong("", word), more)


def name_claim_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Give each cell that settles a claim a name, so that the ledger can lead to it."""
    for source in doctree.findall(nodes.literal_block):
        for id in CLAIM_CALL.findall(source.astext()):
            cell = source.parent.parent if "cell_input" in source.parent["classes"] else source
            cell["ids"].append(f"verdict-{id}")
            name_place(app.env, f"verdict-{id}", f"verdict-{id}", id)


def state_claims(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make a chapter's table of verdicts from the data: statements, links and numbers, too."""
    claims = {claim.id: claim for claim in vars(app.env)["claims"] if claim.live}
    for raw in doctree.findall(nodes.raw) if app.builder.format == "html" else ():
        if '<table class="verdicts' in raw.astext():
            found = [claims[id] for id in VERDICT_ROW.findall(raw.astext()) if id in claims]
            rows = "\n".join(_verdict_row(app, page, claim) for claim in found)
            raw.children = [nodes.Text(VERDICT_TABLE.format(rows))]


def _verdict_row(app: Sphinx, page: str, claim: Claim) -> str:
    ledger, anchor, _ = place_of(app.env, f"claim-{claim.id}")
    link = f"{app.builder.get_relative_uri(page, ledger)}#{anchor}"
    measured = "<br>".join(escape(effect) for effect in effects(claim.live))
    return (
        f'<tr><th scope="row"><a href="{link}">{claim.id}</a>: {escape(claim.statement)}</th>'
        f'<td><span class="verdict-badge {css_class(claim.verdict)}">{claim.verdict}</span></td>'
        f"<td>{escape(claim.live['short'])}<small>{measured}</small></td></tr>"
    )


def publish(app: Sphinx, error: Exception | None) -> None:
    """Write all claims beside the pages, for other programs; `claims.schema.json` says how."""
    if error is None and app.builder.name == "html":
        claims = [
            asdict(claim) | {"verdict": claim.verdict, "trained_out": claim.trained_out}
            for claim in vars(app.env)["claims"]
        ]
        text = json.dumps({"claims": claims}, indent=1, ensure_ascii=False)
        Path(app.outdir, "claims.json").write_text(text, "utf-8")


def add_filter(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Load the script that filters the rows, on the page that has them and on no other."""
    tables = doctree.findall(nodes.table) if doctree else ()
    if any("claims-ledger" in table["classes"] for table in tables):
        app.add_js_file("ledger.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives and where their data are, relative to the source folder."""
    app.add_config_value("ledger_claims", "claims.yml", "env")
    app.add_config_value("ledger_results", "results", "env")
    app.add_directive("claims-ledger", ClaimsLedger)
    app.add_directive("measured", Measured)
    app.connect("env-before-read-docs", read)
    app.connect("doctree-read", name_claim_cells)
    app.connect("doctree-resolved", state_claims)
    app.connect("html-page-context", add_filter)
    app.connect("build-finished", publish)
    return {"version": "3", "parallel_read_safe": True, "parallel_write_safe": True}
