"""The `{claims-ledger}` directive: every claim of the book, its verdict and its evidence.

What is said of a claim stands in one file (`ledger_claims`); what was measured comes from the JSON
records that the notebooks leave (`ledger_results`). A mistake in either is a build warning.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.domains.std import StandardDomain

logger = logging.getLogger(__name__)

VERDICTS = ("confirmed", "confirmed with limits", "corrected", "unsourced", "not yet tested")
NOTES = ("N0", "N1", "N2", "N3", "N4")
#: Each column: its CSS class, its heading, its share of the width in percent.
COLUMNS = (
    ("claim", "Claim", 34),
    ("notes", "Notes", 12),
    ("verdict", "Verdict", 19),
    ("effect", "Measured effect", 20),
    ("evidence", "Evidence", 15),
)


@dataclass(frozen=True)
class Claim:
    """One entry of the ledger, as `claims.yml` has it."""

    id: str
    statement: str
    notes: tuple[str, ...]
    verdict: str
    notebook: str | None = None
    papers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effect:
    """What one record says of one claim."""

    dataset: str
    text: str
    reproduced: bool = True


def read_claims(text: str) -> tuple[list[Claim], list[str]]:
    """The claims of a `claims.yml`, and what is wrong with it, one sentence a fault."""
    claims: dict[str, Claim] = {}
    faults = []
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [], [f"not YAML: {error}"]
    if not isinstance(entries, list):
        return [], ["not a list of claims"]
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            faults.append(f"entry {number} has no id")
            continue
        found = [f"claim {entry['id']}: {fault}" for fault in _faults(entry)]
        if entry["id"] in claims:
            found.append(f"claim {entry['id']}: the id is there twice")
        if not found:
            lists = {key: tuple(entry.get(key, ())) for key in ("notes", "papers")}
            claims[entry["id"]] = Claim(**{**entry, **lists})
        faults += found
    return list(claims.values()), faults


def _faults(entry: dict[str, Any]) -> Iterable[str]:
    if unknown := entry.keys() - Claim.__dataclass_fields__.keys():
        yield f"unknown key {', '.join(sorted(unknown))}"
    if not isinstance(entry.get("statement"), str):
        yield "the statement is missing, or no text"
    if not isinstance(entry.get("notebook", ""), str):
        yield "the notebook is no text"
    for key, value in (("notes", entry.get("notes")), ("papers", entry.get("papers", []))):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            yield f"{key} is no list of texts"
        elif key == "notes" and set(value) - set(NOTES):
            yield f"notes {', '.join(value)}, but there are only {', '.join(NOTES)}"
    if entry.get("verdict") not in VERDICTS:
        yield f"verdict {entry.get('verdict')!r} is none of: {', '.join(VERDICTS)}"
    elif entry["verdict"] in VERDICTS[:3] and not (entry.get("notebook") or entry.get("papers")):
        yield f"{entry['verdict']}, but by no notebook and no paper"


def read_effects(
    records: Iterable[tuple[str, str]], claims: Iterable[Claim]
) -> tuple[dict[str, list[Effect]], list[tuple[str, str]]]:
    """Each claim's effects, and the faults, from records given as (file name, text).

    A record is an object with `dataset` and `claims`: id → {effect, and where known verdict and
    holds (finding → whether it held in that run)}. One without claims is passed over.
    """
    verdicts = {claim.id: claim.verdict for claim in claims}
    effects: dict[str, list[Effect]] = {}
    faults = []
    for name, text in records:
        try:
            record = json.loads(text)
            measured = dict(record.get("claims", {}))
            dataset = str(record["dataset"]) if measured else ""
            for id, said in measured.items():
                effect = Effect(dataset, said["effect"], all(said.get("holds", {}).values()))
                effects.setdefault(id, []).append(effect)
                if id not in verdicts:
                    faults.append((name, f"claim {id} is not in the ledger"))
                elif said.get("verdict", verdicts[id]) != verdicts[id]:
                    fault = f"{said['verdict']!r} here, but {verdicts[id]!r} in the ledger"
                    faults.append((name, f"claim {id}: {fault}"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append((name, f"not a record of claims: {type(error).__name__} {error}"))
    return effects, faults


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
            logger.warning("%s: %s", self.config.ledger_claims, fault, type="ledger")
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
        cells: dict[str, list[nodes.Node]] = {
            "claim": [nodes.paragraph("", "", name), nodes.paragraph("", claim.statement)],
            "notes": [nodes.paragraph("", ", ".join(claim.notes) or "—")],
            "verdict": [nodes.paragraph("", "", _badge(claim.verdict, claim.verdict))],
            "effect": [_effect(effect) for effect in effects],
            "evidence": [*self._notebook(claim), *self._papers(claim)],
        }
        row = nodes.row(ids=[anchor])
        for column, _, _ in COLUMNS:
            empty = [] if cells[column] else ["ledger-empty"]
            content = cells[column] or [nodes.paragraph("", "—")]
            row += nodes.entry("", *content, classes=[f"ledger-{column}", *empty])
        return row

    def _notebook(self, claim: Claim) -> Iterable[nodes.Node]:
        if claim.notebook is None:
            return
        docname = f"notebooks/{claim.notebook}"
        if docname not in self.env.found_docs:
            fault = (
                f"claim {claim.id}: the notebook {claim.notebook} is not in the table of contents"
            )
            logger.warning("%s: %s", self.config.ledger_claims, fault, type="ledger")
            return
        link = addnodes.pending_xref(
            "",
            nodes.inline("", claim.notebook),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{docname}",
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )
        yield nodes.paragraph("", "", link)

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
    return nodes.paragraph("", "", nodes.strong("", f"{effect.dataset}: "), nodes.Text(text))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and where its data are, relative to the source folder."""
    app.add_config_value("ledger_claims", "claims.yml", "env")
    app.add_config_value("ledger_results", "results", "env")
    app.add_directive("claims-ledger", ClaimsLedger)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
