"""Exercises whose answer is a function that computes something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cached_property, partial
from inspect import signature
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvcourse.checks import checked
from cvcourse.experiment import Interval
from cvcourse.practice.exercise import Exercise, Feedback, explain, not_a_function, nothing_yet
from cvcourse.practice.reading import Array, agree, as_array, kind_of
from cvcourse.practice.slips import slip
from cvcourse.practice.smallest import SHOWN, shown, smallest
from cvcourse.practice.trace import Forbidden, Trace

TRIALS = 4  #: how often a function is called, each time with other arguments


class Function(Exercise):
    """Write a function. What it does is compared with the solution, and with wrong functions.

    Args:
        solution: the right function; returns a tensor, a number or several numbers.
        hint: one step of the way.
        why: what there is to learn from the right answer.
        inputs: generator → the arguments of one call, in float32. Chosen so that the right function
            and each of the mistakes differ from each other in at least one of the calls.
        mistakes: feedback → a function that makes this mistake. Those that are made by
            `partial` of one function, with different keywords, can be made two at a time.
        forbidden: what an answer must not use.
        dtype: if the dtype is part of what is asked for: "uint8", or "int" for whole numbers.
        learner: of a loss, the argument that its gradient must reach.
    """

    def __init__(
        self,
        solution: Callable[..., Any],
        *,
        hint: str,
        why: str,
        inputs: Callable[[torch.Generator], Sequence[Any]],
        mistakes: Mapping[str, Callable[..., Any]],
        forbidden: Forbidden | None = None,
        dtype: str = "",
        learner: str = "",
    ) -> None:
        super().__init__(solution, hint=hint, why=why)
        self.inputs, self.mistakes = inputs, mistakes
        self.forbidden, self.dtype, self.learner = forbidden or {}, dtype, learner

    @cached_property
    def names(self) -> list[str]:
        """The names of the arguments."""
        return list(signature(self._solution).parameters)

    @cached_property
    def calls(self) -> list[Sequence[Any]]:
        """The arguments of each call."""
        return [self.inputs(torch.Generator().manual_seed(seed)) for seed in range(TRIALS)]

    def _judge(self, answer: Any) -> Feedback | None:
        if not callable(answer):
            return not_a_function(self.name, answer)
        outputs, trace, in_place = [], Trace(self.forbidden), False
        for arguments in self.calls:
            handed_in = deepcopy(arguments)
            try:
                with trace:
                    outputs.append(answer(*handed_in))
            except Exception as error:
                return explain(error, answer, describe(arguments))
            in_place |= not all(map(_unchanged, arguments, handed_in))
        if all(output is None or output is ... for output in outputs):
            return nothing_yet(self.name)
        wrong = self._diagnosis(answer, outputs)
        if in_place:
            begins = "Right numbers, but" if wrong is None else f"{wrong} And"
            wrong = (
                f"{begins} your function changes its argument in place; work on a copy (.clone())."
            )
        if wrong is None and self._cut_off(answer):
            return Feedback(
                "✓",
                f"Right numbers, but no gradient reaches {self.learner}, which could not learn "
                "from this loss. Is there a .detach() or torch.no_grad() on the way?",
            )
        return Feedback("✗", wrong) if wrong else trace.feedback()

    def _cut_off(self, answer: Callable[..., Any]) -> bool:
        """Whether what should be a loss is a tensor without a gradient where one is needed."""
        if not self.learner:
            return False
        call = dict(zip(self.names, deepcopy(self.calls[0]), strict=True))
        learner = call[self.learner].requires_grad_()
        try:
            loss = answer(*call.values())
        except RuntimeError:  # NumPy takes no tensor with a gradient; its numbers are right
            return False
        if not isinstance(loss, Tensor):
            return False
        if loss.requires_grad:
            loss.backward()
        return learner.grad is None or not learner.grad.any()

    def _diagnosis(self, answer: Callable[..., Any], outputs: list[Any]) -> str | None:
        """What is wrong with what an answer gave, call by call; None if nothing is."""
        given, right = [as_array(output) for output in outputs], self._all(self._solution)
        if _all_agree(given, right):
            kind = kind_of(outputs[0])
            if self.dtype in kind or kind == "int":
                return None
            return f"Right numbers, but of the dtype {kind}; expected {self.dtype}."
        known = [one for one in given if one is not None]
        if len(known) < len(given):
            return self._unreadable(outputs)
        return self._recognised(known, right) or self._shown(answer, known, right)

    def _recognised(self, given: list[Array], right: list[Array]) -> str | None:
        """A known mistake, a slip, or two of them at once."""
        for text, outputs in self._known.items():
            if _all_agree(given, outputs):
                return text
        calls = [dict(zip(self.names, call, strict=True)) for call in self.calls]
        if one := slip(given, right, calls):
            return one
        for text, outputs in self._pairs.items():
            if _all_agree(given, outputs):
                return f"Two things are wrong. {text}"
        for text, outputs in self._known.items():
            if outputs and (two := slip(given, outputs)):
                return f"Two things are wrong. {text} {two}"
        return None

    @cached_property
    def _known(self) -> dict[str, list[Array]]:
        """What each mistake gives."""
        return {text: self._all(wrong) for text, wrong in self.mistakes.items()}

    @cached_property
    def _pairs(self) -> dict[str, list[Array]]:
        """What two mistakes at once give, where both are keywords of one function."""
        made = [(t, m) for t, m in self.mistakes.items() if isinstance(m, partial)]
        pairs = {}
        for (one, first), (other, second) in combinations(made, 2):
            if first.func is second.func and not first.keywords.keys() & second.keywords.keys():
                pairs[f"{one} {other}"] = self._all(partial(first, **second.keywords))
        return pairs

    def _all(self, function: Callable[..., Any]) -> list[Array]:
        """What a function of the exercise gives in all calls; nothing if it stops in one."""
        try:
            outputs = [as_array(function(*deepcopy(call))) for call in self.calls]
        except (RuntimeError, IndexError):  # two mistakes at once may not fit together
            return []
        return [output for output in outputs if output is not None]

    def _unreadable(self, outputs: list[Any]) -> str:
        call, output = next(
            pair for pair in zip(self.calls, outputs, strict=True) if as_array(pair[1]) is None
        )
        kind = f"a {type(output).__name__}; expected numbers, in rows of one length"
        if output is None:
            kind = "nothing. Every way through it must end with return"
        elif isinstance(output, Interval):
            kind = "an interval; return the numbers of it that are asked for: .mean, .low or .high"
        return f"Called with {describe(call)}, your function gives {kind}."

    def _shown(self, answer: Callable[..., Any], given: list[Array], right: list[Array]) -> str:
        """The smallest call that is wrong, with its arguments, what was given and expected."""
        bad = [not agree(one, other) for one, other in zip(given, right, strict=True)].index(True)
        call, ours, theirs = smallest(answer, self._solution, self.calls[bad]) or (
            tuple(self.calls[bad]),
            given[bad],
            right[bad],
        )
        if ours.shape != theirs.shape:
            what = f"the shape {ours.shape}; expected {theirs.shape}"
        elif not np.isfinite(ours).all():
            what = "NaN or infinity; look for a division by zero, a logarithm, an overflow"
        elif theirs.size <= SHOWN:
            what = f"{shown(ours)}; expected {shown(theirs)}"
        else:
            off = float(np.abs(ours - theirs).max())
            what = f"the right shape, but numbers that are off by up to {off:.3g}"
        words = ", ".join(f"{n} = {shown(v)}" for n, v in zip(self.names, call, strict=True))
        return f"Called with {words}, your function gives {what}."


@checked
def describe(arguments: Sequence[Any]) -> str:
    """Arguments in a few words: shapes and types, not contents."""
    return ", ".join(shown(argument, most=0) for argument in arguments) or "no arguments"


def _all_agree(given: Sequence[Array | None], right: Sequence[Array]) -> bool:
    return len(given) == len(right) and all(map(agree, given, right))


def _unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, Tensor):
        return before.shape == after.shape and torch.equal(before, after)
    return np.array_equal(before, after) if isinstance(before, np.ndarray | list) else True
