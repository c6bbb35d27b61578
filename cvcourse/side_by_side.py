"""Seeds side by side: one process a core.

The course's networks are too small to keep two cores busy together; two of them, on a core each,
are done in little more than the time of one.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

import cv2
import torch
from threadpoolctl import threadpool_limits

from cvcourse.progress import progress
from cvcourse.random_state import seeded

Result = TypeVar("Result")

_function: Callable[[int], Any]  # of a worker; what it closes over came with the fork


def side_by_side(function: Callable[[int], Result], seeds: Iterable[int]) -> list[Result]:
    """`[function(seed) for seed in seeds]`, on all the cores that PyTorch may use.

    On Linux without a GPU each core gets a process that is a copy of this one, and one thread: what
    the function returns comes back, what it changes outside itself does not. Elsewhere the seeds
    run one after another: a process that has used a GPU cannot be copied, and other systems cannot
    be trusted to copy any.

    All global random states are seeded with the seed first, so that nothing depends on which seeds
    ran before, or where.

    Args:
        function: seed → anything that can be pickled.
        seeds: what to call it with.

    Raises:
        BrokenProcessPool: a process was killed, as a rule for want of memory.
        Exception: whatever the function raises.
    """
    seeds = list(seeds)
    workers = min(torch.get_num_threads(), len(seeds))
    if workers < 2 or sys.platform != "linux" or torch.accelerator.is_available():
        return [_run(function, seed) for seed in progress(seeds, desc="seeds")]
    with _pool(workers, function) as pool:
        futures = [pool.submit(_run_here, seed) for seed in seeds]
        _show(futures)
        return [future.result() for future in futures]


def _run(function: Callable[[int], Result], seed: int) -> Result:
    with seeded(seed):
        return function(seed)


def _run_here(seed: int) -> Any:
    return _run(_function, seed)


@contextmanager
def _pool(workers: int, function: Callable[[int], Any]) -> Iterator[ProcessPoolExecutor]:
    """Copies of this process that wait for seeds; an error or Ctrl-C stops them at once."""
    pool = ProcessPoolExecutor(workers, get_context("fork"), _become_worker, (function,))
    with _one_thread(), warnings.catch_warnings():
        # Python warns of threads, which a copy has not. A kernel's own it can do without.
        warnings.filterwarnings("ignore", ".*use of fork", DeprecationWarning)
        try:
            yield pool
        except BaseException:
            for process in dict(pool._processes).values():  # terminate_workers(), from Python 3.14
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for every library that has its own, here before the copies are made.

    In a copy it would be too late: OpenCV waits there for threads that were not copied.
    """
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1):  # NumPy's and scikit-learn's
            yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _become_worker(function: Callable[[int], Any]) -> None:
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process to handle
    os.environ["TQDM_DISABLE"] = "1"  # so is the bar


def _show(futures: list[Future[Any]]) -> None:
    """A bar while the seeds run; up to the first error."""
    pending = set(futures)
    with progress(total=len(futures), desc="seeds") as bar:
        while pending:
            done, pending = wait(pending, timeout=1)
            bar.update(len(done))
            bar.refresh()  # the clock goes on between two seeds
            if any(future.exception() for future in done):
                return
