import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cvcourse.experiment import (
    claim,
    interval,
    load_record,
    record_names,
    repeat,
    save_record,
)


def test_the_interval_is_students() -> None:
    values = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 8.0]])
    found = interval(values)
    low, high = stats.t.interval(
        0.95, 2, loc=values.mean(axis=0), scale=values.std(axis=0, ddof=1) / math.sqrt(3)
    )
    np.testing.assert_allclose(found.low, low)
    np.testing.assert_allclose(found.high, high)


def test_nineteen_intervals_in_twenty_hold_the_truth() -> None:
    draws = np.random.default_rng(0).normal(3.0, 2.0, (5, 4000))
    found = interval(draws)
    held = ((found.low < 3) & (found.high > 3)).mean()
    assert 0.94 < held < 0.96


def test_intervals_are_written_for_people() -> None:
    assert f"{interval([0.5, 0.5])[()]:.2f}" == "0.50 [0.50, 0.50]"


def noisy(seed: int) -> dict[str, float]:
    easy = np.random.default_rng(seed).normal()
    return {"a": easy, "b": easy + 1 + 0.01 * seed}


def test_pairing_takes_out_what_the_arms_share() -> None:
    results = repeat(noisy, 5)
    paired = results.difference("b", "a")
    alone = results.interval("b")
    np.testing.assert_allclose(paired.mean, 1.02)
    assert paired.high - paired.low < 0.1 < alone.high - alone.low


def test_seeds_reach_the_experiment_in_order() -> None:
    results = repeat(lambda seed: {"seed": seed, "twice": [seed, 2 * seed]}, (4, 1))
    assert results.seeds == (4, 1)
    assert results["seed"].tolist() == [4, 1]
    assert results["twice"].tolist() == [[4, 8], [1, 2]]


@pytest.mark.parametrize(
    ("seeds", "error", "message"),
    [
        (1, ValueError, "at least two"),
        ((3, 3), ValueError, "two different"),
        ((0.5, 1), TypeError, "seed 0.5 is no integer"),
        ((True, 2), TypeError, "seed True"),
    ],
)
def test_seeds_that_give_no_interval(seeds: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        repeat(noisy, seeds)


def test_outcomes_must_fit_each_other() -> None:
    with pytest.raises(ValueError, match="seed 1 gave"):
        repeat(lambda seed: {"x": np.zeros(seed + 1)}, 2)
    with pytest.raises(ValueError, match="NaN"):
        interval([1.0, math.nan])
    with pytest.raises(ValueError, match="at least two seeds"):
        interval([1.0])
    with pytest.raises(KeyError, match="no arm 'c'"):
        repeat(noisy, 2)["c"]


def test_a_claim_prints_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    made = claim("water-wet", "confirmed", {"it is": np.bool_(True)}, effect="very")
    assert made.reproduced
    assert capsys.readouterr().out == "claim water-wet: confirmed\n  ✓ it is\n"


def test_a_finding_that_fails_fails_the_claim(capsys: pytest.CaptureFixture[str]) -> None:
    made = claim("water-dry", "confirmed", {"it is": True, "it stays": False}, effect="none")
    assert not made.reproduced
    assert "NOT REPRODUCED" in capsys.readouterr().out
    with pytest.raises(ValueError, match="rests on nothing"):
        claim("empty", "confirmed", {}, effect="")


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    results = repeat(noisy, 3)
    path = tmp_path / "new" / "run.json"
    made = claim("water-wet", "corrected", {"it is": True}, effect="1.02")
    save_record(
        path,
        notebook="00_water",
        dataset="sea",
        settings={"seeds": 3},
        results={"wet": results},
        claims=[made],
    )
    record = load_record(path)
    assert record.claims == (made,)
    np.testing.assert_allclose(record.results["wet"]["b"], results["b"], atol=1e-5)
    assert "sea (seeds 3)" in str(record)
    assert {"date", "hardware", "versions"} <= set(json.loads(path.read_text()))
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]


def test_a_record_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("the old one")
    with pytest.raises(TypeError):
        save_record(path, notebook="", dataset="", settings={"x": object()}, results={}, claims=[])
    assert path.read_text() == "the old one"


def test_a_missing_record_lists_those_there_are() -> None:
    with pytest.raises(FileNotFoundError, match="no record 'nothing'; the package has"):
        load_record("nothing")
    for name in record_names():
        assert load_record(name).results
