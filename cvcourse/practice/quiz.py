"""A short quiz that needs no kernel and no script: every option unfolds to what it is worth."""

from __future__ import annotations

import re
from html import escape

from cvcourse.checks import checked


class Option:
    """One answer of a question.

    Args:
        text: of the answer; `code` in backticks.
        because: what to say to somebody who chooses it.
    """

    verdict = ""

    @checked
    def __init__(self, text: str, because: str) -> None:
        self.text, self.because = text, because


class Right(Option):
    """The right answer."""

    verdict = "Right."


class Wrong(Option):
    """A wrong one."""

    verdict = "No."


class Question:
    """A question and its options, one of which is right."""

    @checked
    def __init__(self, text: str, *options: Option) -> None:
        if [type(option) for option in options].count(Right) != 1 or len(options) < 2:
            raise ValueError(f"question {text!r} needs one Right option, and at least one Wrong")
        self.text, self.options = text, options


class Quiz:
    """What ends a chapter. A notebook shows it as HTML, `print` as text without the answers."""

    @checked
    def __init__(self, *questions: Question) -> None:
        self.questions = questions

    def __repr__(self) -> str:
        return f"a quiz of {len(self.questions)} questions"

    def __str__(self) -> str:
        lines = []
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question.text}")
            lines += [f"   ( ) {option.text}" for option in question.options]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f'<ol class="quiz">{"".join(map(_question, self.questions))}</ol>'


def _question(question: Question) -> str:
    return f"<li><p>{_inline(question.text)}</p>{''.join(map(_option, question.options))}</li>"


def _option(option: Option) -> str:
    return (
        f'<details class="{type(option).__name__.lower()}"><summary>{_inline(option.text)}'
        f"</summary><p><strong>{option.verdict}</strong> {_inline(option.because)}</p></details>"
    )


def _inline(text: str) -> str:
    return re.sub(r"`(.+?)`", r"<code>\1</code>", escape(text))
