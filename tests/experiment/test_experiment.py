import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cvcourse.experiment import Interval, as_seeds, interval, proportion, repeat
from cvcourse.experiment.claims import Quantity


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


def test_a_number_of_weights_keeps_all_its_digits() -> None:
    assert f"{interval([1_956_866, 1_956_866]):,.0f}".startswith("1,956,866 ")


def test_a_tie_is_written_as_the_claim_that_keeps_six_digits_writes_it() -> None:
    """A table said 0.46 where the verdict below it, from the same numbers, said 0.47."""
    mean = np.array(0.465 - 1e-9)
    kept = Quantity(Interval(mean, mean, mean), ".2f").as_data()["estimate"]
    assert f"{Interval(mean, mean, mean):.2f}" == f"{kept:.2f} [{kept:.2f}, {kept:.2f}]"


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
        ((3, 3), ValueError, "none twice"),
        ((0.5, 1), TypeError, "a seed is 0.5"),
        ((True, 2), TypeError, "a seed is True"),
        ("12", TypeError, "seeds is '12'"),
        ((-1, 2), ValueError, "a seed is -1"),
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


@pytest.mark.parametrize("seeds", [3, np.int64(3), [0, 1, 2], range(3), np.arange(3)])
def test_a_list_of_seeds_works_where_a_count_does(seeds: object) -> None:
    assert as_seeds(seeds) == (0, 1, 2)
    assert all(type(seed) is int for seed in as_seeds(seeds))
    assert repeat(noisy, seeds).seeds == (0, 1, 2)


@pytest.mark.parametrize("seeds", [[], (3, 4, 3)])
def test_no_seeds_and_one_twice_are_refused(seeds: object) -> None:
    with pytest.raises(ValueError, match="expected at least one, and none twice"):
        as_seeds(seeds)


@pytest.mark.parametrize("level", [95, 1.0, 0.0, -0.5, math.nan])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(ValueError, match="level is"):
        interval([1, 2, 3], level=level)


def test_a_wider_level_makes_a_wider_interval() -> None:
    narrow, wide = interval([1, 2, 3], level=0.8), interval([1, 2, 3], level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_an_interval_says_how_many_seeds_and_how_far_it_goes() -> None:
    found = interval([[1.0, 2.0], [3.0, 2.0], [2.0, 2.0]])
    assert found.seeds == found[0].seeds == 3
    np.testing.assert_allclose(found.mean - found.reach[0], found.low)
    np.testing.assert_allclose(found.mean + found.reach[1], found.high)


def test_a_proportion_stays_within_0_and_1_and_moves_nothing_else() -> None:
    values = np.array([[1.0, 0.5, 0.0], [0.9, 0.6, 0.1], [1.0, 0.4, 0.0]])
    plain, cut = interval(values), proportion(values)
    assert plain.high[0] > 1
    assert plain.low[2] < 0
    np.testing.assert_allclose(cut.low, plain.low.clip(0, 1))
    np.testing.assert_allclose(cut.high, plain.high.clip(0, 1))
    np.testing.assert_allclose(cut.mean, plain.mean)
    assert cut.seeds == 3
    with pytest.raises(ValueError, match=r"run from 0.2 to 1.5; expected shares"):
        proportion([0.2, 1.5])


def test_a_proportion_of_an_arm() -> None:
    results = repeat(lambda seed: {"right": float(seed > 0)}, 3)
    assert results.proportion("right").high == 1
    assert results.interval("right").high > 1


@pytest.mark.parametrize(
    ("outcome", "error", "message"),
    [
        (3, TypeError, "what seed 7 gave is 3.*expected Mapping"),
        ([1.0], TypeError, r"what seed 7 gave is \[1.0\]"),
        ({}, ValueError, "seed 7 gave no arms"),
        ({"a": "x"}, TypeError, "seed 7's 'a' is 'x'"),
    ],
)
def test_an_outcome_that_is_no_arms_is_told_with_its_seed(
    outcome: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        repeat(lambda seed: outcome if seed == 7 else {"a": 1.0}, (7, 8))
