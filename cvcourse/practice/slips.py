"""Slips that anybody can make anywhere: a sign, per cent, a sum where a mean was asked for.

They are told by the numbers alone, whatever the exercise. Beside what a known mistake gives, they
tell two mistakes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np
from torch import Tensor

from cvcourse.practice.reading import RELATIVE, Array, agree

Change = Callable[[Array], Any]

#: feedback → what undoes the slip: done to what was given, it makes it right.
UNDO: dict[str, Change] = {
    "The sign is wrong: plus and minus have changed places.": np.negative,
    "That is per cent, 100 times too large; expected a share, from 0 to 1.": lambda x: x / 100,
    "That is 100 times too small: a share, where per cent were asked for.": lambda x: x * 100,
    "That is the rest: 1 minus what was asked for.": lambda x: 1 - x,
    "Upside down: that is 1 divided by what was asked for.": lambda x: 1 / x,
    "These are logarithms of what was asked for.": np.exp,
    "The logarithm is missing.": np.log,
    "That is the square; take its root.": np.sqrt,
    "That is the root; the square was asked for.": np.square,
    "These are bits: the logarithm is to the base 2; expected the natural one.": lambda x: (
        x * np.log(2)
    ),
    "That is the logarithm to the base 10; expected the natural one.": lambda x: x * np.log(10),
    "These are radians; expected degrees.": np.degrees,
    "One number for each; expected their mean.": np.mean,
    "One number for each; expected their sum.": np.sum,
    "Right numbers, in the wrong order: from last to first.": np.flip,
}
OF_MANY = (np.mean, np.sum, np.flip)
#: feedback → what makes the slip: done to what is right, it makes what was given.
MAKE: dict[str, Change] = {
    "You took the mean of it all; expected one number for each.": np.mean,
    "You took the sum of it all; expected one number for each.": np.sum,
}


def slip(
    given: Sequence[Array],
    right: Sequence[Array],
    calls: Sequence[Mapping[str, Any]] = (),
    *,
    relative: float = RELATIVE,
) -> str | None:
    """The slip that explains what was given in all calls, in words.

    Args:
        given: what an answer gives, call by call.
        right: what it should give.
        calls: the arguments of each call, by their names.
        relative: how far off is right, where numbers are undone, relative to them.

    >>> import numpy as np
    >>> from cvcourse.practice.slips import slip
    >>> slip([np.array(41.0)], [np.array(0.41)])
    'That is per cent, 100 times too large; expected a share, from 0 to 1.'
    """
    if not all(one.size for one in given):
        return None
    for text, undo in UNDO.items():
        if undo in OF_MANY and all(one.size == 1 for one in given):
            continue  # a single number is its own mean
        if _always(given, right, undo=undo, relative=relative):
            return text
    for text, make in MAKE.items():
        if all(one.size == 1 for one in right):
            break
        if _always(given, right, make=make):
            return text
    for order in list(permutations(range(right[0].ndim)))[1:]:
        if _always(given, right, undo=partial(np.transpose, axes=order)):
            return f"Right numbers, but transposed; expected the shape {right[0].shape}."
    shapes = [(one.shape, other.shape) for one, other in zip(given, right, strict=True)]
    reshaped = any(one != other for one, other in shapes)
    if reshaped and _always(given, right, undo=np.ravel, make=np.ravel):
        return f"Right numbers in the shape {given[0].shape}; expected {right[0].shape}."
    return next(_factors(given, right, calls), None)


def _always(
    given: Sequence[Array],
    right: Sequence[Array],
    undo: Change = np.asarray,
    make: Change = np.asarray,
    relative: float = RELATIVE,
) -> bool:
    for one, other in zip(given, right, strict=True):
        try:
            with np.errstate(all="ignore"):
                ours, theirs = np.asarray(undo(one)), np.asarray(make(other))
        except ValueError:  # it has other axes
            return False
        if not np.isfinite(ours).all() or not agree(ours, theirs, relative=relative):
            return False
    return True


def _factors(
    given: Sequence[Array], right: Sequence[Array], calls: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """A factor too many or too few: an argument, its square, or one of its sizes."""
    if any(one.shape != other.shape for one, other in zip(given, right, strict=True)):
        return
    for name, sample in calls[0].items() if calls else ():
        if isinstance(sample, int | float):
            for power, label in ((1, name), (2, f"{name}²")):
                factors = [call[name] ** power for call in calls]
                if _scaled(right, given, factors):
                    yield f"The factor {label} is missing, or you divide by it once too often."
                if _scaled(given, right, factors):
                    yield f"There is a factor {label} too many."
        for axis in (*range(sample.ndim), ...) if isinstance(sample, Tensor) else ():
            place = "numbers" if axis is ... else f"along dim={axis}"
            sizes = [
                (call[name].numel() if axis is ... else call[name].shape[axis]) for call in calls
            ]
            length = f"{sizes[0]}, as many as {name} has {place}"
            if _scaled(given, right, sizes):
                yield f"Too large by a factor of {length}: divide by it."
            if _scaled(right, given, sizes):
                yield f"Too small by a factor of {length}: you divide once too often."


def _scaled(large: Sequence[Array], small: Sequence[Array], factors: Sequence[float]) -> bool:
    return all(
        agree(one, other * factor) for one, other, factor in zip(large, small, factors, strict=True)
    )
