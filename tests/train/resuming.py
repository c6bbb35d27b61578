"""Runs that are killed after so many steps, and weights to compare: for tests of resuming."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from cvcourse.train import Batch
from cvcourse.train.fit import Run


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the loop may catch it."""


@contextmanager
def killed_after(n: int | None) -> Iterator[None]:
    """Whatever is trained inside is killed at the step after `n`, counted over runs; None: never.

    It is the loop that dies, not a step that was wrapped: another step would be another run.
    """
    taken, optimize = 0, Run.optimize

    def counted(run: Run, batch: Batch) -> dict[str, Tensor]:
        nonlocal taken
        if taken == n:
            raise Killed
        taken += 1
        return optimize(run, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "optimize", counted)
        yield


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
