"""The data of the ledger: what `claims.yml`, the chapters and the records say of each claim.

`claims.yml` has ids, statements and sources. Verdicts and numbers are data that a chapter's cells
show beside their text (see `cvcourse.experiment.claim`), and that records keep in the same form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MIME = "application/vnd.cvcourse.claim+json"
VERDICTS = ("confirmed", "confirmed with limits", "corrected", "unsourced", "not yet tested")
NOTES = ("N0", "N1", "N2", "N3", "N4")
MARKS = {True: "✓", False: "✗", None: "○"}


@dataclass
class Claim:
    """One entry of the ledger, and what was measured of it."""

    id: str
    statement: str
    notes: list[str]
    papers: list[str] = field(default_factory=list)
    notebook: str | None = None  #: the chapter that settles it
    live: dict[str, Any] = field(default_factory=dict)  #: what the chapter's cell shows
    records: list[dict[str, Any]] = field(default_factory=list)  #: the same of longer runs

    @property
    def verdict(self) -> str:
        """What the chapter says of it."""
        return str(self.live.get("verdict", "not yet tested"))


def read_ledger(root: Path, claims: str, results: str) -> tuple[list[Claim], list[str]]:
    """Every claim with all that is known of it, and what is wrong, one sentence a fault."""
    try:
        entries, faults = read_claims((root / claims).read_text("utf-8"))
    except OSError as error:
        return [], [f"cannot read the claims: {error.strerror}"]
    ledger = {claim.id: claim for claim in entries}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        for bundle in bundles(path.read_text("utf-8")):
            claim = ledger.get(bundle["id"])
            if claim is None or claim.notebook:
                known = f"settled in {claim.notebook}, too" if claim else "not in the ledger"
                faults.append(f"claim {bundle['id']} of {path.stem} is {known}")
                continue
            claim.notebook, claim.live = path.stem, bundle
    for path in sorted((root / results).glob("*.json")):
        try:
            for bundle in in_record(json.loads(path.read_text("utf-8"))):
                claim = ledger[bundle["id"]]
                claim.records.append(bundle | {"record": path.stem})
                if claim.live and bundle["verdict"] != claim.verdict:
                    fault = f"{bundle['verdict']!r} there, but {claim.verdict!r} in its chapter"
                    faults.append(f"claim {claim.id} in {path.name}: {fault}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            fault = f"{type(error).__name__} {error}"
            faults.append(f"{path.name} is no record of claims in the ledger: {fault}")
    return entries, faults


def read_claims(text: str) -> tuple[list[Claim], list[str]]:
    """The entries of a `claims.yml`, and what is wrong with it."""
    found: dict[str, Claim] = {}
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
        wrong = [f"claim {entry['id']}: {fault}" for fault in _faults(entry)]
        if entry["id"] in found:
            wrong.append(f"claim {entry['id']}: the id is there twice")
        if not wrong:
            found[entry["id"]] = Claim(**entry)
        faults += wrong
    return list(found.values()), faults


def _faults(entry: dict[str, Any]) -> Iterable[str]:
    if unknown := entry.keys() - {"id", "statement", "notes", "papers"}:
        yield f"unknown key {', '.join(sorted(unknown))}"
    if not isinstance(entry.get("statement"), str):
        yield "the statement is missing, or no text"
    for key, value in (("notes", entry.get("notes")), ("papers", entry.get("papers", []))):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            yield f"{key} is no list of texts"
        elif key == "notes" and set(value) - set(NOTES):
            yield f"notes {', '.join(value)}, but there are only {', '.join(NOTES)}"


def bundles(notebook: str) -> Iterator[dict[str, Any]]:
    """The data of every claim that the cells of a notebook (its JSON) show."""
    for cell in json.loads(notebook)["cells"]:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                yield output["data"][MIME]


def in_record(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The data of every claim in a record, with where and when they were measured."""
    made = {key: record[key] for key in ("date", "hardware", "purpose")}
    for bundle in record["claims"]:
        yield {**bundle, **made, "dataset": record["settings"].get("dataset", "shapes")}


def effects(bundle: dict[str, Any]) -> Iterator[str]:
    """Each effect of a claim in words: "lead kept: 10% [9%, 11%]"."""
    for effect in bundle.get("effect", ()):
        yield f"{effect['what']}: {number(effect)}".removeprefix(": ")


def number(effect: dict[str, Any]) -> str:
    """A number as the book prints it, with its interval where it has one: −0.02 [−0.05, 0.00]."""
    if "text" in effect:
        return str(effect["text"])
    keys = ("estimate", "low", "high") if "low" in effect else ("estimate",)
    first, *ends = (format(effect[key], effect["format"]).replace("-", "−") for key in keys)
    return f"{first} [{', '.join(ends)}]" if ends else first


def tally(bundle: dict[str, Any]) -> str:
    """How many findings hold, fail, are open and out of reach in one run: "✓ 4 ○ 1"."""
    found = ["why" if "why" in f else f["holds"] for f in bundle.get("findings", ())]
    marks = MARKS | {"why": "–"}
    return " ".join(f"{mark} {found.count(key)}" for key, mark in marks.items() if key in found)


def css_class(verdict: str) -> str:
    """The class of whatever shows a verdict."""
    return f"verdict-{verdict.replace(' ', '-')}"
