"""Practice for chapter 2: the price of a search, and what a distance compares.

>>> from cvcourse.practice import search as practice
>>> _ = practice.to_halve.check(2)
✗ Twice the pictures would halve the error if b were 1. Here b is 0.12.
>>> _ = practice.break_even.check(2_802_304)
✗ That many multiply-adds, yes; but each stored vector takes 64 of them.
>>> _ = practice.nearest_label.check(...)
… nearest_label: no answer yet. Put yours in place of the dots.
>>> _ = practice.leave_one_out.check(lambda vectors, labels: 1.0)
✗ Always 1: every picture finds itself. It must not vote for itself.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="Write error(m·n) / error(n) = m^(−b), set it to one half, and solve for m.",
    why="Over 300 times the pictures for half the error, and 300 times more for the next half.",
    tolerance=0.01,
    mistakes={
        "Twice the pictures would halve the error if b were 1. Here b is 0.12.": 2.0,
        "Four times would do at b = 1/2. Here b is 0.12, and the curve far flatter.": 4.0,
        "b is an exponent, so it does not divide: m^(−b) = 1/2, not b·m = 2.": 2 / 0.12,
        "The other way round: by that factor the pictures would shrink.": 0.5 ** (1 / 0.12),
        "That is 2^b; solving m^b = 2 for m takes the inverse exponent.": 2**0.12,
        "That many would take the error down to a tenth; the question was a half.": 10
        ** (1 / 0.12),
    },
)
def to_halve() -> float:
    """How many times as many pictures halve an error that falls as n^(−0.12)."""
    return 2 ** (1 / 0.12)


@Number.of(
    hint="Each stored vector costs one multiply-add for each of its numbers.",
    why="48 times as many as with pixels, because the vectors are 48 times as short.",
    mistakes={
        "That is the answer for pixels, 3,072 numbers each. These vectors have 64.": 2_802_304
        / 3072,
        "That many multiply-adds, yes; but each stored vector takes 64 of them.": 2_802_304,
        "A square does not count twice: a distance is one multiply-add a number.": 2_802_304 / 128,
        "That was for pixels, 3,072 numbers a picture; these vectors have 64.": 912,
        "The query has its features already; here only the search counts.": 0,
        "A distance is one multiply-add a number: 64, not 64 times 64.": 2_802_304 / 64**2,
        "Divide by 64: each stored vector costs 64 multiply-adds.": 2_802_304 * 64,
    },
)
def break_even() -> int:
    """How many stored vectors of 64 numbers a query can be compared with for 2,802,304."""
    return 2_802_304 // 64


def _pictures(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    stored = torch.randint(0, 256, (12, 8), generator=generator, dtype=torch.uint8)
    noise = torch.randint(-40, 41, (7, 8), generator=generator)
    near = stored[torch.randint(12, (7,), generator=generator)]
    queries = (near.int() + noise).clamp(0, 255).to(torch.uint8)
    # Of pictures near to none, distances that are not Euclidean find others.
    far = torch.randint(0, 256, (5, 8), generator=generator, dtype=torch.uint8)
    queries = torch.cat([queries, far])
    labels = 3 * torch.randperm(12, generator=generator)  # a label is not an index
    return queries, stored, labels


def _nearest(
    queries: Tensor,
    stored: Tensor,
    labels: Tensor,
    *,
    far: Callable[[Tensor, Tensor], Tensor] = lambda q, s: (q - s).square().sum(dim=2),
    choose: Callable[..., Tensor] = torch.argmin,
    dim: int = 1,
) -> Tensor:
    """The label of the nearest, right or with one thing wrong."""
    return labels[choose(far(queries[:, None].float(), stored[None].float()), dim)]


@Function.of(
    hint="queries[:, None] − stored[None] has a row for each query and a column for each picture. "
    "But look at the dtype first.",
    why="A classifier without learning. All that it knows of likeness is in one line: the "
    "distance.",
    inputs=_pictures,
    mistakes={
        "The pictures are uint8, and so are their differences: 3 − 5 wraps round to 254. Convert "
        "to float before you subtract.": lambda queries, stored, labels: labels[
            (queries[:, None] - stored[None]).square().sum(dim=2).argmin(dim=1)
        ],
        "You convert to float after subtracting, when 3 − 5 has wrapped round to 254 already. "
        "Convert first.": lambda queries, stored, labels: labels[
            (queries[:, None] - stored[None]).float().square().sum(dim=2).argmin(dim=1)
        ],
        "int8 reaches from −128 to 127 only, so bright pictures wrap round. Convert to float.": (
            lambda queries, stored, labels: _nearest(
                queries.to(torch.int8), stored.to(torch.int8), labels
            )
        ),
        "That is the nearest by the sum of differences; the Euclidean distance squares them.": (
            partial(_nearest, far=lambda q, s: (q - s).abs().sum(dim=2))
        ),
        "That is where the nearest picture is stored (its index); expected its label.": (
            lambda queries, stored, labels: _nearest(queries, stored, torch.arange(len(stored)))
        ),
        "You return the label of the farthest picture. Small distance, great likeness.": partial(
            _nearest, choose=torch.argmax
        ),
        "You look for the query nearest to each stored picture. Take the minimum over the other "
        "axis.": partial(_nearest, dim=0),
        "The largest dot product favours bright pictures. Subtract, square and add up.": partial(
            _nearest, far=lambda q, s: -(q * s).sum(dim=2)
        ),
        "The cosine asks for the angle alone, and forgets how bright a picture is; the Euclidean "
        "distance does not.": partial(
            _nearest, far=lambda q, s: -(q * s).sum(dim=2) / q.norm(dim=2) / s.norm(dim=2)
        ),
        "Differences of both signs cancel in a plain sum. Square them first.": partial(
            _nearest, far=lambda q, s: (q - s).sum(dim=2)
        ),
    },
)
def nearest_label(queries: Tensor, stored: Tensor, labels: Tensor) -> Tensor:
    """Queries (Q, D) and stored pictures (N, D), uint8; labels (N,) → labels (Q,)."""
    gaps = queries[:, None].float() - stored[None].float()  # (Q, N, D)
    return labels[gaps.square().sum(dim=2).argmin(dim=1)]


def _clusters(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    labels = torch.arange(30) % 3
    centres = torch.randn(3, 5, generator=generator)
    noise = torch.randn(30, 5, generator=generator)
    return centres[labels] + noise, labels


def _left_out(vectors: Tensor, labels: Tensor, mean: bool = False, **wrong: Any) -> Tensor:
    """Which ones the others name rightly; each is asked of all but itself."""
    right = torch.stack(
        [
            _nearest(vectors[i, None], vectors[others], labels[others], **wrong)[0] == labels[i]
            for i in range(len(labels))
            for others in [torch.arange(len(labels)) != i]
        ]
    ).float()
    return right.mean() if mean else right


@Function.of(
    hint="The distance of a picture to itself is 0, the smallest there is. Put infinity on the "
    "diagonal.",
    why="It uses every picture for testing and needs no second set: a fair way to choose k, or "
    "features, when labels are few.",
    inputs=_clusters,
    mistakes={
        "Always 1: every picture finds itself. It must not vote for itself.": (
            lambda vectors, labels: 1.0
        ),
        "That is the error; expected the accuracy.": lambda vectors, labels: (
            1 - _left_out(vectors, labels).mean()
        ),
        "Always 0: you have shut out the whole class of a picture, not the picture alone.": (
            lambda vectors, labels: 0.0
        ),
        "You ask the farthest picture. Small distance, great likeness.": partial(
            _left_out, choose=torch.argmax, mean=True
        ),
        "The largest dot product favours long vectors. Subtract, square and add up.": partial(
            _left_out, far=lambda q, s: -(q * s).sum(dim=2), mean=True
        ),
        "That is right for each picture; expected the share of those that are.": _left_out,
    },
)
def leave_one_out(vectors: Tensor, labels: Tensor) -> Tensor:
    """Vectors (N, D), labels (N,) → accuracy of 1-NN, each vector asked of all the others."""
    distances = (vectors[:, None] - vectors[None]).square().sum(dim=2)  # (N, N)
    distances.fill_diagonal_(float("inf"))
    return (labels[distances.argmin(dim=1)] == labels).double().mean()


quiz = Quiz(
    Question(
        "Cover & Hart prove that with endless pictures one nearest neighbour errs at most twice as "
        "often as the best classifier. What does that say about 10,000 pictures?",
        Wrong("At most twice the best error.", "The bound holds in the limit only."),
        Right(
            "Nothing.",
            "The theorem does not say how fast the limit comes near; on varied pictures, it "
            "is slow.",
        ),
        Wrong("That more pictures no longer help.", "They did, at every size that we tried."),
    ),
    Question(
        "When is searching cheaper than asking the network?",
        Right(
            "When little is stored.",
            "Below some 900 pictures of 3,072 numbers; the network costs the same whatever it "
            "learned.",
        ),
        Wrong("Never.", "Searching 100 pictures takes a ninth of the network's multiply-adds."),
        Wrong("Always, since a search learns nothing.", "A query costs n times a vector's length."),
    ),
    Question(
        "A ball tree computed about a tenth of the distances for two numbers a picture, and no "
        "fewer than brute force for pixels. Why?",
        Wrong("Pixels are integers.", "The same would happen with any long vectors like these."),
        Wrong("The tree was built badly.", "It is the same code on the same pictures."),
        Right(
            "Among long vectors nearly everything is about equally far away.",
            "So no ball of pictures can be ruled out without looking inside.",
        ),
    ),
    Question(
        "The same search went from two fifths right to nearly all right. What was changed?",
        Wrong("More pictures were stored.", "Storing twice as many did not close the gap."),
        Right(
            "What is compared: features that a network learned, not pixels.",
            "What must be right is the likeness. The search was never the problem.",
        ),
        Wrong(
            "The pictures went through a network, any network.",
            "An untrained one made it worse than pixels.",
        ),
    ),
)
"""The questions that end the chapter."""
