"""Checks that several ways of getting images share."""

from __future__ import annotations

import numpy as np


def check_integer(name: str, value: int, low: int, high: int | None, meaning: str) -> None:
    """Refuse what is no whole number between `low` and `high` (None: no upper end)."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(
            f"{name} is {value!r} ({type(value).__name__}); expected an integer, {meaning}"
        )
    if value < low or (high is not None and value > high):
        wanted = f"at least {low}" if high is None else f"{low} to {high}"
        raise ValueError(f"{name} is {value}; expected {wanted} ({meaning})")
