"""Makes calls, one after the other, and says before and after each what came of it.

A process of its own: `run` starts it, and another one where it dies.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch

from fuzz.outcome import Hang, Naming, classify, is_sound
from fuzz.rows import Row
from fuzz.table import ROWS

SECONDS = 10  #: what takes longer hangs
SPARE = 3 * 2**30  #: bytes of memory that the calls may take beyond what the imports took


def calls() -> list[tuple[Row, str, Any]]:
    """Every call in the table, always in this order."""
    return [(row, argument, trial) for row in ROWS for argument, trial in row.trials()]


def _alarm(*_: object) -> None:
    raise Hang(f"longer than {SECONDS} s")


@contextlib.contextmanager
def _limited(seconds: int) -> Iterator[None]:
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def _quietly(row: Row, **changed: Any) -> Any:
    """The same call always gives the same; nothing is shown or kept open."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 (torchvision and a learner may use it)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return row.call(**changed)


def attempt(row: Row, argument: str, trial: Any, wanted: dict[Any, Any]) -> tuple[str, str]:
    """The class of a call, and what was seen."""
    key = (row.name, trial.like and (argument, trial.label))
    try:
        if key not in wanted:
            changed = {argument: trial.like()} if trial.like else {}
            with _limited(60):
                wanted[key] = _quietly(row, **changed)
            assert is_sound(wanted[key]), "it is not finite"
        value = trial.make()
    except Exception as wrong:
        return "broken", f"the valid call, or the value, fails: {type(wrong).__name__}: {wrong}"
    words = row.kinds[argument].words if argument else ()
    if trial.label.startswith("dimension"):  # two arguments that do not fit: either may be named
        words += tuple(row.kinds)
    result, error = None, None
    try:
        with _limited(SECONDS):
            result = _quietly(row, **({argument: value} if argument else {}))
    except BaseException as raised:
        error = raised
    return classify(
        trial.expect, result, error, wanted[key], Naming(argument.strip("*"), value, words)
    )


def _prepare() -> None:
    """No network, no figure on a screen, a folder of its own, and so much memory and no more."""
    os.chdir(tempfile.mkdtemp())
    os.environ["CVCOURSE_DATA"] = os.getcwd()
    mpl.use("Agg")
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)

    def refuse(*_: object) -> None:
        raise OSError("there is no network here")

    socket.socket.connect = refuse  # type: ignore[method-assign]
    with contextlib.suppress(ImportError, FileNotFoundError):  # Linux only
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + SPARE
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def main() -> None:
    """Number after number from stdin; one line of JSON for each on stdout."""
    out = os.fdopen(os.dup(1), "w")
    _prepare()
    every = calls()
    wanted: dict[Any, Any] = {}
    print(json.dumps({"ready": len(every)}), file=out, flush=True)
    for line in sys.stdin:
        row, argument, trial = every[int(line)]
        start = time.perf_counter()
        found, seen = attempt(row, argument, trial, wanted)
        took = time.perf_counter() - start
        print(
            json.dumps({"class": found, "seen": seen[:300], "seconds": round(took, 3)}),
            file=out,
            flush=True,
        )


if __name__ == "__main__":
    main()
