"""FixMatch: be consistent with yourself across augmentations (Sohn et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cvcourse.checks import Count, NotNegative, Share, checked
from cvcourse.data import ImageSet
from cvcourse.losses import labeled_cross_entropy, softmax
from cvcourse.train.look import check_labeled, logits_of
from cvcourse.train.pseudo_label import draw, sure_cross_entropy
from cvcourse.train.step import Augment, Batch, Step, augmented


@checked
def fixmatch(
    labeled: ImageSet,
    *,
    weak: Augment,
    strong: Augment,
    batch_size: Count = 64,
    threshold: Share = 0.95,
    weight: NotNegative = 1.0,
    align: bool = False,
) -> Step:
    """A step for a `fit` over images without a label: the weak view's class labels the strong one.

    L = mean CE(labelled, weak view) + weight · Σ_sure CE(strong view, class of the weak view) / B.
    All three views go through the model together, so that batch norm sees them as one, as in the
    authors' code; dropout would therefore noise the pseudo-labels too, and is left out there.
    The paper evaluates an average of the weights: `Recipe(ema_decay=0.999)`.

    >>> from cvcourse.augment import RandAugment, crop_and_flip
    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import Recipe, fit
    >>> from cvcourse.train.fixmatch import fixmatch
    >>> train = render(40)
    >>> step = fixmatch(train[:10], weak=crop_and_flip, strong=RandAugment(), batch_size=8)
    >>> model = standardized(SingleLayer, train)
    >>> history = fit(model, train[10:], Recipe(epochs=1), step=step)
    >>> 0 <= history[0]["coverage"] <= 1
    True

    Args:
        labeled: images to draw from at every step, with replacement.
        weak: (images, generator) → images, such as `crop_and_flip`.
        strong: the same, such as RandAugment.
        batch_size: labelled images a step; the paper has 7 times as many without a label.
        threshold: the least probability of a weak view's class that counts, 0 to 1.
        weight: of the images without a label, at least 0.
        align: first bring what the weak views of a batch say, on average, to all classes alike
            (distribution alignment, Berthelot et al. 2020, section 3.1, with the batch's own mean):
            right where the classes are equally common, and a batch holds several images of each.

    Returns:
        A step with metrics "accuracy" (on the labelled images) and "coverage" (the share of images
        without a label that reached the threshold). Leave `fit(augment=…)` out.

    Raises:
        ValueError: there are no labelled images, one of them has no label, the threshold is not
            from 0 to 1, the weight is negative, or the model has another number of classes (at the
            first step).
    """
    check_labeled("labeled", labeled)

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        images, labels = draw(labeled, batch_size, batch.generator)
        views = [
            augmented(weak, images, batch.generator),
            augmented(weak, batch.images, batch.generator),
            augmented(strong, batch.images, batch.generator),
        ]
        answers = logits_of(model, torch.cat(views), labeled.n_classes)
        logits, from_weak, from_strong = answers.split([len(view) for view in views])
        said = softmax(from_weak.detach())  # (B, n_classes)
        if align:
            said = _aligned(said)
        confidence, pseudo = said.max(dim=1)  # each (B,)
        sure = confidence >= threshold
        loss = labeled_cross_entropy(logits, labels) + weight * sure_cross_entropy(
            from_strong, pseudo, sure
        )
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        return loss, {"accuracy": accuracy, "coverage": sure.float().mean()}

    return step


def _aligned(probabilities: Tensor) -> Tensor:
    """(B, n_classes), each class weighed down by how often it is said in the batch."""
    relative = probabilities / probabilities.mean(dim=0)
    return relative / relative.sum(dim=1, keepdim=True)
