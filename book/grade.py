"""From a folder of students' notebooks to a table of marks.

    python book/grade.py dist/assignments/03_one_layer/teacher/held_out.json submissions

Every `.ipynb` below the folder is one student's. Each runs in a process of its own (`student.py`),
and its functions are called there, with inputs that no student has seen; what comes back is judged
here, by the exercises themselves. Writes `marks.csv` beside `held_out.json`: student, task,
points, of how many, and why. Points are empty where somebody has to look.
"""

from __future__ import annotations

import builtins
import csv
import importlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from io import BytesIO
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from student import Callback, pack
from torch import Tensor, nn

from cvcourse.practice.exercise import Exercise
from cvcourse.practice.function import Function

HERE = Path(__file__).parent
SECONDS = 30.0  #: for a cell, and for a call of a student's function
CALLS = 12  #: of a function, with inputs that no student has seen
STARTING = 120.0  #: for a process to begin
#: The process calls first: whatever fails after that is noticed.
START = f"""
import sys
from multiprocessing.connection import Client
connection = Client(sys.argv[1], authkey=bytes.fromhex(sys.argv[2]))
sys.path.insert(0, {str(HERE)!r})
import student
student.serve(connection, *sys.argv[3:])
"""
LAYERS: list[Any] = [kind for kind in vars(nn).values() if isinstance(kind, type)]
Calls = set[tuple[str, tuple[Any, ...]]]  #: of PyTorch's functions: names, shapes and integers


class Mark(NamedTuple):
    """A row of the table."""

    student: str
    task: str
    points: float | None  #: None: somebody has to look
    of: float
    why: str


class StuckError(Exception):
    """A student's process says nothing any more."""


class UnreadableError(Exception):
    """A student's answer is nothing that can be judged here."""


class Student:
    """A notebook in its process, which is begun anew when it hangs or dies.

    Args:
        path: the notebook's.
        seconds: how long a cell may take, and a call.
    """

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self.path, self.seconds = path, seconds
        self.skipped: dict[int, str] = {}  #: cells that hung → what happened
        self.answers: dict[str, bool] = {}  #: what was given to `check` → whether it can be called
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        return self

    def __exit__(self, *error: object) -> None:
        self.end()
        self.folder.cleanup()

    def end(self) -> None:
        """End the process, whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.connection.close()
            self.process = None

    def begin(self) -> None:
        """Run the notebook; a cell that hangs is left out, and the notebook begun anew."""
        while self.process is None:
            cell = None
            try:
                self._start()
                while "ready" not in (message := self._receive(time.monotonic() + self.seconds)):
                    cell = message["cell"]
                self.answers = message["ready"]
            except StuckError as error:
                self.end()
                if cell is None or cell in self.skipped:
                    raise
                self.skipped[cell] = str(error)

    def _start(self) -> None:
        key = secrets.token_bytes(16)
        with Listener(authkey=key) as door:
            command = [sys.executable, "-c", START, str(door.address), key.hex(), str(self.path)]
            self.process = subprocess.Popen(
                [*command, *map(str, self.skipped)],
                cwd=self.folder.name,
                env=os.environ | {"MPLBACKEND": "agg", "TQDM_DISABLE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.connection: Connection = door.accept()
        self._receive(time.monotonic() + STARTING)

    def _receive(self, until: float) -> dict[str, Any]:
        """The next message. Reading it runs nothing."""
        try:
            if not self.connection.poll(max(0.0, until - time.monotonic())):
                raise StuckError(f"took over {self.seconds:g} s")
            packed = self.connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise StuckError("ended the process that it ran in") from error
        try:
            with torch.serialization.safe_globals(LAYERS):
                message: dict[str, Any] = torch.load(BytesIO(packed), weights_only=True)
        except Exception as error:
            raise UnreadableError("gives something of a kind of its own") from error
        return message

    def ask(self, name: str, arguments: Sequence[Any] | None = None) -> dict[str, Any]:
        """What an answer is; or gives, if there are arguments. Functions among them stay here."""
        self.begin()
        until = time.monotonic() + self.seconds
        given = list(arguments or ())
        sent = [Callback(i) if isinstance(g, FunctionType) else g for i, g in enumerate(given)]
        try:
            self.connection.send_bytes(pack((name, None if arguments is None else sent)))
            while "callback" in (message := self._receive(until)):
                result = given[message["callback"]](*message["arguments"])
                self.connection.send_bytes(pack(result))
        except (StuckError, OSError) as error:
            self.end()
            raise StuckError(str(error)) from error
        return message

    def function(self, name: str) -> Remote:
        """An answer that is a function."""
        return Remote(self, name)


class Remote:
    """A student's function, called where it lives."""

    def __init__(self, student: Student, name: str) -> None:
        self.student, self.__name__ = student, name
        self.calls: Calls = set()
        self.failed: Exception | None = None  #: what is no fault of its numbers

    def __call__(self, *arguments: Any) -> Any:
        """What it gives, with the arguments as it leaves them."""
        if self.failed:
            raise self.failed
        try:
            message = self.student.ask(self.__name__, arguments)
        except (StuckError, UnreadableError) as error:
            self.failed = error
            raise
        if "error" in message:
            raise failure(message["error"], message["text"])
        for mine, theirs in zip(arguments, message["arguments"], strict=True):
            take_over(mine, theirs)
        self.calls |= set(message["calls"])
        return message["value"]


def failure(name: str, text: str) -> Exception:
    """An error like the one that a student's function raised."""
    kind = getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = type(name, (Exception,), {})
    return kind(*filter(None, [text]))


def take_over(mine: Any, theirs: Any) -> None:
    """Do to an argument what a student's function did to its copy."""
    if isinstance(mine, nn.Module):
        children = dict(mine.named_children())
        for name, child in children.items():
            take_over(child, getattr(theirs, name))
        mine.__dict__.update({**theirs.__dict__, "_modules": mine._modules})
    elif isinstance(mine, Tensor):
        mine.data = theirs.data
    elif isinstance(mine, np.ndarray):
        mine[...] = theirs.numpy()
    elif isinstance(mine, list):
        mine[:] = theirs
    elif isinstance(mine, dict):
        mine.clear()
        mine.update(theirs)


def held_out(exercise: Exercise, secret: int) -> Exercise:
    """The same exercise with other inputs, where it has inputs."""
    twin = copy(exercise)
    if isinstance(twin, Function):
        for known in ("calls", "_known", "_pairs"):
            vars(twin).pop(known, None)
        seeds = (torch.Generator().manual_seed(secret + i) for i in range(CALLS))
        vars(twin)["calls"] = [twin.inputs(seed) for seed in seeds]
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
    """The points of a task, and why."""
    name = exercise.name
    try:
        student.begin()
        if name not in student.answers:
            return 0, f"Nothing was given to practice.{name}.check."
        if not student.answers[name]:
            said = exercise.judge(student.ask(name)["value"])
            return of * (said.mark == "✓"), said.text
    except StuckError as error:
        return 0, f"The notebook {error}."
    except UnreadableError as error:
        return None, f"The answer {error}: look at it."
    function = student.function(name)
    said = exercise.judge(function)
    if isinstance(function.failed, UnreadableError):
        return None, f"The function {function.failed}: look at it."
    if function.failed:
        return 0, f"The function {function.failed}."
    if said.mark == "✓" and (what := used(exercise, function.calls)):
        return of / 2, f"Right numbers, but with {what}."
    return of * (said.mark == "✓"), said.text


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
