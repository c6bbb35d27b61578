"""Seeds in processes of their own: the same results, no matter where they ran."""

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from joblib.externals.loky.process_executor import _ExecutorManagerThread
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info

from cvcourse import parallel
from cvcourse.data import Scene, render
from cvcourse.models import SmallCNN, standardized
from cvcourse.parallel import parallel_map
from cvcourse.train import Recipe, fit, predict

without_gpu = pytest.mark.skipif(
    torch.cuda.is_available(), reason="seeds run one after another here"
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
    assert (
        list(parallel_map(lambda seed: (time.sleep(seed / 20), seed)[1], slow_first)) == slow_first
    )


def test_a_seed_gives_the_same_whatever_ran_before_it(threads: int) -> None:
    together, alone = parallel_map(trained, range(3)), parallel_map(trained, [2])
    torch.testing.assert_close(together[2], alone[2], rtol=1e-3, atol=1e-3)
    assert not together[0].allclose(together[1])


def test_every_random_state_is_seeded(threads: int) -> None:
    def draw(seed: int) -> list[float]:
        return [torch.rand(()).item(), np.random.rand()]  # noqa: NPY002

    first, again, other = (parallel_map(draw, seeds) for seeds in ([4, 5], [4, 5], [6, 4]))
    assert first == again
    assert first[4] == other[4] != first[5]


def test_an_error_arrives_as_itself(threads: int) -> None:
    def fails(seed: int) -> int:
        if seed == 1:
            raise ZeroDivisionError("seed 1 divides by nothing")
        return seed

    with pytest.raises(ZeroDivisionError, match="seed 1"):
        parallel_map(fails, range(3))


@without_gpu
@pytest.mark.usefixtures("two_cores")
def test_an_error_does_not_wait_for_the_others() -> None:
    def fails_or_sleeps(seed: int) -> None:
        if seed == 0:
            raise ZeroDivisionError
        time.sleep(60)

    start = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        parallel_map(fails_or_sleeps, range(4))
    assert time.monotonic() - start < 30


@without_gpu
@pytest.mark.usefixtures("two_cores")
def test_after_an_error_no_more_seeds_are_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """joblib's thread once took a new seed while its workers were stopped, and died of it."""

    def slowly(self: _ExecutorManagerThread, result: object) -> None:
        handle(self, result)
        time.sleep(0.2)  # the time in which the first thread stops the workers

    def fails(seed: int) -> int:
        if seed == 1:
            raise ZeroDivisionError
        return seed

    handle = _ExecutorManagerThread.process_result_item
    monkeypatch.setattr(_ExecutorManagerThread, "process_result_item", slowly)
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    with pytest.raises(ZeroDivisionError):
        parallel_map(fails, range(20))
    assert died == []


@without_gpu
@pytest.mark.usefixtures("two_cores")
def test_each_process_has_one_thread() -> None:
    def threads_here(_: int) -> tuple[int, int, int, int]:
        pools = max(library["num_threads"] for library in threadpool_info())
        return os.getpid(), torch.get_num_threads(), cv2.getNumThreads(), pools

    found = parallel_map(threads_here, range(2))
    assert all(process != os.getpid() for process, *_ in found.values())
    assert [threads for _, *threads in found.values()] == [[1, 1, 1]] * 2


@without_gpu
@pytest.mark.usefixtures("two_cores")
def test_libraries_with_threads_give_the_same_and_keep_theirs_here() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    weights = torch.rand(500, 500)

    def work(seed: int) -> list[float]:
        blurred = cv2.GaussianBlur(image, (0, 0), 2.0)
        clusters = KMeans(2, n_init=1, random_state=0).fit(image[:200, :20, 0])
        products = weights @ weights, weights.numpy() @ weights.numpy()
        return [blurred.mean(), clusters.inertia_, *(float(p.mean()) for p in products)]

    cv2.setNumThreads(2)
    here = work(0)
    found = list(parallel_map(work, range(2)).values())
    np.testing.assert_allclose(found, [here, here], rtol=1e-4)
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 2)


@without_gpu
@pytest.mark.usefixtures("two_cores")
def test_a_killed_process_is_an_error() -> None:
    with pytest.raises(BrokenProcessPool):
        parallel_map(lambda _: os.kill(os.getpid(), 9), range(2))


