"""Time contestants in turns, so that a busy machine slows all of them alike, and report ratios."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cvcourse.experiment import hardware

RESULTS = Path(__file__).parent / "results"


def medians(
    contestants: dict[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of each contestant, after one warm-up, taking turns.

    What runs on one thread can take `time.thread_time`, which waits for nobody.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            start = clock()
            run()
            if turn:
                seconds[name].append(clock() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def report(title: str, seconds: dict[str, float], *, ours: str) -> dict[str, float]:
    """Print a table of times and of each time as a multiple of ours."""
    print(f"\n{title}")
    ratios = {name: value / seconds[ours] for name, value in seconds.items()}
    for name, value in seconds.items():
        print(f"  {name:44}{value * 1000:10.1f} ms{ratios[name]:8.2f} × ours")
    return {name: round(ratio, 3) for name, ratio in ratios.items()}


def write(
    name: str,
    tables: dict[str, dict[str, float]],
    packages: list[str],
    *,
    quantity: str = "time as a multiple of ours",
) -> None:
    """Keep what was measured as JSON, with where and when."""
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": hardware(),
        "versions": {package: metadata.version(package) for package in packages},
        quantity: tables,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
