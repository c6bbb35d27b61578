"""Models as outlines: what shapes come of a shape, with nothing computed and nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from cvcourse.checks import checked


@checked
@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode, and each of its modules back in its own mode afterwards.

    (`model.train()` would also wake the parts that were frozen in evaluation mode on purpose.)

    >>> from torch import nn
    >>> from cvcourse.train import evaluating
    >>> model = nn.Sequential(nn.Dropout())
    >>> with evaluating(model):
    ...     model.training
    False
    >>> model.training
    True

    Args:
        model: any module; it is given back as it was, even after an error.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def step_by_step() -> Iterator[None]:
    """No operation that does the work of several: what is done can be counted."""
    fast = torch.backends.mha.get_fastpath_enabled()
    libraries: tuple[Any, ...] = (torch.backends.mkldnn, torch.backends.cudnn)
    before = [library.enabled for library in libraries]
    torch.backends.mha.set_fastpath_enabled(False)
    for library in libraries:
        library.enabled = False
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for library, enabled in zip(libraries, before, strict=True):
            library.enabled = enabled


@contextmanager
def outlined(model: nn.Module, shape: tuple[int, ...]) -> Iterator[Tensor]:
    """Images of a shape, without pixels; inside, the model gives shapes without numbers.

    Tensors that a module keeps as plain attributes, or makes, are outlined on the way.

    Raises:
        ValueError: the model cannot take them.
    """
    tensors = list(chain(model.parameters(), model.buffers()))
    device = tensors[0].device if tensors else torch.device("cpu")
    dtype = next((t.dtype for t in tensors if t.is_floating_point()), torch.float32)
    _start_autograd()
    try:
        with (
            evaluating(model),
            torch.no_grad(),
            step_by_step(),
            FakeTensorMode(allow_non_fake_inputs=True),
        ):
            yield torch.empty(shape, device=device, dtype=dtype)
    except (RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"the model cannot take images of shape {shape[1:]}: {reason}") from error


def _start_autograd() -> None:
    """Let the backward engine count the devices that there are.

    It counts them once, at the first backward, and starts a thread for each; after that no copy of
    this process can go backward. The outlines pretend that there is a GPU, and would be believed.
    """
    with torch.inference_mode(False), torch.enable_grad():
        torch.ones((), requires_grad=True).backward()
