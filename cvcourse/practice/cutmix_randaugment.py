"""Practice for chapter 9: what is left of λ, labels that follow it, the loss that takes them.

>>> from cvcourse.practice import cutmix_randaugment as practice
>>> _ = practice.share_left.check(0.64)
✗ That is λ as it was drawn. The piece sticks out, so it must be counted anew.
>>> _ = practice.sequences.check(14 * 13 * 12)
✗ That is if no operation may come twice. Each is drawn from all fourteen.
>>> _ = practice.paste_piece.check(...)
… paste_piece: no answer yet. Put yours in place of the dots.
>>> _ = practice.soft_targets.check(...)
… soft_targets: no answer yet. Put yours in place of the dots.
>>> _ = practice.soft_cross_entropy.check(...)
… soft_cross_entropy: no answer yet. Put yours in place of the dots.
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
    hint="The piece has the sides √(1 − 0.64) = 0.6 of the picture's. How much of it lies inside?",
    why="Only a quarter of the piece is pasted. A label that says 64 % would be off by 27 points.",
    mistakes={
        "That is λ as it was drawn. The piece sticks out, so it must be counted anew.": 0.64,
        "That is the share that was pasted; λ is what the picture keeps of its own.": 0.09,
        "The piece sticks out on two sides, not on one.": 0.82,
        "That is the whole piece, 1 − 0.64. How much of it lies inside, and what is left?": 0.36,
        "A quarter of the piece is pasted, as you say; but the piece is 1 − λ, not λ.": 0.84,
        "The sides of the piece are the root of 1 − λ; you halved its area, and squared it.": (
            1 - 0.32**2
        ),
        "The area of the piece is 1 − λ, so its sides are the root of that.": 1 - 0.18**2,
    },
)
def share_left() -> float:
    """λ after clipping, if 0.64 was drawn and the piece is centred on a corner of the picture."""
    side = (1 - 0.64) ** 0.5
    return 1 - (side / 2) * (side / 2)


@Number.of(
    hint="Fourteen choices for the first operation. And for the second?",
    why="2,744 sequences at one strength, without any search. AutoAugment searched some 10³² "
    "policies.",
    mistakes={
        "That is if no operation may come twice. Each is drawn from all fourteen.": 14 * 13 * 12,
        "The order counts: a turn and then a shear is not a shear and then a turn.": 364,
        "Choices multiply, they do not add up.": 42,
        "The other way round: fourteen choices, three times.": 3**14,
    },
)
def sequences() -> int:
    """How many sequences of three operations there are, each drawn anew from fourteen."""
    return 14**3


def _two_pictures(generator: torch.Generator) -> tuple[Tensor, Tensor, int, int, int, int]:
    images = torch.randint(0, 256, (4, 3, 8, 10), generator=generator, dtype=torch.uint8)
    partners = torch.tensor([2, 0, 3, 1])
    return images, partners, 1, 2, 6, 5


def _swapped(images: Tensor, partners: Tensor, rows: slice, columns: slice) -> Tensor:
    mixed = images.clone()
    mixed[:, :, rows, columns] = images[partners][:, :, rows, columns]
    return mixed


def _one_by_one(images: Tensor, partners: Tensor, x0: int, y0: int, x1: int, y1: int) -> Tensor:
    mixed = images.clone()
    for own, other in enumerate(partners):
        mixed[own, :, y0:y1, x0:x1] = mixed[other, :, y0:y1, x0:x1]
    return mixed


@Function.of(
    hint="Work on images.clone(), and take the pieces from the originals: images[partners].",
    why="One assignment for the whole batch. Rows are y, columns are x.",
    inputs=_two_pictures,
    dtype="uint8",
    mistakes={
        "Rows and columns have changed places: a picture is indexed [y, x].": (
            lambda images, partners, x0, y0, x1, y1: _swapped(
                images, partners, slice(x0, x1), slice(y0, y1)
            )
        ),
        "The piece shows the picture, and the rest its partner: it must be the other way round.": (
            lambda images, partners, x0, y0, x1, y1: _swapped(
                images[partners], partners.argsort(), slice(y0, y1), slice(x0, x1)
            )
        ),
        "You take pieces from pictures that are mixed already. Take them from the originals.": (
            _one_by_one
        ),
        "The piece is one row and one column too large: ends are exclusive.": (
            lambda images, partners, x0, y0, x1, y1: _swapped(
                images, partners, slice(y0, y1 + 1), slice(x0, x1 + 1)
            )
        ),
        "The last two numbers are edges, not the piece's width and height.": (
            lambda images, partners, x0, y0, x1, y1: _swapped(
                images, partners, slice(y0, y0 + y1), slice(x0, x0 + x1)
            )
        ),
        "You paste each picture into its partner; expected the partner into the picture.": (
            lambda images, partners, x0, y0, x1, y1: _swapped(
                images, partners.argsort(), slice(y0, y1), slice(x0, x1)
            )
        ),
        "Nothing was pasted.": lambda images, partners, x0, y0, x1, y1: images,
    },
)
def paste_piece(images: Tensor, partners: Tensor, x0: int, y0: int, x1: int, y1: int) -> Tensor:
    """Images (B, C, H, W), partners (B,) → copies with the partner's box in them."""
    mixed = images.clone()
    mixed[:, :, y0:y1, x0:x1] = images[partners][:, :, y0:y1, x0:x1]
    return mixed