class FussyError(Exception):
    """Its constructor wants two arguments, so that pickle cannot make it again."""

    def __init__(self, layer: str, size: int) -> None:
        super().__init__(f"{layer} has size {size}")
        self.size = size


def test_an_error_arrives_whole_whatever_its_constructor(threads: int) -> None:
    def fails(seed: int) -> None:
        raise FussyError("conv 1", 7 + seed)

    with pytest.raises(FussyError, match=r"^conv 1 has size [78]$") as caught:
        parallel_map(fails, [0, 1])  # whichever worker was first
    assert caught.value.size in (7, 8)


def test_an_error_that_cannot_travel_is_told_in_words(threads: int) -> None:
    def fails(seed: int) -> None:
        class LocalError(Exception):
            pass

        raise LocalError("nobody else knows this class")

    with pytest.raises(Exception, match="nobody else knows this class"):
        parallel_map(fails, [0, 1])


@without_gpu
@pytest.mark.usefixtures("two_cores")
def test_an_error_shows_where_it_was_raised() -> None:
    def fails(seed: int) -> None:
        raise FussyError("conv 1", seed)

    with pytest.raises(FussyError) as caught:
        parallel_map(fails, [0, 1])
    assert "in fails" in str(caught.value.__cause__)


ORPHANS = """
import os, time, torch
from cvcourse.parallel import parallel_map
torch.set_num_threads(2)

def sleep(seed):
    open(os.path.join({folder!r}, str(os.getpid())), "w").close()
    time.sleep(300)

parallel_map(sleep, range(2))
"""


@without_gpu
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, which tells who is alive")
def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    script = ORPHANS.format(folder=str(tmp_path))
    parent = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 120
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while any(alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(worker) for worker in workers)


@without_gpu
@pytest.mark.usefixtures("two_cores")
def test_what_a_worker_is_given_can_be_written_to() -> None:
    """joblib lends large arrays read-only, unless told not to."""
    pictures = np.zeros((2_000, 1_000), np.float32)

    def change(seed: int) -> float:
        pictures[0, 0] = seed
        return float(pictures.sum())

    assert parallel_map(change, [3, 4]) == {3: 3.0, 4: 4.0}
    assert pictures[0, 0] == 0, "what it changes outside itself does not come back"


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_run_that_was_cut_off_goes_on_with_the_seeds_that_are_left(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(broken: bool) -> dict[int, float]:
        monkeypatch.setattr(parallel, "_calls", itertools.count())  # as in a new process

        def draw(seed: int) -> float:
            if broken and seed == 2:
                raise ZeroDivisionError
            (tmp_path / f"ran {seed} {time.monotonic_ns()}").touch()
            return torch.rand(()).item()

        return parallel_map(draw, [0, 1, 2])

    through = run(broken=False)
    for path in tmp_path.iterdir():
        path.unlink()
    monkeypatch.setenv(parallel.KEEP, str(tmp_path / "kept"))
    with pytest.raises(ZeroDivisionError):
        run(broken=True)
    kept = [path.name for path in (tmp_path / "kept").iterdir()]
    assert run(broken=False) == through
    ran = [path.name.split()[1] for path in tmp_path.glob("ran *")]
    assert set(ran) == {"0", "1", "2"}
    if threads == 1:  # with more, a seed under way is stopped by another's error
        assert len(kept) == 2
        assert len(ran) == 3, "each seed once, over both runs"


@pytest.mark.parametrize(
    ("seeds", "message"),
    [([1, 1], "none twice"), ([-1], "at least|0 to"), ([1.5], "an integer"), ("12", "seeds is")],
)
def test_seeds_are_whole_numbers_each_once(seeds: list, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        parallel_map(lambda seed: seed, seeds)


@without_gpu
def test_seeds_can_be_trained_side_by_side_after_a_model_was_outlined() -> None:
    """The backward engine once took the outlines' pretended GPU for a real one."""
    script = """
import torch
from cvcourse.models import SmallCNN, layer_table
from cvcourse.parallel import parallel_map

model = SmallCNN(width=4)
layer_table(model, (3, 16, 16))

def gradient(seed):
    model(torch.ones(1, 3, 16, 16)).sum().backward()
    return seed

torch.ones(1, requires_grad=True).backward()
torch.set_num_threads(2)
print(parallel_map(gradient, [0, 1]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "{0: 0, 1: 1}\n", done.stderr
