"""The data of the ledger: what `claims.yml`, the records and the chapters' outputs say of a claim.

Each reader gives what it found, and what is wrong, one sentence a fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

VERDICTS = ("confirmed", "confirmed with limits", "corrected", "unsourced", "not yet tested")
NOTES = ("N0", "N1", "N2", "N3", "N4")
#: A number as the chapters print it, with its interval where it has one: 99% · +0.05 [+0.02, +0.08]
NUMBER = r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]\d+)?%?"
MEASURED = re.compile(rf"(?<![\w.]){NUMBER}(?: \[{NUMBER}, {NUMBER}\])?(?!\w)")
#: A place in an effect for such a number: {what stands before it} or {what stands before it#3}
PLACE = re.compile(r"\{(?P<before>[^{}]+?)(?:#(?P<count>\d+))?\}")


@dataclass(frozen=True)
class Claim:
    """One entry of the ledger, as `claims.yml` has it."""

    id: str
    statement: str
    notes: tuple[str, ...]
    verdict: str
    notebook: str | None = None
    papers: tuple[str, ...] = ()
    effect: str = ""


@dataclass(frozen=True)
class Effect:
    """What was measured of one claim, and where: a chapter, or a record with its seeds."""

    source: str
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
    for key in ("notebook", "effect"):
        if not isinstance(entry.get(key, ""), str):
            yield f"the {key} is no text"
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
            source = str(record["dataset"]) if measured else ""
            if seeds := record.get("settings", {}).get("seeds"):
                source += f", {seeds} seeds"
            for id, said in measured.items():
                effect = Effect(source, said["effect"], all(said.get("holds", {}).values()))
                effects.setdefault(id, []).append(effect)
                if id not in verdicts:
                    faults.append((name, f"claim {id} is not in the ledger"))
                elif said.get("verdict", verdicts[id]) != verdicts[id]:
                    fault = f"{said['verdict']!r} here, but {verdicts[id]!r} in the ledger"
                    faults.append((name, f"claim {id}: {fault}"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append((name, f"not a record of claims: {type(error).__name__} {error}"))
    return effects, faults


def printed(notebook: str) -> str:
    """All that the cells of a notebook (its JSON) print, with single spaces."""
    outputs = (out for cell in json.loads(notebook)["cells"] for out in cell.get("outputs", ()))
    texts = (out.get("text", "") for out in outputs)
    return re.sub(r"\s+", " ", " ".join(t if isinstance(t, str) else "".join(t) for t in texts))


def fill_in(effect: str, text: str) -> tuple[str, list[str]]:
    """An effect with its numbers, read from what the chapter prints; and what is not printed there.

    `{position pixels#3}` stands for the third number after the first "position pixels". So the
    ledger has no copy of a number, and shows what the chapter shows.
    """
    faults = []

    def read(place: re.Match[str]) -> str:
        start = text.find(place["before"])
        numbers = MEASURED.findall(text, start + len(place["before"])) if start >= 0 else []
        count = int(place["count"] or 1)
        if len(numbers) < count:
            faults.append(f"the chapter prints no number {count} after {place['before']!r}")
            return "?"
        return numbers[count - 1].replace("-", "−")

    return PLACE.sub(read, effect), faults
