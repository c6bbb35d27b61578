"""Exercises that many different answers solve: what they must achieve is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from cvcourse.practice.exercise import Exercise, Feedback, explain, not_a_function, nothing_yet
from cvcourse.practice.trace import Forbidden, Trace


class Project(Exercise):
    """Write a function that achieves something; how is left open.

    Args:
        solution: one function that does.
        hint: one step of the way.
        why: what there is to learn from it.
        run: puts a function to work and gives what came of it. What the function returned may be
            anything; looking at it is left to the requirements.
        called_with: what `run` calls the function with, in words.
        requirements: feedback, if it is not met → whether it is. Looked at in order; one that fails
            with an error is not met.
        forbidden: what an answer must not use.
    """

    def __init__(
        self,
        solution: Callable[..., Any],
        *,
        hint: str,
        why: str,
        run: Callable[[Callable[..., Any]], Any],
        called_with: str,
        requirements: Mapping[str, Callable[[Any], bool]],
        forbidden: Forbidden | None = None,
    ) -> None:
        super().__init__(solution, hint=hint, why=why)
        self.run, self.called_with, self.requirements = run, called_with, requirements
        self.forbidden = forbidden or {}

    def _judge(self, answer: Any) -> Feedback | None:
        if not callable(answer):
            return not_a_function(self.name, answer)
        returned: list[Any] = []
        trace = Trace(self.forbidden)

        def watched(*arguments: Any) -> Any:
            with trace:
                returned.append(_as_tensors(answer(*arguments)))
            return returned[-1]

        try:
            outcome = self.run(watched)
        except Exception as error:
            return explain(error, answer, self.called_with)
        if all(value is None or value is ... for value in returned):
            return nothing_yet(self.name)
        for feedback, met in self.requirements.items():
            if not _holds(met, outcome):
                return Feedback("✗", feedback)
        return trace.feedback()


def _as_tensors(value: Any) -> Any:
    """What a learner's function returned: NumPy's arrays as tensors, iterators as lists."""
    if isinstance(value, np.ndarray):
        return torch.as_tensor(value)
    if isinstance(value, Mapping):
        return {name: _as_tensors(one) for name, one in value.items()}
    if isinstance(value, list | tuple | Iterator):
        return [_as_tensors(one) for one in value]
    return value


def _holds(met: Callable[[Any], bool], outcome: Any) -> bool:
    try:
        return bool(met(outcome))
    except Exception:  # whatever the learner's function returned, it is not what was asked for
        return False
