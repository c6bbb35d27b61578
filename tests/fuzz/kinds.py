"""Kinds of arguments: a valid value of each, and what is tried in its place.

A `Trial` says what must come of a value: `SAME`, what the plain value gives; `FINE`, something
sound; `WRONG`, an error that names the argument or the value; `EITHER`, the first or the last;
`ANY`, something sound or such an error; `SPREADS`, such an error, or a result that is not finite:
a formula may pass NaN on, but never hide it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import torch

Make = Callable[[], Any]


class Expect(Enum):
    """What must come of a value."""

    SAME = "same"
    FINE = "fine"
    WRONG = "wrong"
    EITHER = "either"
    ANY = "any"
    SPREADS = "spreads"


SAME, FINE, WRONG, EITHER, ANY, SPREADS = Expect


@dataclass(frozen=True)
class Trial:
    """One value: how to make it, what must come of it, and of which value that is the result."""

    label: str
    make: Make
    expect: Expect
    like: Make | None = None  # None: the plain value


@dataclass(frozen=True)
class Kind:
    """An argument: its plain value, the trials, and words that an error may name it by."""

    plain: Make
    trials: tuple[Trial, ...]
    words: tuple[str, ...] = ()

    def but(self, *trials: Trial, drop: Iterable[str] = ()) -> Kind:
        """With these trials, in place of those that have the same label, and without `drop`."""
        gone = {trial.label for trial in trials} | set(drop)
        assert set(drop) <= {trial.label for trial in self.trials}, drop
        kept = tuple(trial for trial in self.trials if trial.label not in gone)
        return replace(self, trials=kept + trials)

    def optional(self) -> Kind:
        """None may stand in its place."""
        return self.but(Trial("None", lambda: None, FINE))

    def named(self, *words: str) -> Kind:
        """An error may name it by these words, too."""
        return replace(self, words=self.words + words)


#: Values of no kind that any argument is: each is refused wherever its kind does not take it.
STRANGERS: dict[str, Make] = {
    "None": lambda: None,
    "text": lambda: "fuzz",
    "bytes": lambda: b"fuzz",
    "object": object,
    "class": lambda: dict,
    "lambda": lambda: lambda: None,
    "list": lambda: ["fuzz"],
    "[]": list,
    "{}": dict,
    "complex": lambda: 1j,
    "NaN": lambda: math.nan,
    "True": lambda: True,
    "iterator": lambda: iter(()),
    "array of text": lambda: np.array(["fuzz"]),
    "NaN tensor": lambda: torch.tensor(math.nan),
    "2.5": lambda: 2.5,
}


def strangers(*taken: str) -> tuple[Trial, ...]:
    """A trial each, WRONG, but for those that are taken."""
    assert set(taken) <= set(STRANGERS), taken
    return tuple(Trial(n, make, WRONG) for n, make in STRANGERS.items() if n not in taken)


def _trials(expect: Expect, values: dict[str, Any]) -> list[Trial]:
    """Of values that nothing changes, by their labels."""
    return [Trial(label, lambda v=v: v, expect) for label, v in values.items()]  # type: ignore[misc]


def number(
    value: float, low: float = -math.inf, high: float = math.inf, *, above: bool = False
) -> Kind:
    """A number from `low` to `high`; `above`: `low` itself is out."""
    alike = {"float64": np.float64(value)}
    if value == int(value):
        alike["int"] = int(value)
    if float(np.float32(value)) == value:
        alike["float32"] = np.float32(value)
    other = {"Fraction": Fraction(value), "as text": str(value), "in a list": [value]}
    other |= {"0-d tensor": torch.tensor(value), "0-d array": np.array(value)}
    wrong: dict[str, Any] = {
        "inf": math.inf,
        "−inf": -math.inf,
        "NaN as float32": np.float32("nan"),
    }
    wrong |= {"NaN as text": "NaN", "two": [value, value]}
    fine: dict[str, Any] = {}
    if low > -math.inf:
        wrong |= {"too low": low - 0.001, "far too low": low - 7, "−1e300": -1e300}
        wrong |= {"too low as float64": np.float64(low - 1)}
        (wrong if above else fine)["lowest"] = low
    if high < math.inf:
        wrong |= {"too high": high + 0.001, "far too high": high + 7, "1e300": 1e300}
        fine["highest"] = high
    return _kind(value, strangers("2.5"), alike, other, wrong, fine)


def whole(value: int, low: int | None = None, high: int | None = None) -> Kind:
    """A whole number from `low` to `high`."""
    alike = {"int64": np.int64(value), "int32": np.int32(value)}
    other = {"float": float(value), "as text": str(value), "0-d array": np.array(value)}
    other["0-d tensor"] = torch.tensor(value)
    wrong = {"a half more": value + 0.5, "inf": math.inf, "−inf": -math.inf, "two": [value, value]}
    fine = {}
    if low is not None:
        wrong |= {"too low": low - 1, "far too low": low - 1000, "−2**70": -(2**70)}
        wrong |= {"too low as int64": np.int64(low - 1)}
        fine["lowest"] = low
    if high is not None:
        wrong |= {"too high": high + 1, "far too high": high + 1000, "2**70": 2**70}
        fine["highest"] = high
    return _kind(value, strangers(), alike, other, wrong, fine)


def _kind(
    value: Any,
    trials: tuple[Trial, ...],
    alike: dict[str, Any],
    other: dict[str, Any],
    wrong: dict[str, Any],
    fine: dict[str, Any],
) -> Kind:
    """Of values that nothing changes."""
    expected = {SAME: alike, EITHER: other, WRONG: wrong, FINE: fine}
    found = [trial for expect, values in expected.items() for trial in _trials(expect, values)]
    return Kind(lambda: value, (*trials, *found))


def seed() -> Kind:
    """An integer ≥ 0; also a very large one, if it is not refused."""
    huge = Trial("2**70", lambda: 2**70, ANY)
    return whole(3, 0).but(huge, Trial("2**63", lambda: 2**63, ANY))


def truth(value: bool) -> Kind:
    """True or False."""
    other = {"int": int(value), "0-d tensor": torch.tensor(value), "0-d array": np.array(value)}
    wrong = {"as text": str(value), "as YAML's text": str(value).lower(), "yes": "yes", "no": "no"}
    wrong |= {"2": 2, "−1": -1, "empty text": "", "in a list": [value]}
    return _kind(
        value,
        strangers("True"),
        {"NumPy's": np.bool_(value)},
        other,
        wrong,
        {"the other": not value},
    )


def choice(value: str, choices: Iterable[str]) -> Kind:
    """One of the words of a list."""
    choices = list(choices)
    misspelled = {"upper": value.upper(), "title": value.title(), "space": f"{value} "}
    misspelled |= {"cut": value[:-1], "plural": f"{value}s", "empty text": ""}
    wrong: dict[str, Any] = {k: word for k, word in misspelled.items() if word not in choices}
    wrong |= {"in a list": [value], "as bytes": value.encode(), "0": 0}
    fine = {other: other for other in choices if other != value}
    return _kind(value, strangers(), {}, {"np.str_": np.str_(value)}, wrong, fine)


def text(value: str = "a name") -> Kind:
    """Any words."""
    fine = {"markup": "<b>&amp;</b> \\ $x_1$ %s {0}", "Hangul": "한글 été 🦆", "long": "x" * 500}
    fine["two lines"] = "a\nb"
    wrong = {"a number": 3, "in a list": [value], "as bytes": value.encode()}
    kind = _kind(value, strangers("text"), {"np.str_": np.str_(value)}, {}, wrong, fine)
    odd = {"empty text": "", "NUL": "nul\0", "surrogate": "\udcff"}
    return kind.but(*_trials(ANY, odd))


def function(plain: Make, *, wrong: Iterable[Any] = ()) -> Kind:
    """Something to call; `wrong`: functions that do not do what is asked."""
    named = {"0": 0, "its name": "print", "in a list": [print]}
    trials = [*strangers("class", "lambda"), *_trials(WRONG, named)]
    answers: dict[str, Any] = {"→ None": None, "→ text": "fuzz", "→ object": object()}
    trials += [
        Trial(label, lambda a=answer: lambda *args, **_: a, WRONG)  # type: ignore[misc]
        for label, answer in answers.items()
    ]
    trials += [
        Trial(f"wrong {i}", lambda f=f: f, WRONG)  # type: ignore[misc]
        for i, f in enumerate(wrong)
    ]
    return Kind(plain, (*trials, Trial("takes nothing", lambda: lambda: None, WRONG)))


def thing(plain: Make, *words: str, drop: Iterable[str] = ()) -> Kind:
    """An object of some class: nothing else will do, and neither will the class."""
    trials = [*strangers(), *_trials(WRONG, {"0": 0, "3": 3, "()": ()})]
    trials += [Trial("its class", lambda: type(plain()), WRONG)]
    trials += [Trial("a list of it", lambda: [plain()], WRONG)]
    return Kind(plain, tuple(trials), words).but(drop=drop)


def size(value: tuple[int, int], *, low: int = 1) -> Kind:
    """Height and width."""
    height, width = value
    wrong: dict[str, Any] = {"one": (height,), "three": (*value, 3), "too low": (low - 1, width)}
    wrong |= {"a negative": (height, -1), "a zero": (height, 0), "a half": (height, width + 0.5)}
    wrong |= {
        "texts": (str(height), str(width)),
        "a NaN": (math.nan, width),
        "an inf": (height, math.inf),
    }
    wrong |= {
        "a None": (None, width),
        "a True": (True, width),
        "a number": height,
        "a mapping": {height: width},
    }
    wrong |= {"0-d array": np.array(3)}
    other = {"list": list(value), "array": np.array(value), "tensor": torch.tensor(value)}
    other |= {"floats": tuple(map(float, value))}
    alike = {"int64": tuple(map(np.int64, value)), "torch.Size": torch.Size(value)}
    return _kind(value, strangers(), alike, other, wrong, {})


def numbers(
    value: tuple[float, ...], low: float = -math.inf, high: float = math.inf, *, length: bool = True
) -> Kind:
    """A list of numbers; `length`: of this one."""
    rest = value[1:]
    wrong: dict[str, Any] = {"a NaN": (math.nan, *rest), "an inf": (math.inf, *rest)}
    wrong |= {"a text": ("fuzz", *rest), "a None": (None, *rest), "a complex": (1j, *rest)}
    wrong |= {"a list in it": ([value[0]], *rest), "a True": (True, *rest)}
    wrong |= {"an object": (object(), *rest), "a number": value[0]}
    wrong |= {"one less": rest, "one more": (*value, value[0])} if length else {}
    if low > -math.inf:
        wrong |= {"too low": (low - 0.001, *rest), "far too low": (low - 7, *rest)}
    if high < math.inf:
        wrong |= {"too high": (high + 0.001, *rest), "far too high": (high + 7, *rest)}
    other = {
        "texts": tuple(map(str, value)),
        "tensor": torch.tensor(value),
        "array": np.array(value),
    }
    alike: dict[str, Any] = {"list": list(value)}
    if isinstance(value[0], float):
        alike["float64"] = tuple(map(np.float64, value))
    return _kind(value, strangers(), alike, other, wrong, {})


def names(*value: str, other: Expect = FINE) -> Kind:
    """A list of names, one for each of something; what becomes of `other` ones."""
    n = len(value)
    wrong: dict[str, Any] = {"one less": value[:-1], "one more": (*value, "more")}
    wrong |= {"Nones": (None,) * n, "numbers": (3,) * n, "one text": value[0][:n], "a number": 7}
    wrong |= {"bytes of each": (b"a",) * n, "tuples": ((),) * n}
    either = {"array": np.array(value)}
    kind = _kind(value, strangers(), {"a list": list(value)}, either, wrong, {})
    odd = {
        "markup": tuple(f"<i>{v}$&\"'" for v in value),
        "Hangul": tuple("한글" + v for v in value),
    }
    return kind.but(*_trials(other, odd))