def _labels(generator: torch.Generator) -> tuple[Tensor, Tensor, float, int]:
    labels = torch.randint(0, 6, (6,), generator=generator)
    partners = torch.randperm(6, generator=generator)
    return labels, partners, 0.3 + 0.1 * float(torch.rand((), generator=generator)), 6


def _weighed(own: Tensor, other: Tensor, share: float, classes: int, rest: float) -> Tensor:
    return share * F.one_hot(own, classes) + rest * F.one_hot(other, classes)


@Function.of(
    hint="partners says which picture was pasted; labels[partners] says what is on it.",
    why="Rows sum to 1, and if both pictures are of one class, the label is as hard as ever.",
    inputs=_labels,
    mistakes={
        "partners are places in the batch, not classes: labels[partners] are the classes.": (
            lambda labels, partners, share, n: _weighed(labels, partners, share, n, 1 - share)
        ),
        "λ is the share of a picture's own class. Yours goes to its partner.": (
            lambda labels, partners, share, n: _weighed(
                labels[partners], labels, share, n, 1 - share
            )
        ),
        "The shares must sum to 1: the partner gets 1 − λ, not λ.": (
            lambda labels, partners, share, n: _weighed(labels, labels[partners], share, n, share)
        ),
        "The partner gets a whole label on top; expected 1 − λ.": (
            lambda labels, partners, share, n: _weighed(labels, labels[partners], share, n, 1.0)
        ),
        "If both pictures are of one class, it gets both shares: add, do not overwrite.": (
            lambda labels, partners, share, n: torch.where(
                F.one_hot(labels[partners], n) > 0, 1 - share, share * F.one_hot(labels, n)
            )
        ),
        "These are halves; expected λ and 1 − λ.": lambda labels, partners, share, n: _weighed(
            labels, labels[partners], 0.5, n, 0.5
        ),
        "That is the label before mixing.": lambda labels, partners, share, n: F.one_hot(labels, n),
        "λ mixes labels, not their numbers: half-way between classes 2 and 4 is not class 3.": (
            lambda labels, partners, share, n: share * labels + (1 - share) * labels[partners]
        ),
    },
)
def soft_targets(labels: Tensor, partners: Tensor, share: float, n_classes: int) -> Tensor:
    """Labels (B,), partners (B,), λ → targets (B, n_classes)."""
    own = F.one_hot(labels, n_classes).float()
    return share * own + (1 - share) * own[partners]


