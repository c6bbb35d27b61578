"""The chapters that have practice, and their exercises."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from cvcourse.practice.exercise import Exercise

ROOT = Path(__file__).parents[2]
ENGINE = {"exercise", "function", "number", "project", "quiz"}
ENGINE |= {"reading", "slips", "smallest", "trace"}
CHAPTERS = sorted(
    path.stem
    for path in (ROOT / "cvcourse/practice").glob("*.py")
    if path.stem not in ENGINE and path.stem != "__init__"
)


def chapter(name: str) -> ModuleType:
    return importlib.import_module(f"cvcourse.practice.{name}")


def exercises_of(name: str) -> list[Exercise]:
    return [value for value in vars(chapter(name)).values() if isinstance(value, Exercise)]
