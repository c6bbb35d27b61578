"""The kinds of traits that explorables have: what is no such value is refused, and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import traitlets
from torch import Tensor
from traitlets import TraitError

from cvcourse.checks import check_choice, check_integer, check_number


@contextmanager
def trait_errors() -> Iterator[None]:
    """Around checks: what they refuse is a bad trait. Usable as a decorator, too.

    Raises:
        TraitError: in the words of a TypeError or ValueError from inside.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        raise TraitError(str(error)) from error


class Checked(traitlets.TraitType):
    """What a check makes of a value: `check` takes the trait's name and the value."""

    def __init__(self, check: Callable[[str, Any], Any], default: Any) -> None:
        super().__init__(default)
        self.check = check
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        """The value as it is kept."""
        with trait_errors():
            return self.check(str(self.name), value)


def number(low: float, high: float, meaning: str) -> Any:
    """A finite number from `low` to `high`."""
    return Checked(partial(check_number, low=low, high=high, meaning=meaning), low)


def integer(low: int, high: int, meaning: str) -> Any:
    """A whole number from `low` to `high`."""
    return Checked(partial(check_integer, low=low, high=high, meaning=meaning), low)


def numbers(low: float, high: float, length: int | None = None) -> Any:
    """A list of finite numbers from `low` to `high`; `length`: of so many."""
    return Checked(partial(_of_length, length, partial(check_numbers, low=low, high=high)), [])


def integers(low: int, high: int, meaning: str, length: int | None = None) -> Any:
    """A list of whole numbers from `low` to `high`; `length`: of so many."""
    check = partial(check_integers, low=low, high=high, meaning=meaning)
    return Checked(partial(_of_length, length, check), [])


def rows(check: Callable[[str, Any], list[Any]]) -> Any:
    """A list of lists, each of which is as `check` has it."""
    return Checked(partial(check_rows, check=check), [])


def names(length: int | None = None) -> Any:
    """A list of texts; `length`: of so many."""
    return Checked(partial(_of_length, length, check_names), [])


def choice(*words: str) -> Any:
    """One of these words."""
    return Checked(partial(check_choice, choices=words), words[0])


def _of_length(length: int | None, check: Callable[..., list[Any]], name: str, value: Any) -> Any:
    found = check(name, value)
    if length is not None and len(found) != length:
        raise ValueError(f"{name} has {len(found)} entries; expected {length}")
    return found


def check_list(name: str, values: Any) -> list[Any]:
    """A list; a tuple, an array and a tensor are one, too. A text is none."""
    if isinstance(values, np.ndarray | Tensor) and values.ndim:
        return values.tolist()
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise TypeError(f"{name} is {values!r:.60} ({type(values).__name__}); expected a list")
    return list(values)


def check_numbers(name: str, values: Any, low: float, high: float) -> list[float]:
    """A list of finite numbers from `low` to `high`."""
    found = enumerate(check_list(name, values))
    return [check_number(f"{name}[{i}]", value, low, high) for i, value in found]


def check_rows(name: str, values: Any, check: Callable[[str, Any], list[Any]]) -> list[list[Any]]:
    """A list of lists, each of which is as `check` has it."""
    return [check(f"{name}[{i}]", row) for i, row in enumerate(check_list(name, values))]


def check_integers(name: str, values: Any, low: int, high: int, meaning: str) -> list[int]:
    """A list of whole numbers from `low` to `high`."""
    found = enumerate(check_list(name, values))
    return [check_integer(f"{name}[{i}]", value, low, high, meaning) for i, value in found]


def check_names(name: str, values: Any) -> list[str]:
    """A list of texts."""
    found = check_list(name, values)
    for i, value in enumerate(found):
        if not isinstance(value, str):
            raise TypeError(f"{name}[{i}] is {value!r:.60}; expected a text")
    return list(map(str, found))
