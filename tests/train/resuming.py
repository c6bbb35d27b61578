"""A step that is killed, and weights to compare: for tests of resuming."""

import torch
from torch import Tensor, nn

from cvcourse.train import Batch, Step


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the loop may catch it."""


def killed_after(step: Step, n: int | None) -> Step:
    """The same step, killed when it is called after `n` times; None: never."""
    taken = 0

    def counted(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        nonlocal taken
        if taken == n:
            raise Killed
        taken += 1
        return step(model, batch)

    return counted


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
