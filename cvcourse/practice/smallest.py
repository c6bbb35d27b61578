"""The smallest call that an answer gets wrong, small enough to be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from copy import deepcopy
from functools import partial
from io import StringIO
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cvcourse.practice.reading import Array, agree, as_array

SHOWN = 12  #: up to so many numbers are shown, more are described

Call = tuple[Any, ...]
Outcome = tuple[Call, Array, Array]


def smallest(
    answer: Callable[..., Any], solution: Callable[..., Any], arguments: Sequence[Any]
) -> Outcome | None:
    """Arguments as few and as round as can be, what the answer gives for them, and what is right.

    Sizes that are equal shrink together. None if the answer is not wrong for `arguments`.
    """
    best = _outcome(answer, solution, tuple(arguments))
    if best is None:
        return None
    sizes = {n for one in arguments if isinstance(one, Tensor) for n in one.shape if n > 2}
    cuts = [partial(_cut, size=n, every=every) for n in sorted(sizes) for every in (True, False)]
    for change in [*reversed(cuts), _rounded]:
        found = _outcome(answer, solution, tuple(map(change, best[0])))
        if found is not None and _fault(found) == _fault(best):
            best = found
    return best


def _outcome(
    answer: Callable[..., Any], solution: Callable[..., Any], call: Call
) -> Outcome | None:
    try:
        with redirect_stdout(StringIO()):
            given = as_array(answer(*deepcopy(call)))
        right = as_array(solution(*deepcopy(call)))
    except Exception:  # too small for one of them
        return None
    if given is None or right is None or not right.size or agree(given, right):
        return None
    return call, given, right


def _fault(outcome: Outcome) -> tuple[bool, bool]:
    """Of which kind: a wrong shape, or no numbers."""
    _, given, right = outcome
    return given.shape == right.shape, bool(np.isfinite(given).all())


def _cut(value: Any, size: int, every: bool) -> Any:
    """The first two along each axis of this size, or along the first axis alone.

    If there are so many classes, labels are of the two that are left.
    """
    if not isinstance(value, Tensor):
        return value
    if every and value.dtype == torch.int64 and value.numel() and value.max() < size:
        value = value.where(value < 2, value % 2)
    for axis, n in enumerate(value.shape):
        if n == size and (every or axis == 0):
            value = value.narrow(axis, 0, 2)
    return value


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.2g}")
    if not isinstance(value, Tensor) or not value.is_floating_point() or not value.any():
        return value
    digits = 1 - int(value.abs().max().log10().floor())  # two of the largest number
    return value.round(decimals=digits)


def shown(value: Any, most: int = SHOWN) -> str:
    """A value in a few words: its numbers if they are at most so many, or else shape and type.

    >>> import torch
    >>> from cvcourse.practice.smallest import shown
    >>> shown(torch.tensor([[1 / 3, 2]])), shown(torch.zeros(20, 3))
    ('[[0.3333, 2]]', 'a tensor (20, 3) float32')
    """
    if isinstance(value, Tensor | np.ndarray):
        if prod(value.shape) <= most:
            return shown(value.tolist())
        kind = "a tensor" if isinstance(value, Tensor) else "an array"
        return f"{kind} {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        inside = ", ".join(map(shown, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, nn.Module):
        return f"a {type(value).__name__}"
    return "a function" if callable(value) else repr(value)
