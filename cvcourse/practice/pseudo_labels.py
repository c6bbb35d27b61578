"""Practice for chapter 12: what a threshold lets through, pseudo-labels, and their loss.

>>> from cvcourse.practice import pseudo_labels as practice
>>> _ = practice.wrong_labels.check(180)
✗ Only those that get a label can get a wrong one: coverage is missing.
>>> _ = practice.label_if_sure.check(lambda logits, t: logits.argmax(dim=1))
✗ All get a label; where the teacher is not sure it should be −1.
>>> _ = practice.pseudo_label_loss.check(...)
… pseudo_label_loss: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 3 questions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="Coverage says how many get a label. Purity says which share of these is right.",
    why="A tenth of the labels is wrong, and the student cannot know which. A higher threshold "
    "would make them fewer, and the right ones, too.",
    mistakes={
        "Only those that get a label can get a wrong one: coverage is missing.": 180,
        "Those are the right ones.": 972,
        "That is how many get a label at all.": 1080,
        "Those get none. Nothing wrong is said of them.": 720,
        "That is how many do not get a right label; those without any are not wrong.": 828,
        "Purity is a share of the labels that were given, not of all pictures.": 1800 * 0.5,
    },
)
def wrong_labels() -> int:
    """How many pseudo-labels are wrong: 1,800 pictures, coverage 60 %, purity 90 %."""
    given = 1800 * 60 // 100
    return given - given * 90 // 100


def _answers(generator: torch.Generator) -> tuple[Tensor, float]:
    logits = 2 * torch.randn(30, 4, generator=generator)
    threshold = 0.6 + 0.2 * float(torch.rand((), generator=generator))
    if torch.rand((), generator=generator) < 0.3:
        logits[::3] *= 1000  # a confidence of exactly 1, and a threshold at it
        threshold = 1.0
    return logits, threshold


def _sure(
    logits: Tensor,
    threshold: float,
    *,
    of: Callable[..., Tensor] = torch.softmax,
    dim: int = 1,
    flip: bool = False,
    say: Callable[[Tensor], Tensor | int] = lambda p: p.argmax(dim=1),
    none: int = -1,
) -> Tensor:
    """Right, or with one thing wrong."""
    p = of(logits, dim)
    return torch.where((p.max(dim=1).values >= threshold) ^ flip, say(p), none)


@Function.of(
    hint="softmax(dim=1).max(dim=1) gives both: how sure, and of which class.",
    why="The threshold asks how sure the teacher is. How right it is, no threshold can ask.",
    inputs=_answers,
    dtype="int",
    mistakes={
        "A confidence of just the threshold is enough: −1 is for those below it.": (
            lambda logits, t: torch.where(
                logits.softmax(1).max(dim=1).values > t, logits.argmax(dim=1), -1
            )
        ),
        "The threshold is one of probabilities; you compare it with logits.": partial(
            _sure, of=lambda logits, dim: logits
        ),
        "The other way round: the sure ones get a label.": partial(_sure, flip=True),
        "All get a label; where the teacher is not sure it should be −1.": lambda logits, t: (
            logits.argmax(dim=1)
        ),
        "Those without a label became class 0. Say −1: 0 is a class.": partial(_sure, none=0),
        "These are confidences; expected classes.": lambda logits, t: (
            logits.softmax(1).max(dim=1).values
        ),
        "These are confidences where the teacher is sure; expected its classes.": partial(
            _sure, say=lambda p: p.max(dim=1).values
        ),
        "That says who is sure, true or false; expected the classes.": partial(
            _sure, none=0, say=lambda p: 1
        ),
        "Your softmax runs over the pictures; expected over the classes (dim=1).": partial(
            _sure, dim=0
        ),
        "Some are missing: keep one entry for each picture, with −1 where there is no label.": (
            lambda logits, t: logits.argmax(dim=1)[logits.softmax(1).max(dim=1).values >= t]
        ),
    },
)
def label_if_sure(logits: Tensor, threshold: float) -> Tensor:
    """Teacher's logits (B, K) → classes (B,) int64, −1 where its confidence is below."""
    confidence, classes = logits.softmax(dim=1).max(dim=1)
    return torch.where(confidence >= threshold, classes, -1)


def _partly_labelled(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    logits = 2 * torch.randn(8, 4, generator=generator)
    none = bool(torch.rand((), generator=generator) < 0.5)
    labels = torch.randint(0, 4, (8,), generator=generator)
    return logits, labels.masked_fill(torch.arange(8) % 3 == 0, -1) if not none else labels * 0 - 1


def _kept(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    return F.cross_entropy(logits, labels, ignore_index=-1, reduction=reduction)


@Function.of(
    hint="Choose those with labels >= 0 first. And what if there are none?",
    why="Early in training a batch without one sure picture is common; one NaN, and all is lost.",
    inputs=_partly_labelled,
    mistakes={
        "Right, until a batch has no label at all: the mean of nothing is NaN. Expected 0.": _kept,
        "You divide by all pictures; expected by those that have a label.": lambda logits, labels: (
            _kept(logits, labels, "sum") / len(labels)
        ),
        "Python takes −1 for the last class: pictures without a label must be left out.": (
            lambda logits, labels: F.cross_entropy(logits, labels % 4)
        ),
        "That is the sum; expected the mean over those that have a label.": (
            lambda logits, labels: _kept(logits, labels, "sum")
        ),
        "You leave out class 0; it is a class. Those without a label are −1.": (
            lambda logits, labels: _kept(logits, labels.masked_fill(labels == 0, -1)).nan_to_num()
        ),
        "Pictures without a label count as class 0.": lambda logits, labels: F.cross_entropy(
            logits, labels.clamp(min=0)
        ),
        "One number for each picture; expected their mean.": lambda logits, labels: _kept(
            logits, labels, "none"
        ),
    },
)
def pseudo_label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Logits (B, K), labels (B,), −1 for none → mean loss of those with a label, 0 if none."""
    labelled = labels >= 0
    if not labelled.any():
        return logits.sum() * 0  # a gradient of zero
    return F.cross_entropy(logits[labelled], labels[labelled])


quiz = Quiz(
    Question(
        "You raise the threshold. What happens to coverage and purity?",
        Wrong("Both rise.", "A stricter teacher labels fewer pictures."),
        Right("Coverage falls; purity rises.", "And the student wants both: that is the trade."),
        Wrong("Both fall.", "The surer the teacher, the more often it was right."),
    ),
    Question(
        "With τ = 0 and a large weight from the first step, a model taught itself. Where did "
        "it end?",
        Wrong("At the level of its labels.", "At three times the weight they are outvoted."),
        Wrong("Slightly worse.", "It lost over 20 points."),
        Right(
            "It called nearly every picture the same.",
            "The simplest way to agree with oneself: confirmation bias.",
        ),
    ),
    Question(
        "Each class was photographed under a lamp of its own. Does a threshold of 0.8 save you?",
        Right(
            "No: the teacher is sure, and wrong.",
            "A threshold measures how sure it is, and it is sure of the lamp.",
        ),
        Wrong("Yes: wrong labels are unsure.", "Over half passed, and most of these were wrong."),
        Wrong("It does if it is high enough.", "It would have to see the truth, and sees itself."),
    ),
)
"""The questions that end the chapter."""
