"""What a run is: everything that was handed to it, in words and checksums, to tell it from others.

A function is its name, its code and whatever it has closed over; a tensor, an image set or a model
is the checksum of its content.
"""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

PLAIN = (type(None), bool, int, float, str, bytes)


def describe(value: Any, seen: set[int] | None = None) -> Any:
    """A value as plain data: equal for what is equal, other for what is not.

    An object met for the second time is told by its name only, so circles end.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}, checksum {checksum(value)}"
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}, checksum {_digest(np.ascontiguousarray(value).data)}"
    if isinstance(value, type | types.ModuleType | types.BuiltinFunctionType):
        return getattr(value, "__qualname__", value.__name__)
    if isinstance(value, torch.dtype | torch.device | Path):
        return str(value)
    seen = set() if seen is None else seen
    if id(value) in seen:
        return {"is": _name(value)}
    seen.add(id(value))
    return {"is": _name(value)} | {name: describe(p, seen) for name, p in _parts(value).items()}


def checksum(value: Tensor) -> str:
    """Eight hexadecimal digits of the SHA-256 of a tensor's bytes."""
    flat = value.detach().cpu().contiguous().reshape(-1)
    return _digest(flat.view(torch.uint8).numpy().data)


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def differences(then: Any, now: Any, name: str = "") -> Iterator[str]:
    """Each field that differs between two descriptions: "step.temperature was 1.0, is now 20.0"."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        if then.get("is") != now.get("is"):
            then, now = then.get("is"), now.get("is")
        else:
            for key in {**then, **now}:
                yield from differences(then.get(key), now.get(key), f"{name}.{key}".strip("."))
            return
    if then != now or type(then) is not type(now):
        yield f"{name} was {_short(then)}, is now {_short(now)}"


def _name(value: Any) -> str:
    while isinstance(value, partial):
        value = value.func
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _parts(value: Any) -> dict[str, Any]:
    """What an object is made of, by names."""
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return {str(i): part for i, part in enumerate(value)}
    if isinstance(value, partial):
        return {"function": value.func, **_parts(value.args), **value.keywords}
    if isinstance(value, types.MethodType):
        return {"of": value.__self__, "function": value.__func__}
    if isinstance(value, types.FunctionType):
        return _parts_of_function(value)
    if isinstance(value, nn.Module):
        return {"layers": str(value), **value.state_dict()}
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, torch.Generator):
        return {"state": value.get_state()}
    return dict(getattr(value, "__dict__", {}))


def _parts_of_function(function: types.FunctionType) -> dict[str, Any]:
    """Its code, its defaults, and what it has closed over or looks up outside itself."""
    outside = inspect.getclosurevars(function)
    parts: dict[str, Any] = {"code": _digest(_code(function.__code__, function.__doc__))}
    if not function.__module__.startswith("cvcourse"):  # a notebook's own, and its globals
        parts |= outside.globals
    defaults = {f"default {i}": value for i, value in enumerate(function.__defaults__ or ())}
    return parts | defaults | dict(function.__kwdefaults__ or {}) | dict(outside.nonlocals)


def _code(code: types.CodeType, docstring: str | None = None) -> bytes:
    """What a function does: its instructions, names and constants, functions within included."""
    constants = [
        _code(constant) if isinstance(constant, types.CodeType) else repr(constant).encode()
        for constant in code.co_consts
        if constant != docstring
    ]
    return b"\0".join([code.co_code, repr(code.co_names).encode(), *constants])


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        value = value.get("is")
    text = "absent" if value is None else str(value)
    return text if len(text) < 60 else text[:57] + "…"
