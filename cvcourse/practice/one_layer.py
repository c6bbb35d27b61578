"""Practice for chapter 3: count a layer, write it, write its loss, and fill it without training.

>>> from cvcourse.practice import one_layer as practice
>>> _ = practice.parameters.check(7_840)
✗ You left out the biases: each class has one.
>>> _ = practice.lead_kept.check(0.54)
✗ That is the loss in accuracy; expected a share of the lead over chance.
>>> _ = practice.logits.check(lambda images, weight, bias: images.flatten(1) @ weight.T)
✗ The bias is missing.
>>> _ = practice.cross_entropy.check(lambda scores, labels: -scores.log_softmax(1).mean())
✗ You took the mean over all classes. Only the right class of each picture
counts.
>>> _ = practice.without_training.check(...)
… without_training: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from cvcourse.data import ImageSet, render
from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong
from cvcourse.practice.trace import calls


@Number.of(
    hint="One weight for each pixel and each class. And then?",
    why="784 pixels for each of 10 classes, and a bias for each class.",
    mistakes={
        "You left out the biases: each class has one.": 7840,
        "That is the course's layer for 32×32 in three colours. These are 28×28 and grey.": 30_730,
        "That is one template, and without a bias. Each class has its own.": 784,
        "A bias belongs to a class, not to a pixel: ten of them.": 784 * 11,
        "That is one template with its bias. There is one for each class.": 785,
        "One bias is not enough: each class has its own.": 7841,
        "These pictures are grey: one channel, not three.": 23_530,
    },
)
def parameters() -> int:
    """Weights and biases of one layer from 28×28 grey pixels to 10 classes."""
    pixels, classes = 28 * 28, 10
    return pixels * classes + classes


@Number.of(
    hint="Chance is 0.1 here. Subtract it above and below.",
    why="Without subtracting chance one would have said 43 %, and a mere guess would "
    "still keep 11 %.",
    tolerance=0.02,
    mistakes={
        "That is the plain ratio. Guessing would be right once in ten: subtract 0.1 from both.": (
            0.41 / 0.95
        ),
        "That is the share of the lead that was lost; expected what is kept.": 0.54 / 0.85,
        "That is the loss in accuracy; expected a share of the lead over chance.": 0.54,
        "That is what is left of the lead. Divide it by the lead before the change.": 0.31,
    },
)
def lead_kept() -> float:
    """Share of the lead over chance that is kept, from 0.95 to 0.41, with ten classes."""
    return (0.41 - 0.1) / (0.95 - 0.1)


def _images_and_layer(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    images = torch.randn(4, 3, 5, 6, generator=generator)
    weight = torch.randn(7, 90, generator=generator)
    return images, weight, torch.randn(7, generator=generator)


@Function.of(
    hint="images.flatten(1) makes a row of each picture. weight.T has a column for each class.",
    why="One matrix product: every class's template against every picture.",
    inputs=_images_and_layer,
    forbidden={"nn.Linear, or F.linear that is behind it": calls("linear")},
    mistakes={
        "The bias is missing.": lambda images, weight, bias: images.flatten(1) @ weight.T,
        "The order of the numbers is not the layer's: (C, H, W) is flattened as it stands, "
        "channels first.": lambda images, weight, bias: (
            images.permute(0, 2, 3, 1).flatten(1) @ weight.T + bias
        ),
        "These are probabilities. A layer gives logits: no softmax.": (
            lambda images, weight, bias: (images.flatten(1) @ weight.T + bias).softmax(dim=1)
        ),
        "One row for each class; expected one for each picture: (B, n_classes).": (
            lambda images, weight, bias: (images.flatten(1) @ weight.T + bias).T
        ),
        "No ReLU here: a logit may be negative.": lambda images, weight, bias: (
            images.flatten(1) @ weight.T + bias
        ).relu(),
    },
)
def logits(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Images (B, C, H, W), weight (K, C·H·W), bias (K,) → logits (B, K)."""
    return images.flatten(1) @ weight.T + bias


