"""What a run is: everything that was handed to it, in words and checksums, to tell it from others.

A function is its name, its code and whatever it has closed over; an object its attributes and what
its class does; a tensor, an image set or a model's weights the checksum of their content.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import sysconfig
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
#: Where the code of others lives, of whose classes and globals the names say enough.
LIBRARIES = (sysconfig.get_path("stdlib"), "site-packages", "dist-packages")
LONGEST = 60  #: characters of a value that is told


def describe(value: Any, seen: dict[int, Any] | None = None) -> Any:
    """A value as plain data: equal for what is equal, other for what is not.

    An object met for the second time is told by its name only, so circles end.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, PLAIN):
        return value if value == value else "nan"
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {value.dtype}, checksum {checksum(value)}"
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}, checksum {_digest(np.ascontiguousarray(value).data)}"
    named = isinstance(value, types.ModuleType | types.BuiltinFunctionType)
    if named or (isinstance(value, type) and _of_library(value)):
        return getattr(value, "__qualname__", value.__name__)
    if isinstance(value, torch.dtype | torch.device | Path):
        return str(value)
    seen = {} if seen is None else seen
    if id(value) in seen:
        return {"is": _name(value)}
    seen[id(value)] = value  # kept alive, so that no other object gets its id
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
        was, is_now = _text(then), _text(now)
        pairs = enumerate(zip(was, is_now, strict=False))
        start = next((i for i, (a, b) in pairs if a != b), 0)
        yield f"{name} was {_cut(was, start)}, is now {_cut(is_now, start)}"


def _name(value: Any) -> str:
    while isinstance(value, partial):
        value = value.func
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _parts(value: Any) -> dict[str, Any]:
    """What an object is made of, by names."""
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, set | frozenset):  # in an order that does not change from run to run
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple):
        return {str(i): part for i, part in enumerate(value)}
    if isinstance(value, partial):
        return {"function": value.func, **_parts(value.args), **value.keywords}
    if isinstance(value, types.MethodType):
        return {"of": value.__self__, "function": value.__func__}
    if isinstance(value, types.FunctionType):
        return _parts_of_function(value)
    if isinstance(value, torch.Generator):
        return {"state": value.get_state()}
    if isinstance(value, type):
        return _parts_of_class(value)
    if isinstance(value, nn.Module):
        own = _parts_of_module(value)
    elif is_dataclass(value):
        own = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        own = _parts_of_object(value)
    return _parts_of_class(type(value)) | own


def _parts_of_module(model: nn.Module) -> dict[str, Any]:
    """Its layers, weights, and whatever else it and the modules inside were given."""
    parts = {"layers": str(model), **model.state_dict()}
    parts["frozen"] = [name for name, p in model.named_parameters() if not p.requires_grad]
    for path, module in model.named_modules():
        plain = {k: v for k, v in vars(module).items() if k[0] != "_" and k != "training"}
        parts |= {f"{path}.{name}".strip("."): part for name, part in plain.items()}
        for name, part in _parts_of_class(type(module)).items():  # unless it has its own
            parts.setdefault(f"{path}.{name}".strip("."), part)
    return parts


def _parts_of_object(value: Any) -> dict[str, Any]:
    """What pickle would keep: its attributes, slots included, or another state."""
    state = value.__getstate__()
    parts: dict[str, Any] = {}
    for i, some in enumerate(state if isinstance(state, tuple) else (state,)):
        parts |= some if isinstance(some, Mapping) else {f"state {i}": some}
    return {name: part for name, part in parts.items() if part is not None}


def _parts_of_class(kind: type) -> dict[str, Any]:
    """Attributes and methods of a class that no library brings, and of what it derives from."""
    own = [base for base in reversed(kind.__mro__) if not _of_library(base)]
    found = {name: part for base in own for name, part in vars(base).items()}
    return {name: p for name, p in found.items() if name == "__call__" or name[:2] != "__"}


def _of_library(thing: Any) -> bool:
    name = thing.__module__ or "builtins"
    path = getattr(sys.modules.get(name), "__file__", None)
    if name == "__main__" or name.startswith("cvcourse"):
        return name != "__main__"
    return path is None or any(place in path for place in LIBRARIES)


def _parts_of_function(function: types.FunctionType) -> dict[str, Any]:
    """Its code, its defaults, and what it has closed over or looks up outside itself."""
    if function.__globals__["__name__"] == "cvcourse.checks":  # the door of a `checked` function
        function = inspect.unwrap(function)
    outside = inspect.getclosurevars(function)
    parts: dict[str, Any] = {"code": _digest(_code(function.__code__, function.__doc__))}
    if not _of_library(function):  # a notebook's own, and its globals
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


def _text(value: object) -> str:
    value = value.get("is") if isinstance(value, Mapping) else value
    return "absent" if value is None else str(value)


def _cut(text: str, differs: int) -> str:
    """The text, or where it is long the part of it around the first character that differs."""
    start = max(0, differs - LONGEST // 2) if len(text) >= LONGEST else 0
    text = "…" * (start > 0) + text[start:]
    return text if len(text) < LONGEST else text[: LONGEST - 3] + "…"
