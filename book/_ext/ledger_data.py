"""The data of the ledger: what `claims.yml`, the chapters and the records say of each claim.

`claims.yml` has ids, statements and sources. Verdicts and numbers are data that a chapter's cells
show beside their text (see `cvcourse.experiment.claim`), and that records keep in the same form.
What all of it looks like stands in `claims.schema.json` alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from trained_out import printed, trained_out

MIME = "application/vnd.cvcourse.claim+json"
MARKS = {True: "✓", False: "✗", None: "○"}
SCHEMA = Path(__file__).parents[1] / "extra" / "claims.schema.json"
FORMS = json.loads(SCHEMA.read_text("utf-8"))["$defs"]
PUBLISHED = FORMS["claim"]["properties"]
VERDICTS = tuple(PUBLISHED["verdict"]["enum"])
#: What an entry of `claims.yml` looks like, and what a cell or a record says of a claim.
KEYS = "id", "statement", "notes", "papers", "photographs", "untrained"
WRITTEN = {key: PUBLISHED[key] for key in KEYS}
ENTRY = Draft202012Validator(
    {
        "type": "object",
        "properties": WRITTEN,
        "additionalProperties": False,
        "required": ["id", "statement", "notes"],
    }
)
RUN = Draft202012Validator({"$ref": "#/$defs/run", "$defs": FORMS})


@dataclass
class Claim:
    """One entry of the ledger, and what was measured of it."""

    id: str
    statement: str
    notes: list[str]
    papers: list[str] = field(default_factory=list)
    photographs: str | None = None  #: why no run on photographs can be, or need be
    untrained: str | None = None  #: why a longer training cannot change it
    notebook: str | None = None  #: the chapter that settles it
    live: dict[str, Any] = field(default_factory=dict)  #: what the chapter's cell shows
    records: list[dict[str, Any]] = field(default_factory=list)  #: the same of longer runs

    @property
    def ours(self) -> bool:
        """No set of notes makes it."""
        return not self.notes

    @property
    def verdict(self) -> str:
        """What the chapter says of it."""
        return str(self.live.get("verdict", "not yet tested"))

    @property
    def trained_out(self) -> dict[str, Any] | None:
        """What more training makes of it; None where training cannot change it."""
        found = None if self.untrained else trained_out(self.live, self.records)
        if found and self.photographs:
            found["photographs"] = "not applicable"
        return found


def read_ledger(root: Path, claims: str, results: str) -> tuple[list[Claim], list[str]]:
    """Every claim with all that is known of it, and what is wrong, one sentence a fault."""
    try:
        entries, faults = read_claims((root / claims).read_text("utf-8"))
    except OSError as error:
        return [], [f"cannot read the claims: {error.strerror}"]
    ledger = {claim.id: claim for claim in entries}
    chapters = sorted((root / "notebooks").glob("*.ipynb"))
    for path in (*chapters, *sorted((root / results).glob("*.json"))):
        read = bundles if path in chapters else in_record
        try:
            said = [*read(path.read_text("utf-8"))]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            faults.append(f"{path.name} has no claims to read: {type(error).__name__} {error}")
            continue
        for bundle in said:
            fault = _fault(RUN, bundle)
            claim = None if fault else ledger.get(bundle["id"])
            if claim is None:
                fault = fault or " is not in the ledger"
            elif path not in chapters:
                if bundle["dataset"] == "shapes" or not claim.photographs:
                    claim.records.append(bundle | {"record": path.stem})
                if claim.live and bundle["verdict"] != claim.verdict:
                    fault = f": {bundle['verdict']!r} there, but {claim.verdict!r} in its chapter"
            elif claim.notebook:
                fault = f" is settled in {claim.notebook}, too"
            else:
                claim.notebook, claim.live = path.stem, bundle
            if fault:
                faults.append(f"claim {bundle.get('id')} in {path.name}{fault}")
    return entries, faults


def read_claims(text: str) -> tuple[list[Claim], list[str]]:
    """The entries of a `claims.yml`, and what is wrong with it."""
    try:
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [], [f"not YAML: {error}"]
    if not isinstance(entries, list):
        return [], ["not a list of claims"]
    found: dict[str, Claim] = {}
    faults: list[str] = []
    for number, entry in enumerate(entries, start=1):
        id = entry.get("id") if isinstance(entry, dict) else None
        if fault := _fault(ENTRY, entry):
            faults.append((f"claim {id}" if id else f"entry {number}") + fault)
        elif id in found:
            faults.append(f"claim {id}: the id is there twice")
        else:
            found[str(id)] = Claim(**entry)
    return list(found.values()), faults


def _fault(form: Draft202012Validator, thing: object) -> str:
    """What does not look as it should, and where: ".notes[0]: 'N7' is not one of …"."""
    error = best_match(form.iter_errors(thing))
    return f"{error.json_path[1:]}: {error.message}" if error else ""


def bundles(notebook: str) -> Iterator[dict[str, Any]]:
    """The data of every claim that the cells of a notebook (its JSON) show."""
    for cell in json.loads(notebook)["cells"]:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                yield {**output["data"][MIME]}


def in_record(text: str) -> Iterator[dict[str, Any]]:
    """The data of every claim in a record (JSON), with where and when they were measured."""
    record = json.loads(text)
    made = {key: record[key] for key in ("date", "hardware", "purpose")}
    made["budget"] = record.get("budget", 1)
    for bundle in record["claims"]:
        yield {**bundle, **made, "dataset": record["settings"].get("dataset", "shapes")}


def effects(bundle: dict[str, Any]) -> Iterator[str]:
    """Each effect of a claim in words: "lead kept: 10% [9%, 11%]"."""
    for effect in bundle["effect"]:
        yield f"{effect['what']}: {number(effect)}".removeprefix(": ")


def number(effect: dict[str, Any]) -> str:
    """A number as the book prints it, with its interval where it has one: −0.02 [−0.05, 0.00]."""
    if "text" in effect:
        return str(effect["text"])
    keys = [key for key in ("estimate", "low", "high") if key in effect]
    first, *ends = (printed(effect[key], effect["format"]) for key in keys)
    return f"{first} [{', '.join(ends)}]" if ends else first


def tally(bundle: dict[str, Any]) -> str:
    """How many findings hold, fail, are open and out of reach in one run: "✓ 4 ○ 1"."""
    found = ["why" if "why" in f else f["holds"] for f in bundle["findings"]]
    marks = MARKS | {"why": "–"}
    return " ".join(f"{mark} {found.count(key)}" for key, mark in marks.items() if key in found)


def css_class(verdict: str) -> str:
    """The class of whatever shows a verdict."""
    return f"verdict-{verdict.replace(' ', '-')}"
