"""What a trait of an explorable may hold, and errors that say so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from traitlets import TraitError


def number(name: str, value: object, low: float, high: float) -> float:
    """A finite number from low to high, or an error that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise TraitError(f"{name} is {value!r}; expected a number from {low:g} to {high:g}")
    return float(value)


def numbers(name: str, values: Iterable[float], low: float, high: float) -> list[float]:
    """A list of finite numbers from low to high; tensors and arrays of one dimension, too."""
    found = [float(value) for value in values]
    wrong = [value for value in found if not (math.isfinite(value) and low <= value <= high)]
    if wrong:
        raise TraitError(f"{name} holds {wrong[0]:g}; expected numbers from {low:g} to {high:g}")
    return found


def same_length(**lists: Sequence[object]) -> None:
    """All lists have one length, or an error that names them."""
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} {name}" for name, length in lengths.items())
        raise TraitError(f"there are {told}; expected as many of each — set them together")
