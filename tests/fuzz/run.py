"""The whole fuzz: `make fuzz`. Writes results.json, and the table in book/fuzz.md.

    python tests/fuzz/run.py                       # all of it, three minutes
    python tests/fuzz/run.py --only losses plot    # rows whose names begin so; nothing is written
    python tests/fuzz/run.py --only train --show silent crash   # and the calls of these classes

It tries the package in the current folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

HERE, ROOT = Path(__file__).parent, Path.cwd()
PATIENCE = 20  #: seconds until a worker that says nothing is killed
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "book/fuzz.md"
MARKS = "<!-- made by tests/fuzz/run.py -->\n", "<!-- until here -->\n"
COLUMNS = ("right", "named", "obscure", "silent", "refused", "crash", "hang", "broken")


class Worker:
    """A process that makes calls."""

    def __init__(self) -> None:
        paths = os.pathsep.join([str(ROOT), str(HERE.parent)])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        )
        self.killed = False
        if self._read(120) is None:
            raise RuntimeError(f"the worker did not start: {self._last_words()}")

    def call(self, number: int) -> dict[str, Any]:
        """What came of a call; the worker may be gone afterwards."""
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        found = self._read(PATIENCE)
        if found is not None:
            return found
        words = self._last_words()
        if self.killed:
            return {"class": "hang", "seen": f"killed after {PATIENCE} s", "seconds": PATIENCE}
        return {"class": "crash", "seen": f"the process ended: {words}", "seconds": 0.0}

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        """Let it end."""
        self.process.communicate()

    def _read(self, seconds: float) -> dict[str, Any] | None:
        """Its next line; None if it died, or was killed since it said nothing."""
        timer = threading.Timer(seconds, self._kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        return json.loads(line) if line else None

    def _kill(self) -> None:
        self.killed = True
        self.process.kill()

    def _last_words(self) -> str:
        code = self.process.wait()
        return f"code {code}, {self.process.stderr.read()[-300:]}"


def outcomes(numbers: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What comes of each call; a worker that dies is followed by another."""
    worker = Worker()
    for number in numbers:
        yield number, worker.call(number)
        if not worker.is_alive:
            worker.close()
            worker = Worker()
    worker.close()


def table(modules: dict[str, dict[str, int]]) -> str:
    """The counts by module, in Markdown."""
    total = Counter[str]()
    lines = [f"| module | calls | {' | '.join(COLUMNS[:-1])} |", "|---|" + "--:|" * len(COLUMNS)]
    for name, counts in [*sorted(modules.items()), ("all", total)]:
        cells = [sum(counts.values()), *(counts.get(column, 0) for column in COLUMNS[:-1])]
        label = f"**{name}**" if counts is total else f"`{name}`"
        lines.append(f"| {label} | {' | '.join(f'{cell:,}' for cell in cells)} |")
        total.update(counts)
    return "\n".join(lines) + "\n"


def write_page(results: dict[str, Any]) -> None:
    """Put the table into the page."""
    before, _, rest = PAGE.read_text("utf-8").partition(MARKS[0])
    _, mark, after = rest.partition(MARKS[1])
    made = before + MARKS[0] + "\n" + table(results["modules"]) + "\n" + mark + after
    PAGE.write_text(made, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], help="beginnings of rows' names")
    parser.add_argument("--show", nargs="+", default=[], help=f"classes: {', '.join(COLUMNS)}")
    asked = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(HERE.parent)]
    from fuzz.worker import calls

    every = calls()
    numbers = [i for i, (row, *_) in enumerate(every) if row.name.startswith(tuple(asked.only))]
    modules: dict[str, Counter[str]] = {}
    obscure, slow = [], Counter[str]()
    for number, found in outcomes(numbers):
        row, argument, trial = every[number]
        modules.setdefault(row.name.split(".")[0], Counter())[found["class"]] += 1
        slow[row.name] += found["seconds"]
        call = f"{row.name}({argument} = {trial.label})"
        if found["class"] == "obscure":
            obscure.append(call)
        if found["class"] in (*asked.show, "broken"):
            print(f"{found['class']:8}{call} {found['seen']}", flush=True)
    results = {
        "versions": {"python": platform.python_version(), "torch": metadata.version("torch")},
        "modules": {name: dict(sorted(counts.items())) for name, counts in sorted(modules.items())},
        "obscure": obscure,
    }
    print(table(results["modules"]))
    most = ", ".join(f"{name} {seconds:.1f}" for name, seconds in slow.most_common(6))
    print(f"{sum(slow.values()):.0f} s; the longest: {most}")
    if asked.only == [""]:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        write_page(results)


if __name__ == "__main__":
    main()
