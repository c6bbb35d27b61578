"""Practice for chapter 13: labels put right and spoiled, the loss of a round, who teaches next.

>>> from cvcourse.practice import noisy_student as practice
>>> _ = practice.after_the_round.check(623)
✗ That is how many are right; expected the share.
>>> _ = practice.round_loss.check(...)
… round_loss: no answer yet. Put yours in place of the dots.
>>> _ = practice.who_teaches.check(lambda scores: list(range(1, len(scores))))
✗ Each student takes over, whether or not it is better than its teacher.
>>> practice.quiz
a quiz of 3 questions
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="574 were right before. Add those put right, and do not forget the others.",
    why="A round both corrects and spoils; only the difference counts.",
    tolerance=0.001,
    mistakes={
        "21 labels that were right are wrong now: subtract them.": (574 + 70) / 700,
        "That is how many are right; expected the share.": 623,
        "That is what the round gained; expected the accuracy after it.": 0.07,
        "You added the spoiled ones.": (574 + 91) / 700,
        "The other way round: 70 were put right, and 21 spoiled.": (574 - 70 + 21) / 700,
        "That is the accuracy before the round.": 0.82,
    },
)
def after_the_round() -> float:
    """Accuracy of 700 pseudo-labels, 82 % right before, of which 70 are put right, 21 spoiled."""
    right = 574 + 70 - 21
    return right / 700


def _round(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    labelled = 2 * torch.randn(3, 5, generator=generator)
    others = 2 * torch.randn(9, 5, generator=generator)
    soft = (2 * torch.randn(9, 5, generator=generator)).softmax(dim=1)
    return labelled, torch.randint(5, (3,), generator=generator), others, soft


def _soft(others: Tensor, soft: Tensor) -> Tensor:
    return -(soft * others.log_softmax(dim=1)).sum(dim=1)


def _losses(
    z: Tensor,
    y: Tensor,
    others: Tensor,
    soft: Tensor,
    *,
    hard: float = 1.0,
    sign: int = -1,
    of: Callable[..., Tensor] = torch.log_softmax,
    target: Callable[[Tensor], Tensor] = torch.clone,
    reduce: Callable[[Tensor], Tensor] = lambda each: each.sum() / len(each),
) -> Tensor:
    """The loss of a round, right or with one thing wrong."""
    return hard * F.cross_entropy(z, y) + sign * reduce(target(soft) * of(others, 1))


@Function.of(
    hint="Two means, one over the labelled pictures and one over the others, added up.",
    why="Two means, so that the few labels are not drowned by the many pictures without.",
    inputs=_round,
    mistakes={
        "One mean over all pictures drowns the few labels: take two means and add them.": (
            lambda z, y, others, soft: torch.cat(
                [F.cross_entropy(z, y, reduction="none"), _soft(others, soft)]
            ).mean()
        ),
        "The teacher's answers are probabilities already: no softmax of them.": partial(
            _losses, target=lambda soft: soft.softmax(1)
        ),
        "The average of the two; expected their sum.": lambda z, y, others, soft: (
            _losses(z, y, others, soft) / 2
        ),
        "You made the teacher's labels hard; expected its probabilities as they are.": partial(
            _losses, target=lambda soft: (soft == soft.amax(1, True)).float()
        ),
        "The labelled pictures are missing.": partial(_losses, hard=0),
        "The others are missing.": partial(_losses, sign=0),
        "You averaged over the classes, too: sum over them.": partial(_losses, reduce=torch.mean),
        "These are sums over the pictures; expected means.": lambda z, y, others, soft: (
            F.cross_entropy(z, y, reduction="sum") + _soft(others, soft).sum()
        ),
        "Of the others that is the sum; expected the mean.": partial(_losses, reduce=torch.sum),
        "The sign of the second term: cross-entropy is minus Σ p log q.": partial(_losses, sign=1),
        "The second term is a KL divergence, without the teacher's own entropy. Same gradient, "
        "another number.": lambda z, y, others, soft: (
            F.cross_entropy(z, y) + F.kl_div(others.log_softmax(1), soft, reduction="batchmean")
        ),
        "The logarithm is missing in the second term.": partial(_losses, of=torch.softmax),
    },
)
def round_loss(labelled: Tensor, labels: Tensor, others: Tensor, soft: Tensor) -> Tensor:
    """Student's logits (B, K), labels (B,); logits (M, K) and teacher's probabilities (M, K)."""
    on_labels = F.cross_entropy(labelled, labels)
    on_others = -(soft * others.log_softmax(dim=1)).sum(dim=1).mean()
    return on_labels + on_others


def _validation(generator: torch.Generator) -> tuple[list[float]]:
    """Accuracies in steps of a tenth, so that ties occur; students may be better and worse."""
    drawn = torch.randint(4, 9, (7,), generator=generator).tolist()
    return ([0.6, 0.5, 0.55, *(number / 10 for number in drawn), drawn[-1] / 10],)


def _teachers(
    scores: Sequence[float], *, ties: bool = False, rival: int | None = None
) -> list[int]:
    """Who teaches; with ties to the student, or compared with student −1 or teacher 0 instead."""
    teacher, history = 0, []
    for student in range(1, len(scores)):
        best = scores[{None: teacher, -1: student - 1, 0: 0}[rival]]
        if scores[student] > best or (ties and scores[student] == best):
            teacher = student
        history.append(teacher)
    return history


@Function.of(
    hint="Remember who teaches. A student takes over only if it is better than that one.",
    why="Never worse than the first, on validation pictures. On new ones the best of many is "
    "partly luck: so the test set is left alone until the end.",
    inputs=_validation,
    mistakes={
        "Each student takes over, whether or not it is better than its teacher.": lambda scores: (
            list(range(1, len(scores)))
        ),
        "You compare a student with the one before it, and let the better one teach. Compare with "
        "the teacher.": lambda scores: [
            i if scores[i] > scores[i - 1] else i - 1 for i in range(1, len(scores))
        ],
        "You compare a student with the one before it; that one may have been dropped. Compare "
        "with the teacher at that time.": lambda scores: _teachers(scores, rival=-1),
        "You compare each student with the first teacher; expected with the current one.": (
            lambda scores: _teachers(scores, rival=0)
        ),
        "That is the best of all rounds, each time: nobody knows the later ones yet.": (
            lambda scores: [scores.index(max(scores))] * (len(scores) - 1)
        ),
        "A student that is just as good is no better: the old teacher stays.": lambda scores: (
            _teachers(scores, ties=True)
        ),
        "One entry for each round, please: leave out the first teacher's start.": lambda scores: (
            [0, *_teachers(scores)]
        ),
        "That is the last teacher alone; expected who teaches after each round.": lambda scores: (
            _teachers(scores)[-1]
        ),
        "These are accuracies; expected who it is, 0 for the first teacher.": lambda scores: (
            [scores[i] for i in _teachers(scores)]
        ),
        "A student takes over in yours if it is worse.": lambda scores: _teachers(
            [-score for score in scores]
        ),
    },
)
def who_teaches(scores: list[float]) -> list[int]:
    """Validation accuracy of the first teacher (0) and of students 1, 2, … → teacher after each."""
    teacher, history = 0, []
    for student in range(1, len(scores)):
        if scores[student] > scores[teacher]:
            teacher = student
        history.append(teacher)
    return history


quiz = Quiz(
    Question(
        "Who is noised?",
        Wrong("The teacher, before it makes the labels.", "That spoils a tenth of them."),
        Right(
            "The student alone.",
            "The teacher looks at clean pictures: it has the easy job, the student the hard one.",
        ),
        Wrong("Both.", "The labels of a noised teacher were clearly worse."),
    ),
    Question(
        "Noisy Student ends above its first teacher. Whom should it be compared with?",
        Wrong(
            "With the first teacher.",
            "That flatters it: the chain has had more than twice the steps.",
        ),
        Wrong("With a smaller student.", "That says what growing is worth, not what rounds are."),
        Right(
            "With a network of its own size, trained as long on the labels alone.",
            "The fair opponent. It should have the labels that the chain is validated with, too.",
        ),
    ),
    Question(
        "Which errors of a teacher should a student put right, if the account above is true?",
        Right(
            "Scattered ones.",
            "It must explain all the answers at once, and scattered errors do not fit in.",
        ),
        Wrong(
            "All of them, with enough rounds.", "Of the systematic ones it is told nothing else."
        ),
        Wrong("None: it knows less than its teacher.", "More labels were put right than spoiled."),
    ),
)
"""The questions that end the chapter."""
