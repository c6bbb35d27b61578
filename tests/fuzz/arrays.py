"""Kinds of arguments that are tensors or arrays; see `kinds`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fuzz.kinds import ANY, EITHER, FINE, SAME, SPREADS, WRONG, Expect, Kind, Trial, strangers

STRANGE = strangers("NaN tensor")


def _put(tensor: Tensor, value: Any) -> Tensor:
    """With this value in the first place."""
    changed = tensor.clone()
    changed.view(-1)[0] = value
    return changed


def _strided(tensor: Tensor) -> Tensor:
    """The same numbers, apart from each other in memory."""
    wide = torch.stack([tensor, torch.zeros_like(tensor)], dim=-1)
    return wide[..., 0]


def _common(make: Callable[[], Tensor], *, ndim: bool, tied: tuple[int, ...]) -> list[Trial]:
    """What is tried in place of any tensor; a size along a `tied` dimension may not change."""
    trials = [
        *STRANGE,
        Trial("its class", lambda: Tensor, WRONG),
        Trial("NaN tensor", lambda: torch.tensor(math.nan), WRONG),
        Trial("0-d", lambda: make().flatten()[0], WRONG),
        Trial("on meta", lambda: make().to("meta"), SPREADS),
        Trial("strided", lambda: _strided(make()), SAME),
        Trial("array", lambda: make().numpy(), EITHER),
        Trial("nested list", lambda: make().tolist(), EITHER),
        Trial("list of tensors", lambda: list(make()), EITHER),
        Trial("sparse", lambda: make().to_sparse(), EITHER),
        Trial("complex", lambda: make().to(torch.complex64), WRONG),
    ]
    if ndim:
        trials += [
            Trial("one dimension more", lambda: make()[None], WRONG),
            Trial("one dimension less", lambda: make()[0], WRONG),
            Trial("flat", lambda: make().flatten(), WRONG if make().ndim > 1 else SAME),
        ]
    trials += [
        Trial(
            f"dimension {d} longer",
            lambda d=d: torch.cat([make(), make().narrow(d, 0, 1)], d),
            WRONG,
        )
        for d in tied
    ]
    trials += [
        Trial(f"dimension {d} shorter", lambda d=d: make().narrow(d, 0, make().shape[d] - 1), WRONG)
        for d in tied
    ]
    return trials


def floats(
    make: Callable[[], Tensor],
    low: float = -math.inf,
    high: float = math.inf,
    *,
    ndim: bool = True,
    tied: tuple[int, ...] = (),
    empty: Expect = WRONG,
    infinite: Expect = WRONG,
    nan: Expect = WRONG,
) -> Kind:
    """A float tensor with numbers from `low` to `high`; what becomes of others, and of none."""
    trials = _common(make, ndim=ndim, tied=tied)
    trials += [
        Trial("with NaN", lambda: _put(make(), math.nan), nan),
        Trial("with inf", lambda: _put(make(), math.inf), infinite),
        Trial("with −inf", lambda: _put(make(), -math.inf), infinite),
        Trial("empty", lambda: make()[:0], empty),
        Trial("float64", lambda: make().double(), EITHER),
        Trial("half", lambda: make().half(), ANY, lambda: make().half().float()),
        Trial("bfloat16", lambda: make().bfloat16(), ANY),
        Trial("int64", lambda: make().long(), EITHER, lambda: make().long().to(make().dtype)),
        Trial("bool", lambda: make().bool(), EITHER, lambda: make().bool().to(make().dtype)),
        Trial("with a gradient", lambda: make().requires_grad_(), SAME),
    ]
    if low > -math.inf:
        trials += [
            Trial("too low", lambda: _put(make(), low - 0.01), WRONG),
            Trial("far too low", lambda: _put(make(), low - 100), WRONG),
        ]
    if high < math.inf:
        trials += [
            Trial("too high", lambda: _put(make(), high + 0.01), WRONG),
            Trial("far too high", lambda: _put(make(), high + 100), WRONG),
        ]
    return Kind(make, tuple(trials))


def indices(
    make: Callable[[], Tensor],
    high: int | None,
    low: int = 0,
    *,
    ndim: bool = True,
    tied: tuple[int, ...] = (),
    empty: Expect = WRONG,
) -> Kind:
    """An int64 tensor with whole numbers from `low` to `high`."""
    trials = _common(make, ndim=ndim, tied=tied)
    trials += [
        Trial("too low", lambda: _put(make(), low - 1), WRONG),
        Trial("far too low", lambda: _put(make(), -(2**62)), WRONG),
        Trial("floats", lambda: make().float(), EITHER),
        Trial("halves", lambda: make().float() + 0.5, WRONG),
        Trial("int32", lambda: make().int(), EITHER),
        Trial("bytes", lambda: make().byte(), EITHER),
        Trial("bool", lambda: make().bool(), WRONG),
        Trial("empty", lambda: make()[:0], empty),
    ]
    if high is not None:
        trials += [
            Trial("too high", lambda: _put(make(), high + 1), WRONG),
            Trial("far too high", lambda: _put(make(), 2**62), WRONG),
        ]
    return Kind(make, tuple(trials), ("label", "labels", "index"))


def bools(make: Callable[[], Tensor], *, tied: tuple[int, ...] = (), empty: Expect = WRONG) -> Kind:
    """A bool tensor."""
    trials = _common(make, ndim=True, tied=tied)
    trials += [
        Trial("twos", lambda: make().byte() * 2, WRONG),
        Trial("minus ones", lambda: -make().long(), WRONG),
        Trial("bytes", lambda: make().byte(), EITHER),
        Trial("int64", lambda: make().long(), EITHER),
        Trial("floats", lambda: make().float(), EITHER),
        Trial("NaN", lambda: make().float() * math.nan, WRONG),
        Trial("empty", lambda: make()[:0], empty),
    ]
    return Kind(make, tuple(trials))


def images(
    make: Callable[[], Tensor],
    *,
    tied: tuple[int, ...] = (),
    empty: Expect = FINE,
    floats: Expect = WRONG,
    channels: Expect = WRONG,
) -> Kind:
    """A batch of pictures, (B, C, H, W) uint8; `floats`: what becomes of float pictures."""
    trials = _common(make, ndim=True, tied=tied)
    trials += [
        Trial("floats", lambda: make().float() / 255, floats),
        Trial("half", lambda: make().half() / 255, floats if floats is WRONG else ANY),
        Trial("NaN floats", lambda: make().float() * math.nan, WRONG),
        Trial("int64", lambda: make().long(), EITHER),
        Trial("int8", lambda: make().to(torch.int8), WRONG),
        Trial("bool", lambda: make().bool(), WRONG),
        Trial("empty", lambda: make()[:0], empty),
        Trial("channels last", lambda: make().permute(0, 2, 3, 1), WRONG),
        Trial("channels_last", lambda: make().to(memory_format=torch.channels_last), SAME),
        Trial("two channels", lambda: make()[:, :2], channels),
        Trial("five channels", lambda: make()[:, [0, 1, 2, 0, 1]], channels),
        Trial("no channel", lambda: make()[:, :0], WRONG),
        Trial("no rows", lambda: make()[:, :, :0], WRONG),
        Trial("no columns", lambda: make()[..., :0], WRONG),
    ]
    return Kind(make, tuple(trials), ("images", "image", "pictures"))


def picture(make: Callable[[], np.ndarray], *, grey: Expect = FINE) -> Kind:
    """One picture as an array, (H, W, 3) uint8; `grey`: what becomes of (H, W)."""
    trials = [
        *STRANGE,
        Trial("NaN tensor", lambda: torch.tensor(math.nan), WRONG),
        Trial("its class", lambda: np.ndarray, WRONG),
        Trial("tensor", lambda: torch.from_numpy(make()), EITHER),
        Trial("nested list", lambda: make().tolist(), EITHER),
        Trial("floats", lambda: make() / 255, WRONG),
        Trial("NaN floats", lambda: make() * math.nan, WRONG),
        Trial("int64", lambda: make().astype(np.int64), EITHER),
        Trial("bool", lambda: make() > 100, WRONG),
        Trial("objects", lambda: make().astype(object), EITHER),
        Trial("grey", lambda: make()[..., 0], grey),
        Trial("grey, one channel", lambda: make()[..., :1], grey if grey is WRONG else ANY),
        Trial("two channels", lambda: make()[..., :2], WRONG),
        Trial("five channels", lambda: make()[..., [0, 1, 2, 0, 1]], WRONG),
        Trial("channels first", lambda: make().transpose(2, 0, 1), WRONG),
        Trial("a batch", lambda: make()[None], WRONG),
        Trial("one line", lambda: make()[0, :, 0], WRONG),
        Trial("0-d", lambda: np.array(3, np.uint8), WRONG),
        Trial("no rows", lambda: make()[:0], WRONG),
        Trial("no columns", lambda: make()[:, :0], WRONG),
        Trial("strided", lambda: np.repeat(make(), 2, axis=1)[:, ::2], SAME),
        Trial("upside down in memory", lambda: make()[::-1].copy()[::-1], SAME),
        Trial("read-only", lambda: _read_only(make()), SAME),
        Trial("in Fortran's order", lambda: np.asfortranarray(make()), SAME),
    ]
    return Kind(make, tuple(trials), ("image", "picture"))


def plane(make: Callable[[], np.ndarray]) -> Kind:
    """An array without channels: a grey picture, a mask, or masks."""
    colours = ["grey", "grey, one channel", "two channels", "five channels", "channels first"]
    line = Trial("one line", lambda: make().ravel(), WRONG)
    return picture(make).but(line, drop=[*colours, "bool"]).named("mask", "masks")


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def each(value: float, low: float, high: float, n: int) -> Kind:
    """A number for all images, or (n,) of them; from `low` to `high`."""
    from fuzz.kinds import number

    make = lambda: torch.full((n,), float(value))  # noqa: E731
    one = number(value, low, high).but(drop=["NaN tensor"])
    many = [
        Trial("one each", make, SAME),
        Trial("one each, float64", lambda: make().double(), ANY),
        Trial("one too many", lambda: torch.full((n + 1,), float(value)), WRONG),
        Trial("a column", lambda: make()[:, None], WRONG),
        Trial("none", lambda: make()[:0], WRONG),
        Trial("one each, on meta", lambda: make().to("meta"), WRONG),
        Trial("one is NaN", lambda: _put(make(), math.nan), WRONG),
        Trial("one is inf", lambda: _put(make(), math.inf), WRONG),
        Trial("one too low", lambda: _put(make(), low - 0.01), WRONG),
        Trial("one too high", lambda: _put(make(), high + 0.01), WRONG),
        Trial("one each, array", lambda: make().numpy(), EITHER),
        Trial("one each, list", lambda: make().tolist(), EITHER),
        Trial("one each, complex", lambda: make().to(torch.complex64), WRONG),
        Trial("one each, bool", lambda: make().bool(), WRONG),
    ]
    return one.but(*many)


def matrix(make: Callable[[], np.ndarray], *, rows: int = 3, singular: Expect = WRONG) -> Kind:
    """One matrix as an array of float64."""
    trials = [
        *STRANGE,
        Trial("NaN tensor", lambda: torch.tensor(math.nan), WRONG),
        Trial("nested list", lambda: make().tolist(), EITHER),
        Trial("tensor", lambda: torch.from_numpy(make()), EITHER),
        Trial("float32", lambda: make().astype(np.float32), EITHER),
        Trial("with NaN", lambda: _fill(make(), math.nan), WRONG),
        Trial("with inf", lambda: _fill(make(), math.inf), WRONG),
        Trial("transposed", lambda: make().T[: rows - 1], WRONG),
        Trial("a row less", lambda: make()[:-1], WRONG),
        Trial("a column less", lambda: make()[:, :-1], WRONG),
        Trial("one more dimension", lambda: np.stack([make(), make()]), WRONG),
        Trial("0-d", lambda: np.array(1.0), WRONG),
        Trial("complex", lambda: make().astype(complex), WRONG),
        Trial("texts", lambda: make().astype(str), WRONG),
        Trial("zeros", lambda: 0 * make(), singular),
        Trial("empty", lambda: np.empty((0, 3)), WRONG),
        Trial("strided", lambda: np.repeat(make(), 2, axis=1)[:, ::2], SAME),
    ]
    return Kind(make, tuple(trials), ("matrix", "matrices"))


def _fill(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[0] = value
    return array
