"""What an exercise says, whatever it is asked."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import cvcourse.practice.receptive_fields as receptive_fields
from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong
from cvcourse.practice.smallest import smallest


@Number.of(hint="Add.", why="So it is.", mistakes={"You multiplied.": 6}, tolerance=0.01)
def total() -> float:
    """Two and three."""
    # Not a product.
    return 2 + 3


@Number.of(hint="Halve.", why="Twice.", mistakes={"The other way round.": (2.0, 4.0)})
def pair() -> tuple[float, float]:
    """Eight, halved, and again."""
    return 4.0, 2.0


@Function.of(
    hint="Twice.",
    why="Linear.",
    inputs=lambda generator: (torch.randn(3, generator=generator), 2),
    mistakes={"You added.": lambda x, factor: x + factor, "It is NaN.": lambda x, _: x / 0 * 0},
)
def times(x: Tensor, factor: int) -> Tensor:
    """(3,) → (3,)."""
    return x * factor


@Function.of(
    hint="Square.",
    why="A parabola.",
    inputs=lambda generator: (torch.randn(3, generator=generator), torch.ones(3)),
    mistakes={},
    learner="student",
)
def loss(student: Tensor, target: Tensor) -> Tensor:
    """(3,), (3,) → a number."""
    return ((student - target) ** 2).mean()


@Project.of(
    hint="Any list.",
    why="Many do.",
    run=lambda learner: learner(4),
    called_with="4",
    requirements={
        "Too short.": lambda out: len(out) >= 4,
        "Not rising.": lambda out: out[0] < out[1],
    },
)
def rising(n: int) -> list[int]:
    """At least n rising numbers."""
    return list(range(n))


def stops(x: Tensor, factor: int) -> Tensor:
    return x @ torch.ones(factor)  # the line that fails


def changes(x: Tensor, factor: int) -> Tensor:
    x *= factor
    return x


def in_numpy(student: Tensor, target: Tensor) -> Any:
    return ((student.numpy() - target.numpy()) ** 2).mean()


@torch.no_grad()
def without_gradient(student: Tensor, target: Tensor) -> Tensor:
    return ((student - target) ** 2).mean()


def one_argument(x: Tensor) -> Tensor:
    return x


def stub(x: Tensor, factor: int) -> Tensor:
    raise NotImplementedError


def sometimes(x: Tensor, factor: int) -> Any:
    return x * factor if x[1] > 0 else None


CASES: list[tuple[Any, Any, str, str]] = [
    (times, stub, "…", "stub returns nothing yet"),
    (times, lambda x, factor: ..., "…", "times returns nothing yet"),
    (times, sometimes, "✗", "gives nothing. Every way through it must end with return"),
    (times, lambda x, factor: (x == 0).mean() * factor, "✗", "stops in the line"),
    (times, lambda x, factor: [x[0] * factor, Fraction(1)], "✗", "the shape (2,); expected (3,)"),
    (times, lambda x, factor: [one * factor for one in x], "✓", "Linear."),
    (loss, lambda s, t: ((s - t) ** 2).mean(), "✓", "A parabola."),
    (loss, lambda s, t: ((s - t.detach()) ** 2).mean(), "✓", "A parabola."),
    (loss, in_numpy, "✓", "A parabola."),
    (loss, lambda s, t: ((s.detach() - t) ** 2).mean(), "✓", "no gradient reaches student"),
    (loss, without_gradient, "✓", "no gradient reaches student"),
    (loss, lambda s, t: (0 * s + (s.detach() - t) ** 2).mean(), "✓", "no gradient reaches"),
    (loss, lambda s, t: ((s - t) ** 2).sum(), "✗", "Too large by a factor of 3"),
    (times, lambda x, factor: (x * factor).requires_grad_(), "✓", "Linear."),
    (times, lambda x, factor: [Fraction(float(one)) * factor for one in x], "✓", "Linear."),
    (times, lambda x, factor: -x * factor, "✗", "The sign is wrong"),
    (times, lambda x, factor: -x - factor, "✗", "Two things are wrong. You added. The sign is"),
    (times, lambda x, factor: x * factor**2, "✗", "There is a factor factor too many"),
    (times, lambda x, factor: (x * factor).mean(), "✗", "You took the mean of it all"),
    (
        times,
        lambda x, factor: x * factor * 3,
        "✗",
        "Too large by a factor of 3, as many as x has along dim=0: divide by it.",
    ),
    (total, Fraction(5), "✓", "So it is."),
    (total, Decimal(5), "✓", "So it is."),
    (total, [[torch.tensor(5.0, requires_grad=True)]], "✓", "So it is."),
    (total, 500, "✗", "That is per cent"),
    (total, np.array("5"), "✗", "is no number"),
    (total, ..., "…", "total: no answer yet"),
    (total, 5, "✓", "Right. So it is."),
    (total, 5.04, "✓", "Right."),
    (total, torch.tensor(5), "✓", "Right."),
    (total, 6, "✗", "You multiplied."),
    (total, 5.1, "✗", "5.1 is too large"),
    (total, -70_000, "✗", "-70,000 is too small"),
    (total, "5", "✗", "str is no number; expected a number, without quotes"),
    (total, True, "✗", "bool is no number"),
    (total, None, "✗", "NoneType is no number"),
    (total, (5, 5), "✗", "Those are 2 numbers; expected a number."),
    (total, float("nan"), "✗", "not finite"),
    (pair, [4, 2], "✓", "Twice."),
    (pair, (2, 4), "✗", "The other way round."),
    (pair, (4, 3), "✗", "left to right: ✓ ✗"),
    (pair, 4, "✗", "expected 2 numbers"),
    (times, ..., "…", "times: no answer yet"),
    (times, lambda x, factor: factor * x, "✓", "Linear."),
    (times, lambda x, factor: (factor * x).tolist(), "✓", "Linear."),
    (times, lambda x, factor: factor * x.double().numpy(), "✓", "Linear."),
    (times, lambda x, factor: None, "…", "times returns nothing yet"),
    (times, 7, "✗", "That int is no function; expected the function itself: check(times)"),
    (times, lambda x, factor: x + factor, "✗", "You added."),
    (times, lambda x, factor: x * float("nan"), "✗", "It is NaN."),
    (times, lambda x, factor: x * float("inf"), "✗", "NaN or infinity"),
    (times, lambda x, factor: x[:2], "✗", "the shape (2,); expected (3,)"),
    (times, lambda x, factor: "text", "✗", "a str; expected numbers"),
    (
        times,
        lambda x, factor: 3 * x,
        "✗",
        "x = [1.5, -0.3], factor = 2, your function gives [4.5, -0.9]; expected [3, ",
    ),
    (times, stops, "✗", "in the line `return x @ torch.ones(factor)  # the line that fails` with "),
    (times, stops, "✗", "It was called with a tensor (3,) float32, 2."),
    (times, changes, "✗", "changes its argument in place; work on a copy"),
    (times, one_argument, "✗", "TypeError: one_argument() takes 1 positional argument but 2 were"),
    (rising, lambda n: [1, 2, 3, 5, 9], "✓", "Many do."),
    (rising, lambda n: [1], "✗", "Too short."),
    (rising, lambda n: 1, "✗", "Too short."),
    (rising, lambda n: [4, 3, 2, 1], "✗", "Not rising."),
    (rising, lambda n: None, "…", "rising returns nothing yet"),
    (rising, lambda n: n / 0, "✗", "ZeroDivisionError: division by zero. It was called with 4."),
    (
        rising,
        [1, 2, 3, 4],
        "✗",
        "That list is no function; expected the function itself: check(",
    ),
]


@pytest.mark.parametrize(("exercise", "answer", "mark", "part"), CASES)
def test_feedback(exercise: Any, answer: Any, mark: str, part: str) -> None:
    feedback = exercise.judge(answer)
    assert feedback.mark == mark
    assert part in feedback.text


def test_check_prints_feedback_in_lines_of_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert total.check() is total
    total.check("a long text")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "… total: no answer yet. Put yours in place of the dots."
    assert lines[1].startswith("✗ That str is no number")
    assert max(map(len, lines)) < 80


def test_several_numbers_need_no_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    receptive_fields.by_hand.check(*receptive_fields.by_hand.answer)
    assert capsys.readouterr().out.startswith("✓")
    receptive_fields.by_hand.check(1, 2, 3)
    assert "from left to right: ✗ ✓ ✗" in capsys.readouterr().out


def test_a_comma_in_a_number_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert total.check(7, 850) is total
    assert "In Python a comma makes two: write 7_850." in capsys.readouterr().out


def test_one_number_in_brackets_is_a_number() -> None:
    for answer in ([5], torch.tensor([5.0]), np.array([[5]])):
        assert total.judge(answer).mark == "✓"
    assert "1234567890 is too large" in total.judge(1234567890).text.replace(",", "")


def test_a_project_in_numpy_is_looked_at_as_tensors() -> None:
    exercise = Project.of(
        hint="Fill it.",
        why="It is finite.",
        run=lambda learner: learner(2),
        called_with="2",
        requirements={"Not finite.": lambda out: all(bool(x.isfinite().all()) for x in out)},
    )(lambda n: (torch.zeros(n), torch.ones(n)))
    assert exercise.judge(lambda n: (np.zeros(n), np.ones(n))).mark == "✓"


def test_hint_and_solution(capsys: pytest.CaptureFixture[str]) -> None:
    total.hint()
    assert capsys.readouterr().out == "Add.\n"
    total.solution()
    assert capsys.readouterr().out == (
        'def total() -> float:\n    """Two and three."""\n    # Not a product.\n    return 2 + 3\n'
        "\n# So it is.\n"
    )


def test_an_answer_that_cannot_even_be_looked_at() -> None:
    class Hostile:
        def __array__(self, *_: Any, **__: Any) -> None:
            raise ZeroDivisionError

    feedback = total.judge(Hostile())
    assert feedback.mark == "✗"
    assert feedback.text == "This Hostile cannot be checked: ZeroDivisionError."


def test_folded_help_is_plain_html() -> None:
    html = times._repr_html_()
    assert "<summary>Hint</summary><p>Twice.</p>" in html
    assert "-&gt; Tensor" in html
    assert "-> Tensor" not in html
    assert "open" not in html
    assert "<script" not in html


def test_quiz() -> None:
    quiz = Quiz(Question("Is `a < b`?", Wrong("No", "It <is>."), Right("`Yes`", "Look.")))
    assert quiz._repr_html_() == (
        '<ol class="quiz"><li><p>Is <code>a &lt; b</code>?</p>'
        '<details class="wrong"><summary>No</summary><p><strong>No.</strong> It &lt;is&gt;.</p>'
        '</details><details class="right"><summary><code>Yes</code></summary>'
        "<p><strong>Right.</strong> Look.</p></details></li></ol>"
    )
    assert str(quiz) == "1. Is `a < b`?\n   ( ) No\n   ( ) `Yes`"
    assert repr(quiz) == "a quiz of 1 questions"


@pytest.mark.parametrize(
    "options", [[], [Right("a", "b")], [Wrong("a", "b")] * 2, [Right("a", "b")] * 2]
)
def test_a_question_has_one_right_option(options: list[Any]) -> None:
    with pytest.raises(ValueError, match="needs one Right option, and at least one Wrong"):
        Question("?", *options)


def test_the_smallest_call_has_labels_of_its_own_classes() -> None:
    """It once had two scores a picture, and the label 4."""
    logits, labels = torch.randn(7, 5), torch.tensor([4, 3, 2, 1, 0, 4, 3])
    found = smallest(
        lambda logits, labels: torch.tensor(-1.0),
        lambda logits, labels: (logits.argmax(dim=1) == labels).float().mean(),
        [logits, labels],
    )
    assert found
    (few, classes), _, _ = found
    assert few.shape == (2, 2)
    assert classes.max() < 2
