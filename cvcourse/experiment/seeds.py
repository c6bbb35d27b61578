"""The same experiment, seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvcourse.checks import Checked, Numbers, check, check_array, check_integer, checked
from cvcourse.experiment.intervals import Interval, Unknown, interval, proportion
from cvcourse.parallel import parallel_map

Outcome = Mapping[str, Numbers | Unknown]


@dataclass(frozen=True)
class Results(Checked):
    """What an experiment gave: for each arm, an array whose first axis is the seed.

    >>> from cvcourse.experiment import repeat
    >>> results = repeat(lambda seed: {"plain": 0.5 + seed / 100, "twice": 0.6 + seed / 100}, 3)
    >>> results["plain"].shape
    (3,)
    >>> f"{results.difference('twice', 'plain'):.2f}"
    '0.10 [0.10, 0.10]'

    Attributes:
        seeds: which they were.
        values: arm → (n_seeds, …) float64; or `Unknown`, where a seed could not tell.
    """

    seeds: tuple[int, ...]
    values: dict[str, NDArray[np.float64] | Unknown]

    def __post_init__(self) -> None:
        super().__post_init__()
        for arm, values in self.values.items():
            if not isinstance(values, Unknown) and len(values) != len(self.seeds):
                raise ValueError(f"values[{arm!r}] are {len(values)}, seeds {len(self.seeds)}")

    @checked
    def __getitem__(self, arm: str) -> Any:
        if arm not in self.values:
            raise KeyError(f"no arm {arm!r}; there are {', '.join(self.values)}")
        return self.values[arm]

    def interval(self, arm: str) -> Interval:
        """Mean and 95 % interval of one arm over the seeds."""
        return interval(self[arm])

    def proportion(self, arm: str) -> Interval:
        """The same of an arm of shares, within 0 and 1."""
        return proportion(self[arm])

    def difference(self, arm: str, baseline: str) -> Interval:
        """Mean and 95 % interval of `arm` − `baseline`, seed by seed.

        Pairing takes out what the two arms of a seed share (its images, its initial draw), which is
        why this interval is often far narrower than the two arms' own.
        """
        return interval(self[arm] - self[baseline])


def as_seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """Which seeds: those given, or so many of 0, 1, 2 and so on.

    >>> from cvcourse.experiment import as_seeds
    >>> as_seeds(3), as_seeds([7, 8])
    ((0, 1, 2), (7, 8))

    Args:
        seeds: how many, at least 1; or a list of integers ≥ 0.

    Raises:
        TypeError: a seed is no integer.
        ValueError: none, a negative one, or one twice.
    """
    if isinstance(seeds, Iterable) and not isinstance(seeds, str):
        chosen = tuple(check_integer("a seed", seed, 0, None, "or how many") for seed in seeds)
    else:
        chosen = tuple(range(check_integer("seeds", seeds, 1, None, "how many, or a list of them")))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"seeds are {chosen}; expected at least one, and none twice")
    return chosen


@checked
def repeat(experiment: Callable[[int], Outcome], seeds: int | Iterable[int]) -> Results:
    """Run an experiment once a seed, side by side where that is possible (see `parallel_map`).

    >>> from cvcourse.experiment import repeat
    >>> thrown = repeat(lambda seed: {"six": seed % 6 == 5, "eyes": seed % 6 + 1}, 12)
    >>> f"{thrown.interval('eyes'):.1f}"
    '3.5 [2.4, 4.6]'

    Args:
        experiment: seed → {arm: number or array}; the same arms and shapes every time. An arm that
            is `Unknown` with one seed is so with all.
        seeds: which seeds, or how many of 0, 1, 2, …

    Raises:
        TypeError: a seed is no integer.
        ValueError: fewer than two seeds, a seed twice, or outcomes that do not fit each other.
    """
    chosen = as_seeds(seeds)
    if len(chosen) < 2:
        raise ValueError(f"seeds are {chosen}; an interval needs at least two different ones")
    outcomes = list(parallel_map(lambda seed: _as_arrays(seed, experiment(seed)), chosen).values())
    unknown = {a: v for outcome in outcomes for a, v in outcome.items() if isinstance(v, Unknown)}
    shapes = [{a: v.shape for a, v in outcome.items() if a not in unknown} for outcome in outcomes]
    for seed, found in zip(chosen, shapes, strict=True):
        if found != shapes[0]:
            raise ValueError(f"seed {seed} gave {found}, but seed {chosen[0]} gave {shapes[0]}")
    known: dict[str, Any] = {arm: np.stack([o[arm] for o in outcomes]) for arm in shapes[0]}
    return Results(chosen, {arm: (known | unknown)[arm] for arm in outcomes[0]})


def _as_arrays(seed: int, outcome: Outcome) -> dict[str, Any]:
    if not check(f"what seed {seed} gave", outcome, Mapping):
        raise ValueError(f"seed {seed} gave no arms; expected a number or an array of each")
    return {
        arm: value if isinstance(value, Unknown) else check_array(f"seed {seed}'s {arm!r}", value)
        for arm, value in outcome.items()
    }
