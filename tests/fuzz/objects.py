"""Kinds of arguments that are objects of the package or of torch; see `kinds`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cvcourse.data import ImageSet
from fuzz.kinds import ANY, FINE, SAME, WRONG, Expect, Kind, Make, Trial, strangers, thing
from fuzz.things import CLASSES, Answers, image_set, net, normal, unlabeled


def model(plain: Callable[[], nn.Module] = net, *, training: Expect = FINE) -> Kind:
    """A model that maps (B, 3, 8, 8) uint8 to logits (B, 3); `training`: in training mode."""
    return thing(plain, "model", "teacher", "module", "logits", "outputs", "classes").but(
        Trial("its forward", lambda: plain().forward, ANY),
        Trial("a list of layers", lambda: [nn.Flatten(), nn.Linear(3, 3)], WRONG),
        Trial("the class Linear", lambda: nn.Linear, WRONG),
        Trial("in training mode", lambda: plain().train(), training),
        Trial("with tied modules", lambda: _tied(plain()), FINE),
    )


def answering(plain: Callable[[], nn.Module] = net, *, training: Expect = FINE) -> Kind:
    """A model whose answers are looked at."""
    return model(plain, training=training).but(
        Trial("answers NaN", lambda: Answers(math.nan).eval(), WRONG),
        Trial("answers inf", lambda: Answers(math.inf).eval(), WRONG),
        Trial("too many outputs", lambda: net(CLASSES + 2), WRONG),
        Trial("too few outputs", lambda: net(CLASSES - 1), WRONG),
        Trial("answers (B,)", lambda: Answers(shape=(6,)).eval(), WRONG),
        Trial("answers (3,)", lambda: Answers(shape=(3,)).eval(), WRONG),
        Trial("answers (1, 3)", lambda: Answers(shape=(1, 3)).eval(), WRONG),
        Trial("answers (B, 3, 1, 1)", lambda: Answers(shape=(6, 3, 1, 1)).eval(), WRONG),
        Trial("answers (B, 0)", lambda: Answers(shape=(6, 0)).eval(), WRONG),
        Trial("answers a tuple", lambda: Wrapped(lambda z: (z, z)), WRONG),
        Trial("answers a dict", lambda: Wrapped(lambda z: {"out": z}), WRONG),
        Trial("answers an array", lambda: Wrapped(lambda z: z.detach().numpy()), WRONG),
        Trial("answers integers", lambda: Wrapped(lambda z: z.long()), ANY),
        Trial("answers None", lambda: Wrapped(lambda z: None), WRONG),
        Trial("not standardised", lambda: net()[1], WRONG),
        Trial("for another size", lambda: nn.Sequential(nn.Flatten(), nn.Linear(3, 3)), WRONG),
        Trial("on meta", lambda: plain().to("meta"), WRONG),
        Trial("half precision", lambda: plain().half(), ANY),
        Trial("float64", lambda: plain().double(), ANY),
        Trial("a weight is NaN", lambda: _spoiled(plain()), WRONG),
        Trial("an empty model", lambda: nn.Sequential(), WRONG),
    )


class Wrapped(nn.Module):
    """A good model whose answer is put into something else."""

    def __init__(self, change: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.model, self.change = net(), change
        self.eval()

    def forward(self, images: Tensor) -> Any:
        """Something else than logits."""
        return self.change(self.model(images))


def _spoiled(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        next(module.parameters()).fill_(math.nan)
    return module


def _tied(module: nn.Module) -> nn.Module:
    if isinstance(module, nn.Sequential):  # the last layer's weight under a second name
        last = list(module.modules())[-1]
        last.register_parameter("again", next(last.parameters(), None))
    return module


def images_of(
    plain: Callable[[], ImageSet] = image_set,
    *,
    empty: Expect = WRONG,
    no_labels: Expect = WRONG,
    floats: Expect = WRONG,
    other_classes: Expect = FINE,
) -> Kind:
    """An `ImageSet`; what becomes of an empty one, one without labels or with other classes."""
    return thing(plain, "images", "ImageSet", "labels", "image set", "classes", "class").but(
        Trial("its pictures", lambda: plain().images, WRONG),
        Trial("(images, labels)", lambda: (plain().images, plain().labels), WRONG),
        Trial("a data set's name", lambda: "shapes", WRONG),
        Trial("empty", lambda: plain()[:0], empty),
        Trial("one picture", lambda: plain()[:1], ANY),
        Trial("without labels", unlabeled, no_labels),
        Trial("one without a label", lambda: _one_unlabeled(plain()), no_labels),
        Trial("more classes", lambda: image_set(n_classes=CLASSES + 1), other_classes),
        Trial("fewer classes", lambda: image_set(n_classes=CLASSES - 1), other_classes),
        Trial("without boxes", lambda: replace(plain(), boxes=None, masks=None), ANY),
    )


def _one_unlabeled(some: ImageSet) -> ImageSet:
    labels = some.labels.clone()
    labels[0] = -1
    return replace(some, labels=labels)


def augment(*, optional: bool = True) -> Kind:
    """(images, generator) → images."""
    from fuzz.kinds import function

    kind = function(
        lambda: lambda images, generator: images.flip(-1),
        wrong=[
            lambda images: images,
            lambda images, generator: images[:1],
            lambda images, generator: images[:, :1],
            lambda images, generator: images[..., :3],
            lambda images, generator: images.float() * math.nan,
            lambda images, generator: images.numpy(),
        ],
    ).named("augment", "augmentation", "images")
    return kind.optional() if optional else kind


def targets(n: int, n_classes: int) -> Any:
    """Rows that sum to 1."""
    from fuzz.arrays import floats

    make = lambda: normal(n, n_classes, seed=4).softmax(1)  # noqa: E731
    return (
        floats(make, 0, 1, tied=(0, 1))
        .but(
            Trial("logits", lambda: normal(n, n_classes), WRONG),
            Trial("sums of 2", lambda: 2 * make(), WRONG),
            Trial("sums of 0.9", lambda: 0.9 * make(), WRONG),
            Trial("zeros", lambda: 0 * make(), WRONG),
            Trial("a row of NaN", lambda: torch.cat([make()[1:], make()[:1] * math.nan]), WRONG),
            Trial("int64", lambda: make().long(), WRONG),
            Trial("bool", lambda: make() > 2, WRONG),
            Trial("percentages", lambda: 100 * make(), WRONG),
            Trial("half", lambda: make().half(), ANY),
        )
        .named("probabilities", "targets", "distribution")
    )


def mapping(plain: Make, *, empty: Expect = WRONG) -> Kind:
    """Name → something."""
    kind = thing(plain, drop=["its class"])
    return kind.but(
        Trial("{}", dict, empty),
        Trial("its values", lambda: list(plain().values()), WRONG),
        Trial("its keys", lambda: list(plain()), WRONG),
        Trial("numbers as keys", lambda: dict(enumerate(plain().values())), WRONG),
        Trial("None as values", lambda: dict.fromkeys(plain()), WRONG),
        Trial("text as values", lambda: dict.fromkeys(plain(), "fuzz"), WRONG),
    )


def path(plain: Make, *, missing: Expect = FINE) -> Kind:
    """A file's path, as text or Path."""
    trials = [*strangers("text"), Trial("Path", lambda: Path(plain()), SAME)]
    trials += [
        Trial("a directory", lambda: Path(plain()).parent, WRONG),
        Trial("below a file", lambda: Path(__file__) / "x", WRONG),
        Trial("with NUL", lambda: "a\0b", WRONG),
        Trial("too long", lambda: "x" * 300, WRONG),
        Trial("a missing folder", lambda: Path(plain()).parent / "no" / "such", missing),
        Trial("a device", lambda: "/dev/null", WRONG),
        Trial("nobody's home", lambda: "~no-such-user/x", WRONG),
        Trial("a number", lambda: 3, WRONG),
    ]
    return Kind(plain, tuple(trials), ("file", "folder", "path"))


def generator() -> Kind:
    """torch's generator."""
    kind = thing(lambda: torch.Generator().manual_seed(3), "Generator")
    return kind.but(Trial("NumPy's", lambda: np.random.default_rng(3), WRONG))


def rng() -> Kind:
    """NumPy's generator."""
    return thing(lambda: np.random.default_rng(3), "Generator").but(
        Trial("torch's", torch.Generator, WRONG),
        Trial("the old one", lambda: np.random.RandomState(3), ANY),
        Trial("the module", lambda: np.random, ANY),
    )
