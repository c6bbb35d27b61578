"""cvcourse.explore: the interactive figures."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from arrays import picture
from kinds import (
    ANY,
    FINE,
    SAME,
    WRONG,
    Kind,
    Trial,
    choice,
    mapping,
    names,
    number,
    numbers,
    seed,
    thing,
    whole,
)
from objects import images_of
from rows import Row, row
from things import image_set, photograph, pictures, probabilities

from cvcourse.data import ImageSet
from cvcourse.explore import (
    ConvolutionSteps,
    CornerMap,
    CropLab,
    CutMixBox,
    DistillationLoss,
    NeighbourVote,
    NoisyStudentRounds,
    PseudoLabelThreshold,
    RandAugmentSteps,
    ReceptiveFieldStack,
    SoftmaxTemperature,
)
from cvcourse.explore.base import module
from cvcourse.models import SingleLayer, standardized


def page(piece: Any) -> Any:
    """Its state and its words; the whole page and the picture are made, too."""
    piece.html()
    assert not re.search(r"\b(nan|inf)\b", piece.still().lower())
    return piece.state(), piece.caption()


def small(n: int = 3) -> ImageSet:
    """Pictures of 32 × 32."""
    return image_set(n, side=32)


def classifier() -> Any:
    """(B, 3, 32, 32) uint8 → logits (B, 3)."""
    torch.manual_seed(0)
    return standardized(SingleLayer, small()).eval()


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
    return numbers((0, 1, 0, 1)[:n], 0, high).but(
        Trial("tensor", lambda: torch.tensor((0, 1, 0, 1)[:n]), SAME),
        Trial("halves", lambda: (0.5, 1, 0, 1)[:n], WRONG),
        
    ).named("labels", "label")


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
        "another kind": ("Conv", 3, 1, 1, 1), "kernel 0": ("conv", 0, 1, 1, 1), "stride 0": ("conv", 3, 0, 1, 1),
        "negative padding": ("conv", 3, 1, -1, 1), "dilation 0": ("conv", 3, 1, 1, 0), "half a stride": ("conv", 3, 1.5, 1, 1),
        "four numbers": ("conv", 3, 1, 1), "six": ("conv", 3, 1, 1, 1, 1), "a text": "conv", "None": None, "texts": ("conv", "3", "1", "1", "1"),
        "too large": ("conv", 99, 1, 0, 1), "NaN": ("conv", float("nan"), 1, 1, 1), "True": ("conv", True, 1, 1, 1),
    }
    kind = thing(lambda: good, "layers", "layer", "kernel", "conv")
    return kind.but(
        *(Trial(f"with {label}", lambda bad=bad: (bad, good[1]), WRONG) for label, bad in changed.items()),  # type: ignore[misc]
        Trial("a list", lambda: [list(one) for one in good], SAME),
        drop=["its class", "a list of it"],
    )


def rows() -> list[Row]:
    ten = numbers((0.5, 2.0, -1.0), -10, 10).but(Trial("tensor", lambda: torch.tensor([0.5, 2.0, -1.0]), SAME))
    three, two = names("cow", "dog", "cat"), names("cat", "cup")
    kernel = numbers((0, 1, 0, 1, -4, 1, 0, 1, 0.5), -10, 10)
    grey = picture(lambda: np.ascontiguousarray(pictures(96, 96).numpy()), grey=WRONG).but(drop=["bool", "grey", "grey, one channel", "two channels", "five channels", "channels first"]).optional()
    models = mapping(lambda: {"one": classifier(), "two": classifier()}).but(
        Trial("one model", lambda: {"one": classifier()}, WRONG),
        Trial("three models", lambda: dict.fromkeys("abc", classifier()), WRONG),
    )
    seen = images_of(small).but(
        Trial("another size", image_set, WRONG), Trial("without boxes", small, FINE), Trial("too many", lambda: small(7), WRONG),
        Trial("more classes", lambda: image_set(4, 4, 32), ANY), Trial("fewer classes", lambda: image_set(2, 2, 32), ANY),
        Trial("one picture", lambda: small()[:1], ANY),
    )
    square = ((20.0, 15.0), (110.0, 15.0), (80.0, 85.0), (-10.0, 85.0))
    corners = thing(lambda: square, "corners").but(
        Trial("a list", lambda: [list(c) for c in square], SAME), Trial("array", lambda: np.array(square), SAME),
        Trial("three", lambda: square[:3], WRONG), Trial("five", lambda: (*square, (0.0, 0.0)), WRONG), Trial("crossed", lambda: (square[0], square[2], square[1], square[3]), WRONG),
        Trial("on a line", lambda: ((0.0, 0.0), (50.0, 50.0), (100.0, 100.0), (0.0, 100.0)), WRONG), Trial("NaN", lambda: ((float("nan"), 0.0), *square[1:]), WRONG),
        Trial("far", lambda: ((-151.0, 15.0), *square[1:]), WRONG), Trial("no parallelogram", lambda: ((0.0, 0.0), *square[1:]), WRONG), Trial("of three numbers", lambda: ((0.0, 0.0, 0.0), *square[1:]), WRONG),
        drop=["its class"],
    )
    two_pictures = thing(lambda: (photograph(), photograph()), "picture", "pictures").but(
        Trial("()", tuple, FINE), Trial("[]", list, FINE), Trial("one", lambda: (photograph(),), WRONG), Trial("three", lambda: (photograph(),) * 3, WRONG),
        Trial("floats", lambda: (photograph() / 255,) * 2, WRONG), Trial("grey", lambda: (photograph()[..., 0],) * 2, WRONG), Trial("tensors", lambda: (pictures()[0], pictures()[1]), WRONG),
        drop=["its class", "{}", "iterator"],
    )
    drawn = {"original": picture(lambda: photograph(8, 8, 3), grey=WRONG).but(drop=["tensor"]), "pictures": _draws(), "operations": _operations(), "strengths": numbers((3.0, 9.0)), "n": whole(1, 0, 2)}
    of = {"look": page}
    return [
        row("SoftmaxTemperature", SoftmaxTemperature, logits=ten, temperature=number(4.0, 0.01, 1000), names=three, **of),
        row("DistillationLoss", DistillationLoss, teacher=ten, student=ten, label=whole(1, 0, 2), temperature=number(4.0, 1, 100), alpha=number(0.5, 0, 1), names=three, **of),
        row("ConvolutionSteps", ConvolutionSteps, mode=choice("convolution", ["convolution", "locally connected", "fully connected"]), kernel=kernel, unit=unit(5), picture=grey, **of),
        row("CutMixBox", CutMixBox, lam=number(0.5, 0, 1), centre=unit(224), pictures=two_pictures, names=two, **of),
        row("CropLab", CropLab, models=models, pictures=seen, **of),
        row("NeighbourVote", NeighbourVote, features=points(), labels=labels_of(1), names=two.but(Trial("one more", lambda: ("cat", "cup", "more"), FINE), drop=["one more"]), query=numbers((0.5, 1.0)).optional(), k=whole(2, 1, 4), n=whole(4, 2, 4).optional(), **of),
        row("NoisyStudentRounds", NoisyStudentRounds, rounds=guesses(), pictures=seen.but(Trial("one picture", lambda: small()[:1], WRONG)), shown=whole(2, 1, 3), round=whole(1, 0, 1), **of),
        row("PseudoLabelThreshold", PseudoLabelThreshold, probabilities=shares(), labels=labels_of(1), names=two, threshold=number(0.5, 0, 1), **of),
        row("RandAugmentSteps", RandAugmentSteps, **drawn, **of),
        row("ReceptiveFieldStack", ReceptiveFieldStack, layers=layers(), size=whole(16, 8, 512), layer=whole(2, 1, 2).optional(), unit=unit(7).optional(), picture=photo(), **of),
        row("CornerMap", CornerMap, corners=corners, mode=choice("affine", ["affine", "perspective"]), picture=photo(), **of),
        row("explore.base.module", module, name=choice("softmax", ["softmax", "crop"])),
    ]


def _draws() -> Kind:
    make = lambda: pictures(2, 2, 2, 8, 8, 3).numpy()  # noqa: E731
    return thing(make, "pictures").but(
        Trial("floats", lambda: make() / 255, WRONG), Trial("one draw less", lambda: make()[:1], WRONG), Trial("one strength less", lambda: make()[:, :1], WRONG),
        Trial("a dimension less", lambda: make()[0], WRONG), Trial("another size", lambda: make()[:, :, :, :4], WRONG), Trial("tensor", lambda: torch.from_numpy(make()), ANY),
    )


def _operations() -> Kind:
    good = (("rotate", "hue"), ("blur", "noise"))
    return thing(lambda: good, "operations").but(
        Trial("one draw less", lambda: good[:1], WRONG), Trial("one name less", lambda: (good[0], good[1][:1]), WRONG), Trial("numbers", lambda: ((1, 2), (3, 4)), WRONG),
        Trial("a list", lambda: [list(one) for one in good], SAME), drop=["its class"],
    )


_ = seed
