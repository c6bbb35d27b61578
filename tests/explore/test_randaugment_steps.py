import numpy as np
import pytest
from traitlets import TraitError

from cvcourse.explore import RandAugmentSteps

DRAWS = [["rotate", "solarize", "equalize"], ["contrast", "shear_x", "posterize"]]


def plain(level: int) -> np.ndarray:
    return np.full((16, 16, 3), level, np.uint8)


@pytest.fixture
def piece() -> RandAugmentSteps:
    """Every picture is grey, of a level that tells draw, strength and step."""
    pictures = [
        [[plain(40 + 100 * d + 30 * m + 9 * k) for k in range(3)] for m in range(3)]
        for d in range(2)
    ]
    return RandAugmentSteps(plain(10), np.array(pictures), DRAWS, [0, 10, 30])


def test_tiles_are_those_of_the_draw_and_strength(piece: RandAugmentSteps, compute) -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        draw, level, n = (int(rng.integers(high)) for high in (2, 3, 4))
        found = compute(RandAugmentSteps, [{**piece.state(), "draw": draw, "level": level, "n": n}])
        assert found[0]["steps"] == DRAWS[draw][:n]
        assert found[0]["tiles"] == [[3 * draw + level, step] for step in range(n)]


def test_steps_strengths_and_draws(piece: RandAugmentSteps, show, source: str) -> None:
    tab = show(piece, source=source)
    summary = tab.locator(".cvx-summary")
    assert "Draw 1 of 2 at strength 10: rotate, then solarize." in summary.inner_text()
    assert tab.locator("figure:visible").count() == 3
    tab.get_by_label("N operations").press("ArrowRight")
    assert "then equalize" in summary.inner_text()
    strength = tab.get_by_label("M strength")
    box = strength.bounding_box()
    tab.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert "at strength 30" in summary.inner_text()
    tab.get_by_role("button", name="draw again").click()
    assert "Draw 2 of 2 at strength 30: contrast, then shear_x" in summary.inner_text()
    boxes = tab.locator("figure svg").evaluate_all("all => all.map(s => s.getAttribute('viewBox'))")
    assert boxes == ["0 0 16 16", "0 80 16 16", "16 80 16 16", "32 80 16 16"]
    tab.get_by_label("N operations").press("Home")
    assert "nothing happens" in summary.inner_text()


def test_mistakes_are_named(piece: RandAugmentSteps) -> None:
    with pytest.raises(TraitError, match="n is 4; expected 0 to 3"):
        piece.n = 4
    with pytest.raises(TraitError, match=r"pictures has shape \(1, 16, 16, 3\)"):
        RandAugmentSteps(plain(0), np.zeros((1, 16, 16, 3), np.uint8), DRAWS, [0, 1])
    noise = np.random.default_rng(0).integers(0, 256, (2, 2, 3, 128, 128, 3), dtype=np.uint8)
    with pytest.raises(TraitError, match="expected at most 120,000 — give fewer draws"):
        RandAugmentSteps(np.zeros((128, 128, 3), np.uint8), noise, DRAWS, [0, 1])
