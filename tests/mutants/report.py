"""What became of the mutants, as a page: a table, and every survivor with its reason."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

HEAD = """# Mutants

Written by `make mutants` (tests/mutants/run.py). A mutant is the package with one small change; it
is killed if a test of its module fails, or runs far too long. Explained: it computes the same, or
differs only where nothing is promised; tests/mutants/explained.toml says why.

Tried are those that met the tests so far; a survivor may have met a test less than there is now.

| module | mutants | tried | killed | explained | unexplained | killed of tried | minutes |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


def write(parts: dict[str, Any], known: dict[str, Any], path: Path) -> None:
    reasons = _reasons(path.parent / "explained.toml")
    rows, lists = [], []
    totals = [0, 0, 0, 0, 0, 0.0]
    for part in parts:
        if part not in known:
            rows.append(f"| `{part}` | not counted yet |  |  |  |  |  |  |")
            continue
        tried = [m for m in known[part]["mutants"].values() if m["verdict"] is not None]
        alive = [m for m in tried if not m["verdict"]]
        told = [m for m in alive if _key(m) in reasons]
        numbers = [
            len(known[part]["mutants"]),
            len(tried),
            len(tried) - len(alive),
            len(told),
            len(alive) - len(told),
            known[part]["seconds"] / 60,
        ]
        totals = [a + b for a, b in zip(totals, numbers, strict=True)]
        rows.append(_row(f"`{part}`", numbers))
        if alive:
            lists.append(f"\n## {part}\n")
            lists += [_survivor(m, reasons.get(_key(m))) for m in alive]
    rows.append(_row("all", totals))
    path.write_text(HEAD + "\n".join(rows) + "\n" + "\n".join(lists) + "\n", "utf-8")
    print("\n".join(rows))


def _row(name: str, numbers: list[Any]) -> str:
    *counts, minutes = numbers
    share = f"{counts[2] / max(counts[1], 1):.1%}"
    return f"| {name} | {' | '.join(map(str, counts))} | {share} | {minutes:.1f} |"


def _survivor(mutant: dict[str, Any], reason: str | None) -> str:
    lines = [f"- {line}" for line in mutant["was"].splitlines()]
    lines += [f"+ {line}" for line in mutant["becomes"].splitlines()]
    return "\n".join(
        [
            f"`{mutant['file']}`, `{mutant['function']}`: {reason or '**not explained**'}",
            "\n```diff",
            *lines,
            "```\n",
        ]
    )


def _key(mutant: dict[str, Any]) -> tuple[str, str, str, str]:
    return mutant["file"], mutant["function"], mutant["was"], mutant["becomes"]


def _reasons(path: Path) -> dict[tuple[str, str, str, str], str]:
    if not path.is_file():
        return {}
    found = {}
    for entry in tomllib.loads(path.read_text("utf-8"))["reason"]:
        for was, becomes in entry["mutants"]:
            found[entry["file"], entry["function"], was, becomes] = entry["why"]
    return found
