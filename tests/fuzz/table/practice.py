"""cvcourse.practice: no hostile answer is right, and none stops the judge."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from cvcourse import practice
from cvcourse.practice.exercise import Exercise
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong
from fuzz.kinds import (
    EITHER,
    FINE,
    SAME,
    WRONG,
    Kind,
    Trial,
    number,
    strangers,
    text,
    thing,
)
from fuzz.objects import mapping
from fuzz.rows import Row, row


class NotRightError(Exception):
    """What a judge says of an answer that is not right."""


def hand_in(exercise: Exercise) -> Callable[[Any], bool]:
    """The verdict on an answer: True, or `NotRightError` with the feedback."""

    def judge(answer: Any) -> bool:
        exercise.check(answer)
        feedback = exercise.judge(answer)
        if feedback.mark == "✓":
            return True
        raise NotRightError(feedback.text)

    return judge


def exercises() -> list[tuple[str, Exercise]]:
    """Every exercise of every chapter, by chapter and name."""
    found = []
    for info in pkgutil.iter_modules(practice.__path__):
        chapter = importlib.import_module(f"cvcourse.practice.{info.name}")
        found += [
            (f"{info.name}.{name}", value)
            for name, value in vars(chapter).items()
            if isinstance(value, Exercise)
        ]
    return found


def a_number(exercise: Number) -> Kind:
    """One number, or a few."""
    right = np.asarray(exercise.answer, np.float64)
    plain = right.tolist()
    trials = [
        *strangers(*(["2.5"] if exercise.judge(2.5).mark == "✓" else [])),
        Trial("NumPy's float64", lambda: np.float64(plain) if right.ndim == 0 else right, SAME),
        Trial("a tensor", lambda: torch.tensor(plain, dtype=torch.float64), EITHER),
        Trial("as text", lambda: str(plain), WRONG),
        Trial("negative", lambda: -right - 1, WRONG),
        Trial("inf", lambda: np.full_like(right, math.inf), WRONG),
        Trial("NaN array", lambda: np.full_like(right, math.nan), WRONG),
        Trial("huge", lambda: right + 1e300, WRONG),
        Trial("complex array", lambda: right + 1j, WRONG),
        Trial("twice", lambda: [plain, plain], WRONG),
        Trial("more dimensions", lambda: right[None, None], EITHER),
        Trial("a function", lambda: lambda: plain, WRONG),
        Trial("2**2000", lambda: 2**2000, WRONG),
        Trial("an infinite repr", BadRepr, WRONG),
    ]
    return Kind(lambda: plain, tuple(trials), ("number", "numbers", "answer"))


class BadRepr:
    """Nothing can be done with it, not even print it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise MemoryError("no array")


def a_function(exercise: Exercise) -> Kind:
    """A function that does what the exercise asks for."""
    answers: dict[str, Any] = {
        "None": None,
        "NaN": math.nan,
        "text": "fuzz",
        "object": object(),
        "a list": [],
        "True": True,
        "a NaN tensor": torch.tensor(math.nan),
        "an empty tensor": torch.empty(0),
        "complex": 1j,
        "a tensor on meta": torch.empty(3, device="meta"),
        "a class": dict,
        "an array of text": np.array(["fuzz"]),
        "a generator": (i for i in ()),
        "a bad object": BadRepr(),
        "a huge number": 10**400,
    }
    right = exercise.answer
    trials = [*strangers(), Trial("the solution in a wrapper", lambda: lambda *a: right(*a), SAME)]
    trials += [
        Trial(f"→ {label}", lambda a=answer: lambda *args, **_: a, WRONG)  # type: ignore[misc]
        for label, answer in answers.items()
    ]
    trials += [
        Trial("takes nothing", lambda: lambda: None, WRONG),
        Trial("raises an error", lambda: _raising(ValueError("no")), WRONG),
        Trial("raises a bare KeyError", lambda: _raising(KeyError()), WRONG),
        Trial("raises RecursionError", lambda: _forever, WRONG),
        Trial("raises StopIteration", lambda: _raising(StopIteration()), WRONG),
        Trial("its first argument", lambda: lambda *args: args[0], WRONG),
        Trial("the result of the solution", lambda: 3.5, WRONG),
        Trial("the exercise itself", lambda: exercise, WRONG),
    ]
    return Kind(lambda: right, tuple(trials), ("function", "Your", "Return"))


def _raising(error: Exception) -> Callable[..., Any]:
    def answer(*_: Any) -> Any:
        raise error

    return answer


def _forever(*args: Any) -> Any:
    return _forever(*args)


def engine_rows() -> list[Row]:
    """What exercises are made of."""

    def solution() -> float:
        return 3.5

    words = {"hint": text("a hint"), "why": text("why")}
    made = thing(lambda: solution, "solution", "function").but(
        drop=["lambda", "its class", "class"]
    )
    mistakes = mapping(lambda: {"no": 4.0}, empty=FINE).but(
        drop=["numbers as keys", "None as values", "text as values"]
    )
    option = thing(lambda: Wrong("b", "no"), "Right", "Wrong", "option")
    question = thing(
        lambda: Question("q?", Right("a", "yes"), Wrong("b", "no")), "Question", "question"
    )
    return [
        row("practice.exercise.Feedback", mark=text("✗"), text=text("no"), look=str),
        row(
            "practice.number.Number",
            solution=made,
            **words,
            mistakes=mistakes,
            tolerance=number(0.125, 0),
            look=lambda e: e.judge(3.5).mark,
        ),
        row(
            "practice.exercise.not_a_function",
            name=text("f"),
            answer=thing(lambda: 3).but(drop=[t.label for t in thing(lambda: 3).trials]),
        ),
        row(
            "practice.exercise.explain",
            error=thing(lambda: ValueError("no"), "error").but(drop=["its class"]),
            answer=thing(lambda: len).but(drop=[t.label for t in thing(lambda: len).trials]),
            called_with=text("nothing"),
        ),
        row(
            "practice.function.describe",
            arguments=thing(lambda: [torch.zeros(3)], "arguments").but(
                drop=[
                    "text",
                    "bytes",
                    "list",
                    "[]",
                    "{}",
                    "iterator",
                    "array of text",
                    "()",
                    "a list of it",
                    "its class",
                ]
            ),
        ),
        row("practice.quiz.Option", text=text(), because=text(), look=lambda o: o.text),
        row("practice.quiz.Right", text=text(), because=text(), look=lambda o: o.text),
        row("practice.quiz.Wrong", text=text(), because=text(), look=lambda o: o.text),
        row(
            "practice.quiz.Question",
            lambda text, option: Question(text, Right("a", "yes"), option),
            text=text("q?"),
            option=option,
            look=lambda q: str(Quiz(q)),
        ),
        row("practice.quiz.Quiz", **{"*question": question}, look=lambda q: q._repr_html_()),
        row(
            "practice.label_budget.estimate",
            method=thing(_method, "method"),
            labels=number(4.0, 0, above=True),
        ),
    ]


def _method() -> str:
    from cvcourse.practice import label_budget

    return next(iter(label_budget.MEASURED))


def rows() -> list[Row]:
    found = engine_rows()
    for name, exercise in exercises():
        kind = a_number(exercise) if isinstance(exercise, Number) else a_function(exercise)
        found.append(row(f"practice.{name}.check", hand_in(exercise), answer=kind))
    return found