def _scores(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Logits in the hundreds too: the exponential of 800 is infinite in any float."""
    scale = 10 ** (3 * torch.rand((), generator=generator))
    scores = scale * torch.randn(6, 4, generator=generator)
    scores[0] += 1000 * (scale > 30)
    return scores, torch.randint(4, (6,), generator=generator)


def _entropy(
    scores: Tensor,
    labels: Tensor,
    *,
    of: Callable[..., Tensor] = torch.log_softmax,
    dim: int = 1,
    sign: float = 1.0,
    reduce: Callable[[Tensor], Tensor] = torch.mean,
) -> Tensor:
    """The right loss, or with one thing wrong."""
    return -sign * reduce(of(scores, dim).gather(1, labels[:, None])[:, 0])


@Function.of(
    hint="log softmax(z) = z − logsumexp(z), and torch.logsumexp never overflows. Then pick the "
    "entry of the right class.",
    why="Written this way, it stays finite for any logits. This is what F.cross_entropy computes.",
    inputs=_scores,
    forbidden={"F.cross_entropy, which is PyTorch's own": calls("cross_entropy")},
    mistakes={
        "Right for small logits. For large ones the exponential overflows, and infinity divided by "
        "infinity is NaN. Stay with logarithms: logsumexp.": lambda scores, labels: (
            -(scores.exp() / scores.exp().sum(1, True)).gather(1, labels[:, None]).log().mean()
        ),
        "Right for small logits. Where one is far ahead, softmax gives the others exactly 0, whose "
        "logarithm is infinite. Stay with logarithms: logsumexp.": partial(
            _entropy, of=lambda scores, dim: scores.softmax(dim).log()
        ),
        "The clamp keeps it finite, and hides how wrong the worst answers are. Stay with "
        "logarithms: logsumexp.": partial(
            _entropy, of=lambda scores, dim: scores.softmax(dim).clamp(min=1e-12).log()
        ),
        "That is the sum over the batch; expected the mean.": partial(_entropy, reduce=torch.sum),
        "The sign: a loss is small when the right class is likely.": partial(_entropy, sign=-1),
        "One number for each picture; expected their mean.": partial(_entropy, reduce=Tensor.float),
        "These are bits: the logarithm is to the base 2; expected the natural one.": partial(
            _entropy, sign=1 / math.log(2)
        ),
        "Your softmax runs over the pictures of the batch; expected over the classes (dim=1).": (
            partial(_entropy, dim=0)
        ),
        "You took the mean over all classes. Only the right class of each picture counts.": (
            lambda scores, labels: -scores.log_softmax(1).mean()
        ),
        "These are logits, not log-probabilities: log softmax is missing.": partial(
            _entropy, of=lambda scores, dim: scores
        ),
        "These are probabilities: the logarithm is missing.": partial(_entropy, of=torch.softmax),
        "You took the column of every label for every picture: [:, labels]. Take each picture's "
        "own: [torch.arange(len(labels)), labels].": (
            lambda scores, labels: -scores.log_softmax(1)[:, labels].mean()
        ),
        "Softmax twice: these are logits already.": partial(
            _entropy, of=lambda scores, dim: scores.softmax(dim).log_softmax(dim)
        ),
    },
)
def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Logits (B, K), labels (B,) → mean cross-entropy in nats."""
    log_probabilities = scores - scores.logsumexp(dim=1, keepdim=True)  # (B, K)
    return -log_probabilities.gather(1, labels[:, None]).mean()


@cache
def _train_and_test() -> tuple[ImageSet, ImageSet]:
    return render(1000, seed=0), render(500, seed=1)


def _fill_layer(learner: Callable[..., Any]) -> Any:
    train, _ = _train_and_test()
    return learner(train.images.flatten(1).float() / 255, train.labels.clone())


def _accuracy(layer: Any) -> float:
    weight, bias = layer
    _, test = _train_and_test()
    scores = test.images.flatten(1).float() / 255 @ weight.float().T + bias.float()
    return float((scores.argmax(dim=1) == test.labels).float().mean())


@Project.of(
    hint="The squared distance from x to a class's average m is |x|² − 2 m·x + |m|². Leave out "
    "what is the same for every class, and change the sign.",
    why="The nearest average is a single layer: W = m and b = −|m|²/2. Averages alone, without "
    "that bias, are at chance: the brightest class wins every time.",
    run=_fill_layer,
    called_with="vectors (1000, 3072) float32 in [0, 1] and labels (1000,) int64",
    forbidden={"a gradient, where a formula is asked for": calls("backward", "grad")},
    requirements={
        "Return two tensors: a weight (10, 3072) and a bias (10,).": lambda layer: (
            [tuple(t.shape) for t in layer] == [(10, 3072), (10,)]
        ),
        "There are NaN or infinite numbers in your layer; did you divide by zero?": lambda layer: (
            all(bool(t.isfinite().all()) for t in layer)
        ),
        "At chance on new pictures. Does one class win always? A bright average has a large "
        "product "
        "with everything; the bias must make up for it.": lambda layer: _accuracy(layer) > 0.2,
        "Better than chance, but below 80 % on new pictures. Compare with every class's average "
        "picture, and let the nearest win.": lambda layer: _accuracy(layer) > 0.8,
    },
)
def without_training(vectors: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Training vectors (N, D) and labels (N,), ten classes → weight (10, D), bias (10,)."""
    averages = torch.stack([vectors[labels == c].mean(dim=0) for c in range(10)])
    return averages, -averages.square().sum(dim=1) / 2


quiz = Quiz(
    Question(
        "What breaks a single layer?",
        Wrong(
            "A part of the object is missing.",
            "With 45 % hidden it kept over 70 % of its lead: the rest still fits the template.",
        ),
        Right(
            "The object has moved.",
            "Each weight belongs to one position. What stands elsewhere meets the wrong weights.",
        ),
        Wrong(
            "Both alike.",
            "Hidden parts cost it little; a shift by an eighth over half of its lead.",
        ),
    ),
    Question(
        "Which part of the small CNN makes its answer survive a shift?",
        Wrong("The convolutions.", "The flatten network has the same ones, and falls."),
        Wrong("The number of its parameters.", "The flatten network has more of them, and falls."),
        Right(
            "The average over positions at the end.",
            "Convolution makes the maps move along; only the average makes the answer stay.",
        ),
    ),
    Question(
        "All pictures, training and test, are shuffled by one and the same order of the pixels. "
        "Who suffers?",
        Right(
            "The CNN alone.",
            "Its filters look at neighbours, and there are none left. A layer has never known any.",
        ),
        Wrong("The single layer alone.", "To it a picture is a list; any order is as good."),
        Wrong("Both.", "The single layer lost nothing."),
        Wrong("Neither.", "The CNN lost over 15 points."),
    ),
    Question(
        "The CNN has fewer parameters than the MLP. Is its training step cheaper, too?",
        Wrong(
            "Yes, in proportion.",
            "It has a thirtieth of the parameters, and over three times the multiply-adds.",
        ),
        Right(
            "No: it multiplies more.",
            "A shared weight is stored once and used at every position.",
        ),
        Wrong("They cost the same.", "2.8 million multiply-adds against 0.8 million."),
    ),
)
"""The questions that end the chapter."""
