"""The exercises of a chapter as an assignment for a class.

    python book/assignment.py 03_one_layer    # writes dist/assignments/03_one_layer/

`student/` is for the class: a notebook with the tasks, empty answers and the checks of the book.
`teacher/held_out.json` is for you alone: how many points a task is worth, which you may change, and
a secret number, from which `grade.py` makes inputs that no student has seen.
"""

from __future__ import annotations

import importlib
import json
import re
import secrets
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from chapter import ROOT, find
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cvcourse.practice.exercise import Exercise
from cvcourse.practice.function import Function
from cvcourse.practice.number import Number

CHECK = re.compile(r"^practice\.(\w+)\.check\(", re.MULTILINE)
PRACTICE = re.compile(r"^from cvcourse\.practice import .*\n+", re.MULTILINE)
PRIVATE = 2**31  #: the secret lies above: the seeds of the book's own checks are small

OPENING = """\
# {title}: exercises

Put your answers in place of the dots, run the cells, and hand in this file. \
Each check tells you what is wrong with an answer as far as it sees it. \
The marks come from other inputs than its own. Only what you give to `check` is marked; \
for each task, what you give last."""

IMPORTS = """\
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cvcourse.practice import {chapter} as practice"""


def tasks(cells: list[NotebookNode]) -> Iterator[tuple[str, NotebookNode, NotebookNode]]:
    """The name of each exercise of a chapter, its text and its cell."""
    for text, cell in pairwise(cells):
        if cell.cell_type == "code" and (asked := CHECK.search(cell.source)):
            yield asked[1], text, cell


def worth(exercise: Exercise) -> int:
    """Points: 1 for a number, 2 for a function, 3 for a project."""
    return 1 if isinstance(exercise, Number) else 2 if isinstance(exercise, Function) else 3


def for_students(chapter: str, cells: list[NotebookNode], points: dict[str, int]) -> NotebookNode:
    """The notebook for the class, not yet run; hints and solutions are not shown.

    The exercises are imported by a cell of their own: a mistake in the first task must not take
    them from the others.
    """
    title = cells[0].source.split("\n")[0].removeprefix("# ")
    setup = next(cell for cell in cells if "setup" in cell.metadata.get("tags", ()))
    made = [new_markdown_cell(OPENING.format(title=title)), new_code_cell(setup.source)]
    made.append(new_code_cell(IMPORTS.format(chapter=chapter)))
    for name, text, cell in tasks(cells):
        heading, rest = text.source.split("\n", 1)
        plural = "s" * (points[name] > 1)
        made.append(new_markdown_cell(f"{heading} ({points[name]} point{plural})\n{rest}"))
        source = PRACTICE.sub("", cell.source)
        made.append(new_code_cell(CHECK.sub(r"_ = practice.\1.check(", source)))
    notebook = new_notebook(cells=made)
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"}
    )
    return notebook


def write(root: Path, name: str, folder: Path) -> None:
    """Write the assignment of a chapter into a folder; a secret that is there is kept.

    Raises:
        SystemExit: there is no such chapter, or it has no exercises.
    """
    cells = nbformat.read(find(root, name), as_version=4).cells
    names = [task for task, *_ in tasks(cells)]
    if not names:
        raise SystemExit(f"{name} has no exercises: no cell calls practice.….check(…)")
    chapter = name[3:]
    practice = importlib.import_module(f"cvcourse.practice.{chapter}")
    points = {task: worth(getattr(practice, task)) for task in names}
    held_out = folder / "teacher" / "held_out.json"
    assignment: dict[str, Any] = {
        "chapter": name,
        "secret": PRIVATE + secrets.randbelow(PRIVATE),
        "points": points,
    }
    if held_out.exists():
        assignment |= json.loads(held_out.read_text("utf-8"))
    for path in (held_out, folder / "student" / f"{name}.ipynb"):
        path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(for_students(chapter, cells, assignment["points"]), path)
    held_out.write_text(json.dumps(assignment, indent=2) + "\n", "utf-8")


def main(name: str) -> None:
    """Write it, and say what to do with it."""
    folder = ROOT / "dist" / "assignments" / name
    write(ROOT, name, folder)
    print(
        f"For the class: {folder / 'student'}\nFor you alone: {folder / 'teacher'}\n"
        f"The marks: python book/grade.py {folder / 'teacher' / 'held_out.json'} FOLDER"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: assignment.py NAME, such as 03_one_layer")
    main(sys.argv[1])
