"""What a run is: the same is told alike, and whatever differs is named."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cvcourse.augment import RandAugment
from cvcourse.data import render
from cvcourse.train import Recipe, supervised
from cvcourse.train.distill import distillation
from cvcourse.train.identity import describe, differences

IMAGES = render(6, size=8)
ANSWERS = torch.arange(60.0).view(6, 10)


def changed(then: Any, now: Any, name: str = "it") -> list[str]:
    return list(differences(describe(then), describe(now), name))


def closure(number: float, tensor: torch.Tensor) -> Callable[[], object]:
    return lambda: (number, tensor)


def layer(seed: int) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(2, 2)


@dataclass(frozen=True)
class Noise:
    strength: float
    kinds: tuple[str, ...] = ("blur",)

    def __call__(self, images: object, generator: object) -> object:
        return images


SAME = [
    lambda: 3,
    lambda: "text",
    lambda: np.float32(0.5),
    lambda: torch.arange(3),
    lambda: np.arange(3),
    lambda: [1, (2, {"a": 3.0})],
    lambda: Recipe(epochs=3),
    lambda: render(6, size=8),
    lambda: layer(0),
    lambda: closure(0.5, torch.ones(2)),
    lambda: distillation(ANSWERS.clone(), temperature=4),
    lambda: partial(supervised, label_smoothing=0.1),
    lambda: RandAugment(n=1, m=9),
    lambda: Noise(0.3).__call__,
    lambda: torch.Generator().manual_seed(3),
]


@pytest.mark.parametrize("number", range(len(SAME)))
def test_the_same_made_twice_is_the_same(number: int) -> None:
    assert changed(SAME[number](), SAME[number]()) == []


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (1.0, 20.0, ["it was 1.0, is now 20.0"]),
        (1, True, ["it was 1, is now True"]),
        (None, 0.5, ["it was absent, is now 0.5"]),
        (
            Recipe(epochs=3, schedule="cosine"),
            Recipe(epochs=4, schedule="cosine", compile=True),
            ["it.epochs was 3, is now 4", "it.compile was False, is now True"],
        ),
        (closure(1.0, ANSWERS), closure(2.0, ANSWERS), ["it.number was 1.0, is now 2.0"]),
        (
            distillation(ANSWERS, temperature=1.0),
            distillation(ANSWERS, temperature=20.0),
            ["it.temperature was 1.0, is now 20.0"],
        ),
        (
            partial(supervised, label_smoothing=0.1),
            partial(supervised, label_smoothing=0.2),
            ["it.label_smoothing was 0.1, is now 0.2"],
        ),
        (supervised, partial(supervised, label_smoothing=0.1), None),
        (supervised, distillation(ANSWERS), None),
        (RandAugment(n=1, m=9), RandAugment(n=1, m=8), ["it.m was 9.0, is now 8.0"]),
        (Noise(0.3), Noise(0.3, ("cut",)), ["it.kinds.0 was blur, is now cut"]),
        (RandAugment(n=1, m=9), None, ["it was RandAugment, is now absent"]),
        (lambda x: x.flip(2), lambda x: x.flip(3), None),
        (lambda x: x.flip(2), lambda x: x.roll(2), None),
    ],
)
def test_only_what_differs_is_named(then: Any, now: Any, told: list[str] | None) -> None:
    found = changed(then, now)
    assert found == told if told is not None else len(found) >= 1


def test_tensors_models_and_image_sets_are_told_by_their_content() -> None:
    other = ANSWERS.clone()
    other[3, 3] += 1e-3
    (found,) = changed(ANSWERS, other)
    assert found.startswith("it was (6, 10) torch.float32, checksum ")
    assert changed(layer(0), layer(1))[0].startswith("it.weight was (2, 2)")
    assert changed(layer(0), nn.Linear(2, 3))[0].startswith("it.layers was Linear(in_features=2")
    names = replace(IMAGES, class_names=("dot", *IMAGES.class_names[1:]))
    assert changed(IMAGES, names) == ["it.class_names.0 was circle, is now dot"]
    fewer = changed(IMAGES, IMAGES[:5])
    assert [part.split()[0] for part in fewer] == ["it.images", "it.labels", "it.boxes", "it.masks"]
    assert changed(ANSWERS, ANSWERS.double()) != []


def test_a_notebooks_function_is_told_by_the_globals_that_it_uses() -> None:
    scope: dict[str, Any] = {"__name__": "__main__", "strength": 0.3}
    exec("def noise(images, generator):\n    return images * strength\n", scope)
    before = describe(scope["noise"])
    scope["strength"] = 0.4
    assert list(differences(before, describe(scope["noise"]), "augment")) == [
        "augment.strength was 0.3, is now 0.4"
    ]


def test_another_docstring_is_no_other_function() -> None:
    def once(x: int) -> int:
        """Says one thing."""
        return x + 1

    first = describe(once)
    del once

    def once(x: int) -> int:
        """Says another."""
        return x + 1

    assert describe(once) == first


def test_circles_end() -> None:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec("def ping():\n    return pong()\n\ndef pong():\n    return ping()\n", scope)
    assert changed(scope["ping"], scope["ping"]) == []


class Slotted:
    __slots__ = ("strength",)

    def __init__(self, strength: float) -> None:
        self.strength = strength


class Both(Slotted):
    """Has a dictionary beside its slots."""

    def __init__(self, strength: float, kind: str) -> None:
        super().__init__(strength)
        self.kind = kind


class Own(nn.Module):
    """A module with a number that is in no weight."""

    factor = 0.3

    def __init__(self, factor: float, **more: int) -> None:
        super().__init__()
        self.layer, self.factor = layer(0), factor
        vars(self).update(more)


def kind_of(code: str) -> type:
    """A class as a notebook's cell makes it, and makes it anew when it is edited."""
    scope: dict[str, Any] = {"__name__": "__main__", "limit": 3}
    exec(f"class Noise:\n    scale = 1\n    {code}\n", scope)
    return scope["Noise"]


