"""What every function checks at its door: each error names the thing, the value and what was meant.

A value of the wrong kind is a TypeError, one out of its range a ValueError. NumPy's scalars are as
welcome as Python's; NaN and infinity are never in range.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

Scalar = float | Tensor  #: one number, or (B,) for a batch: one for each image
MAX_FACTOR = 10.0  #: of brightness, contrast, saturation and sharpness


def check_integer(name: str, value: Any, low: int, high: int | None, meaning: str) -> int:
    """A whole number from `low` to `high` (None: no upper end), as Python's own int."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{name} is {value!r} ({type(value).__name__}); expected an integer, {meaning}"
        )
    number = int(value)
    if number < low or (high is not None and number > high):
        wanted = f"at least {low}" if high is None else f"{low} to {high}"
        raise ValueError(f"{name} is {number}; expected {wanted} ({meaning})")
    return number


def check_number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    meaning: str = "a finite number",
    *,
    above: bool = False,
) -> float:
    """A finite number from `low` to `high`, as Python's own float; `above`: `low` itself is out."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{name} is {value!r} ({type(value).__name__}); expected a number, {meaning}"
        )
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high or (above and number == low):
        raise ValueError(f"{name} is {value!r}; expected {_span(low, high, above)} ({meaning})")
    return number


def check_numbers(name: str, values: Any, low: float, high: float) -> list[float]:
    """A list of finite numbers from `low` to `high`; tensors and arrays of one dimension, too."""
    found = [float(value) for value in values]
    wrong = [value for value in found if not (math.isfinite(value) and low <= value <= high)]
    if wrong:
        raise ValueError(f"{name} holds {wrong[0]:g}; expected numbers from {low:g} to {high:g}")
    return found


def check_same_length(**lists: Sequence[object]) -> None:
    """All lists have one length."""
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} {name}" for name, length in lengths.items())
        raise ValueError(f"there are {told}; expected as many of each — set them together")


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """One of the words `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, choices))}")
    return value


def check_threshold(threshold: Any) -> float:
    """A probability, 0 to 1."""
    return check_number("threshold", threshold, 0, 1, "a probability")


def check_range(name: str, value: Any, low: float, high: float, unit: str) -> None:
    """A number, or a tensor of them, from `low` to `high`."""
    if not isinstance(value, Tensor):
        check_number(name, value, low, high, unit)
        return
    if not value.numel():
        return
    lowest, highest = (float(bound) for bound in value.aminmax())
    if not low <= lowest <= highest <= high:  # also for NaN
        raise ValueError(
            f"{name} runs from {lowest:g} to {highest:g}; expected {low:g} to {high:g} ({unit})"
        )


def check_image(image: np.ndarray) -> None:
    """An (H, W) or (H, W, C) uint8 picture with C = 1, 3 or 4."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        found = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(f"the image is {found}; expected a NumPy array of uint8")
    shape = image.shape
    if not 2 <= image.ndim <= 3 or 0 in shape or (image.ndim == 3 and shape[2] not in (1, 3, 4)):
        raise ValueError(
            f"the image has shape {shape}; expected (H, W) or (H, W, C) with at least one pixel "
            "and C = 1, 3 or 4 — permute channels-first images"
        )


def check_images(images: Tensor) -> None:
    """A (B, C, H, W) uint8 batch with C = 1, 3 or 4."""
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        found = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise TypeError(f"the images are {found}; expected a torch.uint8 tensor")
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] not in (1, 3, 4) or 0 in shape[2:]:
        raise ValueError(
            f"the images have shape {shape}; expected (B, C, H, W) with at least one pixel and "
            "C = 1, 3 or 4 — permute channels-last images"
        )


def _span(low: float, high: float, above: bool) -> str:
    if high == math.inf:
        return f"{'above' if above else 'at least'} {low:g}" if low > -math.inf else "any"
    return f"{'above ' if above else ''}{low:g} to {high:g}"
