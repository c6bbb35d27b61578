"""Exercises whose answer is a number, or a few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cvcourse.checks import NotNegative, Numbers, checked
from cvcourse.practice.exercise import Exercise, Feedback
from cvcourse.practice.reading import RELATIVE, as_array, kind_of
from cvcourse.practice.slips import slip


class Number(Exercise):
    """Predict a number.

    Args:
        solution: takes nothing and returns the number, or a tuple of numbers.
        hint: one step of the way.
        why: what there is to learn from the right answer.
        mistakes: feedback → the wrong number that deserves it.
        tolerance: how far off is right, relative to the number.
    """

    @checked
    def __init__(
        self,
        solution: Callable[[], Numbers],
        *,
        hint: str,
        why: str,
        mistakes: Mapping[str, Numbers],
        tolerance: NotNegative = 1e-6,
    ) -> None:
        super().__init__(solution, hint=hint, why=why)
        self.mistakes, self.tolerance = mistakes, tolerance

    def check(self, *answer: Any) -> Self:
        """As every exercise does; where several numbers are asked for, brackets may be left out."""
        several = len(answer) > 1 and np.ndim(self.answer) > 0
        return super().check(answer) if several else super().check(*answer)

    @property
    def answer(self) -> Numbers:
        """What the solution gives."""
        return self._solution()

    def _judge(self, answer: Any) -> Feedback | None:
        right = np.asarray(self.answer, np.float64)
        wanted = "a number" if right.ndim == 0 else f"{len(right)} numbers"
        given = None if kind_of(answer) == "bool" else as_array(answer)
        if given is not None and right.ndim == 0 and given.size == 1:
            given = given.reshape(())  # [7850] is 7850
        if given is None or given.shape != right.shape:
            found = f"That {type(answer).__name__} is no number"
            if given is not None:
                found = f"Those are {given.size} numbers" if given.ndim else "That is one number"
            plain = ", without quotes" if isinstance(answer, str) else ""
            return Feedback("✗", f"{found}; expected {wanted}{plain}.")
        if not np.isfinite(given).all():
            return Feedback("✗", f"{answer} is not finite; is there a division by zero?")
        if self._close(given, right).all():
            return None
        for feedback, wrong in self.mistakes.items():
            if self._close(given, wrong).all():
                return Feedback("✗", feedback)
        if told := slip([given], [right], relative=max(RELATIVE, self.tolerance)):
            return Feedback("✗", told)
        if right.ndim:
            marks = " ".join("✓" if ok else "✗" for ok in self._close(given, right))
            return Feedback("✗", f"Not all of them, from left to right: {marks}")
        way = "large" if given > right else "small"
        return Feedback("✗", f"Not yet: {float(given):,.10g} is too {way}.")

    def _close(self, given: Numbers, right: Numbers) -> NDArray[np.bool_]:
        return np.asarray(np.isclose(given, right, rtol=self.tolerance, atol=1e-9))
