import random

import pytest
import torch
from torch import nn
from traitlets import TraitError

from cvcourse.explore import ReceptiveFieldStack
from cvcourse.models import VGG, AlexNet, LeNet5
from cvcourse.receptive_field import receptive_field


def random_stack(draw: random.Random) -> dict:
    """A stack that fits its image, and one of its units."""
    while True:
        layers = []
        for _ in range(draw.randint(1, 6)):
            kind, kernel = draw.choice(["conv", "pool"]), draw.randint(1, 5)
            padding = draw.randint(0, 3 if kind == "conv" else kernel // 2)
            layers.append([kind, kernel, draw.randint(1, 3), padding, draw.randint(1, 3)])
        state = {"layers": layers, "size": draw.randint(8, 64)}
        try:
            piece = ReceptiveFieldStack(**state)
        except TraitError:
            continue
        layer = draw.randint(1, len(layers))
        fields = receptive_field(piece.model, (1, piece.size, piece.size))
        n = fields[str(layer - 1)].map_size[0]
        return {**state, "layer": layer, "unit": [draw.randrange(n), draw.randrange(n)]}


def test_browser_agrees_with_the_package_to_the_pixel(compute) -> None:
    draw = random.Random(0)
    states = [random_stack(draw) for _ in range(150)]
    for state, found in zip(states, compute(ReceptiveFieldStack, states), strict=True):
        piece = ReceptiveFieldStack(**state)
        fields = receptive_field(piece.model, (1, piece.size, piece.size))
        field = fields[str(piece.layer - 1)]
        assert found["region"] == list(piece.region), state
        assert [found["size"]] * 2 == list(field.size)
        assert [found["jump"]] * 2 == list(field.jump)
        assert [found["start"]] * 2 == pytest.approx(list(field.start))
        assert found["n"] == field.map_size[0]
        top, left, *_ = field.region(*piece.unit, clipped=False)
        assert found["corner"] == pytest.approx([top, left])


def chain(model: nn.Module) -> list[list]:
    """The layers of a model that change the field."""
    found = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            kind = "conv" if isinstance(module, nn.Conv2d) else "pool"
            numbers = (module.kernel_size, module.stride, module.padding)
            numbers = (*numbers, getattr(module, "dilation", 1))
            found.append([kind, *(n[0] if isinstance(n, tuple) else n for n in numbers)])
    return found


@pytest.mark.parametrize(
    ("name", "model", "size"),
    [
        ("LeNet-5", LeNet5, 32),
        ("AlexNet", AlexNet, 224),
        ("VGG-16", VGG, 224),
    ],
)
def test_presets_are_the_models(name: str, model, size: int, show) -> None:
    with torch.device("meta"):
        features = model().features
    layers = chain(features)
    tab = show(ReceptiveFieldStack([("conv", 3, 1, 0, 1)], 64))
    tab.get_by_role("button", name=name).click()
    tab.wait_for_function(
        "n => document.querySelectorAll('.cvx-layer').length === n + 1", arg=len(layers)
    )
    shown = tab.evaluate(
        """() => [...document.querySelectorAll(".cvx-layer")].slice(1).map((row) =>
            [row.querySelector("select").value,
             ...[...row.querySelectorAll("[type=number]")].map((i) => Number(i.value))])"""
    )
    assert shown == layers
    channels = 1 if name == "LeNet-5" else 3
    fields = receptive_field(features, (channels, size, size))
    n = list(fields.values())[-1].map_size[0]
    middle = (n - 1) // 2
    top, left, bottom, right = fields.region(list(fields)[-1], middle, middle)
    seen = f"rows {top} to {bottom - 1}, columns {left} to {right - 1}"
    assert seen in tab.locator(".cvx-summary").inner_text()


def test_hovering_and_arrow_keys_choose_a_unit(show, source: str) -> None:
    tab = show(ReceptiveFieldStack(unit=(2, 2)), source=source)
    summary = tab.locator(".cvx-summary")
    unit_map = tab.get_by_role("application")
    unit_map.focus()
    unit_map.press("ArrowRight")
    unit_map.press("ArrowUp")
    assert "Unit (1, 3) of layer 8 of 8" in summary.inner_text()
    box = unit_map.bounding_box()
    tab.mouse.move(box["x"] + 5, box["y"] + box["height"] - 5)  # no button pressed
    assert "Unit (5, 0)" in summary.inner_text()
    unit_map.press("Shift+ArrowRight")  # ten to the right: stays on the map
    assert "Unit (5, 5)" in summary.inner_text()


def test_layers_can_be_changed_added_and_removed(show) -> None:
    tab = show(ReceptiveFieldStack([("conv", 3, 1, 1, 1)], 32))
    summary = tab.locator(".cvx-summary")
    kernel = tab.get_by_label("kernel of layer 1")
    kernel.fill("5")
    kernel.press("Enter")
    assert "Size: 1 + (5 − 1) · 1 · 1 = 5" in summary.inner_text()
    tab.get_by_role("button", name="add a pool").click()
    assert "layer 2 of 2, a 2 × 2 pool" in summary.inner_text()
    tab.get_by_label("Kind of layer 2").select_option("conv")
    assert "a 2 × 2 conv" in summary.inner_text()
    tab.get_by_label("Show layer 1").check()
    assert "layer 1 of 2" in summary.inner_text()
    tab.get_by_role("button", name="remove the last").click()
    tab.get_by_role("button", name="remove the last").click()  # one always stays
    assert "layer 1 of 1" in summary.inner_text()


def test_what_does_not_fit_is_refused(show) -> None:
    tab = show(ReceptiveFieldStack([("conv", 5, 1, 0, 1)], 8))
    dilation = tab.get_by_label("dilation of layer 1")
    dilation.fill("3")
    dilation.press("Enter")
    assert "layer 1 would be left without a unit" in tab.locator(".cvx-summary").inner_text()
    assert dilation.input_value() == "1"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": [("conv", 3)]}, "layer 1 is"),
        ({"layers": [("conv", 0, 1, 0, 1)]}, "kernel of layer 1 is 0; expected 1 to 15"),
        ({"layers": [("pool", 2, 2, 2, 1)]}, "padding of layer 1 is 2; a pool of 2 takes at most"),
        ({"layers": [("conv", 15, 1, 0, 1)], "size": 8}, "layer 1 leaves no units"),
        ({"layer": 9}, "layer is 9; expected 1 to 8"),
        ({"unit": (6, 0)}, "layer 8 has 6 × 6 units"),
        ({"size": 1000}, "size is 1000; expected 8 to 512"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        ReceptiveFieldStack(**settings)
