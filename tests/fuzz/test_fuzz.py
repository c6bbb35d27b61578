"""A sample of the fuzz at every test run, and that it leaves nothing out."""

from __future__ import annotations

import importlib
import inspect
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import cvcourse
from fuzz import run
from fuzz.rows import public
from fuzz.table import EVERY, ROWS
from fuzz.worker import calls

ROOT = Path(cvcourse.__file__).parents[1]
RESULTS = json.loads(run.RESULTS.read_text("utf-8"))
BAD = {"silent", "refused", "crash", "hang", "broken"}
#: In the reference, and not called by readers.
LEFT_OUT = {
    **dict.fromkeys(
        (
            f"explore.diagram.{name}"
            for name in ["Box", "Diagram", "Placed", "draw_box", "flow", "line", "words"]
        ),
        "a helper; the diagrams that it helps are rows, or take nothing",
    ),
    **dict.fromkeys(
        (
            f"explore.methods.{name}"
            for name in ["distillation", "fixmatch", "freezing", "noisy_student", "pseudo_label"]
        ),
        "takes nothing",
    ),
    "explore.networks.Stage": "a helper; the diagrams that it helps are rows",
    "explore.networks.stages": "a helper; the diagrams that it helps are rows",
    "practice.exercise.nothing_yet": "a helper; the exercises that it helps are rows",
    "augment.batch_geometry.each": "a helper; those it helps are rows",
    "augment.batch_geometry.windows": "a helper; those it helps are rows",
    "augment.ops.gaussian_support": "a helper; those it helps are rows",
    "train.pseudo_label.sure_cross_entropy": "a helper; the steps it helps are rows",
    "files.check_regular": "a helper; those it helps are rows",
    "files.expand_home": "a helper; those it helps are rows",
    "augment.batch_geometry.resample": "checks nothing on purpose: it waits for no device",
    "augment.matrices.about_centre": "a helper; those it helps are rows",
    "augment.matrices.trigonometry": "a helper; those it helps are rows",
    "checks.checked": "a decorator; what it refuses is seen in the rows of what it decorates",
    "checks.check_fields": "the same, for a dataclass",
    "checks.check": "the same, for one annotation",
    "fonts.family": "it takes nothing",
    "fonts.tell_missing": "a helper; those it helps are rows",
    "terminal.printable": "a helper; those it helps are rows",
    "checks.check_array": "a helper; those it helps are rows",
    "checks.Checked": "a base class; what it refuses is seen in the rows of what it is a base of",
    "explore.base.Explorable": "a base class; the pieces are its rows",
    "receptive_field.Field": "made by receptive_field; its method is a row",
    "receptive_field.ReceptiveFields": "made by receptive_field; its methods are rows",
    "receptive_field.Region": "made by receptive_field",
    "train.History": "made by fit; its method is a row",
    "practice.exercise.Exercise": "a base class; each exercise is a row",
    "practice.function.Function": "each exercise of this kind is a row",
    "practice.project.Project": "each exercise of this kind is a row",
}


def documented() -> dict[str, Any]:
    """The callables of the reference, exceptions and words (types) aside, by their names."""
    found: dict[str, Any] = {}
    for page in sorted((ROOT / "book/api").glob("*.md")):
        for name, options in re.findall(
            r"autoapimodule:: (\S+)\n((?:   :.*\n)*)", page.read_text()
        ):
            left_out = re.search(r":exclude-members: (.+)", options)
            module = importlib.import_module(name)
            own = [k for k, v in vars(module).items() if getattr(v, "__module__", "") == name]
            for member in getattr(module, "__all__", own):
                value = getattr(module, member)
                if member.startswith("_") or member in re.split(
                    r",\s*", left_out[1] if left_out else ""
                ):
                    continue
                if inspect.isfunction(value) or inspect.isclass(value):
                    found[f"{name}.{member}".removeprefix("cvcourse.")] = value
    return {n: v for n, v in found.items() if not _is_exception(v)}


def _is_exception(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def test_every_callable_of_the_reference_has_a_row() -> None:
    tried = {id(public(row.name)) for row in ROWS if not row.name.endswith(".check")}
    wanted = {name for name, value in documented().items() if id(value) not in tried}
    assert len(documented()) > 200
    assert sorted(wanted - LEFT_OUT.keys()) == []


def test_every_row_calls_something_that_is_there() -> None:
    assert [row.name for row in EVERY if row not in ROWS] == []


def test_the_page_has_the_table_of_the_last_whole_run() -> None:
    assert run.table(RESULTS["modules"]) in run.PAGE.read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="calls are timed by SIGALRM")
def test_a_sample_of_the_calls() -> None:
    """Of modules that have come through the whole; they may not fall back."""
    modules = {name for name, counts in RESULTS["modules"].items() if not BAD & counts.keys()}
    every = [i for i, (row, *_) in enumerate(calls()) if row.name.split(".")[0] in modules]
    sample = sorted(random.Random(0).sample(every, len(every) // 20))
    found = dict(run.outcomes(sample))
    bad = [calls()[i] for i, outcome in found.items() if outcome["class"] in BAD]
    assert [f"{row.name}({argument} = {trial.label})" for row, argument, trial in bad] == []
    obscure = [outcome for outcome in found.values() if outcome["class"] == "obscure"]
    assert len(obscure) <= 0.02 * len(found)
