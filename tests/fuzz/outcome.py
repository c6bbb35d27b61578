"""What came of a call, and how it is classed."""

from __future__ import annotations

import dataclasses
import linecache
import math
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import cvcourse
from fuzz.kinds import Expect

PACKAGE = str(Path(cvcourse.__file__).parent)
CLASSES = ("right", "named", "obscure", "silent", "refused", "crash", "hang")
#: What only ever escapes from code that did not look at what it was given.
INTERNAL = (AttributeError, KeyError, IndexError, AssertionError, RecursionError, SystemError)


class Hang(BaseException):
    """A call took too long."""


def classify(
    expect: Expect, result: Any, error: BaseException | None, wanted: Any, naming: Naming
) -> tuple[str, str]:
    """One of CLASSES, and what was seen."""
    if error is not None:
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, Hang):
            return "hang", said
        deliberate = _is_deliberate(error)
        internal = isinstance(error, INTERNAL) or not isinstance(error, Exception)
        if internal and not deliberate:
            return "crash", said
        if expect in (Expect.SAME, Expect.FINE):
            return "refused", said
        if type(error).__name__ == "NotRightError":  # what a judge says is for a learner
            return "named", said
        return ("named" if naming.is_named(error, deliberate) else "obscure"), said
    if expect is Expect.WRONG:
        return "silent", f"gives {show(result)}"
    if expect is Expect.SPREADS:
        return "silent" if is_sound(result) else "right", f"gives {show(result)}"
    if not is_sound(result):
        return "silent", f"gives {show(result)}, which is not finite"
    if expect in (Expect.SAME, Expect.EITHER) and not is_same(result, wanted):
        return "silent", f"gives {show(result)}; the plain value {show(wanted)}"
    return "right", f"gives {show(result)}"


def _is_deliberate(error: BaseException) -> bool:
    """Whether a line of the package, or of an exercise's judge, raised it."""
    if type(error).__name__ == "NotRightError":
        return True
    if error.__cause__ is not None and str(error.__cause__) == str(error):
        return _is_deliberate(error.__cause__)  # one that was only given another type
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    if last is None or not last.filename.startswith(PACKAGE):
        return False
    line = linecache.getline(last.filename, last.lineno or 0)
    return line.strip().startswith("raise ")


@dataclasses.dataclass(frozen=True)
class Naming:
    """By what an error may name what is wrong: the argument, or its value."""

    argument: str
    value: Any
    words: tuple[str, ...] = ()

    def is_named(self, error: BaseException, deliberate: bool) -> bool:
        """Whether the message does; one that others raised must say more than a type."""
        said = " ".join([str(error), *getattr(error, "__notes__", ())])
        names = {self.argument, self.argument.replace("_", " "), self.argument.rstrip("s")}
        if deliberate:
            names |= set(self.words) | set(_types(self.value))
        if any(
            name and re.search(rf"(?<!\w){re.escape(name)}s?(?!\w)", said, re.I) for name in names
        ):
            return True
        return any(shown in said for shown in _shown(self.value, deliberate))


def _types(value: Any) -> list[str]:
    found = [type(value).__name__]
    if isinstance(value, list | tuple):
        found += [type(v).__name__ for v in value]
    if isinstance(value, type):
        found.append(value.__name__)
    return found


def _shown(value: Any, deliberate: bool) -> list[str]:
    """Texts of a value by which a message may name it."""
    parts = list(value) if isinstance(value, list | tuple) else []
    found = [text for v in [value, *parts] if len(text := repr(v)) < 60]
    if len(getattr(value, "__name__", "")) > 3:
        found.append(value.__name__)
    if isinstance(value, Path | str | np.generic):
        found.append(str(value)[:60])
    if deliberate:
        if isinstance(value, Tensor | np.ndarray):
            found += [str(tuple(value.shape)), str(value.dtype), " × ".join(map(str, value.shape))]
            found += [str(value.device)] if isinstance(value, Tensor) else []
        if not is_sound(value):
            found += ["NaN", "nan", "inf", "finite"]
    return [text for text in found if len(text) > 1 or deliberate]


def is_sound(value: Any) -> bool:
    """Nothing in it is NaN or infinite."""
    if isinstance(value, Tensor):
        if value.device.type == "meta":
            return False
        return not value.is_floating_point() or bool(value.isfinite().all())
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind not in "fc" or bool(np.isfinite(value).all())
    if isinstance(value, float | complex):
        return math.isfinite(abs(value))
    return all(map(is_sound, _parts(value)))


def _parts(value: Any) -> list[Any]:
    if isinstance(value, nn.Module):
        return list(value.state_dict().values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def is_same(a: Any, b: Any) -> bool:
    """The same numbers, whatever arrays or tensors hold them."""
    if isinstance(a, str) and isinstance(b, str):
        return str(a) == str(b)
    if isinstance(a, Tensor | np.ndarray | np.generic | float | int | bool):
        try:
            first, second = _array(a), _array(b)
        except (TypeError, ValueError):
            return False
        if first.shape != second.shape or first.dtype.kind in "OUS":
            return False
        return bool(np.allclose(first, second, rtol=1e-4, atol=1e-5, equal_nan=True))
    parts, others = _parts(a), _parts(b)
    if parts or others:
        return len(parts) == len(others) and all(map(is_same, parts, others))
    return type(a) is type(b) and (a == b or repr(a) == repr(b) or callable(a))


def _array(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach()
        value = value.to_dense() if value.layout is not torch.strided else value
        return value.to(torch.float64 if value.is_floating_point() else value.dtype).numpy()
    return np.asarray(value)


def show(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, Tensor | np.ndarray):
        few = (
            f" {_array(value).ravel()[:4].tolist()}"
            if not str(value.dtype).endswith("object")
            and getattr(value, "device", None) != torch.device("meta")
            else ""
        )
        return f"{type(value).__name__} {tuple(value.shape)} {value.dtype}{few}"
    return f"{value!r:.120}"
