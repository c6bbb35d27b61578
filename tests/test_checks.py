"""What a check lets through, and how it names what it does not."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cvcourse.checks import (
    Checked,
    Count,
    NotNegative,
    Numbers,
    Positive,
    Probabilities,
    Seed,
    Share,
    check,
    check_array,
    check_choice,
    check_integer,
    check_labels,
    check_number,
    check_probabilities,
    check_range,
    check_same_length,
    checked,
)
from cvcourse.experiment import Unknown


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


@pytest.mark.parametrize(
    ("value", "wanted", "found"),
    [
        (np.int64(3), int, 3),
        (np.float32(0.5), float, 0.5),
        (np.True_, bool, True),
        (np.str_("adamw"), str, "adamw"),
        (None, Count | None, None),
        (3, Count | None, 3),
        (0.5, float | Tensor, 0.5),
        ("x", str | Path, "x"),
        ([1, 2], tuple[int, int], (1, 2)),
        ((1, 2, 3), tuple[int, ...], (1, 2, 3)),
        ({"a": np.int64(1)}, Mapping[str, int], {"a": 1}),
        ([np.int64(1)], list[Count], [1]),
        (len, Callable[[int], int], len),
        ({}, Any, {}),
        ({}, object, {}),
        ("sgd", Literal["adamw", "sgd"], "sgd"),
        (0, Numbers | Sequence[str], 0),  # NumPy's own alias names no int, in some of its versions
        (["a"], Numbers | Sequence[str], ["a"]),
        (1.5, Numbers | Unknown, 1.5),
        ({"a": 1.5}, Mapping[str, Numbers], {"a": 1.5}),
    ],
)
def test_what_fits_its_annotation_passes(value: Any, wanted: Any, found: Any) -> None:
    passed = check("x", value, wanted)
    assert passed == found
    assert type(passed) is type(found)


@pytest.mark.parametrize(
    ("value", "wanted", "error", "message"),
    [
        ("3", Count, TypeError, r"x is '3' \(str\); expected an integer"),
        (0, Count | None, ValueError, "x is 0; expected at least 1"),
        ("3", Count | None, TypeError, "x is '3'"),
        (True, float, TypeError, "x is True"),
        (math.nan, Share, ValueError, "x is nan; expected 0 to 1"),
        (0, Positive, ValueError, "x is 0; expected above 0"),
        (-1, NotNegative, ValueError, "x is -1; expected at least 0"),
        (2**70, Seed, ValueError, "x is 1180591620717411303424; expected 0 to"),
        (3, str | Path, TypeError, r"x is 3 \(int\); expected str or Path"),
        (3, nn.Module | Tensor, TypeError, "expected Module or Tensor"),
        (nn.Linear, nn.Module, TypeError, r"Linear'> \(type\); expected Module"),
        ("ab", Iterable[int], TypeError, "x is 'ab'"),
        ((1, 2, 3), tuple[int, int], ValueError, "expected 2 of them"),
        ([1, "b"], list[int], TypeError, r"x\[1\] is 'b'"),
        ({"a": "b"}, dict[str, int], TypeError, r"x\['a'\] is 'b'"),
        ({1: 2}, dict[str, int], TypeError, "a key of x is 1"),
        ("flip", Callable[[int], int], TypeError, "x is 'flip' .* expected Callable"),
        (1, bool, TypeError, "x is 1 .* expected bool"),
        ("AdamW", Literal["adamw"] | None, ValueError, "expected one of 'adamw'"),
        (2.5, Count | Literal["all"], TypeError, "x is 2.5 .* expected int or 'all'"),
        ("al", Count | Literal["all"], ValueError, "x is 'al'; expected one of 'all'"),
        (torch.empty(2, device="meta"), Tensor, TypeError, "expected a dense one of real numbers"),
        (torch.zeros(2).to_sparse(), Tensor, TypeError, "expected a dense one of real numbers"),
        (torch.zeros(2, dtype=torch.cfloat), Tensor, TypeError, "torch.complex64"),
    ],
)
def test_what_does_not_fit_is_named(
    value: Any, wanted: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        check("x", value, wanted)


@checked
def drawn(n: Count, *more: Share, how: str = "at random", **limits: Positive) -> tuple:
    """Draws."""
    return n, more, how, limits


def test_a_checked_function_compares_all_that_it_is_given() -> None:
    assert drawn(np.int8(2), 0.5, np.float32(0.25), high=3) == (
        *(2, (0.5, 0.25), "at random", {"high": 3.0}),
    )
    assert (drawn.__name__, drawn.__doc__) == ("drawn", "Draws.")
    for given, named, message in (
        ((0,), {}, "n is 0"),
        ((1, 0.5, 2.0), {}, r"more\[1\] is 2.0"),
        ((1,), {"how": 3}, "how is 3"),
        ((1,), {"low": 0}, r"limits\['low'\] is 0"),
        ((), {}, "missing 1 required positional argument: 'n'"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            drawn(*given, **named)


def test_what_a_function_does_not_take_is_left_to_python() -> None:
    @checked
    def one(n: Count) -> int:
        return n

    assert one(n=np.int64(3)) == 3
    for given, named, message in (((1, 2), {}, "takes 1 pos"), ((1,), {"m": 2}, "unexpected")):
        with pytest.raises(TypeError, match=message):
            one(*given, **named)


def test_a_tensor_is_not_shown_to_find_its_kind() -> None:
    class Unseen(Tensor):
        def __repr__(self, **_: Any) -> str:
            raise AssertionError("a GPU waits, and a large tensor takes milliseconds")

    value = torch.zeros(2).as_subclass(Unseen)
    for wanted in (np.ndarray | Tensor, float | Tensor, int | Literal["all"] | Tensor):
        assert check("x", value, wanted) is value


def test_a_range_is_of_numbers_and_keeps_what_it_is_given() -> None:
    assert check_range("x", np.float32(0.5), 0, 1, "share") == 0.5
    for bad in (torch.ones(2, dtype=torch.bool), torch.ones(2, dtype=torch.cfloat), True):
        with pytest.raises(TypeError, match="x is"):
            check_range("x", bad, 0, 1, "share")
    with pytest.raises(ValueError, match="x runs from 0 to inf"):
        check_range("x", torch.tensor([0, math.inf]), -math.inf, math.inf, "pixels")


def test_a_dataclass_compares_its_fields() -> None:
    @dataclass(frozen=True)
    class Noise(Checked):
        strength: Share
        sides: tuple[int, int] = (0, 1)

    made = Noise(np.float64(0.5), [2, 3])  # type: ignore[arg-type]
    assert (made.strength, made.sides) == (0.5, (2, 3))
    with pytest.raises(ValueError, match=r"Noise\.strength is 2; expected 0 to 1"):
        Noise(2)
    with pytest.raises(TypeError, match=r"Noise\.sides\[1\] is 'a'"):
        Noise(0.5, (1, "a"))  # type: ignore[arg-type]


def test_rows_of_probabilities_sum_to_one() -> None:
    half = torch.full((3, 2), 0.5)
    assert check_probabilities("p", half) is half
    assert check("p", half.half(), Probabilities).dtype == torch.float16
    check_probabilities("p", half[:0])
    for bad in (half * 2, half - 1, half * math.nan, torch.tensor([[1.5, -0.5]])):
        with pytest.raises(ValueError, match="a row of p is no distribution"):
            check_probabilities("p", bad)
    with pytest.raises(ValueError, match=r"p is \(2,\); expected \(N, n_classes\)"):
        check_probabilities("p", half[0])


def test_labels_are_whole_numbers_in_range_one_an_image() -> None:
    labels = torch.tensor([0, 2, -1])
    assert check_labels("y", labels, 3, 3, low=-1) is labels
    with pytest.raises(ValueError, match="y runs from -1 to 2; expected 0 to 2"):
        check_labels("y", labels, 3, 3)
    with pytest.raises(ValueError, match=r"y are \(3,\); expected \(2,\)"):
        check_labels("y", labels, 2, 3)
    with pytest.raises(TypeError, match=r"y are torch\.float32; expected torch\.int64"):
        check_labels("y", labels.float(), 3, 3)


@pytest.mark.parametrize("values", ["x", object(), [1, ""], [True, 2], [[1], [1, 2]], {}, 1j, None])
def test_an_array_is_of_real_numbers(values: Any) -> None:
    assert check_array("v", [True, False]).tolist() == [1.0, 0.0]
    assert check_array("v", torch.tensor([math.nan])).dtype == np.float64
    with pytest.raises(TypeError, match=r"v is .*; expected"):
        check_array("v", values)
