import numpy as np
import pytest
from traitlets import TraitError

from cvcourse.explore import CutMixBox


def test_browser_agrees_and_the_label_is_the_share_of_pixels(compute) -> None:
    rng = np.random.default_rng(0)
    states = [
        {"lam": float(rng.uniform()), "centre": [int(i) for i in rng.integers(0, 225, 2)]}
        for _ in range(300)
    ]
    clipped = 0
    for state, found in zip(states, compute(CutMixBox, states), strict=True):
        piece = CutMixBox(**state)
        mask = np.ones((224, 224))
        top, left, bottom, right = piece.box
        mask[top:bottom, left:right] = 0
        assert found["box"] == list(piece.box)
        assert found["kept"] == pytest.approx(mask.mean(), abs=1e-6)
        assert piece.kept == pytest.approx(mask.mean(), abs=1e-12)
        assert piece.kept > state["lam"] - 1e-9  # the border can only take from the box
        clipped += piece.kept > state["lam"] + 0.02
    assert clipped > 50


def test_box_and_share_can_be_moved(show, source: str) -> None:
    tab = show(CutMixBox(0.75, (112, 112)), source=source)
    summary = tab.locator(".cvx-summary")
    assert "the label is 0.750 cat and 0.250 cup" in summary.inner_text()
    box = tab.get_by_role("application")
    area = box.bounding_box()
    tab.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(area["x"] + 2, area["y"] + 2, steps=5)  # the corner: a quarter is left
    tab.mouse.up()
    assert "leaves 56 × 56 of it, so the label is 0.938 cat and 0.063 cup" in summary.inner_text()
    box.press("Shift+ArrowRight")
    assert "leaves 96 × 56 of it" in summary.inner_text()
    tab.get_by_label("λ drawn").press("End")
    assert "the label is 1.000 cat and 0.000 cup" in summary.inner_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lam": 1.2}, "lam is 1.2; expected 0 to 1"),
        ({"centre": (0, 300)}, r"centre\[1\] is 300; expected 0 to 224"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        CutMixBox(**settings)
