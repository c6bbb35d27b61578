"""Which of PyTorch's functions an answer calls while it runs, whatever its text looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch.overrides import TorchFunctionMode

from cvcourse.practice.exercise import Feedback

Forbidden = Mapping[str, Callable[..., bool]]
"""What is not to be used, in words → whether a call is that: its function's name, its arguments."""


def calls(*names: str) -> Callable[..., bool]:
    """Whether a call is one of these functions'."""
    return lambda name, *_: name in names


class Trace(TorchFunctionMode):
    """While it is entered, notes which forbidden things are used; modules come by their functions.

    >>> import torch
    >>> from cvcourse.practice.trace import Trace, calls
    >>> with Trace({"nn.Linear": calls("linear")}) as trace:
    ...     _ = torch.nn.Linear(2, 1)(torch.zeros(3, 2))
    >>> trace.used
    'nn.Linear'
    """

    def __init__(self, forbidden: Forbidden) -> None:
        super().__init__()
        self.forbidden = forbidden
        self.used: str | None = None

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call the function, and note it."""
        name, given = getattr(function, "__name__", ""), [*args, *(kwargs or {}).values()]
        for what, is_it in self.forbidden.items():
            if self.used is None and is_it(name, *given):
                self.used = what
        return function(*args, **(kwargs or {}))

    def feedback(self) -> Feedback | None:
        """What there is to say if all else is right."""
        if self.used is None:
            return None
        return Feedback("✓", f"Right numbers, but you used {self.used}. Try it without.")
