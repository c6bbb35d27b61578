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
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Given = ParamSpec("Given")
Result = TypeVar("Result")
Scalar = float | Tensor  #: one number, or (B,) for a batch: one for each image
_BY_PLACE = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


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
    accepted, call = signature(function).parameters, cast(Any, function)
    names = {parameter.kind: name for name, parameter in accepted.items()}
    rest, options = names.get(Parameter.VAR_POSITIONAL), names.get(Parameter.VAR_KEYWORD)
    by_place = [n for n, p in accepted.items() if p.kind in _BY_PLACE]

    @cache
    def checks() -> dict[Any, Any]:  # at the first call: until then not every name is defined
        hints = hints_of(function)
        return {name: _check_of(hints.get(name, Any)) for name in accepted}

    @wraps(function)  # binding the arguments to the signature would take longer than most checks
    def door(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        of = checks()
        given = [of[name](name, value) for name, value in zip(by_place, args, strict=False)]
        if more := args[len(given) :]:
            given += [of[rest](f"{rest}[{i}]", v) for i, v in enumerate(more)] if rest else more
        for name, value in kwargs.items():
            if name in of:
                kwargs[name] = of[name](name, value)
            elif options:
                kwargs[name] = of[options](f"{options}[{name!r}]", value)
        return call(*given, **kwargs)

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


def _check_of(wanted: Any) -> Callable[[str, Any], Any]:
    """What compares a value, of this name, with an annotation."""
    if wanted is Any:
        return lambda name, value: value
    return get_args(wanted)[1] if get_origin(wanted) is Annotated else partial(check, wanted=wanted)


@cache
def _taken_apart(wanted: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(wanted) or wanted, get_args(wanted)


def check(name: str, value: Any, wanted: Any) -> Any:
    """`value`, if it is what the annotation `wanted` says; a NumPy scalar as Python's own."""
    kind, parts = _taken_apart(wanted)
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
        if not _is_another_kind(value, option):  # whose error would show it: slow for a tensor
            with suppress(TypeError):  # while one out of its range, a ValueError, is of this kind
                return check(name, value, option)
    raise TypeError(f"{name} is {_short(value)}; expected {' or '.join(map(_said, others))}")


def _is_another_kind(value: Any, wanted: Any) -> bool:
    if wanted in (int, float):
        return isinstance(value, Tensor)
    if get_origin(wanted) is Literal:
        return not isinstance(value, str)
    return isinstance(wanted, type) and not isinstance(value, wanted)


def check_integer(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: int | None = None,
    meaning: str = "a whole number",
) -> int:
    """A whole number from `low` to `high` (None: no upper end), as Python's own int."""
    if type(value) is not int and (  # as most are, in a fourth of the time
        isinstance(value, bool) or not isinstance(value, numbers.Integral)
    ):
        raise TypeError(f"{name} is {_short(value)}; expected an integer, {meaning}")
    number = int(value)
    if number < low or (high is not None and number > high):
        wanted = f"at least {low}" if high is None else f"{low} to {high}"
        raise ValueError(f"{name} is {number}; expected {wanted} ({meaning})")
    return number


def check_integers(
    name: str, value: Any, n: int, meaning: str, low: float = -math.inf, high: int | None = None
) -> tuple[int, ...]:
    """A list of `n` whole numbers, each from `low` to `high`, as a tuple."""
    if not isinstance(value, tuple | list) or len(value) != n:
        raise TypeError(f"{name} is {_short(value)}; expected {n}: {meaning}")
    return tuple([check_integer(name, part, low, high, meaning) for part in value])


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
    if type(value) is not float and (
        isinstance(value, bool) or not isinstance(value, numbers.Real)
    ):
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


def check_finite(name: str, value: Any, *shape: int) -> Any:
    """An array or a tensor (..., *shape) of real, finite numbers."""
    is_array = isinstance(check(name, value, np.ndarray | Tensor), np.ndarray)
    if value.dtype.kind not in "iuf" if is_array else value.dtype == torch.bool:
        raise TypeError(f"{name} is an array of {value.dtype}; expected real numbers")
    if tuple(value.shape)[-len(shape) :] != shape:
        expected = ", ".join(map(str, ("...", *shape)))
        raise ValueError(f"{name} has shape {tuple(value.shape)}; expected ({expected})")
    if not bool((np if is_array else torch).isfinite(value).all()):
        raise ValueError(f"{name} holds NaN or infinity; expected finite numbers")
    return value


@checked
def recording(value: Tensor) -> bool:
    """Whether a tensor is in a CUDA graph that is being recorded, where no number can be seen."""
    return value.is_cuda and torch.cuda.is_current_stream_capturing()


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
    if not value.numel() or recording(value):
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


def check_range(
    name: str, value: Any, low: float, high: float, meaning: str, *, whole: bool = False
) -> Any:
    """A number, as Python's own float, or a tensor of them, from `low` to `high`."""
    if whole and bool((torch.as_tensor(check(name, value, Scalar)) % 1).any()):
        raise ValueError(f"{name} is {_short(value)}; expected whole numbers ({meaning})")
    if not isinstance(value, Tensor):
        return check_number(name, value, low, high, meaning)
    if check(name, value, Tensor).dtype == torch.bool:
        raise TypeError(f"{name} is a tensor of torch.bool; expected numbers, {meaning}")
    if not value.numel() or recording(value):
        return value
    lowest, highest = (float(bound) for bound in value.aminmax())
    if not low <= lowest <= highest <= high or not math.isfinite(lowest + highest):  # NaN, too
        raise ValueError(
            f"{name} runs from {lowest:g} to {highest:g}; expected {low:g} to {high:g} ({meaning})"
        )
    return value


def check_image(name: str, value: Any) -> np.ndarray:
    """An (H, W) or (H, W, C) uint8 picture with C = 1, 3 or 4."""
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8:
        found = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{name} is {found}; expected a NumPy array of uint8")
    shape = value.shape
    if not 2 <= value.ndim <= 3 or 0 in shape or (value.ndim == 3 and shape[2] not in (1, 3, 4)):
        raise ValueError(
            f"{name} has shape {shape}; expected (H, W) or (H, W, C) with at least one pixel "
            "and C = 1, 3 or 4 — permute channels-first images"
        )
    return value


def check_images(name: str, value: Any) -> Tensor:
    """A (B, C, H, W) uint8 batch with C = 1, 3 or 4."""
    if not isinstance(value, Tensor) or value.dtype != torch.uint8:
        found = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} are {found}; expected a torch.uint8 tensor")
    _check_tensor(name, value)
    shape = tuple(value.shape)
    if value.ndim != 4 or shape[1] not in (1, 3, 4) or 0 in shape[2:]:
        raise ValueError(
            f"{name} have shape {shape}; expected (B, C, H, W) with at least one pixel and "
            "C = 1, 3 or 4 — permute channels-last images"
        )
    return value


def _span(low: float, high: float, above: bool) -> str:
    if high == math.inf:
        return f"{'above' if above else 'at least'} {low:g}" if low > -math.inf else "any"
    return f"{'above ' if above else ''}{low:g} to {high:g}"


def _short(value: Any) -> str:
    return f"{reprlib.repr(value)} ({type(value).__name__})"


def _said(wanted: Any) -> str:
    if get_origin(wanted) is Literal:
        return " or ".join(map(repr, get_args(wanted)))
    if get_origin(wanted) is Annotated:
        wanted = get_args(wanted)[0]
    return getattr(get_origin(wanted) or wanted, "__name__", str(wanted))


# Annotations of numbers and tensors, for functions that are `checked`.
Count = Annotated[int, partial(check_integer, low=1, meaning="how many")]
Natural = Annotated[int, partial(check_integer, low=0)]
Seed = Annotated[int, partial(check_integer, low=0, high=2**53, meaning="of random numbers")]
Positive = Annotated[float, partial(check_number, low=0, above=True)]
NotNegative = Annotated[float, partial(check_number, low=0)]
Share = Annotated[float, partial(check_number, low=0, high=1, meaning="a share or probability")]
Grey = Annotated[int, partial(check_integer, low=0, high=255, meaning="a grey level")]
# Not taken apart: what NumPy's alias consists of differs between its versions.
Numbers = Annotated[ArrayLike, lambda name, value: value]
Probabilities = Annotated[Tensor, check_probabilities]
Image = Annotated[np.ndarray, check_image]
Images = Annotated[Tensor, check_images]
