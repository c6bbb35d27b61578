"""A student's notebook and its functions, from outside: their process, and what it is asked.

The process is `student.py`'s. What comes from it is read as data, and runs nothing here.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import FunctionType
from typing import Any, Self

import numpy as np
import torch
from student import Callback, failure, pack
from torch import Tensor, nn

HERE = Path(__file__).parent
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

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self.skipped: dict[int, str] = {}  #: cells that hung → what happened
        self.stopped: dict[int, str] = {}  #: cells that raised an error → its kind
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
                    if "error" in message:
                        self.stopped[cell] = message["error"]
                self.answers = message["ready"]
            except StuckError as error:
                self.end()
                if cell is None or cell in self.skipped:
                    raise
                self.skipped[cell] = str(error)

    def _start(self) -> None:
        self.stopped.clear()
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
                self.connection.send_bytes(pack(outcome(given[message["callback"]], message)))
        except UnreadableError:
            self.end()  # it may still wait for a result, and take what comes next for it
            raise
        except (StuckError, OSError) as error:
            self.end()
            raise StuckError(str(error)) from error
        return message


def outcome(function: Callable[..., Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What a function of the grader's gives, or its error: a student may catch that."""
    try:
        return {"value": function(*asked["arguments"])}
    except Exception as error:
        return {"error": type(error).__name__, "text": str(error)}


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
