"""One student's notebook, in a process of its own: it hands out answers, and judges nothing.

Started by `grade.py`. The book's exercises are not there: in their place stands something that
notes what is given to `check`. So a notebook cannot ask the exercises for their answers, and a
check that it overwrites is one that nobody looks at. Files of the exercises and other programs are
refused, too. That is no prison: whoever wants out of it badly gets out.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch.overrides import TorchFunctionMode
from traitlets.config import Config

import cvcourse

HIDDEN = "cvcourse.practice"
FOLDER = os.path.realpath(Path(cvcourse.__file__).with_name("practice"))
OTHER_PROGRAMS = {"os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system"}
OTHER_PROGRAMS |= {"pty.spawn", "subprocess.Popen"}
#: What was last given to each exercise's `check`.
ANSWERS: dict[str, Any] = {}


def pack(message: Any) -> bytes:
    """A message as bytes: `torch.save`'s, which can be read without running what is in them."""
    buffer = BytesIO()
    torch.save(message, buffer)
    return buffer.getvalue()


def failure(name: str, text: str) -> Exception:
    """An error like one that was raised on the other side."""
    kind = getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = type(name, (Exception,), {})
    return kind(*filter(None, [text]))


class Callback:
    """A function that stays with the grader; calling it asks for its result."""

    connection: Connection

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, *arguments: Any) -> Any:
        """What the grader's function gives."""
        self.connection.send_bytes(pack({"callback": self.number, "arguments": plain(arguments)}))
        given = torch.load(BytesIO(self.connection.recv_bytes()), weights_only=False)
        if "error" in given:
            raise failure(given["error"], given["text"])
        return given["value"]


class Asked:
    """In place of an exercise."""

    def __init__(self, name: str) -> None:
        self.name = name

    def check(self, *answer: Any) -> None:
        """Note an answer; of several, the last counts."""
        if answer not in ((), (...,)):
            ANSWERS[self.name] = answer[0] if len(answer) == 1 else answer

    def hint(self) -> None:
        """Nothing."""

    def solution(self) -> None:
        """Nothing."""


class Practice(ModuleType):
    """In place of a chapter's exercises."""

    def __getattr__(self, name: str) -> Asked:
        if name.startswith("_"):
            raise AttributeError(name)
        return Asked(name)


class Instead(MetaPathFinder, Loader):
    """Finds these, where the book's exercises are imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Whatever lies in the folder of the exercises."""
        if name != HIDDEN and not name.startswith(f"{HIDDEN}."):
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty folder, and chapters in it."""
        return (ModuleType if spec.name == HIDDEN else Practice)(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what no exercise needs."""
    if event in OTHER_PROGRAMS:
        raise PermissionError("a notebook starts no other program while it is graded")
    if event == "open" and _is_closed(arguments[0]):
        raise PermissionError("the exercises are closed while they are graded")


def _is_closed(path: Any) -> bool:
    known = isinstance(path, str | bytes | os.PathLike)  # or the number of an open file
    return known and os.path.realpath(os.fsdecode(path)).startswith(FOLDER)


class Noted(TorchFunctionMode):
    """While it is entered, notes the calls of PyTorch's functions: shapes of tensors, integers."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: set[tuple[str, tuple[Any, ...]]] = set()

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call it."""
        given = (*args, *(kwargs or {}).values())
        self.calls.add((getattr(function, "__name__", ""), tuple(map(_outline, given))))
        return function(*args, **(kwargs or {}))


def _outline(value: Any) -> Any:
    with torch._C.DisableTorchFunction():  # or asking for a shape would be noted, too
        if isinstance(value, torch.Tensor):
            return tuple(value.shape)
    return value if isinstance(value, int) else None


def plain(value: Any) -> Any:
    """An answer as what can be read without running it: tensors, numbers, text, lists of them."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
        return torch.as_tensor(value)
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Fraction | Decimal):
        return float(value)
    if value is ...:
        return None
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([plain(one) for one in value]) if type(value) in (list, tuple) else value
    return [plain(one) for one in value] if isinstance(value, Iterator) else value


def run(path: Path, skipped: set[int], say: Callable[[Any], None]) -> None:
    """Run the cells of a notebook, but for some; an error ends its cell, and nothing else."""
    settings = Config()
    settings.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=settings)
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type == "code" and number not in skipped:
            say({"cell": number})
            result = shell.run_cell(cell.source)
            if error := result.error_before_exec or result.error_in_exec:
                say({"cell": number, "error": type(error).__name__})


def answer(name: str, arguments: list[Any]) -> dict[str, Any]:
    """What a student's function gives; with what it did to its arguments, and what it called."""
    noted = Noted()
    try:
        with noted:
            value = ANSWERS[name](*arguments)
    except BaseException as error:
        return {"error": type(error).__name__, "text": str(error)}
    kept = [None if isinstance(one, Callback) else plain(one) for one in arguments]
    return {"value": plain(value), "arguments": kept, "calls": list(noted.calls)}


def serve(connection: Connection, path: str, *skipped: str) -> None:
    """Run the notebook, then answer the grader until it hangs up."""

    def say(message: Any) -> None:
        try:
            packed = pack(message)
        except Exception as error:
            packed = pack({"error": type(error).__name__, "text": "no numbers came back"})
        connection.send_bytes(packed)

    Callback.connection = connection
    sys.meta_path.insert(0, Instead())
    sys.addaudithook(guard)
    say({"begun": True})
    run(Path(path), set(map(int, skipped)), say)
    say({"ready": {name: callable(given) for name, given in ANSWERS.items()}})
    while True:
        name, arguments = torch.load(BytesIO(connection.recv_bytes()), weights_only=False)
        say({"value": plain(ANSWERS[name])} if arguments is None else answer(name, arguments))
