"""What a value is described as, to the letter: old checkpoints hold these words."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cvcourse.train import supervised
from cvcourse.train.identity import describe, differences

DIGEST = hashlib.sha256(np.arange(3).tobytes()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Noise:
    strength: float

    def __call__(self, images: object) -> object:
        return images


class Plain:
    def __init__(self) -> None:
        self.size = 3


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.float32(0.5), 0.5),
        (math.nan, "nan"),
        (b"bytes", b"bytes"),
        (torch.float32, "torch.float32"),
        (torch.device("cpu"), "cpu"),
        (Path("a") / "b", str(Path("a") / "b")),
        (nn.ReLU, "ReLU"),
        (math, "math"),
        (len, "len"),
        (dict.fromkeys, "dict.fromkeys"),
        (torch.arange(3), f"(3,) torch.int64, checksum {DIGEST}"),
        (np.arange(3), f"(3,) int64, checksum {DIGEST}"),
        (np.arange(6)[::2] // 2, f"(3,) int64, checksum {DIGEST}"),
        ({"a": 1, 2: "x"}, {"is": "dict", "a": 1, "2": "x"}),
        ({1, "a"}, {"is": "set", "0": "a", "1": 1}),
        ([1, (2,)], {"is": "list", "0": 1, "1": {"is": "tuple", "0": 2}}),
        (partial(int, "3", base=4), {"is": "int", "function": "int", "0": "3", "base": 4}),
        (Plain(), {"is": "Plain", "size": 3}),
        (object(), {"is": "object"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values(value: Any, words: Any) -> None:
    assert describe(value) == words


def test_an_object_is_told_once() -> None:
    thing = Plain()
    first, second = {"is": "Plain", "size": 3}, {"is": "Plain"}
    assert describe([thing, thing]) == {"is": "list", "0": first, "1": second}


class Fresh:
    """Makes what it holds anew whenever it is asked."""

    def __getstate__(self) -> dict[str, Any]:
        return {"made": [1]}


def test_what_is_made_while_it_is_told_is_told_each_time() -> None:
    told = describe([Fresh(), Fresh()])
    assert told["0"]["made"] == told["1"]["made"] == {"is": "list", "0": 1}


def test_generators_and_methods() -> None:
    told = describe(torch.Generator().manual_seed(1))
    assert told.keys() == {"is", "state"}
    assert told["state"].startswith("(5056,) torch.uint8, checksum ")
    told = describe(Noise(0.3).__call__)
    assert (told["is"], told["function"]) == ("Noise.__call__", {"is": "Noise.__call__"})
    assert told.keys() == {"is", "of", "function"}
    assert (told["of"]["is"], told["of"]["strength"]) == ("Noise", 0.3)
    assert told["of"]["__call__"].keys() == {"is", "code"}
    assert told["of"].keys() == {"is", "strength", "__call__"}


def made(constant: int) -> Callable[..., Any]:
    """A function with a function inside; compiled anew every time."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    source = "def outer(x, a=1, *, b=2):\n    return [(lambda z: z + {})(y) for y in x]\n"
    exec(source.format(constant), scope)
    return scope["outer"]


def test_functions_are_told_by_their_code_however_deep() -> None:
    told = describe(made(7))
    assert told.keys() == {"is", "code", "default 0", "b"}
    assert (told["is"], told["default 0"], told["b"], len(told["code"])) == ("outer", 1, 2, 8)
    assert describe(made(7)) == told
    assert describe(made(8))["code"] != told["code"]


def test_the_packages_functions_are_told_without_what_they_import() -> None:
    assert describe(supervised).keys() == {"is", "code", "label_smoothing"}


def test_differences_are_named_from_the_top() -> None:
    assert list(differences({"a": 1}, {"a": 2})) == ["a was 1, is now 2"]
    assert list(differences({"X": 1}, {"X": 2})) == ["X was 1, is now 2"]
    assert list(differences({"a": {"b": 1}}, {"a": {"c": 1}}, "it")) == [
        "it.a.b was 1, is now absent",
        "it.a.c was absent, is now 1",
    ]
    assert list(differences(describe(Plain()), describe(Noise(0.3)), "it")) == [
        "it was Plain, is now Noise"
    ]


@pytest.mark.parametrize(("length", "told"), [(59, "x" * 59), (60, "x" * 57 + "…")])
def test_long_values_are_cut(length: int, told: str) -> None:
    assert list(differences("x" * length, 1, "it")) == [f"it was {told}, is now 1"]


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ("x" * 59 + "1", "x" * 59 + "2", f"…{'x' * 30}1, is now …{'x' * 30}2"),
        ("x" * 31 + "1" * 9, "x" * 31 + "2" * 60, f"{'x' * 31}{'1' * 9}, is now …{'x' * 30}"),
        ("x" * 70, "x" * 80, f"{'x' * 57}…, is now {'x' * 57}…"),
    ],
    ids=["at the end", "in the middle", "longer"],
)
def test_of_long_values_the_part_that_differs_is_told(then: str, now: str, told: str) -> None:
    (found,) = differences(then, now, "it")
    assert found.startswith(f"it was {told}")
