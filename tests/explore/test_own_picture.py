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
from conftest import PAGE
from numpy.typing import NDArray
from traitlets import TraitError

from cvcourse.data import VARIED, ImageSet, render
from cvcourse.explore import OwnPicture
from cvcourse.models import MLP, SingleLayer, SmallCNN, SmallResNet, standardized

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
def chapter(tmp_path: Path, open_tab: Callable[..., Any]) -> Any:
    """The figure of the notebook, with the networks that it trained."""
    outputs = [
        output.data["text/html"]
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells
        for output in cell.get("outputs", ())
        if "data-explorable" in output.get("data", {}).get("text/html", "")
    ]
    (tmp_path / "page.html").write_text(PAGE.format(theme="light", body=outputs[0]), "utf-8")
    tab = open_tab(tmp_path.as_uri(), viewport={"width": 1000, "height": 1000})
    tab.goto(f"{tmp_path.as_uri()}/page.html")
    tab.wait_for_selector("[data-alive]")
    return tab


def says(tab: Any) -> dict[str, str]:
    """Each network's answer."""
    heads = tab.locator(".cvx-own-answers > div:has(b)").all_inner_texts()
    lines = [head.split("\n") for head in heads]
    return {arm: re.sub(r"^[✓✗] | \d+ %$", "", answer) for arm, answer in lines}


DRAW = """([strokes, colour, pen]) => {
    document.querySelector("[type=color]").value = colour;
    const thickness = document.querySelector("[aria-label='Thickness of the pen']");
    thickness.value = pen;
    thickness.dispatchEvent(new Event("input"));
    const pad = document.querySelector("[role=application]");
    const box = pad.getBoundingClientRect();
    const touch = (kind, [x, y]) => pad.dispatchEvent(new PointerEvent(kind, { pointerId: 7, pointerType: "pen",
        bubbles: true, clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
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
    print(name, found.count(name), [x for x in found if x != name])
    assert found.count(name) >= 8, found
