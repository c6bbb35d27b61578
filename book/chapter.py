"""A chapter, from its notebook and from what the rest of the book says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from slide_text import to_html

from ledger_data import read_claims  # isort: skip - slide_text says where

ROOT = Path(__file__).parents[1]
SUMMARY = r"\]\(\.\./notebooks/{}\.ipynb\)\n+\*\*Question\.\*\* (.+?)\n+\*\*Answer\.\*\* (.+?)\n\n"


@dataclass
class Chapter:
    """A notebook, and what the book says of it elsewhere.

    Attributes:
        path: the notebook's.
        cells: its cells.
        question: what it asks, in a sentence or two.
        answer: what came out.
        statements: what the notes say, claim by claim.
    """

    path: Path
    cells: list[NotebookNode]
    question: str
    answer: str
    statements: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)  #: "#fig-shift" → "Figure 3.2"
    verdicts: list[dict[str, Any]] = field(default_factory=list)  #: its claims as data

    def __post_init__(self) -> None:
        captioned = (c for c in self.cells if c.metadata.get("mystnb", {}).get("figure"))
        for count, cell in enumerate(captioned, 1):
            name = cell.metadata["mystnb"]["figure"]["name"]
            self.names[f"#{name}"] = f"Figure {self.number}.{count}"

    @property
    def number(self) -> int:
        """Of the chapter."""
        return int(self.path.stem.split("_")[0])

    @property
    def title(self) -> str:
        """Of the chapter, without its number."""
        return str(self.cells[0].source.split("\n")[0].removeprefix("# "))

    def html(self, markdown: str) -> str:
        """HTML of a text of this chapter."""
        return to_html(markdown, self.names)


def find(root: Path, name: str) -> Path:
    """The notebook of a chapter of the book that lies in `root`.

    Raises:
        SystemExit: there is no such chapter.
    """
    path = root / "notebooks" / f"{name}.ipynb"
    if name not in chapters(root):
        there = ", ".join(chapters(root))
        raise SystemExit(f"there is no chapter {name!r}; NAME is one of {there}")
    return path


def read(root: Path, name: str) -> Chapter:
    """A chapter, and what the book says of it.

    Raises:
        SystemExit: there is no such chapter, or no summary of it.
    """
    path = find(root, name)
    summary = (root / "book" / "summaries.md").read_text("utf-8")
    told = re.search(SUMMARY.format(re.escape(name)), summary, re.DOTALL)
    if told is None:
        raise SystemExit(f"book/summaries.md has no Question and Answer for {name}; write them")
    claims, _ = read_claims((root / "book" / "claims.yml").read_text("utf-8"))
    statements = {claim.id: claim.statement for claim in claims}
    cells = nbformat.read(path, as_version=4).cells
    return Chapter(path, cells, told[1], told[2], statements)


def chapters(root: Path) -> list[str]:
    """The names of all chapters, in order."""
    return [path.stem for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))]
