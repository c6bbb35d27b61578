import numpy as np
import pytest
from traitlets import TraitError

from cvcourse.data import ImageSet, render
from cvcourse.explore import NoisyStudentRounds


def random_piece(rng: np.random.Generator) -> NoisyStudentRounds:
    n, r = int(rng.integers(1, 40)), int(rng.integers(2, 6))
    pictures = render(n, seed=0)
    rounds = np.where(rng.random((r, n)) < 0.6, pictures.labels, rng.integers(0, 10, (r, n)))
    return NoisyStudentRounds(rounds, pictures, shown=1, round=int(rng.integers(r)))


@pytest.fixture
def three_rounds() -> NoisyStudentRounds:
    """Four pictures: right in 2, 3 and 3; the last round corrects one and breaks one."""
    images = render(4, seed=0)
    truth = images.labels.numpy()
    wrong = (truth + 1) % 10
    rounds = np.tile(truth, (3, 1))
    rounds[0, :2] = wrong[:2]
    rounds[1, 1] = wrong[1]
    rounds[2, 3] = wrong[3]
    return NoisyStudentRounds(rounds, images, shown=4)


def test_browser_agrees_with_python(compute) -> None:
    rng = np.random.default_rng(0)
    pieces = [random_piece(rng) for _ in range(60)]
    found = compute(NoisyStudentRounds, [piece.state() for piece in pieces])
    for piece, one in zip(pieces, found, strict=True):
        assert one["accuracy"] == pytest.approx(piece.accuracies, abs=1e-6)
        assert (one["corrected"], one["broken"]) == (piece.corrected, piece.broken)
        right = np.equal(piece.rounds[piece.round], piece.labels)
        assert one["wrong"] == (~right).sum()


def test_rounds_can_be_stepped_through(three_rounds, show, source: str) -> None:
    tab = show(three_rounds, source=source)
    summary, slider = tab.locator(".cvx-summary"), tab.get_by_role("slider")
    assert "50.0 % are right and 2 wrong." in summary.inner_text()
    tab.get_by_role("button", name="one on").click()
    assert (
        "75.0 % are right and 1 wrong. Since the round before, 1 labels were corrected and 0"
        in (summary.inner_text())
    )
    box = slider.bounding_box()
    tab.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert "1 labels were corrected and 1 broken" in summary.inner_text()
    was = "tiles => tiles.map(tile => tile.dataset.was)"
    states = tab.locator(".cvx-tile").evaluate_all(was)
    assert states == ["right", "corrected", "right", "broken"]
    slider.press("Home")
    tab.get_by_role("button", name="one back").click()  # stays at the teacher
    assert "labels by the teacher" in summary.inner_text()


def test_python_counts_what_changed(three_rounds: NoisyStudentRounds) -> None:
    assert three_rounds.accuracies == [0.5, 0.75, 0.75]
    assert (three_rounds.corrected, three_rounds.broken) == (0, 0)
    three_rounds.round = 2
    assert (three_rounds.corrected, three_rounds.broken) == (1, 1)
    with pytest.raises(TraitError, match="round is 3; expected 0 to 2"):
        three_rounds.round = 3


def test_mistakes_are_named() -> None:
    pictures = render(4, seed=0)
    with pytest.raises(TraitError, match=r"2 rounds of \[3\] labels and 4 pictures"):
        NoisyStudentRounds(np.zeros((2, 3), int), pictures, shown=1)
    with pytest.raises(TraitError, match=r"rounds\[0\]\[0\] is 10"):
        NoisyStudentRounds(np.full((2, 4), 10), pictures, shown=1)
    with pytest.raises(TraitError, match="shown is 16; expected 1 to 4"):
        NoisyStudentRounds(np.zeros((2, 4), int), pictures)
    with pytest.raises(TraitError, match=r"shown is 'all' \(str\); expected an integer"):
        NoisyStudentRounds(np.zeros((2, 4), int), pictures, shown="all")
    small = ImageSet(pictures.images[..., :16, :16], pictures.labels, pictures.class_names)
    with pytest.raises(TraitError, match=r"expected \(N, 3, 32, 32\)"):
        NoisyStudentRounds(np.zeros((2, 4), int), small, shown=1)
