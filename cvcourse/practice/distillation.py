"""Practice for chapter 11: find a temperature, soften with it, and write the loss of a student.

>>> from cvcourse.practice import distillation as practice
>>> _ = practice.temperature.check(2.4)
✗ That is the distance of the softened logits. How many times smaller than 6 is
it?
>>> _ = practice.shrinks.check(5)
✗ That is the chain rule's part alone. The answers grow alike, too, by as much.
>>> _ = practice.soften.check(lambda logits, t: (logits * t).softmax(dim=1))
✗ You multiply by T. A higher temperature must make the answer flatter.
>>> _ = practice.teach.check(...)
… teach: no answer yet. Put yours in place of the dots.
>>> _ = practice.teach_with_labels.check(...)
… teach_with_labels: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="The ratio of two probabilities is e to the power of (the logits' difference / T).",
    why="A softmax fixes the logits up to a constant, so one ratio gives the temperature away.",
    tolerance=0.01,
    mistakes={
        "That is the distance of the softened logits. How many times smaller than 6 is it?": 2.4,
        "The other way round: divide 6 by what is left of it.": 0.4,
        "You multiplied. A temperature divides the logits.": 15.0,
        "At a temperature of 1 it would be [0.0025, 0.9975].": 1.0,
        "Probabilities do not divide logits: take the logarithm of their ratio first.": 6 / 0.9168,
    },
)
def temperature() -> float:
    """T that makes [0.0832, 0.9168] of two logits that are 6 apart."""
    softened = torch.tensor([0.0832, 0.9168]).log().diff().item()
    return 6 / softened


@Number.of(
    hint="One factor 1/T comes from the chain rule. The other comes from the answers, which "
    "grow flat.",
    why="The factor T² takes this back, so that the temperature does not change how loud the "
    "teacher "
    "is beside the labels.",
    mistakes={
        "That is the chain rule's part alone. The answers grow alike, too, by as much.": 5,
        "It stays if the loss has its T². Here it has not.": 1,
        "Those are the squares of the temperature itself; it grows from 4 to 20.": 400,
        "Sixteen would do from 1 to 4.": 16,
        "The other way round: how many times smaller.": 0.04,
    },
)
def shrinks() -> float:
    """How many times smaller the gradient is at T = 20 than at T = 4, without T², T large."""
    return (20 / 4) ** 2


def _logits(generator: torch.Generator) -> tuple[Tensor, float]:
    """Of a size that overflows when exponentials are taken as they are."""
    cold = 0.5 + 4 * float(torch.rand((), generator=generator))
    logits = 3 * torch.randn(4, 5, generator=generator, dtype=torch.float64)
    logits[0] += 5000.0 * (cold < 3)
    return logits, cold


@Function.of(
    hint="softmax(z / T) over the classes, dim=1. PyTorch's does not overflow.",
    why="T → 0 leaves the largest logit alone, and T → ∞ makes all classes alike.",
    inputs=_logits,
    mistakes={
        "You multiply by T. A higher temperature must make the answer flatter.": lambda logits, t: (
            logits * t
        ).softmax(dim=1),
        "Too late: divide the logits, before the softmax.": lambda logits, t: (
            logits.softmax(dim=1) / t
        ),
        "Your softmax runs over the pictures; expected over the classes (dim=1).": (
            lambda logits, t: (logits / t).softmax(dim=0)
        ),
        "These are logarithms of probabilities.": lambda logits, t: (logits / t).log_softmax(dim=1),
        "Right for small logits. For large ones the exponential overflows; subtract the largest "
        "logit first, or take PyTorch's softmax.": lambda logits, t: (
            (logits / t).exp() / (logits / t).exp().sum(dim=1, keepdim=True)
        ),
        "The temperature is missing, or cancels when you divide by the sum.": lambda logits, t: (
            logits.softmax(dim=1)
        ),
        "They do not sum to 1: after the power of 1/T, divide by the sum.": lambda logits, t: (
            logits.softmax(dim=1) ** (1 / t)
        ),
    },
)
def soften(logits: Tensor, t: float) -> Tensor:
    """Logits (B, K), a temperature above 0 → probabilities (B, K)."""
    return (logits / t).softmax(dim=1)


def _pair(generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    student, teacher = 3 * torch.randn(2, 6, 5, generator=generator, dtype=torch.float64)
    return student, teacher, 2.0 + float(torch.rand((), generator=generator))


def _kl(p: Tensor, q: Tensor, t: float) -> Tensor:
    """KL(p ‖ q) of two sets of logits, for each picture."""
    p, q = (p / t).log_softmax(1), (q / t).log_softmax(1)
    return (p.exp() * (p - q)).sum(dim=1)


@Function.of(
    hint="p and q are softmax(z / T) of teacher and student. Σ p (log p − log q) over the "
    "classes, the "
    "mean over the pictures, and then T².",
    why="F.kl_div takes log q first and p second, and its default, “mean”, is K times too small.",
    inputs=_pair,
    mistakes={
        "The factor T² is missing.": lambda s, z, t: _kl(z, s, t).mean(),
        "You averaged over the classes too (as F.kl_div does by default): K times too small.": (
            lambda s, z, t: t**2 * _kl(z, s, t).mean() / s.shape[1]
        ),
        "Teacher and student have changed places: KL is not symmetric, and the teacher comes "
        "first.": (lambda s, z, t: t**2 * _kl(s, z, t).mean()),
        "That is the sum over the pictures; expected the mean.": lambda s, z, t: (
            t**2 * _kl(z, s, t).sum()
        ),
        "The factor is T², not T.": lambda s, z, t: t * _kl(z, s, t).mean(),
        "The student has a temperature, too: both are softened.": lambda s, z, t: (
            t**2
            * ((z / t).softmax(1) * ((z / t).log_softmax(1) - s.log_softmax(1))).sum(dim=1).mean()
        ),
        "That is the cross-entropy with soft targets, larger by the teacher's own entropy. Same "
        "gradient, another number.": lambda s, z, t: (
            t**2 * F.cross_entropy(s / t, (z / t).softmax(1))
        ),
        "Neither answer is softened: the temperature is missing inside.": lambda s, z, t: (
            t**2 * _kl(z, s, 1.0).mean()
        ),
        "One number for each picture; expected their mean.": lambda s, z, t: t**2 * _kl(z, s, t),
    },
)
def teach(student: Tensor, teacher: Tensor, t: float) -> Tensor:
    """Logits (B, K) and (B, K), temperature → T² KL(teacher ‖ student), mean over the batch."""
    p, q = (teacher / t).log_softmax(dim=1), (student / t).log_softmax(dim=1)  # (B, K)
    return t**2 * (p.exp() * (p - q)).sum(dim=1).mean()


def _with_labels(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, float, float]:
    labels = torch.randint(5, (6,), generator=generator)
    student, teacher, t = _pair(generator)
    return student, teacher, labels, t, 0.7


def _both(s: Tensor, z: Tensor, y: Tensor, t: float, soft: float, hard: float) -> Tensor:
    return soft * t**2 * _kl(z, s, t).mean() + hard * F.cross_entropy(s, y)


@Function.of(
    hint="alpha times the loss of the exercise before, plus 1 − alpha times the ordinary one.",
    why="The label is compared with the student's answer at T = 1: that is how it will be asked.",
    inputs=_with_labels,
    mistakes={
        "The weights have changed places: alpha is the teacher's.": lambda s, z, y, t, a: _both(
            s, z, y, t, 1 - a, a
        ),
        "The label's term has no temperature: it is asked at T = 1.": lambda s, z, y, t, a: (
            a * t**2 * _kl(z, s, t).mean() + (1 - a) * F.cross_entropy(s / t, y)
        ),
        "Without T² the labels drown the teacher.": lambda s, z, y, t, a: (
            a * _kl(z, s, t).mean() + (1 - a) * F.cross_entropy(s, y)
        ),
        "T² belongs to the teacher's term alone.": lambda s, z, y, t, a: (
            t**2 * (a * _kl(z, s, t).mean() + (1 - a) * F.cross_entropy(s, y))
        ),
        "The label's term has the weight 1 − alpha.": lambda s, z, y, t, a: _both(
            s, z, y, t, a, 1.0
        ),
        "The labels are missing.": lambda s, z, y, t, a: _both(s, z, y, t, a, 0.0),
        "The teacher is missing.": lambda s, z, y, t, a: _both(s, z, y, t, 0.0, 1 - a),
    },
)
def teach_with_labels(
    student: Tensor, teacher: Tensor, labels: Tensor, t: float, alpha: float
) -> Tensor:
    """Loss alpha T² KL(teacher ‖ student) at T, plus (1 − alpha) cross-entropy at T = 1."""
    p, q = (teacher / t).log_softmax(dim=1), (student / t).log_softmax(dim=1)  # (B, K)
    soft = t**2 * (p.exp() * (p - q)).sum(dim=1).mean()
    return alpha * soft + (1 - alpha) * F.cross_entropy(student, labels)


quiz = Quiz(
    Question(
        "What is a soft prediction?",
        Wrong("The logits.", "They may be negative, and fix the answer only up to a constant."),
        Right(
            "What comes out of the softmax at temperature T.",
            "Positive, and it sums to 1. The higher T, the flatter.",
        ),
        Wrong("The largest class.", "That is the hard prediction."),
    ),
    Question(
        "Without T², you raise the temperature from 4 to 10 and keep α. What else have you "
        "changed?",
        Right(
            "The balance: the labels now speak louder beside the teacher.",
            "The teacher's gradient shrinks with T², that of the labels does not.",
        ),
        Wrong("Nothing.", "The teacher's gradient shrinks about sixfold."),
        Wrong("The teacher.", "It stands still, whatever the temperature."),
    ),
    Question(
        "Whose weights does the gradient of the distillation loss reach?",
        Wrong("Teacher's and student's.", "The teacher is asked without a gradient."),
        Wrong("The teacher's.", "It knows already."),
        Right(
            "The student's alone.", "And in eval mode the teacher's batch norm stands still, too."
        ),
    ),
    Question(
        "F.kl_div(log q, p) with its default reduction: what is wrong?",
        Wrong("Nothing.", "Its default divides by the number of classes as well."),
        Wrong("p and log q have changed places.", "This order is PyTorch's, odd as it looks."),
        Right(
            "It is K times too small: use reduction=“batchmean”.",
            "And the temperature's factor T² has to be multiplied by hand.",
        ),
    ),
)
"""The questions that end the chapter."""
