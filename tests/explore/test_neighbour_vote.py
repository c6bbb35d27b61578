import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from traitlets import TraitError

from cvcourse.explore import NeighbourVote

NAMES = ["cow", "dog", "cat"]


def random_piece(rng: np.random.Generator) -> NeighbourVote:
    total = int(rng.integers(10, 60))
    n = int(rng.integers(5, total + 1))
    return NeighbourVote(
        rng.normal(0, 3, (total, 2)),
        rng.integers(0, 3, total),
        NAMES,
        query=rng.normal(0, 3, 2).tolist(),
        k=int(rng.integers(1, min(n, 25) + 1)),
        n=n,
    )


@pytest.fixture
def three_corners() -> NeighbourVote:
    """A cow at the left, dogs at the right, cats above."""
    return NeighbourVote(
        [[0, 0], [8, 0], [9, 0], [8, 1], [4, 6], [5, 6]], [0, 1, 1, 1, 2, 2], NAMES, k=1
    )


def test_browser_agrees_with_the_package_and_with_scikit_learn(compute) -> None:
    rng = np.random.default_rng(0)
    pieces = [random_piece(rng) for _ in range(150)]
    found = compute(NeighbourVote, [piece.state() for piece in pieces])
    for piece, one in zip(pieces, found, strict=True):
        stored, labels = np.array(piece.features[: piece.n]), piece.labels[: piece.n]
        peer = KNeighborsClassifier(piece.k, algorithm="brute").fit(stored, labels)
        distances, indices = peer.kneighbors([piece.query])
        assert one["neighbours"] == piece.neighbours == indices[0].tolist()
        assert one["radius"] == pytest.approx(distances[0, -1], abs=1e-6)
        assert NAMES[one["prediction"]] == piece.prediction
        assert one["prediction"] == peer.predict([piece.query])[0]
        assert sum(one["votes"]) == piece.k


def test_query_and_sliders_change_the_vote(three_corners, show, source: str) -> None:
    tab = show(three_corners, source=source)
    summary = tab.locator(".cvx-summary")
    plane = tab.get_by_role("application")
    box = plane.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 3, box["y"] + box["height"] - 3, steps=4)
    tab.mouse.up()
    assert "vote “cow”, with 1 of 1 votes" in summary.inner_text()
    for _ in range(14):
        plane.press("Shift+ArrowRight")
    assert "vote “dog”, with 1 of 1" in summary.inner_text()
    k, n = tab.get_by_label("k, neighbours"), tab.get_by_label("n, stored")
    for _ in range(3):
        k.press("ArrowRight")
    assert "The 4 nearest of 6 stored points vote “dog”, with 3 of 4" in summary.inner_text()
    n.press("Home")  # k follows
    assert "The 1 nearest of 1 stored points vote “cow”" in summary.inner_text()
    assert "3,072 multiply-adds" in summary.inner_text()
    k.press("End")  # n does not
    assert "The 1 nearest of 1" in summary.inner_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 7}, "k is 7; expected 1 to 6"),
        ({"n": 0}, "n is 0; expected 1 to 2000"),
        ({"labels": [0, 1]}, "6 features, 2 labels"),
        ({"labels": [0, 1, 2, 3, 0, 0]}, r"labels\[3\] is 3; expected 0 to 2"),
        ({"query": [float("nan"), 0.0]}, r"query\[0\] is nan"),
    ],
)
def test_mistakes_are_named(change: dict, message: str, three_corners) -> None:
    (name, value), *_ = change.items()
    with pytest.raises(TraitError, match=message):
        setattr(three_corners, name, value)


def test_features_have_two_dimensions() -> None:
    with pytest.raises(TraitError, match=r"5 points of \[3\] numbers; expected 2 to 2,000 of 2"):
        NeighbourVote(np.zeros((5, 3)), np.zeros(5, int), NAMES)
