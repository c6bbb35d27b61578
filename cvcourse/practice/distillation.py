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

from collections.abc import Callable
from functools import partial

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
        "Take the logarithm of the two probabilities before you subtract them.": 6 / 0.8336,
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
    "teacher is beside the labels.",
    mistakes={
        "That is the chain rule's part alone. The answers grow alike, too, by as much.": 5,
        "It stays if the loss has its T². Here it has not.": 1,
        "Those are the squares of the temperature itself; it grows from 4 to 20.": 400,
        "Sixteen would do from 1 to 4.": 16,
        "The chapter measured that from 1 to 10, where the law is not exact yet. For large T, "
        "count a factor 1/T twice.": 59,
        "The other way round: how many times smaller.": 0.04,
    },
)
def shrinks() -> float:
    """How many times smaller the gradient is at T = 20 than at T = 4, without T², T large."""
    return (20 / 4) ** 2


def _logits(generator: torch.Generator) -> tuple[Tensor, float]:
    """Of a size that overflows when exponentials are taken as they are."""
    cold = 0.5 + 4 * float(torch.rand((), generator=generator))
    logits = 3 * torch.randn(4, 5, generator=generator)
    logits[0] += 1000.0 * (cold < 3)
    return logits, cold


def _soften(
    logits: Tensor,
    t: float,
    *,
    power: int = -1,
    dim: int = 1,
    of: Callable[..., Tensor] = torch.softmax,
) -> Tensor:
    return of(logits * t**power, dim)


