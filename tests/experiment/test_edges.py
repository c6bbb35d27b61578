"""What is exactly at a bound, and what a number looks like where it is shown or kept."""

import io
import sys
import types

import numpy as np
import pytest

from cvcourse.experiment import Interval, claim, interval, less, more, proportion
from cvcourse.experiment.claims import Claim, Quantity, show

WET = Claim("water-wet", "confirmed", {"it is": more([0.5, 0.6, 0.7])})


def between(low: float, high: float) -> Interval:
    return Interval(np.float64((low + high) / 2), np.float64(low), np.float64(high), 4)


def test_an_interval_that_begins_at_the_bound_is_open() -> None:
    assert more(between(0.1, 0.3), than=0.1).holds is None
    assert less(between(-0.3, 0.1), than=0.1).holds is None


def test_left_to_themselves_more_and_less_compare_with_zero() -> None:
    above, below = [0.2, 0.3, 0.25], [-0.2, -0.3, -0.25]
    assert (more(above).holds, more(below).holds) == (True, False)
    assert (less(below).holds, less(above).holds) == (True, False)
    assert more(above).bound == less(above).bound == 0


def test_the_effect_that_leaves_it_open_is_kept_wherever_it_stands() -> None:
    good, open_ = [0.5, 0.51, 0.49], [0.3, -0.2, 0.4]
    assert more(np.transpose([good, open_])).effect.mean == interval(open_).mean
    assert less(-np.transpose([good, open_])).effect.mean == -interval(open_).mean


def test_a_quantity_is_printed_in_its_format() -> None:
    assert str(Quantity(0.1234)) == "0.12"
    assert str(Quantity(between(0.25, 0.75), ".0%")) == "50% [25%, 75%]"


@pytest.mark.parametrize(("value", "spec"), [(0.5, "d"), (between(0.1, 0.3), "x"), (3, "%d")])
def test_a_format_that_does_not_fit_is_found_out_at_once(value: Interval | int, spec: str) -> None:
    with pytest.raises(ValueError, match=r"format"):
        Quantity(value, spec)


def test_an_effect_may_be_a_number_an_array_over_seeds_or_either_with_its_format() -> None:
    values = np.array([0.5, 0.6, 0.7])
    given = {"number": 0.5, "count": 1234567, "formatted": (7, "d"), "seeds": (values, ".1f")}
    made = claim("x", "confirmed", {"it is": True}, effect=given, short="s")
    number, count, formatted, seeds = made.as_data()["effect"]
    assert number == {"what": "number", "estimate": 0.5, "format": ".2f"}
    assert count["estimate"] == 1234567, "a count is not rounded"
    assert isinstance(count["estimate"], int)
    assert formatted == {"what": "formatted", "estimate": 7, "format": "d"}
    assert (seeds["estimate"], seeds["seeds"], seeds["format"]) == (0.6, 3, ".1f")
    assert seeds["low"] == pytest.approx(float(interval(values).low), rel=1e-5)


@pytest.mark.parametrize(
    "terminal", [io.StringIO(), types.SimpleNamespace()], ids=["no encoding", "not even a name"]
)
def test_a_claim_is_written_in_unicode_where_nothing_is_said(
    terminal: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        text = str(WET)
    assert text == "claim water-wet: confirmed\n  ✓ it is"


def test_without_ipython_things_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    show("plain")
    assert capsys.readouterr().out == "plain\n"


def test_with_ipython_but_no_notebook_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[object] = []
    stand_in = types.SimpleNamespace(
        get_ipython=lambda: None, display=types.SimpleNamespace(display=shown.append)
    )
    monkeypatch.setitem(sys.modules, "IPython", stand_in)
    show("plain")
    assert (capsys.readouterr().out, shown) == ("plain\n", [])


@pytest.mark.parametrize("kind", [np.float32, np.int8, np.bool_])
def test_intervals_are_counted_in_double_precision(kind: type) -> None:
    found = interval(np.array([0, 1, 1], dtype=kind))
    assert found.mean.dtype == found.low.dtype == np.float64
    assert found.mean == 2 / 3


def test_a_proportion_has_the_level_that_is_asked_for() -> None:
    values = [0.5, 0.6, 0.55]
    assert proportion(values, level=0.5).low == interval(values, level=0.5).low
    assert proportion(values).low == interval(values).low


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ((0.5, 0.6, 0.4), ValueError, "are no interval; expected finite numbers, low ≤ high"),
        ((np.zeros(2), np.zeros(()), np.zeros(())), ValueError, "are no interval"),
        ((0.5, 0.4, np.inf), ValueError, "are no interval"),
        ((0.5, "low", 0.6), TypeError, "^low is 'low'.*expected real numbers"),
        ((0.5, 0.4, 0.6, -1), ValueError, "^seeds is -1"),
        ((0.5, 0.4, 0.6, 1.5), TypeError, "^seeds is 1.5"),
    ],
)
def test_what_is_no_interval_is_refused(
    fields: tuple, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Interval(*fields)
