"""One unit of a trained network: what it sees, what it answers, what it looks at."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from own_files import give
from torch import Tensor, nn
from traitlets import TraitError

from cvcourse.data import VARIED, render
from cvcourse.explore import UnitLens
from cvcourse.models import MLP, SmallCNN, SmallResNet, Standardize, standardized
from cvcourse.receptive_field import receptive_field

PICTURES = render(3, VARIED, size=24, seed=1)


def mixed() -> nn.Sequential:
    """Every kind of layer that a page can compute; its matrices are half-precision numbers."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(6)
    norm.weight.data = torch.linspace(-1, 1, 6)
    norm.running_mean, norm.running_var = torch.randn(6), torch.rand(6) + 0.5
    model = nn.Sequential(
        Standardize(torch.full((3,), 0.5), torch.full((3,), 0.25)),
        nn.Conv2d(3, 6, 5, stride=2, padding=1),
        norm,
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(6, 7, 3, padding="same", bias=False),
        nn.AvgPool2d(2, stride=1),
        nn.Conv2d(7, 5, 1, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 10),
    )
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    return model.eval()


def every_answer(model: nn.Sequential, images: Tensor) -> Iterator[Tensor]:
    """What each layer gives, but flattening, by PyTorch alone: (B, maps, units, units)."""
    with torch.no_grad():
        for layer in model:
            images = layer(images)
            if not isinstance(layer, nn.Flatten):
                yield images if images.ndim == 4 else images[..., None, None]


