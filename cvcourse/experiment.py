"""Experiments over seeds, their intervals, and the claims that they settle."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from cvcourse.side_by_side import side_by_side

RECORDS = resources.files("cvcourse") / "results"

Outcome = Mapping[str, ArrayLike]
Verdict = Literal["confirmed", "confirmed with limits", "corrected", "unsourced"]


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval: three floats, or three arrays of one shape."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def __format__(self, spec: str) -> str:
        """`f"{interval:.2f}"` → "0.81 [0.79, 0.83]"; only for a single number."""
        mean, low, high = (format(float(x), spec) for x in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"

    def __getitem__(self, index: Any) -> Interval:
        return Interval(self.mean[index], self.low[index], self.high[index])


def interval(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """Mean and Student-t confidence interval over the first axis (the seeds).

    Args:
        values: (n_seeds, ...) float.
        level: the share of such intervals that would hold the true mean.

    Raises:
        ValueError: fewer than two seeds, or a value that is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or len(array) < 2:
        raise ValueError("an interval needs the values of at least two seeds; run more seeds")
    if not np.isfinite(array).all():
        raise ValueError("a value is NaN or infinite, so its mean means nothing; look at that seed")
    mean = array.mean(axis=0)
    reach = stats.t.ppf((1 + level) / 2, len(array) - 1) * stats.sem(array, axis=0)
    return Interval(mean, mean - reach, mean + reach)


@dataclass(frozen=True)
class Results:
    """What an experiment gave: for each arm, an array whose first axis is the seed."""

    seeds: tuple[int, ...]
    values: dict[str, NDArray[np.float64]]

    def __getitem__(self, arm: str) -> NDArray[np.float64]:
        if arm not in self.values:
            raise KeyError(f"no arm {arm!r}; there are {', '.join(self.values)}")
        return self.values[arm]

    def interval(self, arm: str) -> Interval:
        """Mean and 95 % interval of one arm over the seeds."""
        return interval(self[arm])

    def difference(self, arm: str, baseline: str) -> Interval:
        """Mean and 95 % interval of `arm` − `baseline`, seed by seed.

        Pairing takes out what the two arms of a seed share (its images, its initial draw), which is
        why this interval is often far narrower than the two arms' own.
        """
        return interval(self[arm] - self[baseline])


def repeat(experiment: Callable[[int], Outcome], seeds: int | Iterable[int]) -> Results:
    """Run an experiment once a seed, side by side where that is possible (see `side_by_side`).

    Args:
        experiment: seed → {arm: number or array}; the same arms and shapes every time.
        seeds: which seeds, or how many of 0, 1, 2, …

    Raises:
        TypeError: a seed is no integer.
        ValueError: fewer than two seeds, a seed twice, or outcomes that do not fit each other.
    """
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    for seed in chosen:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise TypeError(f"seed {seed!r} is no integer; give integers, or how many")
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        raise ValueError(f"seeds are {chosen}; an interval needs at least two different ones")
    outcomes = side_by_side(lambda seed: _as_arrays(experiment(seed)), chosen)
    shapes = [{arm: value.shape for arm, value in outcome.items()} for outcome in outcomes]
    for seed, found in zip(chosen, shapes, strict=True):
        if found != shapes[0]:
            raise ValueError(f"seed {seed} gave {found}, but seed {chosen[0]} gave {shapes[0]}")
    return Results(chosen, {arm: np.stack([o[arm] for o in outcomes]) for arm in outcomes[0]})


def _as_arrays(outcome: Outcome) -> dict[str, NDArray[np.float64]]:
    return {
        arm: np.asarray(value.cpu() if isinstance(value, torch.Tensor) else value, np.float64)
        for arm, value in outcome.items()
    }


