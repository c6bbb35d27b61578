"""Seeds side by side: one process a core.

The course's networks are too small to keep two cores busy together; two of them, on a core each,
are done in little more than the time of one.
"""

from __future__ import annotations

import os
import pickle
import re
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, TypeVar

import cv2
import torch
from joblib import Parallel, delayed, parallel_config

from cvcourse.checks import Seed, check, checked
from cvcourse.files import write_file
from cvcourse.progress import progress
from cvcourse.random_state import seeded

Result = TypeVar("Result")

#: In the environment: a folder that keeps what each seed gave, so that a run that was cut off goes
#: on. Only for one and the same program: calls are told apart by their order and names.
KEEP = "CVCOURSE_KEEP_SEEDS"

_calls = count()


@checked
def parallel_map(function: Callable[[int], Result], seeds: Iterable[int]) -> dict[int, Result]:
    """`{seed: function(seed) for seed in seeds}`, on all the cores that PyTorch may use.

    Each core gets a process of its own (joblib's), and one thread. The function goes there with all
    that it uses, and what it returns comes back; what it changes outside itself does not. The first
    call takes some seconds more, until the processes are there. On a CUDA GPU the seeds run one
    after another: they would only wait for each other.

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
    if workers < 2 or torch.cuda.is_available():
        return {seed: _run(function, seed) for seed in progress(seeds, desc="seeds")}
    found = dict(progress(_side_by_side(function, seeds, workers), total=len(seeds), desc="seeds"))
    return {seed: found[seed] for seed in seeds}


def _side_by_side(
    function: Callable[[int], Result], seeds: list[int], workers: int
) -> Iterator[tuple[int, Result]]:
    """Seeds and results, as they come; an error or Ctrl-C stops what still runs."""
    jobs = (delayed(_run_there)(function, seed, os.getpid()) for seed in seeds)
    with (
        # Arrays are copied: joblib would lend large ones, which cannot be written to.
        parallel_config("loky", n_jobs=workers, inner_max_num_threads=1, max_nbytes=None),
        warnings.catch_warnings(),
    ):
        # It says so when it replaces a process that has grown large, and when we stop some.
        warnings.filterwarnings("ignore", ".*(worker stopped while|have been cancelled)")
        outcomes = Parallel(return_as="generator_unordered")(jobs)
        try:
            yield from outcomes
        except _SeedError as failed:
            raise failed.failure.error() from RuntimeError(failed.failure.traceback)
        finally:
            outcomes.close()


def _run_there(function: Callable[[int], Any], seed: int, parent: int) -> tuple[int, Any]:
    _become_worker(parent)
    try:
        return seed, _run(function, seed)
    except Exception as error:
        # Raised, not returned: joblib then hands out no more seeds while it stops the workers.
        raise _SeedError(_Failure.of(error)) from None


@cache
def _become_worker(parent: int) -> None:
    cv2.setNumThreads(1)  # joblib sees to all other libraries
    os.environ["TQDM_DISABLE"] = "1"  # one bar is enough
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process to handle
    Thread(target=_end_with, args=[parent], daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process within a second of its parent, which may have been killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _run(function: Callable[[int], Result], seed: int) -> Result:
    with seeded(seed):
        return function(seed)


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


class _SeedError(Exception):
    """What a worker raises in place of an error that may not survive pickling."""

    def __init__(self, failure: _Failure) -> None:
        super().__init__(failure)
        self.failure = failure


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