@Function.of(
    hint="softmax(z / T) over the classes, dim=1. PyTorch's does not overflow.",
    why="T → 0 leaves the largest logit alone, and T → ∞ makes all classes alike.",
    inputs=_logits,
    mistakes={
        "You multiply by T. A higher temperature must make the answer flatter.": partial(
            _soften, power=1
        ),
        "Too late: divide the logits, before the softmax.": lambda logits, t: (
            logits.softmax(dim=1) / t
        ),
        "Your softmax runs over the pictures; expected over the classes (dim=1).": (
            partial(_soften, dim=0)
        ),
        "These are logarithms of probabilities.": partial(_soften, of=torch.log_softmax),
        "Right for small logits. For large ones the exponential overflows; subtract the largest "
        "logit first, or take PyTorch's softmax.": lambda logits, t: (
            (logits / t).exp() / (logits / t).exp().sum(dim=1, keepdim=True)
        ),
        "These are exponentials, infinite for large logits: divide by their sum.": partial(
            _soften, of=lambda z, dim: z.exp()
        ),
        "The temperature is missing, or cancels when you divide by the sum.": partial(
            _soften, power=0
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
    student, teacher = 3 * torch.randn(2, 6, 5, generator=generator)
    return student, teacher, 2.0 + float(torch.rand((), generator=generator))


def _teach(
    student: Tensor,
    teacher: Tensor,
    t: float,
    *,
    power: int = 2,
    cold: str = "",
    dim: int = 1,
    own: float = 1.0,
    said: Callable[..., Tensor] = torch.log_softmax,
    reduce: Callable[[Tensor], Tensor] = lambda each: each.sum() / len(each),
) -> Tensor:
    """The teacher's loss, right or with one thing wrong; also F.kl_div's odd arguments."""
    p = (teacher / (1 if "teacher" in cold else t)).log_softmax(dim)
    q = said(student / (1 if "student" in cold else t), dim)
    return t**power * reduce(p.exp() * (own * p - q))


@Function.of(
    hint="p and q are softmax(z / T) of teacher and student. Σ p (log p − log q) over the classes, "
    "the mean over the pictures, and then T².",
    why="F.kl_div takes log q first and p second, and its default, “mean”, is K times too small.",
    inputs=_pair,
    learner="student",
    mistakes={
        "The factor T² is missing.": partial(_teach, power=0),
        "You averaged over the classes too (as F.kl_div does by default): K times too small.": (
            partial(_teach, reduce=torch.mean)
        ),
        "Teacher and student have changed places: KL is not symmetric, and the teacher comes "
        "first.": lambda s, z, t: _teach(z, s, t),
        "That is the sum over the pictures; expected the mean.": partial(_teach, reduce=torch.sum),
        "The factor is T², not T.": partial(_teach, power=1),
        "You divide by T². It is a factor.": partial(_teach, power=-2),
        "The student has a temperature, too: both are softened.": partial(_teach, cold="student"),
        "The teacher has a temperature, too: both are softened.": partial(_teach, cold="teacher"),
        "That is the cross-entropy with soft targets, larger by the teacher's own entropy. Same "
        "gradient, another number.": partial(_teach, own=0.0),
        "Neither answer is softened: the temperature is missing inside.": partial(
            _teach, cold="student, teacher"
        ),
        "That is no number (NaN). If you call F.kl_div: it takes log q first and p second.": (
            lambda student, teacher, t: F.kl_div(
                teacher.softmax(1), student.log_softmax(1), reduction="sum"
            )
        ),
        "F.kl_div takes the student's log-probabilities; these are probabilities, the logarithm is "
        "missing.": partial(_teach, said=torch.softmax),
        "Your softmax runs over the pictures of the batch; expected over the classes (dim=1).": (
            partial(_teach, dim=0)
        ),
        "One number for each picture; expected their mean.": partial(
            _teach, reduce=lambda each: each.sum(dim=1)
        ),
        "These are squared differences of logits, no KL divergence.": lambda s, z, t: F.mse_loss(
            s, z
        ),
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


def _both(
    s: Tensor,
    z: Tensor,
    y: Tensor,
    t: float,
    alpha: float,
    *,
    power: int = 2,
    weights: Callable[[float], tuple[float, float]] = lambda a: (a, 1 - a),
    asked: Callable[..., Tensor] = lambda s, z, t: s,
    taught: Callable[..., Tensor] = _teach,
) -> Tensor:
    soft, hard = weights(alpha)
    return soft * taught(s, z, t, power=power) + hard * F.cross_entropy(asked(s, z, t), y)


@Function.of(
    hint="alpha times the loss of the exercise before, plus 1 − alpha times the ordinary one.",
    why="The label is compared with the student's answer at T = 1: that is how it will be asked.",
    inputs=_with_labels,
    learner="student",
    mistakes={
        "The weights have changed places: alpha is the teacher's.": partial(
            _both, weights=lambda a: (1 - a, a)
        ),
        "The label's term has no temperature: it is asked at T = 1.": partial(
            _both, asked=lambda s, z, t: s / t
        ),
        "Without T² the labels drown the teacher.": partial(_both, power=0),
        "The factor is T², not T.": partial(_both, power=1),
        "T² belongs to the teacher's term alone.": lambda s, z, y, t, a: (
            t**2 * _both(s, z, y, t, a, power=0)
        ),
        "The label's term has the weight 1 − alpha.": partial(_both, weights=lambda a: (a, 1)),
        "The teacher's term has the weight alpha.": partial(_both, weights=lambda a: (1, 1 - a)),
        "The two are added up without their weights.": partial(_both, weights=lambda a: (1, 1)),
        "The labels are missing.": partial(_both, weights=lambda a: (a, 0)),
        "The teacher is missing.": partial(_both, weights=lambda a: (0, 1 - a)),
        "The label is compared with the teacher's answer; expected with the student's.": partial(
            _both, asked=lambda s, z, t: z
        ),
        "F.cross_entropy takes logits; it applies a softmax of its own.": partial(
            _both, asked=lambda s, z, t: s.softmax(dim=1)
        ),
        "Teacher and student have changed places in KL: the teacher comes first.": partial(
            _both, taught=lambda s, z, t, power: _teach(z, s, t, power=power)
        ),
        "You averaged KL over the classes too (as F.kl_div does by default): K times too small.": (
            partial(_both, taught=partial(_teach, reduce=torch.mean))
        ),
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
            "The balance: the labels now weigh more beside the teacher.",
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
        "`F.kl_div(log q, p)` with its default reduction: what is wrong?",
        Wrong("Nothing.", "Its default divides by the number of classes as well."),
        Wrong("p and log q have changed places.", "This order is PyTorch's, odd as it looks."),
        Right(
            'It is K times too small: use `reduction="batchmean"`.',
            "And the temperature's factor T² has to be multiplied by hand.",
        ),
    ),
)
"""The questions that end the chapter."""
