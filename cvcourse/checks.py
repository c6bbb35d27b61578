"""What every function checks at its door: each error names the thing, the value and what was meant.

A function that is `checked` has its arguments compared with their annotations, which say the range
of a number, too: `batch_size: Count`. A value of the wrong kind is a TypeError, one out of its
range a ValueError. NumPy's scalars are as welcome as Python's; NaN and infinity are never in range.
"""

from __future__ import annotations

import math
import numbers
import reprlib
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial, wraps
from inspect import Parameter, signature
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Given = ParamSpec("Given")
Result = TypeVar("Result")
Scalar = float | Tensor  #: one number, or (B,) for a batch: one for each image
MAX_FACTOR = 10.0  #: of brightness, contrast, saturation and sharpness


def checked(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """A function that compares its arguments with their annotations before it starts.

    >>> from cvcourse.checks import Count, checked
    >>> @checked
    ... def draw(n: Count, how: str = "at random") -> str:
    ...     return f"{n} {how}"
    >>> draw(0)
    Traceback (most recent call last):
    ValueError: n is 0; expected at least 1 (how many)
    """
    accepted = signature(function)

    @cache
    def wanted() -> dict[str, Any]:  # at the first call: until then not every name is defined
        hints = hints_of(function)
        for name, parameter in accepted.parameters.items():
            if parameter.kind is Parameter.VAR_POSITIONAL:
                hints[name] = GenericAlias(tuple, (hints[name], ...))
            elif parameter.kind is Parameter.VAR_KEYWORD:
                hints[name] = GenericAlias(dict, (str, hints[name]))
        return hints

    @wraps(function)
    def door(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        given = accepted.bind(*args, **kwargs)
        for name, value in given.arguments.items():
            given.arguments[name] = check(name, value, wanted().get(name, Any))
        return function(*given.args, **given.kwargs)

    return door


@cache
def hints_of(annotated: Any) -> dict[str, Any]:
    """The annotations of a function or a class, with all that they say beside the type."""
    return typing.get_type_hints(annotated, include_extras=True)


def check_fields(made: Any) -> None:
    """Check the fields of a dataclass, which may be frozen, from its `__post_init__`."""
    for name, wanted in hints_of(made.__class__).items():
        value = check(f"{type(made).__name__}.{name}", getattr(made, name), wanted)
        object.__setattr__(made, name, value)


class Checked:
    """Makes a dataclass compare its fields with their annotations."""

    __post_init__ = check_fields


def check(name: str, value: Any, wanted: Any) -> Any:
    """`value`, if it is what the annotation `wanted` says; a NumPy scalar as Python's own."""
    kind: Any = get_origin(wanted) or wanted
    parts = get_args(wanted)
    value = value.item() if isinstance(value, np.generic) else value
    if hasattr(kind, "__value__"):  # a name for an annotation, such as NDArray
        return check(name, value, kind.__value__)
    if kind in (Union, UnionType):
        return _check_union(name, value, parts)
    if kind is Annotated:
        return parts[1](name, value)
    if kind is Literal:
        return check_choice(name, value, parts)
    if kind in (int, float):
        return (check_integer if kind is int else check_number)(name, value)
    if kind in (Any, object) or not isinstance(kind, type):
        return value
    if kind is tuple and isinstance(value, list):
        value = tuple(value)
    is_text = isinstance(value, str | bytes) and not issubclass(kind, str | bytes)
    if not isinstance(value, kind) or is_text:
        raise TypeError(f"{name} is {_short(value)}; expected {_said(wanted)}")
    if isinstance(value, Tensor):
        _check_tensor(name, value)
    return _check_parts(name, value, kind, parts) if parts else value


def _check_tensor(name: str, value: Tensor) -> None:
    if value.is_meta or value.is_complex() or value.layout is not torch.strided:
        found = f"{value.dtype}, {value.layout}, on {value.device}"
        raise TypeError(f"{name} is a tensor of {found}; expected a dense one of real numbers")


def _check_parts(name: str, value: Any, kind: type, parts: tuple[Any, ...]) -> Any:
    if kind in (list, tuple, Sequence):
        of_each = parts if kind is tuple and parts[-1] is not ... else parts[:1] * len(value)
        if len(of_each) != len(value):
            raise ValueError(f"{name} is {_short(value)}; expected {len(of_each)} of them")
        whole = zip(value, of_each, strict=True)
        made = list if kind is list else tuple
        return made(check(f"{name}[{i}]", part, of) for i, (part, of) in enumerate(whole))
    if issubclass(kind, Mapping):
        return {
            check(f"a key of {name}", key, parts[0]): check(f"{name}[{key!r}]", part, parts[1])
            for key, part in value.items()
        }
    return value  # of what is only gone through once


def _check_union(name: str, value: Any, options: tuple[Any, ...]) -> Any:
    others = [option for option in options if option is not NoneType]
    if value is None and len(others) < len(options):
        return None
    if len(others) == 1:
        return check(name, value, others[0])
    for option in others:
        with suppress(TypeError):  # while one out of its range, a ValueError, is of the right kind
            return check(name, value, option)
    raise TypeError(f"{name} is {_short(value)}; expected {' or '.join(map(_said, others))}")


def check_integer(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: int | None = None,
    meaning: str = "a whole number",
) -> int:
    """A whole number from `low` to `high` (None: no upper end), as Python's own int."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {_short(value)}; expected an integer, {meaning}")
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
        raise TypeError(f"{name} is {_short(value)}; expected a number, {meaning}")
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high or (above and number == low):
        raise ValueError(f"{name} is {value!r}; expected {_span(low, high, above)} ({meaning})")
    return number


def check_array(name: str, values: Any) -> NDArray[np.float64]:
    """Real numbers in any shape, NaN and infinity among them; tensors on any device, too."""
    if isinstance(values, list | tuple) and len({isinstance(v, bool) for v in values}) > 1:
        raise TypeError(
            f"{name} is {_short(values)}; expected numbers, or True and False, not both"
        )
    try:
        array = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise TypeError(f"{name} is {_short(values)}; expected numbers ({error})") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} is {_short(values)}; expected real numbers")
    return array.astype(np.float64)


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
    return str(value)


def check_probabilities(name: str, value: Any) -> Tensor:
    """A tensor (N, n_classes), each row ≥ 0 and with sum 1 up to rounding."""
    if check(name, value, Tensor).ndim != 2:
        raise ValueError(f"{name} is {tuple(value.shape)}; expected (N, n_classes)")
    if not value.numel():
        return value
    sums = value.detach().to(torch.promote_types(value.dtype, torch.float32)).sum(dim=1)  # (N,)
    off, lowest = (sums - 1).abs().max().item(), value.min().item()
    rounding = torch.finfo(value.dtype).eps if value.is_floating_point() else 0.0
    if not (lowest >= 0 and off <= max(1e-4, rounding)):  # also true for NaN
        raise ValueError(
            f"a row of {name} is no distribution: the smallest entry is {lowest:.4g}, the largest "
            f"distance of a sum from 1 is {off:.4g}; expected probabilities — softmax(logits, T), "
            "or one-hot labels"
        )
    return value


def check_labels(name: str, value: Any, n: int, n_classes: int, low: int = 0) -> Tensor:
    """A tensor (n,) int64, each from `low` to n_classes − 1."""
    if check(name, value, Tensor).dtype != torch.int64:
        raise TypeError(f"{name} are {value.dtype}; expected torch.int64")
    if value.shape != (n,):
        raise ValueError(f"{name} are {tuple(value.shape)}; expected ({n},), one an image")
    check_range(name, value, low, n_classes - 1, "classes")
    return value


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


def _short(value: Any) -> str:
    return f"{reprlib.repr(value)} ({type(value).__name__})"


def _said(wanted: Any) -> str:
    return getattr(get_origin(wanted) or wanted, "__name__", str(wanted))


# Annotations of numbers and tensors, for functions that are `checked`.
Count = Annotated[int, partial(check_integer, low=1, meaning="how many")]
Natural = Annotated[int, partial(check_integer, low=0)]
Seed = Annotated[int, partial(check_integer, low=0, high=2**53, meaning="of random numbers")]
Positive = Annotated[float, partial(check_number, low=0, above=True)]
NotNegative = Annotated[float, partial(check_number, low=0)]
Share = Annotated[float, partial(check_number, low=0, high=1, meaning="a share or probability")]
Probabilities = Annotated[Tensor, check_probabilities]
