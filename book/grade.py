"""From a folder of students' notebooks to a table of marks.

    python book/grade.py dist/assignments/03_one_layer/teacher/held_out.json submissions

Every `.ipynb` below the folder is one student's. Each runs in a process of its own (`student.py`),
and its functions are called there, with inputs that no student has seen; what comes back is judged
here, by the exercises themselves. Writes `marks.csv` beside `held_out.json`: student, task,
points, of how many, and why. Points are empty where somebody has to look.
"""

from __future__ import annotations

import csv
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from typing import NamedTuple

import nbformat
import torch
from remote import Calls, Remote, StuckError, Student, UnreadableError

from cvcourse.practice.exercise import Exercise
from cvcourse.practice.function import Function

SECONDS = 30.0  #: for a cell, and for a call of a student's function
CALLS = 8  #: of a function, beside the book's own, with inputs that no student has seen


class Mark(NamedTuple):
    """A row of the table."""

    student: str
    task: str
    points: float | None  #: None: somebody has to look
    of: float
    why: str


def held_out(exercise: Exercise, secret: int) -> Exercise:
    """The same exercise with more inputs, where it has inputs: the book's own, and others."""
    twin = copy(exercise)
    if isinstance(exercise, Function) and isinstance(twin, Function):
        for known in ("calls", "_known", "_pairs"):
            vars(twin).pop(known, None)
        seeds = (torch.Generator().manual_seed(secret + i) for i in range(CALLS))
        vars(twin)["calls"] = [*exercise.calls, *map(exercise.inputs, seeds)]
    return twin


def used(exercise: Exercise, calls: Calls) -> str | None:
    """Which forbidden thing an answer used."""
    forbidden: dict[str, Callable[..., bool]] = getattr(exercise, "forbidden", {})
    for name, given in calls:
        shaped = [torch.empty(g, device="meta") if isinstance(g, tuple) else g for g in given]
        for what, is_it in forbidden.items():
            if is_it(name, *shaped):
                return what
    return None


def judge(exercise: Exercise, student: Student, of: float) -> tuple[float | None, str]:
    """The points of a task, and why; no points at all where somebody has to look."""
    name = exercise.name
    try:
        student.begin()
        if name not in student.answers:
            cells = ", ".join(f"{n + 1} ({kind})" for n, kind in student.stopped.items())
            stopped = f" Cells that stopped: {cells}." if cells else ""
            return 0, f"Nothing was given to practice.{name}.check.{stopped}"
        if not student.answers[name]:
            said = exercise.judge(student.ask(name)["value"])
            return of * (said.mark == "✓"), said.text
        function = Remote(student, name)
        said = exercise.judge(function)
        if function.failed:
            raise function.failed
        if said.mark == "✓" and (what := used(exercise, function.calls)):
            return of / 2, f"Right numbers, but with {what}."
        return of * (said.mark == "✓"), said.text
    except StuckError as error:
        return 0, f"It {error}."
    except UnreadableError as error:
        return None, f"It {error}: look at it."
    except Exception as error:  # whatever one student hands in, the others get their marks
        return None, f"Judging it failed ({type(error).__name__}: {error}): look at it."


def grade(test: Path, folder: Path, seconds: float = SECONDS) -> Iterator[Mark]:
    """The marks of all notebooks in a folder, student by student.

    Args:
        test: the assignment's `held_out.json`.
        folder: of the notebooks.
        seconds: how long a cell may take, and a call.
    """
    assignment = json.loads(test.read_text("utf-8"))
    practice = importlib.import_module(f"cvcourse.practice.{assignment['chapter'][3:]}")
    tasks = {
        held_out(getattr(practice, name), assignment["secret"]): points
        for name, points in assignment["points"].items()
    }
    for path in sorted(folder.rglob("*.ipynb")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if ".ipynb_checkpoints" in path.parts:
            continue
        try:
            nbformat.read(path, as_version=4)
        except Exception as error:
            why = f"This file is no notebook that can be read: {type(error).__name__}."
            yield from (Mark(name, task.name, 0, of, why) for task, of in tasks.items())
            continue
        with Student(path.resolve(), seconds) as student:
            for task, of in tasks.items():
                points, why = judge(task, student, of)
                hung = "".join(f" Cell {n + 1} {what}." for n, what in student.skipped.items())
                yield Mark(name, task.name, points, of, why + hung)


def main(test: Path, folder: Path) -> None:
    """Write the table, and print each student's sum."""
    marks = list[Mark]()
    sums: dict[str, list[float | None]] = {}
    for mark in grade(test, folder):
        marks.append(mark)
        sums.setdefault(mark.student, []).append(mark.points)
    if not marks:
        raise SystemExit(f"no notebook (.ipynb) lies in {folder}")
    path = test.with_name("marks.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Mark._fields)
        writer.writerows(marks)
    for student, points in sums.items():
        to_see = f", and {points.count(None)} to look at" if None in points else ""
        print(f"{student}: {sum(filter(None, points)):g}{to_see}")
    print(f"Why, task by task: {path}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: grade.py …/teacher/held_out.json FOLDER_OF_NOTEBOOKS")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
