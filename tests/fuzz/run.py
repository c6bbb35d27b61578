"""The fuzz of the public interface: `make fuzz`.

    python tests/fuzz/run.py                # all, results.json and the book's page
    python tests/fuzz/run.py --show silent  # and what was seen of one class
    python tests/fuzz/run.py --only losses  # rows whose name or module begins so
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = Path.cwd()  # of the package that is tried
PATIENCE = 20  #: seconds until a worker that says nothing is killed


class Worker:
    """A process that makes calls."""

    def __init__(self) -> None:
        env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
        )
        self.killed = False
        self.read(120)

    def read(self, seconds: float) -> dict[str, Any] | None:
        """Its next line; None if it died, or was killed since it said nothing."""
        timer = threading.Timer(seconds, self.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        return json.loads(line) if line else None

    def kill(self) -> None:
        self.killed = True
        self.process.kill()

    def call(self, number: int) -> dict[str, Any]:
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        return self.read(PATIENCE) or self.died()

    def died(self) -> dict[str, Any]:
        code = self.process.wait()
        said = self.process.stderr.read()[-200:]
        if self.killed:
            return {"class": "hang", "seen": f"killed after {PATIENCE} s", "seconds": PATIENCE}
        return {"class": "crash", "seen": f"the process ended with {code}: {said}", "seconds": 0.0}

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def outcomes(numbers: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What comes of each call; a worker that dies is followed by another."""
    worker = Worker()
    for number in numbers:
        yield number, (found := worker.call(number))
        if worker.process.poll() is not None or found["seen"].startswith("the process"):
            worker = Worker()
    worker.close()


def main() -> None:
    sys.path[:0] = [str(ROOT), str(HERE)]
    from table import TABLE
    from worker import calls

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[""])
    parser.add_argument("--show", nargs="*", default=[])
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    module = {row.name: name for name, rows in TABLE.items() for row in rows}
    every = calls()
    numbers = [i for i, (row, *_) in enumerate(every) if any(row.name.startswith(o) or module[row.name].startswith(o) for o in asked.only)]
    numbers = numbers[:: asked.every]
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    total = 0.0
    slow: collections.Counter[str] = collections.Counter()
    for number, found in outcomes(numbers):
        row, argument, trial = every[number]
        counts[module[row.name]][found["class"]] += 1
        total += found["seconds"]
        slow[row.name] += found["seconds"]
        if found["class"] in [*asked.show, "broken"]:
            print(f"{found['class']:8}{row.name}({argument}={trial.label})  [{trial.expect.value}]  {found['seen'][:200]}", flush=True)
    for name, counted in counts.items():
        print(name, sum(counted.values()), dict(counted))
    print(f"{total:.1f} s", slow.most_common(8))


if __name__ == "__main__":
    main()