@dataclass(frozen=True)
class Claim:
    """A claim of the book and what an experiment said of it."""

    id: str
    verdict: Verdict
    holds: dict[str, bool]
    effect: str

    @property
    def reproduced(self) -> bool:
        """Whether everything that the verdict rests on held in this run."""
        return all(self.holds.values())

    def __str__(self) -> str:
        verdict = self.verdict if self.reproduced else "NOT REPRODUCED in this run"
        marks = (f"  {'✓' if ok else '✗'} {what}" for what, ok in self.holds.items())
        return "\n".join((f"claim {self.id}: {verdict}", *marks))


def claim(id: str, verdict: Verdict, holds: Mapping[str, bool], *, effect: str) -> Claim:
    """State a verdict, with the findings that it rests on, each true or false in this run.

    Args:
        id: the claim's name in the ledger.
        verdict: what the book says of the claim, if every finding holds.
        holds: finding → whether it held. Written so that an ordinary difference between machines
            does not turn it.
        effect: the effect and its interval in words; kept for the ledger, not printed, since the
            last digits differ from one machine to the next.

    Raises:
        ValueError: nothing to rest the verdict on.
    """
    if not holds:
        raise ValueError(f"claim {id!r} rests on nothing; give at least one finding in holds=…")
    made = Claim(id, verdict, {what: bool(ok) for what, ok in holds.items()}, effect)
    print(made)
    return made


def save_record(
    path: str | Path,
    *,
    notebook: str,
    dataset: str,
    settings: Mapping[str, Any],
    results: Mapping[str, Results],
    claims: Iterable[Claim],
) -> None:
    """Write a run down as JSON: results, claims, and where and when they were made.

    The file appears whole or not at all.
    """
    path = Path(path)
    record = {
        "notebook": notebook,
        "dataset": dataset,
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": hardware(),
        "versions": {
            "python": platform.python_version(),
            **_versions("cvcourse", "torch", "numpy"),
        },
        "settings": dict(settings),
        "results": {
            name: {
                "seeds": list(result.seeds),
                "values": {arm: np.round(v, 5).tolist() for arm, v in result.values.items()},
            }
            for name, result in results.items()
        },
        "claims": {
            c.id: {
                "verdict": c.verdict,
                "holds": c.holds,
                "effect": c.effect,
            }
            for c in claims
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    os.replace(unfinished, path)


@dataclass(frozen=True)
class Record:
    """A run that was written down: see `save_record`."""

    notebook: str
    dataset: str
    date: str
    hardware: str
    versions: dict[str, str]
    settings: dict[str, Any]
    results: dict[str, Results]
    claims: tuple[Claim, ...]

    def __str__(self) -> str:
        numbers = {name: value for name, value in self.settings.items() if isinstance(value, int)}
        settings = ", ".join(f"{name} {value:,}" for name, value in numbers.items())
        versions = ", ".join(f"{name} {value}" for name, value in self.versions.items())
        return f"{self.dataset} ({settings})\n{self.date}, {self.hardware}; {versions}"


def record_names() -> list[str]:
    """The runs that come with the package, in alphabetical order."""
    names = (entry.name for entry in RECORDS.iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def load_record(name: str | Path) -> Record:
    """A run that comes with the package, by its name ("03_one_layer-cifar10-jpeg"), or a path.

    Raises:
        FileNotFoundError: there is none; the message lists those there are.
    """
    source = Path(name) if Path(name).suffix == ".json" else RECORDS / f"{name}.json"
    if not source.is_file():
        raise FileNotFoundError(
            f"no record {str(name)!r}; the package has {', '.join(record_names()) or 'none'}"
        )
    fields = json.loads(source.read_text("utf-8"))
    fields["results"] = {
        key: Results(
            tuple(value["seeds"]), {arm: np.asarray(v) for arm, v in value["values"].items()}
        )
        for key, value in fields["results"].items()
    }
    fields["claims"] = tuple(Claim(id, **made) for id, made in fields["claims"].items())
    return Record(**fields)


def hardware() -> str:
    """The processor or GPU that this runs on, in words."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} × {torch.cuda.get_device_name()}"
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} thread{'s' * (threads > 1)}"


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _versions(*packages: str) -> dict[str, str]:
    return {package: metadata.version(package) for package in packages}
