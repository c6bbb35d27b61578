"""Diagrams: drawn from the modules, well-formed, described in words, and never cut off."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from cvcourse.explore import methods
from cvcourse.explore.diagram import WIDTH, Box, Diagram, flow
from cvcourse.explore.networks import block, network
from cvcourse.models import VGG, AlexNet, LeNet5, TwoPathAlexNet, layer_table

SVG = "{http://www.w3.org/2000/svg}"
METHODS = (
    methods.cutmix,
    methods.distillation,
    methods.fixmatch,
    methods.freezing,
    methods.noisy_student,
    methods.pseudo_label,
)
with torch.device("meta"):
    NETWORKS = {
        "LeNet-5": (LeNet5(), (1, 32, 32)),
        "AlexNet": (AlexNet(), (3, 224, 224)),
        "two paths": (TwoPathAlexNet(), (3, 224, 224)),
        "VGG-16": (VGG(16), (3, 224, 224)),
        "VGG-11 with batch norm": (VGG(11, batch_norm=True), (3, 224, 224)),
    }


def inception() -> Diagram:
    small = nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 6, 3, padding=1))
    pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(8, 2, 1))
    branches = {"1×1": nn.Conv2d(8, 5, 1), "3×3": small, "pool": pool}
    return block(branches, (8, 14, 14), join="concatenate", title="An Inception block")


def residual() -> Diagram:
    branch = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8))
    branches = {"branch": branch, "shortcut": nn.Identity()}
    return block(branches, (8, 14, 14), join="add", title="A residual block")


def drawings() -> list[Diagram]:
    nets = [network(model, shape, title=name) for name, (model, shape) in NETWORKS.items()]
    return [*nets, inception(), residual(), *(method() for method in METHODS)]


def test_every_drawing_is_well_formed_and_says_in_words_what_it_shows() -> None:
    made = drawings()
    for drawing in made:
        root = ElementTree.fromstring(drawing.svg())
        assert root.get("role") == "img"
        assert root.findtext(f"{SVG}title") == drawing.title
        assert root.findtext(f"{SVG}desc") == drawing.description
        named = {element.get("id") for element in root.iter() if element.get("id")}
        assert set(root.get("aria-labelledby", "").split()) == named
        bundle = drawing._repr_mimebundle_()
        assert drawing.svg() in bundle["text/html"]
        assert "<script" not in bundle["text/html"]
        words = f"{drawing.title}. {drawing.description}"
        told = bundle["text/plain"]
        assert "".join(told.split()) == "".join(words.split()), "a terminal has the words"
        assert max(map(len, told.splitlines())) <= 80
    assert len({re.search(r"diagram-\w+", d.svg())[0] for d in made}) == len(made)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_names_each_of_its_layers_with_its_true_shape(name: str) -> None:
    model, shape = NETWORKS[name]
    rows = layer_table(model, shape)
    drawing = network(model, shape, title=name)
    stages = re.findall(r"(?:[:;]) (?:(\d) × )?([^;]+?)(?=;|\.(?: |$))", drawing.description)
    shown = [stage for times, stage in stages[1:] for _ in range(int(times or 1))]
    learned = [row for row in rows if row.kind in ("Conv2d", "Linear")]
    drawn = [stage for stage in shown if stage.startswith(("conv", "fully connected"))]
    assert len(drawn) == len(learned)
    for row, stage in zip(learned, drawn, strict=True):
        size = " × ".join(map(str, row.shape)) if len(row.shape) == 3 else f"{row.shape[0]:,} neu"
        assert f", {size}" in stage, "where it is and what it puts out"
    total = sum(row.parameters for row in rows)
    counted = re.findall(r"([\d,]+) parameters", drawing.description)
    numbers = [int(count.replace(",", "")) for count in counted]
    assert numbers[-1] == total
    assert sum(numbers[:-1]) == total, "each parameter is in one stage"


def test_a_layer_has_as_many_bars_as_there_are_layers_and_paths() -> None:
    def bars(name: str) -> int:
        model, shape = NETWORKS[name]
        return network(model, shape).svg().count("<rect")

    assert bars("VGG-16") == 1 + 16 + 5, "the picture, what learns, and the pools"
    assert bars("AlexNet") == 1 + 8 + 3
    assert bars("two paths") == 1 + 2 * (8 + 3)


def test_paths_are_told_with_their_exchanges() -> None:
    words = network(*NETWORKS["two paths"]).description
    assert "Two paths" in words
    told = re.search(r"exchange what they have before (.+?)\. In all", words)[1]
    assert told.count("conv") == 1
    assert "384 × 13 × 13" in told
    assert told.count("fully connected") == 3
    assert "path" not in network(*NETWORKS["AlexNet"]).description


def test_a_changed_network_changes_its_drawing() -> None:
    wider = LeNet5(n_classes=26)
    assert "26 neurons" in network(wider, (1, 32, 32)).description
    assert network(wider, (1, 32, 32)).svg() != network(LeNet5(), (1, 32, 32)).svg()
    assert network(LeNet5(), (1, 32, 32)).svg() == network(LeNet5(), (1, 32, 32)).svg()


def test_a_block_tells_its_branches_and_what_they_become() -> None:
    words = inception().description
    assert "stacked to 13 × 14 × 14" in words
    assert "max pool 3×3, stride 1, 8 × 14 × 14" in words, (
        "a pool that keeps the size is drawn, too"
    )
    assert "shortcut: unchanged" in residual().description
    assert "In all 600 parameters." in residual().description


def test_what_cannot_be_drawn_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="cannot take images of shape"):
        network(nn.Conv2d(3, 4, 3), (1, 8, 8))
    with pytest.raises(ValueError, match=r"cannot add; pad them"):
        block({"a": nn.Conv2d(2, 4, 3), "b": nn.Identity()}, (2, 8, 8), join="add", title="x")
    with pytest.raises(ValueError, match=r"has room for|room for \d+; break it with"):
        flow("x", "y", {"a": Box(0, 0, "w" * 99)}, [])
    with pytest.raises(ValueError, match=r"'b'; expected one of a: add that box"):
        flow("x", "y", {"a": Box(0, 0, "w")}, [("a", "b")])
    with pytest.raises(ValueError, match=r"tone is 'pink'; expected one of blue"):
        flow("x", "y", {"a": Box(0, 0, "w", tone="pink")}, [])


def test_cutmix_counts_its_label_from_the_area_that_is_left() -> None:
    assert "0.64 of the first" in methods.cutmix(0.64, 0.5, 0.5).description, "nothing sticks out"
    assert "0.91 of the first" in methods.cutmix(0.64, 1, 1).description, "a quarter is left"


CUT = """(width) => [...document.querySelectorAll("svg")].flatMap((svg) => {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")];
    const box = (e) => e.getBoundingClientRect();
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 &&
        a.top < b.bottom - 5 && b.top < a.bottom - 5;
    return texts.filter((text, i) => {
        const at = box(text);
        const size = text.getAttribute("font-size") * frame.width / width;
        const inside = at.left >= frame.left - 1 && at.right <= frame.right + 1 &&
            at.top >= frame.top - 1 && at.bottom <= frame.bottom + 1;
        return !inside || size < 11 || texts.slice(0, i).some((other) => meet(at, box(other)));
    }).map((text) => text.textContent);
})"""


@pytest.mark.parametrize(("theme", "width"), [("dark", 390), ("light", 1400)])
def test_all_words_are_inside_apart_and_large_enough(
    open_tab: Callable[..., Any], theme: str, width: int
) -> None:
    tab = open_tab("about:", viewport={"width": width, "height": 800})
    body = "".join(drawing._repr_mimebundle_()["text/html"] for drawing in drawings())
    tab.set_content(f'<html lang="en" data-theme="{theme}"><body>{body}</body></html>')
    assert tab.evaluate(CUT, WIDTH) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