def _scores(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    scores = 3 * torch.randn(5, 4, generator=generator)
    return scores, torch.randn(5, 4, generator=generator).softmax(dim=1)


def _entropy(
    scores: Tensor,
    targets: Tensor,
    *,
    of: Callable[..., Tensor] = torch.log_softmax,
    dim: int = 1,
    sign: int = -1,
    target: Callable[[Tensor], Tensor] = torch.clone,
    reduce: Callable[[Tensor], Tensor] = lambda each: each.sum() / len(each),
) -> Tensor:
    """The loss, right or with one thing wrong."""
    return sign * reduce(target(targets) * of(scores, dim))


@Function.of(
    hint="−Σ target · log softmax over the classes, then the mean over the pictures.",
    why="With a one-hot target it is the ordinary loss. It is linear in the target, so mixing the "
    "labels and mixing two losses is the same.",
    inputs=_scores,
    mistakes={
        "You averaged over the classes as well: so many times too small. Sum over them.": partial(
            _entropy, reduce=torch.mean
        ),
        "You averaged over no one: take the mean over the pictures.": partial(
            _entropy, reduce=torch.sum
        ),
        "One number for each picture; expected their mean.": partial(
            _entropy, reduce=lambda each: each.sum(dim=1)
        ),
        "Only the larger class of each target counts in yours; the label has become hard again.": (
            partial(_entropy, target=lambda targets: (targets == targets.amax(1, True)).float())
        ),
        "The sign: a loss is small when the likely classes get a high probability.": partial(
            _entropy, sign=1
        ),
        "That is the KL divergence, which leaves out the target's own entropy. Same gradient, "
        "another number.": lambda scores, targets: F.kl_div(
            scores.log_softmax(1), targets, reduction="batchmean"
        ),
        "The logarithm is missing, or softmax before it: log softmax.": partial(
            _entropy, of=lambda scores, dim: scores
        ),
        "The logarithm is missing: these are probabilities.": partial(_entropy, of=torch.softmax),
        "Softmax twice: F.cross_entropy and log softmax take logits.": partial(
            _entropy, of=lambda scores, dim: scores.softmax(dim).log_softmax(dim)
        ),
        "Your softmax runs over the pictures; expected over the classes (dim=1).": partial(
            _entropy, dim=0
        ),
    },
)
def soft_cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    """Logits (B, K), targets (B, K) that sum to 1 → mean cross-entropy in nats."""
    return -(targets * scores.log_softmax(dim=1)).sum(dim=1).mean()


quiz = Quiz(
    Question(
        "Why must λ be counted anew after the piece is clipped?",
        Right(
            "The part that sticks out was never pasted.",
            "The picture keeps more of its own than was drawn; without it, labels are wrong.",
        ),
        Wrong("To make it uniform.", "It was uniform before, and is not after."),
        Wrong("Because of rounding.", "That is below a pixel; the clip may take three quarters."),
    ),
    Question(
        "The label of a CutMix picture says 70 % cat. Is 70 % of the cat visible?",
        Wrong("Yes.", "70 % of the picture is. The cat may be hidden, or untouched."),
        Right(
            "Not necessarily: area is not the object.",
            "A piece on the background hides nothing, and still takes its share of the label.",
        ),
        Wrong("No, 30 %.", "λ is the share of the picture's own class."),
    ),
    Question(
        "What does RandAugment search for?",
        Wrong("The best order of operations.", "It draws them by chance, anew for each picture."),
        Wrong("A policy, by reinforcement.", "That was AutoAugment."),
        Right(
            "Nothing: a grid over two numbers takes the place of the search.",
            "How many operations, and how strong; compared on validation pictures.",
        ),
    ),
    Question(
        "A grid of nine settings is compared on the test set, and the best is reported. What is "
        "wrong?",
        Wrong("Nothing: each setting was measured fairly.", "The best of nine is partly luck."),
        Right(
            "The best was chosen by the pictures that judge it.",
            "Choose on validation pictures, and measure only the chosen one on the test.",
        ),
        Wrong("Nine settings are too few.", "More of them would make it worse."),
    ),
)
"""The questions that end the chapter."""
