import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix
from traitlets import TraitError

from cvcourse.explore import PseudoLabelThreshold

NAMES = ["cow", "dog", "cat"]


def random_piece(rng: np.random.Generator) -> PseudoLabelThreshold:
    n = int(rng.integers(1, 80))
    return PseudoLabelThreshold(
        rng.dirichlet([0.4] * 3, n),
        rng.integers(0, 3, n),
        NAMES,
        threshold=float(rng.uniform(0.3, 1)),
    )


@pytest.fixture
def four() -> PseudoLabelThreshold:
    p = [[0.95, 0.05, 0.0], [0.2, 0.8, 0.0], [0.4, 0.6, 0.0], [0.0, 0.1, 0.9]]
    return PseudoLabelThreshold(p, [0, 1, 2, 1], NAMES, threshold=0.7)


def test_browser_agrees_with_python_and_scikit_learn(compute) -> None:
    rng = np.random.default_rng(0)
    pieces = [random_piece(rng) for _ in range(150)]
    found = compute(PseudoLabelThreshold, [piece.state() for piece in pieces])
    for piece, one in zip(pieces, found, strict=True):
        kept = np.array(piece.confidences) >= piece.threshold
        truth, guess = (np.array(x)[kept] for x in (piece.labels, piece.predicted))
        assert one["kept"] == kept.sum()
        assert one["coverage"] == pytest.approx(piece.coverage, abs=1e-6)
        if not kept.any():
            assert one["purity"] is piece.purity is None
            continue
        assert one["purity"] == pytest.approx(piece.purity, abs=1e-6)
        assert piece.purity == pytest.approx(accuracy_score(truth, guess))
        assert one["confusion"] == piece.confusion.tolist()
        assert np.array_equal(piece.confusion, confusion_matrix(truth, guess, labels=[0, 1, 2]))


def test_threshold_can_be_slid(four: PseudoLabelThreshold, show, source: str) -> None:
    tab = show(four, source=source)
    summary = tab.locator(".cvx-summary")
    assert "3 of 4 pictures, 75.0 %; 66.7 % of their labels are right" in summary.inner_text()
    assert "1 × “dog” taken for “cat”" in summary.inner_text()
    figure = tab.get_by_role("application")
    box = figure.bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 2, box["y"] + 40, steps=5)
    tab.mouse.up()
    assert "4 of 4 pictures, 100.0 %; 50.0 %" in summary.inner_text()
    slider = tab.get_by_label("Threshold", exact=True)
    slider.press("End")
    assert "no pseudo-label is kept" in summary.inner_text()
    figure.press("Shift+ArrowLeft")  # 0.9
    assert "At 0.900 the student gets 2 of 4" in summary.inner_text()


def test_python_sees_the_same(four: PseudoLabelThreshold) -> None:
    assert (four.coverage, four.purity) == pytest.approx((3 / 4, 2 / 3))
    four.threshold = 1
    assert (four.coverage, four.purity) == (0, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probabilities": np.ones((2, 4)) / 4}, r"2 rows of \[4\] numbers, and there are 3 names"),
        ({"probabilities": [[2.0, 0, 0]], "labels": [0]}, "probabilities.*is 2.0; expected 0 to 1"),
        ({"labels": [0]}, "2 probabilities, 1 labels"),
        ({"labels": [0, 3]}, r"labels\[1\] is 3; expected 0 to 2"),
        ({"threshold": 1.5}, "threshold is 1.5; expected 0 to 1"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    good = {"probabilities": [[1.0, 0, 0]] * 2, "labels": [0, 1], "names": NAMES}
    with pytest.raises(TraitError, match=message):
        PseudoLabelThreshold(**{**good, **settings})


def test_a_teacher_that_is_always_right_is_drawn(show) -> None:
    p = np.random.default_rng(0).dirichlet([0.1] * 3, 500)  # no console error: no height below zero
    tab = show(PseudoLabelThreshold(p, p.argmax(axis=1), NAMES))
    assert "Not one of them is wrong" in tab.locator(".cvx-summary").inner_text()
