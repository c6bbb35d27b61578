import cv2
import numpy as np
import pytest
from traitlets import TraitError

from cvcourse.explore import CornerMap

SQUARE = np.float32([[0, 0], [100, 0], [100, 100], [0, 100]])
SIDEWAYS = [[0, 0], [80, 28], [80, 72], [0, 100]]


def random_state(rng: np.random.Generator, mode: str) -> dict:
    while True:
        corners = SQUARE + rng.uniform(-45, 45, (4, 2))
        if mode == "affine":
            corners[2] = corners[1] + corners[3] - corners[0]
        state = {"corners": corners.tolist(), "mode": mode}
        try:
            CornerMap(**state)
        except TraitError:
            continue
        return state


def test_browser_agrees_with_the_equations_and_with_opencv(compute) -> None:
    rng = np.random.default_rng(0)
    states = [random_state(rng, mode) for mode in ("affine", "perspective") for _ in range(100)]
    for state, found in zip(states, compute(CornerMap, states), strict=True):
        piece = CornerMap(**state)
        matrix = np.reshape(found["matrix"], (3, 3))
        np.testing.assert_allclose(matrix, piece.matrix, atol=1e-6)
        target = np.float32(state["corners"])
        expected = cv2.getPerspectiveTransform(SQUARE, target)  # from single precision
        np.testing.assert_allclose(matrix, expected, atol=2e-4)
        assert found["area"] == pytest.approx(oriented_area(state["corners"]), abs=1e-6)
        if state["mode"] == "affine":
            affine = cv2.getAffineTransform(SQUARE[:3], target[:3])
            np.testing.assert_allclose(matrix[:2], affine, atol=2e-4)
            np.testing.assert_allclose(matrix[2], [0, 0, 1], atol=1e-6)
            assert found["ratio"] == pytest.approx(0.5, abs=1e-6)
            assert found["top_bottom"] == pytest.approx(0, abs=1e-5)
            assert found["area"] == pytest.approx(np.linalg.det(matrix[:2, :2]), abs=1e-6)


def oriented_area(corners: list[list[float]]) -> float:
    x, y = np.transpose(corners)
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2 / 100**2)


def test_corners_can_be_dragged_and_moved_by_keys(show, source: str) -> None:
    tab = show(CornerMap(SQUARE.tolist()), source=source)
    summary, facts = tab.locator(".cvx-summary"), tab.locator(".cvx-facts")
    corner = tab.get_by_label("Corner top right")
    corner.press("Shift+ArrowDown")
    matrix = tab.locator(".cvx-matrix span").all_inner_texts()
    assert matrix[:6] == ["1.000", "0.000", "0.000", "0.100", "1.000", "0.000"]
    assert "Parallels stay parallel" in summary.inner_text()
    assert tab.get_by_label("Corner bottom right").is_hidden()
    tab.get_by_role("button", name="perspective", exact=True).click()
    box = tab.get_by_label("Corner bottom right").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x - 60, y - 40, steps=4)
    tab.mouse.up()
    assert "Parallels meet" in summary.inner_text()
    assert "Left and right: parallel" not in facts.inner_text()
    tab.get_by_role("button", name="mirrored").click()
    assert "Area: −1.00 of the original, mirrored" in facts.inner_text()


def test_the_photograph_follows(show) -> None:
    red = np.zeros((60, 60, 3), np.uint8)
    red[..., 0] = 250
    tab = show(CornerMap([[50, 0], [100, 0], [100, 100], [50, 100]], picture=red))
    pixel = """([x, y]) => [...document.querySelector("canvas").getContext("2d")
        .getImageData((x + 25) * 2, (y + 25) * 2, 1, 1).data]"""
    tab.wait_for_function(f"(({pixel})([75, 50]))[3] === 255")
    assert tab.evaluate(pixel, [75, 50])[0] > 240
    assert tab.evaluate(pixel, [25, 50])[3] == 0  # nothing there


def test_shapes_that_fold_are_refused(show) -> None:
    tab = show(CornerMap(SIDEWAYS, "perspective"))
    corner = tab.get_by_label("Corner top left")
    for _ in range(12):
        corner.press("Shift+ArrowRight")
    assert float(corner.get_attribute("cx")) < 80


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mode": "rigid"}, "mode is 'rigid'; expected one of 'affine', 'perspective'"),
        ({"corners": SIDEWAYS}, "no parallelogram"),
        ({"corners": [[0, 0], [1, 1], [2, 2], [3, 3]]}, "expected the corners of a convex shape"),
        ({"corners": SIDEWAYS[:3]}, "expected 4, each"),
        ({"corners": [[0, 0], [900, 0], [900, 9], [0, 9]]}, r"corners\[1\]\[0\] is 900"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        CornerMap(**settings)
