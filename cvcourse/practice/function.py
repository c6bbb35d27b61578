"""Exercises whose answer is a function that computes something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cvcourse.checks import checked
from cvcourse.practice.exercise import Exercise, Feedback, explain, not_a_function

TRIALS = 4  #: how often a function is called, each time with other arguments


class Function(Exercise):
    """Write a function. What it does is compared with the solution, and with wrong functions.

    Args:
        solution: the right function; returns a tensor, a number or several numbers.
        hint: one step of the way.
        why: what there is to learn from the right answer.
        inputs: generator → the arguments of one call. Chosen so that the right function and each of
            the mistakes differ from each other in at least one of the calls.
        mistakes: feedback → a function that makes this mistake.
    """

    def __init__(
        self,
        solution: Callable[..., Any],
        *,
        hint: str,
        why: str,
        inputs: Callable[[torch.Generator], Sequence[Any]],
        mistakes: Mapping[str, Callable[..., Any]],
    ) -> None:
        super().__init__(solution, hint=hint, why=why)
        self.inputs, self.mistakes = inputs, mistakes

    def _judge(self, answer: Any) -> Feedback | None:
        if not callable(answer):
            return not_a_function(self.name, answer)
        calls = [self.inputs(torch.Generator().manual_seed(seed)) for seed in range(TRIALS)]
        given = []
        for arguments in calls:
            handed_in = deepcopy(arguments)
            try:
                given.append(answer(*handed_in))
            except Exception as error:
                return explain(error, answer, describe(arguments))
            if not all(map(_unchanged, arguments, handed_in)):
                return Feedback(
                    "✗", "Your function changes its argument in place; work on a copy (.clone())."
                )
        if all(output is None for output in given):
            return Feedback(
                "…", f"{self.name} returns nothing yet. Write its body, and end it with return."
            )
        if self._same(given, self._solution, calls):
            return None
        for feedback, wrong in self.mistakes.items():
            if self._same(given, wrong, calls):
                return Feedback("✗", feedback)
        return self._differs(given, calls)

    @staticmethod
    def _same(given: list[Any], function: Callable[..., Any], calls: list[Sequence[Any]]) -> bool:
        return all(
            _close(output, function(*deepcopy(arguments)))
            for output, arguments in zip(given, calls, strict=True)
        )

    def _differs(self, given: list[Any], calls: list[Sequence[Any]]) -> Feedback | None:
        """The first call whose output is not the right one, in words."""
        for output, arguments in zip(given, calls, strict=True):
            right = _numbers(self._solution(*deepcopy(arguments)))
            ours = _numbers(output)
            assert right is not None, f"the solution of {self.name} returns no numbers"
            if _close(output, right):
                continue
            if ours is None:
                what = f"a {type(output).__name__}; expected numbers"
            elif ours.shape != right.shape:
                what = f"the shape {tuple(ours.shape)}; expected {tuple(right.shape)}"
            elif not ours.isfinite().all():
                what = "NaN or infinity; look for a division by zero, a logarithm, an overflow"
            else:
                off = float((ours - right).abs().max())
                what = f"the right shape, but numbers that are off by up to {off:.3g}"
            return Feedback("✗", f"Called with {describe(arguments)}, your function gives {what}.")
        return None


@checked
def describe(arguments: Sequence[Any]) -> str:
    """Arguments in a few words: shapes and types, not contents."""
    return ", ".join(map(_describe, arguments)) or "no arguments"


def _describe(argument: Any) -> str:
    if isinstance(argument, Tensor):
        kind = str(argument.dtype).removeprefix("torch.")
        return f"a tensor {tuple(argument.shape)} {kind}"
    if isinstance(argument, nn.Module):
        return f"a {type(argument).__name__}"
    if callable(argument):
        return "a function"
    return repr(argument)


def _unchanged(before: Any, after: Any) -> bool:
    return not isinstance(before, Tensor) or (
        before.shape == after.shape and torch.equal(before, after)
    )


def _numbers(output: Any) -> Tensor | None:
    try:
        return torch.as_tensor(np.asarray(output) if isinstance(output, tuple) else output).to(
            "cpu", torch.float64
        )
    except (TypeError, ValueError, RuntimeError):
        return None


def _close(output: Any, right: Any) -> bool:
    ours, theirs = _numbers(output), _numbers(right)
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return False
    return torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6, equal_nan=True)
