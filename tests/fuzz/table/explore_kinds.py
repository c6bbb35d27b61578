"""What the pieces of `explore` are given."""

from __future__ import annotations

import numpy as np
import torch

from cvcourse.data import ImageSet
from fuzz.arrays import picture
from fuzz.kinds import (
    ANY,
    FINE,
    SAME,
    WRONG,
    Kind,
    Trial,
    numbers,
    thing,
)
from fuzz.things import image_set, photograph, pictures, probabilities


def small(n: int = 3) -> ImageSet:
    """Pictures of 32 × 32."""
    return image_set(n, side=32)


def photo() -> Kind:
    """(H, W, 3) uint8; None: a cat."""
    return picture(photograph, grey=WRONG).optional()


def unit(high: int) -> Kind:
    """(row, column)."""
    return numbers((1, 2), 0, high).but(
        Trial("halves", lambda: (0.5, 2), WRONG),
    )


def labels_of(high: int, n: int = 4) -> Kind:
    """(N,) whole numbers."""
    return (
        numbers((0, 1, 0, 1)[:n], 0, high)
        .but(
            Trial("tensor", lambda: torch.tensor((0, 1, 0, 1)[:n]), SAME),
            Trial("halves", lambda: (0.5, 1, 0, 1)[:n], WRONG),
        )
        .named("labels", "label")
    )


POINTS = ((0.0, 0.5), (1.0, 0.0), (4.0, 4.5), (5.0, 5.0))


def points() -> Kind:
    """(N, 2) float."""
    return thing(lambda: POINTS, "features", "points").but(
        Trial("array", lambda: np.array(POINTS), SAME),
        Trial("tensor", lambda: torch.tensor(POINTS), SAME),
        Trial("with NaN", lambda: np.array(POINTS) * np.nan, WRONG),
        Trial("with inf", lambda: np.array(POINTS) + np.inf, WRONG),
        Trial("three dimensions", lambda: np.ones((4, 3)), WRONG),
        Trial("one point less", lambda: POINTS[:3], WRONG),
        Trial("one point more", lambda: (*POINTS, (0.0, 0.0)), WRONG),
        Trial("all the same", lambda: ((1.0, 1.0),) * 4, FINE),
        Trial("texts", lambda: [["a", "b"]] * 4, WRONG),
        drop=["its class"],
    )


def guesses() -> Kind:
    """(R, N) whole numbers."""
    make = lambda: np.array([[0, 1, 1], [0, 1, 2]])  # noqa: E731
    return thing(lambda: make().tolist(), "rounds").but(
        Trial("array", make, SAME),
        Trial("tensor", lambda: torch.from_numpy(make()), SAME),
        Trial("floats", lambda: make() + 0.5, WRONG),
        Trial("too high", lambda: make() + 1, WRONG),
        Trial("too low", lambda: make() - 1, WRONG),
        Trial("NaN", lambda: make() * np.nan, WRONG),
        Trial("one round", lambda: make()[:1], WRONG),
        Trial("too few", lambda: make()[:, :2], WRONG),
        Trial("bool", lambda: make() > 0, WRONG),
        drop=["its class"],
    )


def shares() -> Kind:
    """(N, C) probabilities."""
    make = lambda: probabilities(4, 2).double().numpy()  # noqa: E731
    return thing(lambda: make().tolist(), "probabilities").but(
        Trial("array", make, SAME),
        Trial("tensor", lambda: torch.from_numpy(make()), SAME),
        Trial("a row of NaN", lambda: np.concatenate([make()[1:], make()[:1] * np.nan]), WRONG),
        Trial("logits", lambda: make() * 10 - 5, WRONG),
        Trial("sums of 0.5", lambda: make() / 2, WRONG),
        Trial("three classes", lambda: probabilities(4, 3).numpy(), WRONG),
        Trial("one more", lambda: probabilities(5, 2).numpy(), WRONG),
        Trial("flat", lambda: make().ravel(), WRONG),
        Trial("bool", lambda: make() > 0.5, ANY),
        drop=["its class"],
    )


def layers() -> Kind:
    """(kind, kernel, stride, padding, dilation) each."""
    good = (("conv", 3, 1, 1, 1), ("pool", 2, 2, 0, 1))
    changed = {
        "another kind": ("Conv", 3, 1, 1, 1),
        "kernel 0": ("conv", 0, 1, 1, 1),
        "stride 0": ("conv", 3, 0, 1, 1),
        "negative padding": ("conv", 3, 1, -1, 1),
        "dilation 0": ("conv", 3, 1, 1, 0),
        "half a stride": ("conv", 3, 1.5, 1, 1),
        "four numbers": ("conv", 3, 1, 1),
        "six": ("conv", 3, 1, 1, 1, 1),
        "a text": "conv",
        "None": None,
        "texts": ("conv", "3", "1", "1", "1"),
        "too large": ("conv", 99, 1, 0, 1),
        "NaN": ("conv", float("nan"), 1, 1, 1),
        "True": ("conv", True, 1, 1, 1),
    }
    kind = thing(lambda: good, "layers", "layer", "kernel", "conv")
    return kind.but(
        *(
            Trial(f"with {label}", lambda bad=bad: (bad, good[1]), WRONG)
            for label, bad in changed.items()
        ),  # type: ignore[misc]
        Trial("a list", lambda: [list(one) for one in good], SAME),
        drop=["its class", "a list of it"],
    )


def draws() -> Kind:
    make = lambda: pictures(2, 2, 2, 8, 8, 3).numpy()  # noqa: E731
    return thing(make, "pictures").but(
        Trial("floats", lambda: make() / 255, WRONG),
        Trial("one draw less", lambda: make()[:1], WRONG),
        Trial("one strength less", lambda: make()[:, :1], WRONG),
        Trial("a dimension less", lambda: make()[0], WRONG),
        Trial("another size", lambda: make()[:, :, :, :4], WRONG),
        Trial("tensor", lambda: torch.from_numpy(make()), ANY),
    )


def operations() -> Kind:
    good = (("rotate", "hue"), ("blur", "noise"))
    return thing(lambda: good, "operations").but(
        Trial("one draw less", lambda: good[:1], WRONG),
        Trial("one name less", lambda: (good[0], good[1][:1]), WRONG),
        Trial("numbers", lambda: ((1, 2), (3, 4)), WRONG),
        Trial("a list", lambda: [list(one) for one in good], SAME),
        drop=["its class"],
    )
