"""Seeds side by side: one process a core.

The course's networks are too small to keep two cores busy together; two of them, on a core each,
are done in little more than the time of one.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import cv2
import torch
from threadpoolctl import threadpool_limits

from cvcourse.checks import Seed, check, checked
from cvcourse.files import write_file
from cvcourse.progress import progress
from cvcourse.random_state import seeded

Result = TypeVar("Result")

#: In the environment: a folder that keeps what each seed gave, so that a run that was cut off goes
#: on. Only for one and the same program: calls are told apart by their order and names.
KEEP = "CVCOURSE_KEEP_SEEDS"

_calls = count()
_function: Callable[[int], Any]  # of a worker; what it closes over came with the fork


@checked
def parallel_map(function: Callable[[int], Result], seeds: Iterable[int]) -> dict[int, Result]:
    """`{seed: function(seed) for seed in seeds}`, on all the cores that PyTorch may use.

    On Linux without a GPU each core gets a process that is a copy of this one, and one thread: what
    the function returns comes back, what it changes outside itself does not. Elsewhere the seeds
    run one after another: a process that has used a GPU cannot be copied, and other systems cannot
    be trusted to copy any.

    All global random states are seeded with the seed first, so that nothing depends on which seeds
    ran before, or where.

    >>> from cvcourse.parallel import parallel_map
    >>> parallel_map(lambda seed: seed**2, [2, 3])
    {2: 4, 3: 9}

    Args:
        function: seed → anything that can be pickled.
        seeds: what to call it with.

    Raises:
        TypeError: a seed is no integer.
        ValueError: a seed is negative, or given twice.
        BrokenProcessPool: a process was killed, as a rule for want of memory.
        Exception: whatever the function raises, with its text and its traceback.
    """
    seeds = [check("a seed", seed, Seed) for seed in seeds]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds are {seeds}; expected none twice")
    function = _kept(function, f"{next(_calls):03}")
    workers = min(torch.get_num_threads(), len(seeds))
    if workers < 2 or sys.platform != "linux" or torch.accelerator.is_available():
        return {seed: _run(function, seed) for seed in progress(seeds, desc="seeds")}
    with _pool(workers, function) as pool:
        futures = [pool.submit(_run_here, seed) for seed in seeds]
        failure = _first_failure(futures)
        if failure is not None:
            raise failure.error() from RuntimeError(failure.traceback)
        return {seed: future.result() for seed, future in zip(seeds, futures, strict=True)}


class _Failure(NamedTuple):
    """An error on its way from a worker: not all errors survive pickling."""

    kind: type[BaseException]
    args: tuple[Any, ...]
    attributes: dict[str, Any]
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> _Failure:
        told = "".join(traceback.format_exception(error))
        whole = cls(type(error), error.args, error.__dict__, told)
        try:
            pickle.loads(pickle.dumps(whole))
        except Exception:  # a class of its own within a function, an argument that cannot travel …
            return cls(RuntimeError, (f"{type(error).__name__}: {error}",), {}, told)
        return whole

    def error(self) -> BaseException:
        """The error again, made without its constructor, which may want other arguments."""
        error = self.kind.__new__(self.kind, *self.args)
        error.args = self.args
        error.__dict__.update(self.attributes)
        return error


def _run(function: Callable[[int], Result], seed: int) -> Result:
    with seeded(seed):
        return function(seed)


def _run_here(seed: int) -> Any:
    try:
        return _run(_function, seed)
    except BaseException as error:
        return _Failure.of(error)


def _kept(function: Callable[[int], Result], call: str) -> Callable[[int], Result]:
    """The same function, which keeps its results in the folder `KEEP`, if that is set."""
    folder = os.environ.get(KEEP)
    if not folder:
        return function
    name = re.sub(r"\W+", "-", getattr(function, "__qualname__", "function"))

    def keeping(seed: int) -> Result:
        path = Path(folder) / f"{call}-{name}-{seed}.pickle"
        if path.exists():
            return pickle.loads(path.read_bytes())  # our own, of the same program
        found = function(seed)
        write_file(path, pickle.dumps(found))
        return found

    return keeping


@contextmanager
def _pool(workers: int, function: Callable[[int], Any]) -> Iterator[ProcessPoolExecutor]:
    """Copies of this process that wait for seeds; an error or Ctrl-C stops them at once."""
    start = (function, os.getpid())
    pool = ProcessPoolExecutor(workers, get_context("fork"), _become_worker, start)
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


def _become_worker(function: Callable[[int], Any], parent: int) -> None:
    global _function
    _function = function
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process to handle
    os.environ["TQDM_DISABLE"] = "1"  # so is the bar


def _end_with(parent: int) -> None:
    """Ask Linux to end this process when its parent ends, however that comes about."""
    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:  # it had ended before we asked
        os._exit(1)


def _first_failure(futures: list[Future[Any]]) -> _Failure | None:
    """Wait for all seeds, with a bar, or for the first of them that fails."""
    pending = set(futures)
    with progress(total=len(futures), desc="seeds") as bar:
        while pending:
            done, pending = wait(pending, timeout=1)
            bar.update(len(done))
            bar.refresh()  # the clock goes on between two seeds
            for outcome in [future.result() for future in done]:
                if isinstance(outcome, _Failure):
                    return outcome
    return None
