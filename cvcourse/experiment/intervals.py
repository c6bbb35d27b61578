"""Means over seeds, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from cvcourse.checks import Natural, Numbers, check, check_array, check_number, checked

Level = Annotated[float, partial(check_number, low=0, high=1 - 1e-12, above=True)]

DASH = "–"  #: stands for what a run cannot tell


def six_digits(value: Any) -> float:
    """Rounded to six significant digits, as claims are kept: a table says what its claim says.

    Millions keep all of theirs: they are counts, of weights, say.
    """
    return float(value) if abs(value) >= 1e6 else float(f"{float(value):.6g}")


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval: three floats, or three arrays of one shape.

    >>> from cvcourse.experiment import interval
    >>> accuracy = interval([0.80, 0.84, 0.79, 0.81])
    >>> f"{accuracy:.2f}", accuracy.seeds
    ('0.81 [0.78, 0.84]', 4)

    Attributes:
        mean: (…) float64, over the seeds.
        low: (…) float64, the lower end of the interval.
        high: (…) float64, the upper end.
        seeds: how many seeds it comes from; 0 where it comes from elsewhere.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    seeds: int = 0

    def __post_init__(self) -> None:
        check("seeds", self.seeds, Natural)
        fields = {name: check_array(name, getattr(self, name)) for name in ("mean", "low", "high")}
        mean, low, high = fields.values()
        finite = all(np.isfinite(field).all() for field in fields.values())
        if not finite or not mean.shape == low.shape == high.shape or bool((low > high).any()):
            raise ValueError(f"{fields} are no interval; expected finite numbers, low ≤ high")

    def __format__(self, spec: str) -> str:
        """`f"{interval:.2f}"` → "0.81 [0.79, 0.83]"; only for a single number."""
        mean, low, high = (format(six_digits(x), spec) for x in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"

    def __getitem__(self, index: Any) -> Interval:
        return Interval(self.mean[index], self.low[index], self.high[index], self.seeds)

    @property
    def reach(self) -> NDArray[np.float64]:
        """How far the interval goes below and above the mean, (2, …), as `errorbar` wants it."""
        return np.stack([self.mean - self.low, self.high - self.mean])


class Unknown(Interval):
    """What a run cannot tell, and why; shown as a dash, and drawn as nothing.

    Whatever is made of it is as unknown. A finding that rests on it has no verdict, but its reason.

    >>> from cvcourse.experiment import Unknown, more
    >>> lead = Unknown("the model is at chance") - 0.5
    >>> f"{lead:.2f}", more(lead).holds
    ('–', None)
    >>> lead.why
    'the model is at chance'

    Args:
        why: in a few words.
    """

    why: str
    __array_ufunc__ = None  # so that an array leaves its difference to us

    @checked
    def __init__(self, why: str) -> None:
        nothing = np.array(np.nan)
        super().__init__(nothing, nothing, nothing)
        object.__setattr__(self, "why", why)

    def __post_init__(self) -> None:
        """An interval of nothing: neither finite nor in order."""

    def __format__(self, spec: str) -> str:
        return DASH

    def _itself(self, other: Any = None) -> Unknown:
        return self

    __getitem__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _itself
    __truediv__ = __rtruediv__ = __neg__ = _itself


@checked
def interval(values: Numbers | Unknown, *, level: Level = 0.95) -> Interval:
    """Mean and Student-t confidence interval over the first axis (the seeds).

    >>> from cvcourse.experiment import interval
    >>> f"{interval([0.80, 0.84, 0.79, 0.81]):.2f}"
    '0.81 [0.78, 0.84]'

    Args:
        values: (n_seeds, ...) float; `Unknown` stays what it is.
        level: the share of such intervals that would hold the true mean, between 0 and 1.

    Raises:
        ValueError: fewer than two seeds, a value that is not finite, or a level out of range.
    """
    if isinstance(values, Unknown):
        return values
    array = check_array("values", values)
    if array.ndim == 0 or len(array) < 2:
        raise ValueError("an interval needs the values of at least two seeds; run more seeds")
    if not np.isfinite(array).all():
        raise ValueError("a value is NaN or infinite, so its mean means nothing; look at that seed")
    mean = array.mean(axis=0)
    sem = array.std(axis=0, ddof=1) / len(array) ** 0.5  # standard error of the mean
    reach = stdtrit(len(array) - 1, (1 + level) / 2) * sem
    return Interval(mean, mean - reach, mean + reach, len(array))


@checked
def proportion(values: Numbers | Unknown, *, level: Level = 0.95) -> Interval:
    """The interval of a mean of shares (accuracies, say), which stays within 0 and 1.

    The part of `interval` outside is cut off. No true mean can lie there, so the interval holds it
    as often as before.

    >>> from cvcourse.experiment import proportion
    >>> f"{proportion([1.0, 1.0, 0.97, 0.99]):.2f}"
    '0.99 [0.97, 1.00]'

    Args:
        values: (n_seeds, ...) float, each from 0 to 1; `Unknown` stays what it is.
        level: as for `interval`.

    Raises:
        ValueError: as `interval`, or a value is not from 0 to 1.
    """
    whole = interval(values, level=level)
    if isinstance(whole, Unknown):
        return whole
    array = check_array("values", values)
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            f"values run from {array.min():g} to {array.max():g}; expected shares, 0 to 1 — for "
            "other numbers there is interval"
        )
    return Interval(whole.mean, whole.low.clip(0, 1), whole.high.clip(0, 1), whole.seeds)