def occluded(model: nn.Sequential, picture: Tensor, layer: int, unit: list[int], side: int):
    """The change of a unit's value for each place of the square, as slowly as can be."""
    n = picture.shape[-1]
    found = torch.empty(n, n)
    for row in range(n):
        for column in range(n):
            hidden = picture.clone()
            rows = range(max(0, row - side // 2), min(n, row - side // 2 + side))
            columns = range(max(0, column - side // 2), min(n, column - side // 2 + side))
            for y in rows:
                for x in columns:
                    hidden[:, y, x] = 128
            both = torch.stack([picture, hidden])
            before, after = [*every_answer(model, both)][layer - 1][(slice(None), *unit)]
            found[row, column] = after - before
    return found.numpy()


@pytest.fixture(scope="module")
def cases() -> list[tuple[UnitLens, Tensor, NDArray[np.float32]]]:
    """A unit of every layer, in the middle or at a border, with what PyTorch says of it."""
    model, rng = mixed(), np.random.default_rng(0)
    lens = UnitLens({"mixed": model}, PICTURES)
    found = []
    for number, one in enumerate(lens.layers, 1):
        n, picture = len(one["fields"]), number % len(PICTURES)
        unit = [int(rng.integers(one["maps"])), *map(int, rng.integers(n, size=2))]
        side = int(rng.integers(1, 9))
        new = UnitLens({"mixed": model}, PICTURES, layer=number, unit=unit, side=side)
        new.pixels = new.pictures[picture]
        values = [*every_answer(model, PICTURES.images[picture][None])][number - 1][0]
        found.append((new, values, occluded(model, PICTURES.images[picture], number, unit, side)))
    return found


def test_browser_and_python_answer_as_pytorch_does(cases, compute) -> None:
    in_page = compute(UnitLens, [lens.state() for lens, *_ in cases])
    assert len(cases) == len(mixed()) - 1  # flattening changes nothing
    for (lens, values, changes), here in zip(cases, in_page, strict=True):
        assert here["values"] == pytest.approx(values.flatten().tolist(), abs=1e-3)
        value = float(values[tuple(lens.unit)])
        assert here["value"] == pytest.approx(value, abs=1e-3)
        assert lens.value == pytest.approx(value, abs=1e-5)
        assert np.abs(np.reshape(here["changes"], changes.shape) - changes).max() <= 1e-3
        assert np.abs(lens.changes - changes).max() <= 1e-5
    assert all(np.abs(changes).max() >= 0.01 for *_, changes in cases)


def test_the_field_is_the_packages_and_nothing_outside_matters(cases, compute) -> None:
    fields = receptive_field(mixed(), (3, 24, 24))
    for lens, _, changes in cases:
        one = lens.layers[lens.layer - 1]
        for at, ends in enumerate(one["fields"]):
            top, _, bottom, _ = fields.region(one["name"], at, 0)
            assert ends == [top, bottom]
        region = fields.region(one["name"], *lens.unit[1:])
        assert lens.region == region
        (here,) = compute(UnitLens, [lens.state()])
        assert tuple(here["region"]) == region
        top, left, bottom, right = region
        before = lens.side // 2  # the middle of a square
        rows, columns = (
            (np.arange(24) - before < end) & (np.arange(24) - before + lens.side > start)
            for start, end in ((top, bottom), (left, right))
        )
        assert not changes[~(rows[:, None] & columns)].any()


def test_without_maps_there_are_the_hidden_units(compute) -> None:
    pictures = render(2)
    lens = UnitLens({"MLP": standardized(MLP, pictures, hidden=(8,))}, pictures, layer=3)
    assert [one["title"] for one in lens.layers][-2:] == ["ReLU", "fully connected"]
    assert lens.region == (0, 0, 32, 32)
    (here,) = compute(UnitLens, [lens.state()])
    assert here["value"] == pytest.approx(lens.value, abs=1e-3)
    assert np.abs(np.ravel(lens.changes) - here["changes"]).max() <= 1e-3


@pytest.fixture
def piece() -> UnitLens:
    torch.manual_seed(0)
    arms = {name: standardized(SmallCNN, PICTURES, width=4) for name in ("first", "second")}
    return UnitLens(arms, PICTURES, layer=5, unit=(1, 3, 4))


def settled(tab: Any) -> str:
    """The summary, once the square has been everywhere."""
    tab.wait_for_function(
        "/^Unit(?!.*Moving)/.test(document.querySelector('.cvx-summary').textContent)"
    )
    return tab.locator(".cvx-summary").inner_text()


def test_units_are_chosen_by_pointer_and_keys(piece: UnitLens, show, source: str) -> None:
    tab = show(piece, source=source)
    assert "Unit in map 1, row 3, column 4 of layer 5, ReLU." in settled(tab)
    maps = tab.get_by_label("The layer’s units")
    maps.press("ArrowDown")
    assert "map 1, row 4, column 4 of" in settled(tab)
    for _ in range(5):
        maps.press("ArrowLeft")  # from one map into the next
    assert "map 0, row 4, column 11 of" in settled(tab)
    box = maps.bounding_box()
    scale = box["width"] / 25  # 2 × 2 maps of 12 × 12, and a gap
    tab.mouse.click(box["x"] + 0.5 * scale, box["y"] + 13.5 * scale)
    assert "map 2, row 0, column 0 of" in settled(tab)
    maps.press("Shift+ArrowRight")
    assert "map 2, row 0, column 10 of" in settled(tab)
    photo = tab.get_by_label("The picture: the arrow keys")
    photo.press("ArrowDown")
    assert "map 2, row 1, column 10 of" in settled(tab)
    box = photo.bounding_box()
    tab.mouse.click(box["x"] + 0.55 * box["width"], box["y"] + 0.95 * box["height"])
    assert "map 2, row 11, column 6 of" in settled(tab)
    tab.get_by_label("Layer", exact=True).press("End")
    told = settled(tab)
    assert "map 2 (“triangle”), row 0, column 0 of layer 15, fully connected" in told
    assert "100 % of the picture" in told
    assert not tab.evaluate("performance.getEntriesByType('resource').length")


def test_the_strongest_unit_of_a_map_is_found(piece: UnitLens, show) -> None:
    tab = show(piece)
    tab.get_by_role("button", name="second").click()
    tab.get_by_role("button", name="strongest").click()
    piece.network = "second"
    maps = piece._maps("second", piece.layers[4]["name"], PICTURES.images[:1])[0, 1]
    row, column = np.unravel_index(int(maps.argmax()), maps.shape)
    assert f"map 1, row {row}, column {column} of layer 5" in settled(tab)
    piece.unit = [1, row, column]
    assert f"Its value is {piece.value:.2f}." in settled(tab)


@pytest.mark.parametrize("way", ["file", "paste", "drop"])
def test_a_picture_of_ones_own(way: str, piece: UnitLens, show) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    tab = show(piece)
    before = settled(tab)
    give(tab, way, picture)
    tab.wait_for_function(
        "before => document.querySelector('.cvx-summary').textContent !== before", arg=before
    )
    middle = np.ascontiguousarray(picture[:, 8:32].transpose(2, 0, 1))
    piece.pixels = base64.b64encode(middle.tobytes()).decode()
    assert f"Its value is {piece.value:.2f}.".replace("-", "−") in settled(tab)
    assert tab.locator(".cvx-choose [aria-pressed=true]").count() == 0


def test_a_file_that_is_no_picture_is_refused(piece: UnitLens, show) -> None:
    tab = show(piece)
    before = settled(tab)
    given = {"name": "mine.png", "mimeType": "image/png", "buffer": b"no picture"}
    tab.get_by_label("A picture of yours").set_input_files(given)
    tab.get_by_role("alert").get_by_text("This browser cannot show that file").wait_for()
    assert settled(tab) == before


def test_a_swipe_scrolls_the_page(piece: UnitLens, show) -> None:
    tab = show(piece)
    held = "e => getComputedStyle(e).touchAction"
    assert [tab.locator("[role=application]").nth(i).evaluate(held) for i in (0, 1)] == [
        "pan-y"
    ] * 2


def test_a_network_far_below_is_not_asked_before_the_reader_is_near(piece, show) -> None:
    tab = show("<div style='height: 5000px'></div>", piece)
    told = tab.locator(".cvx-summary")
    tab.wait_for_timeout(300)
    assert told.text_content().startswith("The network has not been asked yet.")
    tab.evaluate("scrollTo(0, document.body.scrollHeight)")
    told.get_by_text("Unit in map 1, row 3, column 4").wait_for(state="attached")


def test_mistakes_are_named(piece: UnitLens) -> None:
    model = standardized(SmallCNN, PICTURES, width=4)
    with pytest.raises(TraitError, match=r"pictures have shape \(11, 3, 32, 32\)"):
        UnitLens({"CNN": model}, render(11))
    with pytest.raises(TraitError, match="there are 4 models; expected 1 to 3"):
        UnitLens(dict.fromkeys("abcd", model), PICTURES)
    with pytest.raises(TraitError, match="the models differ in their layers"):
        UnitLens({"CNN": model, "MLP": standardized(MLP, PICTURES)}, PICTURES)
    with pytest.raises(TraitError, match="a page can compute convolutions"):
        UnitLens({"ResNet": standardized(SmallResNet, PICTURES)}, PICTURES)
    with pytest.raises(TraitError, match="layer is 99; expected 1 to 15"):
        UnitLens({"CNN": model}, PICTURES, layer=99)
    with pytest.raises(TraitError, match=r"the unit's map is 4; expected 0 to 3 \(in layer 5"):
        piece.unit = [4, 0, 0]
    with pytest.raises(TraitError, match="network is 'third'"):
        piece.network = "third"
    with pytest.raises(TraitError, match="pixels are 3 bytes in base64; expected 1,728"):
        piece.pixels = "AAAA"
