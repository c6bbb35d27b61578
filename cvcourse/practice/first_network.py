"""Practice for chapter 0: what a picture, a step and an accuracy are.

>>> from cvcourse.practice import first_network as practice
>>> _ = practice.numbers.check(1024)
✗ That is one channel. A colour picture has three: red, green and blue.
>>> _ = practice.step.check(lambda weight, gradient, learning_rate: weight - gradient)
✗ The learning rate is missing: it says how much of the gradient to go.
>>> _ = practice.share_right.check(...)
… share_right: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 3 questions
"""

from __future__ import annotations

import torch
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="A number for each pixel and each channel.",
    why="So the smallest layer for ten classes has ten times as many weights: 30,720.",
    mistakes={
        "That is one channel. A colour picture has three: red, green and blue.": 32 * 32,
        "That is one row of pixels, in three colours. There are 32 rows.": 3 * 32,
        "You added width and height; a table has as many numbers as their product.": 3 * (32 + 32),
        "That many different values can a pixel have. How many pixels, and channels?": 256,
    },
)
def numbers() -> int:
    """How many numbers a colour picture of 32 × 32 pixels is."""
    return 3 * 32 * 32


def _a_step(generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    weight, gradient = torch.randn(2, 3, 4, generator=generator)
    return weight, gradient, 0.1 + float(torch.rand((), generator=generator))


@Function.of(
    hint="Downhill is against the gradient. The learning rate says how far.",
    why="All training in this book is this line, with better ways to choose the length of a step.",
    inputs=_a_step,
    mistakes={
        "That climbs: along the gradient the loss rises. Go the other way.": (
            lambda weight, gradient, learning_rate: weight + learning_rate * gradient
        ),
        "That climbs, and without a learning rate. Turn the sign round, and let the rate say how "
        "far.": lambda weight, gradient, learning_rate: weight + gradient,
        "The learning rate is missing: it says how much of the gradient to go.": (
            lambda weight, gradient, learning_rate: weight - gradient
        ),
        "That is the step alone. It starts where the weight is.": (
            lambda weight, gradient, learning_rate: -learning_rate * gradient
        ),
        "That scales the weight. The step does not depend on the weight: subtract learning rate × "
        "gradient.": (
            lambda weight, gradient, learning_rate: weight * (1 - learning_rate * gradient)
        ),
        "You divide by the learning rate; it is a factor.": (
            lambda weight, gradient, learning_rate: weight - gradient / learning_rate
        ),
        "Each weight goes as far as its own gradient says, not only in its direction.": (
            lambda weight, gradient, learning_rate: weight - learning_rate * gradient.sign()
        ),
    },
)
def step(weight: Tensor, gradient: Tensor, learning_rate: float) -> Tensor:
    """A weight and its gradient, of one shape, and a number → the weight after one step."""
    return weight - learning_rate * gradient


def _scores(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    logits = torch.randn(12, 5, generator=generator)
    labels = torch.randint(5, (12,), generator=generator)
    labels[:6] = logits[:6].argmax(dim=1)  # about half of the answers are right
    return logits, labels


@Function.of(
    hint="logits.argmax(dim=1) is the answer to each picture.",
    why="The scores themselves, and how sure they are, do not count: only which one is highest.",
    inputs=_scores,
    mistakes={
        "That is how often it is wrong. The share that is right is the rest.": (
            lambda logits, labels: (logits.argmax(dim=1) != labels).float().mean()
        ),
        "That is how many are right; divide by how many there are.": (
            lambda logits, labels: (logits.argmax(dim=1) == labels).sum()
        ),
        "You divided by a fixed number; divide by how many there are.": (
            lambda logits, labels: (logits.argmax(dim=1) == labels).sum() / 10
        ),
        "You looked for the picture with the highest score of each class. One row is one "
        "picture: take the highest of each row.": (
            lambda logits, labels: (
                (logits.argmax(dim=0) == labels[: logits.shape[1]]).float().mean()
            )
        ),
        "That is the lowest score of each picture. The answer is the highest.": (
            lambda logits, labels: (logits.argmin(dim=1) == labels).float().mean()
        ),
        "That is how probable the right classes are, on average. Accuracy asks which score is "
        "highest, and not by how much.": (
            lambda logits, labels: logits.softmax(dim=1)[torch.arange(len(labels)), labels].mean()
        ),
    },
)
def share_right(logits: Tensor, labels: Tensor) -> Tensor:
    """Scores (N, K), labels (N,) → the share of pictures whose highest score is their label's."""
    return (logits.argmax(dim=1) == labels).float().mean()


quiz = Quiz(
    Question(
        "A network is right on 99 % of the pictures that it learned from. How good is it?",
        Wrong("Very good: 99 %.", "It may know these by heart."),
        Right(
            "That cannot be told.",
            "Only pictures that it has not seen tell. They are the test set.",
        ),
        Wrong("Better than one with 95 %.", "It may be, or may only remember more."),
    ),
    Question(
        "A difference of two methods is +3 points [−1, +7] over eight seeds. What follows?",
        Wrong("The first is better.", "The interval reaches below zero: it may be worse."),
        Wrong("They are equally good.", "It also reaches to +7. That is no small difference."),
        Right(
            "Nothing yet: it is open.",
            "More seeds make the interval narrower, until it says something.",
        ),
    ),
    Question(
        "Somebody shows one run in which a method beats another by 4 points. Why is that little?",
        Right(
            "One and the same method differs from itself by as much.",
            "In our twelve pairs of runs by up to 11 points.",
        ),
        Wrong("Four points are always small.", "With many seeds, four points can be certain."),
        Wrong(
            "The run may have been too short.",
            "It may, but longer runs differ from seed to seed as well.",
        ),
    ),
)
"""The questions that end the chapter."""
