"""The reader's own picture, and what the networks in the page say of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import shaky_hands
import torch
from numpy.typing import NDArray
from own_files import give
from traitlets import TraitError

from cvcourse.data import VARIED, ImageSet, render
from cvcourse.explore import OwnPicture, export_for_page
from cvcourse.models import MLP, SingleLayer, SmallCNN, SmallResNet, standardized

EXAMPLE = render(1).images
NOTEBOOK = Path(__file__).parents[2] / "notebooks/own_picture.ipynb"


@pytest.fixture(scope="module")
def pictures() -> ImageSet:
    return render(10, VARIED, seed=2)


@pytest.fixture(scope="module")
def models(pictures: ImageSet) -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    arms = {"single layer": SingleLayer, "CNN": SmallCNN}
    return {name: standardized(make, pictures).eval() for name, make in arms.items()}


@pytest.fixture
def piece(models: dict[str, torch.nn.Module], pictures: ImageSet) -> OwnPicture:
    return OwnPicture(models, pictures)


@pytest.fixture
def chapter(show: Callable[..., Any]) -> Any:
    """The figure of the notebook, with the networks that it trained."""
    outputs = [
        output.data["text/html"]
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells
        for output in cell.get("outputs", ())
        if "data-explorable" in output.get("data", {}).get("text/html", "")
    ]
    return show(outputs[0], viewport={"width": 1000, "height": 1000})


def states(pixels: NDArray[np.uint8], models: dict[str, Any], **place: Any) -> dict[str, Any]:
    """A state for `compute`: a square sheet (side, side, 3), and where it stands."""
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    networks = {name: export_for_page(model, EXAMPLE) for name, model in models.items()}
    return {"networks": networks, "pixels": base64.b64encode(opaque.tobytes()).decode(), **place}


def shifted(picture: NDArray[np.uint8], across: int, down: int) -> NDArray[np.uint8]:
    """Moved by whole pixels; the border is repeated."""
    rows, columns = (np.arange(32) - by for by in (down, across))
    return picture[rows.clip(0, 31)][:, columns.clip(0, 31)]


def settle(tab: Any, words: str) -> str:
    """The summary, once it holds these words."""
    tab.wait_for_function(
        "words => document.querySelector('.cvx-summary').textContent.includes(words)", arg=words
    )
    return tab.locator(".cvx-summary").inner_text()


def sight(tab: Any) -> NDArray[np.uint8]:
    """What the networks see, (32, 32, 3)."""
    canvas = tab.get_by_label("What the networks see")
    read = "c => [...c.getContext('2d').getImageData(0, 0, 32, 32).data]"
    return np.reshape(canvas.evaluate(read), (32, 32, 4))[..., :3].astype(np.uint8)


def wait_for_sight(tab: Any, like: Callable[[NDArray[np.uint8]], bool]) -> None:
    """Until the networks see something like this."""
    for _ in range(100):
        if like(sight(tab)):
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"the networks see {sight(tab)}")


def says(tab: Any) -> dict[str, str]:
    """Each network's answer."""
    heads = tab.locator(".cvx-own-answers > div:has(b)").all_inner_texts()
    lines = [head.split("\n") for head in heads]
    return {arm: re.sub(r"^[✓✗] | \d+\xa0%$", "", answer) for arm, answer in lines}


