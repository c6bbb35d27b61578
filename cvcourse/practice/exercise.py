"""What all exercises share: feedback, a hint, and a solution that is open and tested."""

from __future__ import annotations

import ast
import inspect
import textwrap
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, Self

from cvcourse.checks import check_fields, checked
from cvcourse.terminal import printable


@dataclass(frozen=True)
class Feedback:
    """What is said of an answer.

    Attributes:
        mark: "✓" right, if not always as asked; "✗" wrong, "…" nothing to judge yet.
        text: why, in a sentence or two that do not give the answer away.
    """

    mark: str
    text: str

    def __post_init__(self) -> None:
        check_fields(self)

    def __str__(self) -> str:
        return printable(textwrap.fill(f"{self.mark} {self.text}", 79, break_on_hyphens=False))


class Exercise(ABC):
    """A question of the book. The text of the question stands in the notebook.

    Args:
        solution: a function; its source is what `solution()` shows, and what the tests run.
        hint: one step of the way.
        why: what there is to learn from the right answer.
    """

    @checked
    def __init__(self, solution: Callable[..., Any], *, hint: str, why: str) -> None:
        self.name = solution.__name__
        self._solution, self._hint, self._why = solution, hint, why

    @classmethod
    def of(cls, **settings: Any) -> Callable[[Callable[..., Any]], Self]:
        """A decorator that makes an exercise of its solution."""
        return partial(cls, **settings)

    def check(self, *answer: Any) -> Self:
        """Print what there is to say of an answer. Whatever the answer is, nothing is raised.

        Two answers are taken for a number with a comma in it, such as 7,850.

        Returns:
            The exercise, so that a notebook shows its hint and its solution below, folded.
        """
        if len(answer) > 1:
            print(Feedback("✗", "Expected one answer. In Python a comma makes two: write 7_850."))
        else:
            print(self.judge(answer[0] if answer else ...))
        return self

    def hint(self) -> None:
        """Print one step of the way."""
        print(printable(textwrap.fill(self._hint, width=79, break_on_hyphens=False)))

    def solution(self) -> None:
        """Print a solution, and what there is to learn from it."""
        why = textwrap.fill(self._why, 77, subsequent_indent="# ")
        print(printable(f"{self.source}\n\n# {why}"))

    def judge(self, answer: Any) -> Feedback:
        """What `check` prints."""
        if answer is ...:
            return Feedback("…", f"{self.name}: no answer yet. Put yours in place of the dots.")
        try:
            return self._judge(answer) or Feedback("✓", f"Right. {self._why}")
        except Exception as error:  # an answer can be any object, and do anything when looked at
            kind = type(answer).__name__
            return Feedback("✗", f"This {kind} cannot be checked: {type(error).__name__}.")

    @abstractmethod
    def _judge(self, answer: Any) -> Feedback | None:
        """What is wrong with an answer; None if nothing is."""

    @property
    def answer(self) -> Any:
        """A right answer: the function itself, or what it gives where a number is asked for."""
        return self._solution

    @property
    def source(self) -> str:
        """The solution as Python text, without its decorator."""
        text = textwrap.dedent(inspect.getsource(self._solution))
        return "\n".join(text.splitlines()[ast.parse(text).body[0].lineno - 1 :])

    def __repr__(self) -> str:
        return f"{self.name}: .check(answer), .hint(), .solution()"

    def _repr_html_(self) -> str:
        return (
            f'<div class="practice"><details><summary>Hint</summary><p>{escape(self._hint)}</p>'
            f"</details><details><summary>Solution</summary><pre>{escape(self.source)}</pre>"
            f"<p>{escape(self._why)}</p></details></div>"
        )


@checked
def not_a_function(name: str, answer: Any) -> Feedback:
    """What to say to somebody who should have handed in a function and did not."""
    return Feedback(
        "✗",
        f"That {type(answer).__name__} is no function; expected the function itself: "
        f"check({name}), without calling it.",
    )


@checked
def nothing_yet(name: str) -> Feedback:
    """What to say of a function whose body is still to be written."""
    return Feedback("…", f"{name} returns nothing yet. Write its body, and end it with return.")


@checked
def explain(error: Exception, answer: Any, called_with: str) -> Feedback:
    """Say where a learner's function failed, and on what."""
    if isinstance(error, NotImplementedError) and not str(error):  # PyTorch's own says something
        return nothing_yet(getattr(answer, "__name__", "The function"))
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    where = f" in the line `{frames[-1].line}`" if frames and frames[-1].line else ""
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    return Feedback(
        "✗", f"Your function stops{where} with {what}. It was called with {called_with}."
    )
