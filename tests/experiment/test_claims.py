"""Findings are judged by their intervals; a claim is a text, and data."""

import json
import math
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from cvcourse.experiment import Interval, claim, interval, less, more, same
from cvcourse.experiment.claims import MIME


def between(low: float, high: float) -> Interval:
    return Interval(np.float64((low + high) / 2), np.float64(low), np.float64(high), 4)


@pytest.mark.parametrize(
    ("low", "high", "is_more", "is_less"),
    [
        (0.11, 0.3, True, False),  # all of it above
        (-0.3, 0.09, False, True),  # all of it below
        (0.05, 0.3, None, None),  # mean above, and open all the same
        (-0.3, 0.15, None, None),
        (0.1, 0.1, False, False),  # just as much is not more, nor less
    ],
)
def test_more_and_less_are_about_the_whole_interval(
    low: float, high: float, is_more: bool | None, is_less: bool | None
) -> None:
    assert more(between(low, high), than=0.1).holds is is_more
    assert less(between(low, high), than=0.1).holds is is_less


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [
        (-0.04, 0.04, True),
        (-0.04, 0.06, None),  # it reaches out at one end
        (-0.06, 0.04, None),
        (-0.2, 0.2, None),  # nothing can be said: that is not "the same"
        (0.06, 0.2, False),
        (-0.2, -0.06, False),
        (0.05, 0.2, False),  # from the margin on
    ],
)
def test_the_same_is_the_whole_interval_within_the_margin(
    low: float, high: float, holds: bool | None
) -> None:
    assert same(between(low, high), within=0.05).holds is holds


def test_a_finding_keeps_what_it_was_judged_by() -> None:
    values = [0.2, 0.3, 0.25]
    found, expected = more(values, than=0.1), interval(values)
    assert (found.rule, found.bound, found.effect.seeds) == ("more than", 0.1, 3)
    assert (found.effect.mean, found.effect.low) == (expected.mean, expected.low)
    assert found.as_data() == {
        "holds": True,
        "rule": "more than",
        "bound": 0.1,
        "estimate": 0.25,
        "low": pytest.approx(float(expected.low), rel=1e-5),
        "high": pytest.approx(float(expected.high), rel=1e-5),
        "seeds": 3,
    }
    assert same(values, within=0.5).rule == "within"
    assert less(values, than=1).rule == "less than"


def test_of_several_effects_all_must_hold_and_the_one_that_decides_is_kept() -> None:
    good, bad, open_ = [0.5, 0.51, 0.49], [-0.5, -0.51, -0.49], [0.3, -0.2, 0.4]
    assert more(np.transpose([good, good])).holds is True
    assert more(np.transpose([good, open_])).holds is None
    assert more(np.transpose([open_, good])).effect.mean == interval(open_).mean
    assert more(np.transpose([good, open_, bad])).holds is False
    assert more(np.transpose([good, open_, bad])).effect.mean == interval(bad).mean
    assert less(np.transpose([bad, bad])).holds is True
    assert same(np.transpose([good, bad]), within=0.6).holds is True


@pytest.mark.parametrize("judge", [more, less, lambda x: same(x, within=1.0)])
def test_what_cannot_be_judged_is_refused(judge: Any) -> None:
    with pytest.raises(ValueError, match="NaN"):
        judge([0.1, math.nan])
    with pytest.raises(ValueError, match="two seeds"):
        judge([0.1])
    with pytest.raises(ValueError, match="no interval"):
        judge(between(0.0, math.inf))


def test_a_bound_is_a_number() -> None:
    with pytest.raises(ValueError, match="the number to compare with is nan"):
        more([1, 2], than=math.nan)
    with pytest.raises(ValueError, match="within is 0"):
        same([1, 2], within=0)
    with pytest.raises(TypeError, match=r"the number to compare with is '0.1'"):
        less([1, 2], than="0.1")


WET = {"it is": np.bool_(True), "it stays": more([0.5, 0.6, 0.7], than=0.1)}
DAMP = {"share of the surface": (interval([0.5, 0.6, 0.7]), ".0%"), "drops": (12345, ",")}


def test_a_claim_prints_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    made = claim("water-wet", "confirmed", WET, effect=DAMP, short="wet")
    assert made.reproduced
    assert capsys.readouterr().out == "claim water-wet: confirmed\n  ✓ it is\n  ✓ it stays\n"


def test_a_finding_that_fails_fails_the_claim(capsys: pytest.CaptureFixture[str]) -> None:
    made = claim("water-dry", "confirmed", WET | {"it is dry": False}, effect=DAMP, short="dry")
    assert not made.reproduced
    out = capsys.readouterr().out
    assert "water-dry: NOT REPRODUCED in this run" in out
    assert "  ✗ it is dry" in out


def test_a_finding_may_be_open_and_is_shown_so(capsys: pytest.CaptureFixture[str]) -> None:
    findings = WET | {"it rises": more([0.1, -0.1, 0.3])}
    made = claim("water-high", "confirmed", findings, effect=DAMP, short="high")
    assert made.reproduced
    assert "  ○ it rises (open)\n" in capsys.readouterr().out


def test_a_claim_is_data_too() -> None:
    data = claim(
        "water-wet", "confirmed", WET, effect=DAMP | {"taste": "none"}, short="w"
    ).as_data()
    assert json.loads(json.dumps(data)) == data
    assert (data["id"], data["verdict"], data["reproduced"]) == ("water-wet", "confirmed", True)
    assert data["short"] == "w"
    share, drops, taste = data["effect"]
    assert share == {
        "what": "share of the surface",
        "estimate": 0.6,
        "low": pytest.approx(0.351586),
        "high": pytest.approx(0.848414),
        "seeds": 3,
        "format": ".0%",
    }
    assert drops == {"what": "drops", "estimate": 12345, "format": ","}
    assert taste == {"what": "taste", "text": "none"}
    exact, judged = data["findings"]
    assert exact == {"what": "it is", "holds": True, "rule": "exact", "bound": None}
    assert judged["what"] == "it stays"
    assert judged["low"] > judged["bound"] == 0.1


def test_in_a_notebook_the_data_go_along_with_the_text() -> None:
    shell = InteractiveShell.instance()
    try:
        with capture_output() as captured:
            made = claim("water-wet", "confirmed", WET, effect=DAMP, short="wet")
    finally:
        InteractiveShell.clear_instance()
    (shown,) = captured.outputs
    assert shown.data == {"text/plain": str(made), MIME: made.as_data()}
    assert captured.stdout == ""
    del shell


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"verdict": "confirmd"}, ValueError, "verdict is 'confirmd'; expected one of"),
        ({"findings": {}}, ValueError, "claim 'x' has no findings"),
        ({"effect": {}}, ValueError, "claim 'x' has no effect"),
        ({"short": ""}, ValueError, "claim 'x' has no short"),
        ({"findings": {"a": math.nan}}, TypeError, r"findings\['a'\] is nan"),
        ({"findings": {"a": "False"}}, TypeError, r"findings\['a'\] is 'False'"),
        ({"findings": {"a": 1}}, TypeError, r"findings\['a'\] is 1"),
    ],
)
def test_a_claim_that_cannot_be_is_refused(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    good = {"verdict": "confirmed", "findings": WET, "effect": DAMP, "short": "s"}
    with pytest.raises(error, match=message):
        claim("x", **good | change)