CALL = "def __call__(self, x, g):\n        return x{}"


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (Slotted(0.1), Slotted(0.2), "it.strength was 0.1, is now 0.2"),
        (Both(0.1, "a"), Both(0.1, "b"), "it.kind was a, is now b"),
        (Both(0.1, "a"), Both(0.2, "a"), "it.strength was 0.1, is now 0.2"),
        (Own(0.1, X=1), Own(0.1, X=2), "it.X was 1, is now 2"),
        (Own(0.1), Own(0.2), "it.factor was 0.1, is now 0.2"),
        (nn.Sequential(Own(0.1)), nn.Sequential(Own(0.2)), "it.0.factor was 0.1, is now 0.2"),
        (kind_of("")(), kind_of("scale = 2")(), "it.scale was 1, is now 2"),
        (
            kind_of(CALL.format(""))(),
            kind_of(CALL.format(".flip(3)"))(),
            "it.__call__.code was ",
        ),
        (kind_of("def of(self): return 1"), kind_of("def of(self): return 2"), "it.of.code was "),
        (layer(0), layer(0).requires_grad_(False), "it.frozen.0 was absent, is now weight"),
        (torch.optim.SGD, torch.optim.Adam, "it was SGD, is now Adam"),
        ({"a", "b"}, {"a", "c"}, "it.1 was b, is now c"),
        ("x" * 99 + "1", "x" * 99 + "2", f"it was …{'x' * 30}1, is now …{'x' * 30}2"),
    ],
)
def test_objects_are_told_by_what_they_hold_and_do(then: Any, now: Any, told: str) -> None:
    first, *_ = changed(then, now)
    assert first.startswith(told)
    assert changed(then, then) == []


def test_nan_is_nan_and_sets_have_no_order() -> None:
    assert (
        changed(
            partial(supervised, label_smoothing=np.nan), partial(supervised, label_smoothing=np.nan)
        )
        == []
    )
    assert list(describe({"c", "a", "b"}).values()) == ["set", "a", "b", "c"]


def test_a_model_is_the_same_one_in_either_mode() -> None:
    assert changed(nn.Sequential(Own(0.1)).train(), nn.Sequential(Own(0.1)).eval()) == []


def test_a_class_of_a_module_inside_is_told_too() -> None:
    scope: dict[str, Any] = {"__name__": "__main__", "Module": nn.Module}
    told = []
    for sign in "+-":
        exec(f"class Shift(Module):\n    def forward(self, x):\n        return x {sign} 1", scope)
        told.append(describe(nn.Sequential(scope["Shift"]())))
    (found,) = differences(*told)
    assert found.startswith("0.forward.code was ")


def test_a_models_own_class_is_told_once() -> None:
    scope: dict[str, Any] = {"__name__": "__main__", "Module": nn.Module}
    told = []
    for number in (1, 2):
        exec(f"class Own(Module):\n    X = {number}", scope)
        told.append(describe(scope["Own"]()))
    assert list(differences(*told)) == ["X was 1, is now 2"]


def test_a_notebooks_class_is_its_own_whatever_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = "/lib/site-packages/ipykernel_launcher.py"
    monkeypatch.setattr(sys.modules["__main__"], "__file__", launcher, raising=False)
    assert changed(kind_of("")(), kind_of("scale = 2")()) == ["it.scale was 1, is now 2"]
