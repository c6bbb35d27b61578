"""Seeds in processes of their own: the same results, no matter where they ran."""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool

import cv2
import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info

from cvcourse.data import Scene, render
from cvcourse.models import SmallCNN, standardized
from cvcourse.side_by_side import side_by_side
from cvcourse.train import Recipe, fit, predict

forks = pytest.mark.skipif(
    sys.platform != "linux" or torch.accelerator.is_available(),
    reason="seeds run one after another here",
)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def two_cores() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def trained(seed: int) -> torch.Tensor:
    """Logits after a few steps; dropout and weights draw from torch's global state."""
    train = render(64, Scene(), seed=seed, size=16)
    model = standardized(torch.nn.Sequential(SmallCNN(width=4), torch.nn.Dropout(0.2)), train)
    fit(model, train, Recipe(epochs=2, batch_size=32), seed=seed)
    return predict(model, train.images)


def test_results_come_in_the_order_of_the_seeds(threads: int) -> None:
    slow_first = [3, 1, 2]
    assert side_by_side(lambda seed: (time.sleep(seed / 20), seed)[1], slow_first) == slow_first


def test_a_seed_gives_the_same_whatever_ran_before_it(threads: int) -> None:
    together, alone = side_by_side(trained, range(3)), side_by_side(trained, [2])
    torch.testing.assert_close(together[2], alone[0], rtol=1e-3, atol=1e-3)
    assert not together[0].allclose(together[1])


def test_every_random_state_is_seeded(threads: int) -> None:
    def draw(seed: int) -> list[float]:
        return [torch.rand(()).item(), np.random.rand()]  # noqa: NPY002

    first, again, other = (side_by_side(draw, seeds) for seeds in ([4, 5], [4, 5], [6, 4]))
    assert first == again
    assert first[0] == other[1] != first[1]


def test_an_error_arrives_as_itself(threads: int) -> None:
    def fails(seed: int) -> int:
        if seed == 1:
            raise ZeroDivisionError("seed 1 divides by nothing")
        return seed

    with pytest.raises(ZeroDivisionError, match="seed 1"):
        side_by_side(fails, range(3))


@forks
@pytest.mark.usefixtures("two_cores")
def test_an_error_does_not_wait_for_the_others() -> None:
    def fails_or_sleeps(seed: int) -> None:
        if seed == 0:
            raise ZeroDivisionError
        time.sleep(60)

    start = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        side_by_side(fails_or_sleeps, range(4))
    assert time.monotonic() - start < 30


@forks
@pytest.mark.usefixtures("two_cores")
def test_each_process_has_one_thread() -> None:
    def threads_here(_: int) -> tuple[int, int, int, int]:
        pools = max(library["num_threads"] for library in threadpool_info())
        return os.getpid(), torch.get_num_threads(), cv2.getNumThreads(), pools

    found = side_by_side(threads_here, range(2))
    assert all(process != os.getpid() for process, *_ in found)
    assert [threads for _, *threads in found] == [[1, 1, 1]] * 2


@forks
@pytest.mark.usefixtures("two_cores")
def test_libraries_with_threads_work_in_a_copy() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    weights = torch.rand(500, 500)

    def work(seed: int) -> list[float]:
        blurred = cv2.GaussianBlur(image, (0, 0), 2.0)
        clusters = KMeans(2, n_init=1, random_state=0).fit(image[:200, :20, 0])
        products = weights @ weights, weights.numpy() @ weights.numpy()
        return [blurred.mean(), clusters.inertia_, *(float(p.mean()) for p in products)]

    cv2.setNumThreads(2)
    here = work(0)  # starts the threads that a copy will lack
    np.testing.assert_allclose(side_by_side(work, range(2)), [here, here], rtol=1e-4)
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 2)


@forks
@pytest.mark.usefixtures("two_cores")
def test_a_killed_process_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool):
        side_by_side(lambda _: os.kill(os.getpid(), 9), range(2))
