"""What a check lets through, and how it names what it does not."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from cvcourse.checks import (
    check_choice,
    check_integer,
    check_number,
    check_range,
    check_same_length,
)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_of_all_kinds_become_pythons(value: Any) -> None:
    found = check_integer("n", value, 1, 5, "images")
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5)])
def test_numbers_of_all_kinds_become_pythons(value: Any) -> None:
    found = check_number("rate", value, 0, 1)
    assert found == 0.5
    assert type(found) is float
    assert check_number("rate", 1, 0, 1) == 1.0


@pytest.mark.parametrize("value", [True, np.True_, 1.0, "3", None, [3], math.nan])
def test_what_is_no_integer_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^n is .*; expected an integer, images"):
        check_integer("n", value, 1, None, "images")


@pytest.mark.parametrize("value", [True, np.False_, "3e-3", None, [0.5], 1j])
def test_what_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^rate is .*; expected a number, a share"):
        check_number("rate", value, 0, 1, "a share")


@pytest.mark.parametrize(
    ("value", "limits", "told"),
    [
        (-1, (0, 1), "expected 0 to 1"),
        (math.nan, (0, 1), "rate is nan; expected 0 to 1"),
        (math.inf, (0,), "rate is inf; expected at least 0"),
        (math.nan, (), "rate is nan; expected any"),
        (-1, (0, math.inf), "expected at least 0"),
    ],
)
def test_a_number_out_of_its_range_is_named(
    value: float, limits: tuple[float, ...], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        check_number("rate", value, *limits)


def test_an_open_end() -> None:
    assert check_number("T", 0.1, 0, above=True) == 0.1
    with pytest.raises(ValueError, match="T is 0; expected above 0"):
        check_number("T", 0, 0, above=True)
    with pytest.raises(ValueError, match="expected above 0 to 1"):
        check_number("T", 2, 0, 1, above=True)
    assert check_number("T", 0, 0) == 0


def test_integers_out_of_range() -> None:
    with pytest.raises(ValueError, match="n is 0; expected at least 1"):
        check_integer("n", 0, 1, None, "images")
    with pytest.raises(ValueError, match="n is 6; expected 1 to 5"):
        check_integer("n", 6, 1, 5, "images")
    assert [check_integer("n", n, 1, 5, "images") for n in (1, 5)] == [1, 5]


@pytest.mark.parametrize("value", ["AdamW", "", None, 3, ["sgd"]])
def test_a_word_must_be_one_of_the_choices(value: Any) -> None:
    assert check_choice("optimizer", "sgd", ("adamw", "sgd")) == "sgd"
    with pytest.raises(ValueError, match=r"optimizer is .*; expected one of 'adamw', 'sgd'"):
        check_choice("optimizer", value, ("adamw", "sgd"))


def test_tensors() -> None:
    check_range("x", torch.tensor([]), 0, 1, "share")
    check_range("x", torch.tensor([0.0, 1.0]), 0, 1, "share")
    with pytest.raises(ValueError, match="x runs from 0 to 2; expected 0 to 1"):
        check_range("x", torch.tensor([0.0, 2.0]), 0, 1, "share")
    with pytest.raises(ValueError, match="x runs from nan to nan"):
        check_range("x", torch.tensor([0.0, math.nan]), 0, 1, "share")
    check_same_length(a=[1, 2], b=[3, 4])
    with pytest.raises(ValueError, match="there are 2 a, 1 b"):
        check_same_length(a=[1, 2], b=[3])