DRAW = """([strokes, colour, pen]) => {
    document.querySelector("[type=color]").value = colour;
    const thickness = document.querySelector("[aria-label='Thickness of the pen']");
    thickness.value = pen;
    thickness.dispatchEvent(new Event("input"));
    const pad = document.querySelector("[role=application]");
    const box = pad.getBoundingClientRect();
    const touch = (kind, [x, y]) => pad.dispatchEvent(new PointerEvent(kind, {
        pointerId: 7, pointerType: "pen", bubbles: true,
        clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
    pad.setPointerCapture = () => {}; // there is no such pen
    pad.hasPointerCapture = () => true;
    for (const [first, ...others] of strokes) {
        touch("pointerdown", first);
        others.forEach((point) => touch("pointermove", point));
    }
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def by_hand(tab: Any, drawing: shaky_hands.Drawing) -> None:
    """Draw on a white sheet, with a pen that the page believes in."""
    tab.get_by_role("button", name="white sheet").click()
    strokes = [stroke.tolist() for stroke in drawing.strokes]
    tab.evaluate(DRAW, [strokes, drawing.colour, drawing.pen])


@pytest.mark.parametrize("name", shaky_hands.PATHS)
def test_the_network_knows_what_shaky_hands_draw(name: str, chapter) -> None:
    rng = np.random.default_rng(list(shaky_hands.PATHS).index(name))
    found = []
    for _ in range(10):
        by_hand(chapter, shaky_hands.draw(name, rng))
        found.append(says(chapter)["CNN"])
    assert found.count(name) >= 8, found


def test_browser_sees_and_says_what_python_does(models, compute) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (32, 32, 3), np.uint8)
    large = picture.repeat(4, axis=0).repeat(4, axis=1)  # (128, 128, 3)
    hidden = picture.copy()
    hidden[4:12, 12:20] = 128
    cases = [
        (picture, {}, picture),
        (large, {}, picture),
        (large, {"shift": [5, -3]}, shifted(picture, 5, -3)),
        (large, {"shift": [-16, 9]}, shifted(picture, -16, 9)),
        (large, {"turn": 90}, np.rot90(picture)),
        (large, {"turn": -180}, np.rot90(picture, 2)),
        (picture, {"scale": 2}, picture[8:24, 8:24].repeat(2, axis=0).repeat(2, axis=1)),
        (large, {"hidden": 0.25, "hidden_at": [0.5, 0.25]}, hidden),
    ]
    found = compute(OwnPicture, [states(sheet, models, **place) for sheet, place, _ in cases])
    for (_, place, expected), here in zip(cases, found, strict=True):
        seen = np.reshape(here["seen"], (32, 32, 4))[..., :3]
        assert np.array_equal(seen, expected), place
        batch = torch.from_numpy(expected.copy()).permute(2, 0, 1)[None]
        for model, logits in zip(models.values(), here["logits"], strict=True):
            with torch.no_grad():
                assert logits == pytest.approx(model(batch)[0].tolist(), abs=5e-3)  # half precision


def test_the_map_is_what_the_model_says_of_each_shift(models, pictures, show) -> None:
    piece = OwnPicture(models, pictures)
    told = settle(show(piece), "is right at")
    picture = pictures.images[0].permute(1, 2, 0).numpy()
    moves = [(x, y) for x in range(-12, 13, 3) for y in range(-12, 13, 3)]
    batch = torch.from_numpy(np.stack([shifted(picture, *move) for move in moves]))
    for name, model in models.items():
        with torch.no_grad():
            right = int((model(batch.permute(0, 3, 1, 2)).argmax(1) == pictures.labels[0]).sum())
        count = int(re.search(rf"the {name} .*?(\d+) of 81", told, re.IGNORECASE)[1])
        assert abs(count - right) <= 2  # half precision turns a tie


def test_it_is_moved_hidden_and_put_back(piece: OwnPicture, pictures, show, source: str) -> None:
    tab = show(piece, source=source)
    original = pictures.images[0].permute(1, 2, 0).numpy()
    settle(tab, "of 81")
    assert np.array_equal(sight(tab), original)
    pad = tab.get_by_role("application")
    pad.press("ArrowRight")
    pad.press("Shift+ArrowDown")
    wait_for_sight(tab, lambda seen: np.array_equal(seen, shifted(original, 1, 10)))
    tab.get_by_role("button", name="move").click()
    box = pad.bounding_box()
    x, y, pixel = box["x"] + 50, box["y"] + 50, box["width"] / 32
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x - 3 * pixel, y - 4 * pixel, steps=4)
    tab.mouse.up()
    wanted = shifted(original, -2, 6).astype(int)  # the mouse stands on whole pixels of the screen
    wait_for_sight(tab, lambda seen: np.abs(seen - wanted).mean() < 6)
    tab.get_by_role("button", name="put it back").click()
    tab.get_by_role("button", name="hide").click()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for_sight(tab, lambda seen: (seen[14:18, 14:18] == 128).all())
    tab.get_by_role("button", name="put it back").click()
    wait_for_sight(tab, lambda seen: np.array_equal(seen, original))
    assert not tab.evaluate("performance.getEntriesByType('resource').length")


def test_a_line_can_be_drawn_and_taken_back(piece: OwnPicture, show) -> None:
    tab = show(piece, has_touch=True)
    tab.get_by_role("button", name="dark sheet").click()
    wait_for_sight(tab, lambda seen: (seen == [44, 48, 56]).all())
    box = tab.get_by_role("application").bounding_box()
    tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    # A dot of yellow, [243, 211, 107], covers a good part of each of the four pixels in the middle.
    wait_for_sight(tab, lambda seen: (seen[15:17, 15:17] > [120, 110, 60]).all())
    tab.get_by_role("button", name="undo").click()
    wait_for_sight(tab, lambda seen: (seen == [44, 48, 56]).all())


@pytest.mark.parametrize("way", ["file", "paste", "drop"])
def test_a_picture_of_ones_own(way: str, piece: OwnPicture, show) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    tab = show(piece)
    settle(tab, "of 81")
    give(tab, way, picture)
    settle(tab, "keeps to it at")  # what it is meant to be is not known
    assert np.array_equal(sight(tab), picture[:, 8:40])


def test_a_file_that_is_no_picture_is_refused(piece: OwnPicture, show) -> None:
    tab = show(piece)
    before = sight(tab)
    given = {"name": "mine.png", "mimeType": "image/png", "buffer": b"no picture"}
    tab.get_by_label("A picture of yours").set_input_files(given)
    tab.get_by_role("alert").get_by_text("This browser cannot show that file").wait_for()
    assert np.array_equal(sight(tab), before)


def test_the_page_notices_a_wrong_weight(piece: OwnPicture, show) -> None:
    assert "they answer as PyTorch does" in show(piece).locator(".cvx-own-note").inner_text()
    network = piece.networks["CNN"]
    network["layers"][-1]["bias"][0] += 0.5
    piece.networks = {**piece.networks, "CNN": network}
    assert "by up to 0.50: do not rely" in show(piece).locator(".cvx-own-note").inner_text()


def test_mistakes_are_named(models, pictures: ImageSet, piece: OwnPicture) -> None:
    with pytest.raises(TraitError, match=r"pictures have shape \(11, 3, 32, 32\)"):
        OwnPicture(models, render(11))
    with pytest.raises(TraitError, match="there are 4 models and 10 classes; expected 1 to 3"):
        OwnPicture(dict.fromkeys("abcd", models["CNN"]), pictures)
    with pytest.raises(TraitError, match="'few' answers 5 numbers for 10 classes"):
        OwnPicture({"few": standardized(MLP, pictures, n_classes=5)}, pictures)
    with pytest.raises(TraitError, match="a page can compute convolutions"):
        OwnPicture({"ResNet": standardized(SmallResNet, pictures)}, pictures)
    with pytest.raises(TraitError, match=r"scale is 3; expected 0\.4 to 2"):
        piece.scale = 3


@pytest.mark.parametrize(
    "near",
    ["scrollTo(0, document.body.scrollHeight)", "dispatchEvent(new Event('beforeprint'))"],
    ids=["scrolls", "prints"],
)
def test_networks_far_below_are_not_asked_before_the_reader(near: str, piece, show) -> None:
    tab = show("<div style='height: 5000px'></div>", piece)
    told = tab.locator(".cvx-summary")
    note = tab.locator(".cvx-own-note")
    tab.wait_for_timeout(300)
    assert told.text_content().startswith("The networks have not been asked yet.")
    assert "Checked just now" not in note.text_content()
    tab.evaluate(near)
    told.get_by_text("The single layer says").wait_for(state="attached")
    note.get_by_text("Checked just now in your browser").wait_for(state="attached")
