import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from cvcourse.neighbours import nearest, vote


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    stored = torch.randn(300, 20, generator=generator, dtype=torch.float64)
    labels = torch.randint(5, (300,), generator=generator)
    return stored, labels, torch.randn(70, 20, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("k", [1, 4, 15])
def test_equals_scikit_learn(data, k):
    stored, labels, queries = data
    reference = KNeighborsClassifier(k, algorithm="brute").fit(stored.numpy(), labels.numpy())
    found = nearest(queries, stored, k)
    np.testing.assert_array_equal(found, reference.kneighbors(queries, return_distance=False))
    np.testing.assert_array_equal(vote(labels, found, 5), reference.predict(queries))


def test_chunks_change_nothing(data):
    stored, _, queries = data
    assert torch.equal(nearest(queries, stored, 3, chunk=7), nearest(queries, stored, 3))


def test_a_stored_vector_is_its_own_neighbour(data):
    stored = data[0]
    assert torch.equal(nearest(stored, stored)[:, 0], torch.arange(len(stored)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_vectors_that_are_nearly_alike_are_told_apart(dtype):
    generator = torch.Generator().manual_seed(0)
    base = torch.rand(1, 3000, generator=generator)
    stored = (base + 0.01 * torch.rand(200, 3000, generator=generator)).to(dtype)
    queries = (base + 0.01 * torch.rand(60, 3000, generator=generator)).to(dtype)
    expected = torch.cdist(queries.double(), stored.double()).topk(3, largest=False).indices
    assert torch.equal(nearest(queries, stored, 3), expected)
    assert torch.equal(nearest(stored, stored)[:, 0], torch.arange(200))


def exactly(queries: torch.Tensor, stored: torch.Tensor, k: int = 1) -> torch.Tensor:
    stored = stored.double()
    return torch.stack(
        [(stored - q).square().sum(1).argsort(stable=True)[:k] for q in queries.double()]
    )


def spread(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, d, generator=torch.Generator().manual_seed(seed))


def two_clusters() -> torch.Tensor:
    """Far from each other and from their common centre."""
    stored = spread(400, 64)
    stored[200:] += 1e4
    return stored


@pytest.mark.parametrize(
    ("stored", "noise"),
    [
        (two_clusters(), 1e-3),
        (torch.cat([spread(200, 500), torch.full((1, 500), 1e4)]), 1e-2),
        (spread(200, 500) * 1e-3 + 1e3, 1e-4),
        (spread(300, 10) * 1e20, 0.0),
        (spread(300, 10) * 1e-25, 0.0),
        ((spread(300, 500) * 255).to(torch.uint8), 0.0),
        (spread(300, 500).bfloat16(), 0.0),
    ],
    ids=["clusters", "outlier", "offset", "huge", "tiny", "bytes", "bfloat16"],
)
def test_rounding_leaves_out_nobody_who_is_closer(stored, noise):
    queries = stored + noise * spread(*stored.shape, seed=1) if noise else stored
    assert torch.equal(nearest(queries, stored, 3), exactly(queries, stored, 3))


def test_of_equally_close_ones_the_first_comes_first():
    assert nearest(torch.zeros(2, 5), torch.zeros(100, 5), 3).tolist() == [[0, 1, 2]] * 2
    stored = torch.ones(60, 4)
    stored[1::2] = -1.0
    assert nearest(torch.zeros(1, 4), stored, 4).tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": torch.tensor([0, 5])}, "labels runs from 0 to 5"),
        ({"labels": torch.tensor([0, -1])}, "labels runs from -1"),
        ({"labels": torch.tensor([0.0, 1.0])}, "labels are torch.float32"),
        ({"neighbours": torch.tensor([[0, 7]])}, "neighbours runs from 0 to 7"),
        ({"neighbours": torch.tensor([[0.0, 1.0]])}, "neighbours are torch.float32"),
        ({"neighbours": torch.zeros(2, 0, dtype=torch.int64)}, r"neighbours are \(2, 0\)"),
        ({"n_classes": -1}, "n_classes is -1"),
    ],
)
def test_a_vote_of_nobody_or_for_nothing_is_refused(change, message):
    given = {"labels": torch.tensor([0, 1]), "neighbours": torch.tensor([[0, 1]]), "n_classes": 2}
    with pytest.raises((TypeError, ValueError), match=message):
        vote(**given | change)


@pytest.mark.parametrize("name", ["queries", "stored"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_nothing_is_near_to_nan(name, value):
    vectors = {"queries": torch.zeros(2, 3), "stored": torch.zeros(4, 3)}
    vectors[name][1, 1] = value
    with pytest.raises(ValueError, match=f"{name} hold NaN or infinity"):
        nearest(**vectors)


def test_tied_votes_go_to_the_smallest_label():
    labels = torch.tensor([2, 0, 2, 0, 1])
    assert vote(labels, torch.tensor([[0, 1, 2, 3], [4, 0, 2, 1]]), 3).tolist() == [0, 2]


def test_images_must_be_flattened(data):
    with pytest.raises(ValueError, match="flatten"):
        nearest(torch.zeros(2, 3, 8, 8), torch.zeros(5, 3, 8, 8))
    with pytest.raises(ValueError, match=r"\(70, 20\) and stored \(300, 19\)"):
        nearest(data[2], data[0][:, 1:])


@pytest.mark.parametrize("k", [0, 301])
def test_k_is_at_most_what_is_stored(data, k):
    with pytest.raises(ValueError, match=f"k is {k}; expected 1 to 300"):
        nearest(data[2], data[0], k)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_same_on_a_gpu(data):
    stored, labels, queries = data
    found = nearest(queries.cuda(), stored.cuda(), 3)
    assert found.is_cuda
    assert torch.equal(found.cpu(), nearest(queries, stored, 3))
    assert vote(labels.cuda(), found, 5).is_cuda
