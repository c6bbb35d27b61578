"""A sample of the fuzz at every test run, and that it leaves nothing out."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import cvcourse
from fuzz.rows import public
from fuzz.table import EVERY, ROWS

ROOT = Path(cvcourse.__file__).parents[1]
#: In the reference, and not called by readers.
LEFT_OUT = {
    "files.check_regular": "a helper; those it helps are rows",
    "files.expand_home": "a helper; those it helps are rows",
    "augment.batch_geometry.resample": "checks nothing on purpose: it waits for no device",
    "augment.matrices.about_centre": "a helper; those it helps are rows",
    "augment.matrices.trigonometry": "a helper; those it helps are rows",
    "augment.ops.check_parameters": "a helper; those it helps are rows",
    "checks.checked": "a decorator; what it refuses is seen in the rows of what it decorates",
    "checks.check_fields": "the same, for a dataclass",
    "checks.check": "the same, for one annotation",
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
