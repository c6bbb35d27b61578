"""Runs that were written down: results, claims, and where, when and by which code they were made.

`make record NAME=…` makes one (see `notebooks/records.yml`): it runs a notebook, which leaves its
results by `save_record`, and adds what was settled and how.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cvcourse.checks import Checked, checked
from cvcourse.experiment.claims import DASH, MARKS
from cvcourse.experiment.intervals import Unknown
from cvcourse.experiment.seeds import Results
from cvcourse.files import check_regular, check_writable, expand_home, write_file
from cvcourse.terminal import printable

RECORDS = resources.files("cvcourse") / "results"


@checked
def check_record_path(path: str | Path) -> None:
    """Before the work: that `save_record` will be able to write there.

    >>> from cvcourse.experiment import check_record_path
    >>> check_record_path("")  # nothing is to be written

    Args:
        path: as for `save_record`.

    Raises:
        OSError: nothing can be written there; with the path.
    """
    if path:
        check_writable(path)


@checked
def save_record(path: str | Path, results: Mapping[str, Results], **settings: Any) -> None:
    """Write a run's results down as JSON, whole or not at all, with hardware, versions and date.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from cvcourse.experiment import repeat, save_record
    >>> results = repeat(lambda seed: {"accuracy": 0.5}, 2)
    >>> with TemporaryDirectory() as folder:
    ...     save_record(f"{folder}/run.json", {"main": results}, shifts=[0, 4])
    ...     "accuracy" in Path(folder, "run.json").read_text()
    True

    Args:
        path: where to; nothing is written where it is "".
        results: name → what `repeat` gave.
        settings: what else a reader of the results needs, such as the values along an axis; fit
            for JSON, or arrays.

    Raises:
        ValueError: something is not fit for JSON, infinite, or a setting that is NaN. (A result
            that is NaN is written as null.)
    """
    if not path:
        return
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": hardware(),
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in ("cvcourse", "torch", "numpy")},
        },
        "settings": settings,
        "results": {
            name: {
                "seeds": list(result.seeds),
                "values": {
                    arm: _numbers(values)
                    for arm, values in result.values.items()
                    if not isinstance(values, Unknown)
                },
            }
            for name, result in results.items()
        },
    }
    try:
        text = json.dumps(
            record, indent=1, ensure_ascii=False, allow_nan=False, default=lambda x: x.tolist()
        )
    except (AttributeError, ValueError) as error:
        raise ValueError(f"results or settings hold what JSON has no word for: {error}") from error
    write_file(path, f"{text}\n".encode())


@dataclass(frozen=True)
class Record(Checked):
    """A run that was written down.

    Attributes:
        notebook: which one ran.
        purpose: what the run is for.
        date: when, YYYY-MM-DD.
        hardware: on what.
        versions: package → version.
        settings: the notebook's parameters, and what else `save_record` was given.
        results: name → results.
        claims: what each claim came to in this run, as `Claim.as_data` gives it.
        code: file → checksum of the code that made it.
        budget: how many times as long as the chapter's its trainings are.
    """

    notebook: str
    purpose: str
    date: str
    hardware: str
    versions: dict[str, str]
    settings: dict[str, Any]
    results: dict[str, Results]
    claims: tuple[dict[str, Any], ...] = ()
    code: dict[str, str] | None = None
    budget: float = 1

    @property
    def dataset(self) -> str:
        """The pictures that it was made on."""
        return str(self.settings.get("dataset", "shapes"))

    def __str__(self) -> str:
        numbers = {name: value for name, value in self.settings.items() if isinstance(value, int)}
        settings = ", ".join(f"{name} {value:,}" for name, value in numbers.items())
        versions = ", ".join(f"{name} {value}" for name, value in self.versions.items())
        return printable(f"{self.dataset} ({settings})\n{self.date}, {self.hardware}; {versions}")

    def findings(self) -> str:
        """What each claim came to in this run: its effects and findings, in lines."""
        lines = []
        for made in self.claims:
            holds = [found["holds"] for found in made["findings"]]
            here = ", not reproduced in this run" if False in holds else ", open in this run"
            lines.append(f"{made['id']}: {made['verdict']}" + here * (not all(holds)))
            lines += [f"  {said_of(effect)}" for effect in made["effect"]]
            lines += [
                f"    {DASH if 'why' in found else MARKS[found['holds']]} {found['what']}"
                for found in made["findings"]
            ]
        return printable("\n".join(lines))


def said_of(effect: Mapping[str, Any]) -> str:
    """An effect of a claim's data in words: "accuracy 0.81 [0.79, 0.83]"."""
    if "text" in effect:
        return f"{effect['what']} {effect['text']}".strip()
    keys = ("estimate", "low", "high") if "low" in effect else ("estimate",)
    first, *ends = (format(effect[key], effect["format"]) for key in keys)
    return f"{effect['what']} {first}" + (f" [{', '.join(ends)}]" if ends else "")


def record_names() -> list[str]:
    """The runs that come with the package, in alphabetical order.

    >>> from cvcourse.experiment import record_names
    >>> "03_one_layer-shapes" in record_names()
    True
    """
    names = (entry.name for entry in RECORDS.iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


@checked
def load_record(name: str | Path) -> Record:
    """A run that comes with the package, by its name ("03_one_layer-cifar10-jpeg"), or a path.

    >>> from cvcourse.experiment import load_record
    >>> load_record("03_one_layer-shapes").notebook
    '03_one_layer'

    Args:
        name: without .json; or the path of a file that ends in it.

    Raises:
        FileNotFoundError: there is none; the message lists those there are.
        ValueError: the file is no record.
    """
    source = RECORDS / f"{name}.json"
    if Path(name).suffix == ".json":
        source = expand_home(name)
        check_regular(source)
    if not source.is_file():
        raise FileNotFoundError(
            f"no record {str(name)!r}; the package has {', '.join(record_names()) or 'none'}"
        )
    try:
        fields = json.loads(source.read_text("utf-8"))
        fields["results"] = {
            name: Results(
                tuple(found["seeds"]),
                {arm: np.asarray(v, np.float64) for arm, v in found["values"].items()},
            )
            for name, found in fields["results"].items()
        }
        fields["claims"] = tuple(fields.get("claims", ()))
        return Record(**fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{source} is no record ({error!r})") from error


@checked
def load_records(notebook: str, dataset: str = "shapes") -> list[Record]:
    """The runs of one chapter on one kind of pictures, from the shortest training to the longest.

    >>> from cvcourse.experiment import load_records
    >>> [record.budget for record in load_records("13_noisy_student")]
    [0.5, 3.5, 4.0]

    Args:
        notebook: the chapter's name.
        dataset: what the runs were made on.

    Raises:
        FileNotFoundError: there is none; the message lists those there are.
    """
    runs = [load_record(name) for name in record_names() if name.startswith(f"{notebook}-")]
    found = sorted((run for run in runs if run.dataset == dataset), key=lambda run: run.budget)
    if not found:
        raise FileNotFoundError(
            f"no record of {notebook!r} on {dataset!r}; the package has {', '.join(record_names())}"
        )
    return found


def _numbers(values: np.ndarray) -> list[Any]:
    """As lists; JSON has no NaN, so None stands for it."""
    told = np.round(values, 5).astype(object)
    told[np.isnan(values)] = None
    return told.tolist()


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
