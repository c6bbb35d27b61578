"""Answers in any form, read as numbers: the one place that says what counts as the same."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]

RELATIVE = 3e-4  #: what float32 and another order of the same sums may differ by, of a number
ABSOLUTE = 2e-5  #: the same, where the number is 0


def as_array(value: Any) -> Array | None:
    """An answer as an array; None if it is not made of numbers, or not of rows of one length.

    Takes tensors, with a gradient or without; NumPy's arrays; numbers of any kind, such as
    `Fraction`; and lists and tuples of all these.
    """
    if isinstance(value, Tensor):
        if value.is_complex() or value.is_meta:
            return None
        return np.asarray(value.detach().to("cpu", torch.float64))
    if isinstance(value, list | tuple):
        return _stacked([as_array(one) for one in value])
    if isinstance(value, Real | Decimal):
        try:
            return np.asarray(float(value))
        except OverflowError:  # an integer of hundreds of digits
            return np.asarray(np.inf)
    if not isinstance(value, np.ndarray) and not hasattr(value, "__array__"):
        return None
    array = np.asarray(value)
    if array.dtype.kind == "O":  # such as an array of fractions
        return as_array(array.tolist())
    return array.astype(np.float64) if array.dtype.kind in "biuf" else None


def _stacked(parts: list[Array | None]) -> Array | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if all(part.size == 1 for part in known):  # [tensor(1.0), tensor([2.0])]
        shape = {part.shape for part in known}
        known = known if len(shape) == 1 else [part.reshape(()) for part in known]
    if len({part.shape for part in known}) > 1:
        return None
    return np.stack(known) if known else np.empty(0)


def agree(
    given: Array | None, right: Array, *, relative: float = RELATIVE, absolute: float = ABSOLUTE
) -> bool:
    """Whether numbers are the right ones. A shape of (1,) is as good as () where one is asked."""
    if given is None:
        return False
    if given.size == right.size == 1:
        given = given.reshape(right.shape)
    return given.shape == right.shape and np.allclose(
        given, right, rtol=relative, atol=absolute, equal_nan=True
    )


def kind_of(value: Any) -> str:
    """The dtype of tensors and arrays, such as "uint8", or the type of numbers in lists."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return str(getattr(value, "dtype", type(value).__name__)).removeprefix("torch.")
