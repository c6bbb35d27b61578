"""Training on mixed images and their mixed labels: CutMix and MixUp as a step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.augment.mix import Mix, Mixed
from cvcourse.checks import check, checked
from cvcourse.train.step import Batch, Step


@checked
def mixed(mix: Mix) -> Step:
    """A step for `fit` that trains on mixed images and soft targets.

    `fit(model, train, recipe, step=mixed(CutMix()), augment=crop_and_flip)`: the augmentation comes
    first. All draws are from `fit`'s generator, so the run stays resumable. The accuracy reported
    is towards the label with the larger share.

    >>> from cvcourse.augment import CutMix
    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import Recipe, fit
    >>> from cvcourse.train.mix import mixed
    >>> train = render(20)
    >>> step = mixed(CutMix())
    >>> model = standardized(SingleLayer, train)
    >>> history = fit(model, train, Recipe(epochs=1), step=step)
    >>> history[0]["loss"] > 0
    True

    Args:
        mix: (images (B, C, H, W) uint8, generator) → `Mixed`, such as `CutMix()`.

    Returns:
        A step with the metric "accuracy".
    """

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        mixture = check("what mix made", mix(batch.images, batch.generator), Mixed)
        logits = batch.logits(model, mixture.images)  # (B, n_classes)
        # A class that is ruled out, at −∞, would cost 0 · ∞ where its target is 0.
        logits = logits.clamp(min=torch.finfo(logits.dtype).min)
        targets = mixture.targets(batch.labels, logits.shape[1])
        right = logits.argmax(dim=1) == targets.argmax(dim=1)
        return F.cross_entropy(logits, targets), {"accuracy": right.float().mean()}

    return step
