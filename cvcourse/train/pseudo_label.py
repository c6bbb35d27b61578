"""Pseudo-labels: what a model says of images without a label, taken for the truth (Lee 2013).

`fit` runs over the images without a label; a step draws its labelled images on its own, with the
batch's generator. That generator's state is part of the checkpoint, so such a run resumes bit for
bit like any other. The steps augment what they have drawn: leave `fit(augment=…)` out.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import torch
from torch import Tensor, nn

from cvcourse.checks import (
    Count,
    NotNegative,
    Probabilities,
    Share,
    check_labels,
    check_probabilities,
    checked,
)
from cvcourse.data import ImageSet
from cvcourse.losses import labeled_cross_entropy, soft_cross_entropy, softmax
from cvcourse.models.outline import evaluating
from cvcourse.train.distill import check_teacher
from cvcourse.train.evaluate import predict
from cvcourse.train.look import check_labeled, logits_of
from cvcourse.train.step import Augment, Batch, Step, augmented, rows


@checked
def teacher_probabilities(teacher: nn.Module, images: Tensor) -> Tensor:
    """What an un-noised teacher says of clean images: soft pseudo-labels.

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train.pseudo_label import teacher_probabilities
    >>> unlabeled = render(20)
    >>> teacher = standardized(SingleLayer, unlabeled).eval()
    >>> said = teacher_probabilities(teacher, unlabeled.images)
    >>> said.shape, torch.allclose(said.sum(dim=1), torch.ones(20))
    (torch.Size([20, 10]), True)

    Args:
        teacher: in evaluation mode.
        images: (N, C, H, W), not augmented.

    Returns:
        (N, n_classes) float32 on the images' device.

    Raises:
        ValueError: the teacher is in training mode, or there are no images.
    """
    check_teacher(teacher)
    if not images.ndim or not len(images):
        raise ValueError("there are no images without a label; give at least one")
    return check_probabilities("the teacher's answer", softmax(predict(teacher, images)))


@checked
def pseudo_labels(
    unlabeled: ImageSet,
    probabilities: Probabilities,
    *,
    threshold: Share = 0.0,
    per_class: Count | None = None,
) -> tuple[ImageSet, Tensor]:
    """The images that a teacher is sure of, with its word for a label.

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.train.pseudo_label import pseudo_labels
    >>> unlabeled = render(2)
    >>> probabilities = torch.eye(10)[[3, 7]] * 0.9 + 0.01
    >>> sure, soft = pseudo_labels(unlabeled, probabilities, threshold=0.9)
    >>> sure.labels.tolist(), soft.shape
    ([3, 7], torch.Size([2, 10]))

    Args:
        unlabeled: N images; their labels are not looked at.
        probabilities: (N, n_classes), see `teacher_probabilities`.
        threshold: keep an image if its largest probability is at least this, 0 to 1.
        per_class: balance the classes: of each pseudo-class the most confident `per_class` images,
            those of a class that has fewer repeated in turn (Xie et al. 2020, section 3.1), with a
            warning where a class has none; None: as they come.

    Returns:
        The images kept, with hard pseudo-labels; and their soft ones, (K, n_classes), in the same
        order.

    Raises:
        ValueError: nothing reaches the threshold, a number is out of range, or the probabilities
            are none or do not fit the images and classes.
    """
    if probabilities.shape != (len(unlabeled), unlabeled.n_classes):
        raise ValueError(
            f"probabilities are {tuple(probabilities.shape)}; expected ({len(unlabeled)}, "
            f"{unlabeled.n_classes}) for {len(unlabeled)} images of {unlabeled.n_classes} classes"
        )
    confidence, labels = probabilities.max(dim=1)  # each (N,)
    kept = (confidence >= threshold).nonzero().squeeze(1)  # (K,)
    if not len(kept):
        highest = f"the surest is {confidence.max():.4f}" if len(unlabeled) else "there are none"
        raise ValueError(f"no image reaches threshold {threshold} ({highest}); lower the threshold")
    if per_class is not None:
        present = set(labels[kept].tolist())
        missing = [name for c, name in enumerate(unlabeled.class_names) if c not in present]
        if missing:
            warnings.warn(
                f"no image is taken for {', '.join(missing)} at threshold {threshold}, so the "
                "classes cannot be balanced; lower the threshold",
                stacklevel=3,
            )
        kept = _balanced(kept, labels, confidence, per_class)
    images = unlabeled[kept.to(unlabeled.device)]
    return replace(images, labels=labels[kept].to(unlabeled.device)), probabilities[kept]


def _balanced(kept: Tensor, labels: Tensor, confidence: Tensor, per_class: int) -> Tensor:
    surest_first = kept[confidence[kept].argsort(descending=True, stable=True)]
    turns = torch.arange(per_class, device=kept.device)
    parts = [surest_first[labels[surest_first] == label] for label in labels[kept].unique()]
    return torch.cat([members[turns % len(members)] for members in parts])


@checked
def coverage(probabilities: Probabilities, threshold: Share) -> float:
    """The share of images whose largest probability is at least the threshold, 0 to 1.

    >>> import torch
    >>> from cvcourse.train.pseudo_label import coverage
    >>> coverage(torch.tensor([[0.9, 0.1], [0.6, 0.4]]), threshold=0.8)
    0.5

    Args:
        probabilities: (N, n_classes) float.
        threshold: 0 to 1.

    Raises:
        ValueError: there are no images, the threshold is not from 0 to 1, or a row is no
            distribution.
    """
    if not len(probabilities):
        raise ValueError("probabilities are of no images, of which no share can be covered")
    return (probabilities.max(dim=1).values >= threshold).double().mean().item()


@checked
def purity(probabilities: Probabilities, truth: Tensor, threshold: Share) -> float:
    """The share of right pseudo-labels among those that reach the threshold, 0 to 1.

    >>> import torch
    >>> from cvcourse.train.pseudo_label import purity
    >>> probabilities = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> purity(probabilities, torch.tensor([0, 0, 0]), threshold=0.7)
    0.5

    Args:
        probabilities: (N, n_classes).
        truth: (N,) int64, the hidden labels (`LabelSplit.unlabeled_truth`): to measure by, only.
        threshold: 0 to 1.

    Raises:
        ValueError: no image reaches the threshold, it is not from 0 to 1, a row is no
            distribution, or the labels do not fit.
    """
    check_labels("truth", truth, len(probabilities), probabilities.shape[1])
    confidence, labels = probabilities.max(dim=1)  # each (N,)
    kept = confidence >= threshold
    if not kept.any():
        raise ValueError(f"no image reaches threshold {threshold}: nothing has no purity")
    return (labels == truth.to(labels.device))[kept].double().mean().item()


@checked
def self_training(
    labeled: ImageSet,
    soft_labels: Probabilities | None = None,
    *,
    batch_size: Count = 64,
    weight: NotNegative = 1.0,
    augment: Augment | None = None,
) -> Step:
    """A step for a `fit` over pseudo-labelled images: they and labelled ones, each a mean.

    L = mean CE(labelled) + weight · mean CE(pseudo-labelled) (Xie et al. 2020, algorithm 1).

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import Recipe, fit
    >>> from cvcourse.train.pseudo_label import self_training
    >>> train = render(40)
    >>> step = self_training(train[:10], batch_size=8)  # a teacher would have labelled the rest
    >>> model = standardized(SingleLayer, train)
    >>> history = fit(model, train[10:], Recipe(epochs=1), step=step)
    >>> 0 <= history[0]["accuracy"] <= 1
    True

    Args:
        labeled: images to draw from at every step, with replacement.
        soft_labels: (N, n_classes), in the order of the set that `fit` is given; None: that set's
            labels, hard.
        batch_size: labelled images a step.
        weight: of the pseudo-labelled images, at least 0.
        augment: noise for all images of the step.

    Returns:
        A step whose metric "accuracy" is that on the labelled images.

    Raises:
        ValueError: there are no labelled images, one of them has no label, a number is out of
            range, a row of soft labels is no distribution, or the model has another number of
            classes, or the training set of images (at the first step).
    """
    check_labeled("labeled", labeled)

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        images, labels = draw(labeled, batch_size, batch.generator)
        together = augmented(augment, torch.cat([images, batch.images]), batch.generator)
        answers = logits_of(model, together, labeled.n_classes)
        logits, others = answers.split([len(images), len(batch.images)])
        if soft_labels is None:
            pseudo = labeled_cross_entropy(others, batch.labels)
        else:
            pseudo = soft_cross_entropy(others, batch.rows("soft_labels", soft_labels))
        return labeled_cross_entropy(logits, labels) + weight * pseudo, {
            "accuracy": (logits.argmax(dim=1) == labels).float().mean()
        }

    return step


@checked
def pseudo_labeling(
    labeled: ImageSet,
    *,
    batch_size: Count = 64,
    threshold: Share = 0.95,
    weight: NotNegative = 1.0,
    ramp_up: tuple[float, float] = (0.1, 0.6),
    augment: Augment | None = None,
) -> Step:
    """A step for a `fit` over images without a label: the model is its own teacher (Lee 2013).

    At every step the model, un-noised, labels the clean images; then it learns from those of which
    it is sure, augmented, beside labelled ones. L = mean CE(labelled) + α(t) · Σ_sure CE / B.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import Recipe, fit
    >>> from cvcourse.train.pseudo_label import pseudo_labeling
    >>> train = render(40)
    >>> step = pseudo_labeling(train[:10], batch_size=8, threshold=0.5)
    >>> model = standardized(SingleLayer, train)
    >>> history = fit(model, train[10:], Recipe(epochs=1), step=step)
    >>> 0 <= history[0]["coverage"] <= 1
    True

    Args:
        labeled: images to draw from at every step, with replacement.
        batch_size: labelled images a step.
        threshold: the least probability of a pseudo-label that counts, 0 to 1 (Lee: 0).
        weight: the final α, at least 0 (Lee: 3).
        ramp_up: between which shares of the run α rises from 0 to `weight` (Lee's T₁ and T₂).
        augment: noise for the images learned from.

    Returns:
        A step with metrics "accuracy" (on the labelled images) and "coverage" (the share of images
        without a label that reached the threshold).

    Raises:
        ValueError: there are no labelled images, one of them has no label, a number is out of
            range, or the model has another number of classes (at the first step).
    """
    check_labeled("labeled", labeled)
    linear_ramp(0.0, *ramp_up)

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.no_grad(), evaluating(model):
            said = logits_of(model, batch.images, labeled.n_classes)
            confidence, pseudo = softmax(said).max(dim=1)  # each (B,)
        sure = confidence >= threshold
        images, labels = draw(labeled, batch_size, batch.generator)
        together = augmented(augment, torch.cat([images, batch.images]), batch.generator)
        answers = logits_of(model, together, labeled.n_classes)  # one batch norm for all
        logits, others = answers.split([len(images), len(batch.images)])
        if batch.progress is None:
            raise ValueError("the weight of pseudo-labels rises with the run's progress")
        alpha = weight * linear_ramp(batch.progress, *ramp_up)
        loss = labeled_cross_entropy(logits, labels) + alpha * sure_cross_entropy(
            others, pseudo, sure
        )
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        return loss, {"accuracy": accuracy, "coverage": sure.float().mean()}

    return step


@checked
def sure_cross_entropy(logits: Tensor, labels: Tensor, sure: Tensor) -> Tensor:
    """Cross-entropy of the sure labels (B,) bool, over all B: 0, and never NaN, where none is."""
    if not labels.shape == sure.shape == logits.shape[:1] or sure.dtype != torch.bool:
        raise ValueError(
            f"logits are {tuple(logits.shape)}, labels {tuple(labels.shape)}, sure "
            f"{tuple(sure.shape)} {sure.dtype}; expected (B, n_classes), (B,) and (B,) bool"
        )
    return labeled_cross_entropy(logits, torch.where(sure, labels, -1)) * sure.float().mean()


@checked
def linear_ramp(progress: float, start: float, end: float) -> float:
    """0 until `start`, 1 from `end` on, a straight line between (Lee 2013, eq. 16).

    Raises:
        ValueError: not 0 ≤ start ≤ end ≤ 1.
    """
    if not 0 <= start <= end <= 1:
        raise ValueError(f"the ramp is from {start} to {end}; expected 0 ≤ start ≤ end ≤ 1")
    if progress >= end:
        return 1.0
    return max(0.0, (progress - start) / (end - start)) if progress > start else 0.0


@checked
def draw(labeled: ImageSet, n: Count, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """`n` images (n, C, H, W) and labels (n,), with replacement, on the generator's device.

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.train.pseudo_label import draw
    >>> images, labels = draw(render(10), 64, torch.Generator())
    >>> images.shape, labels.shape
    (torch.Size([64, 3, 32, 32]), torch.Size([64]))
    """
    chosen = torch.randint(len(labeled), (n,), generator=generator, device=generator.device)
    return rows(labeled.images, chosen), rows(labeled.labels, chosen)
