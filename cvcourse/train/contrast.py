"""SimCLR: learn features from images alone, by knowing an image again (Chen et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cvcourse.checks import Positive, checked
from cvcourse.losses import contrastive_loss
from cvcourse.train.step import Augment, Batch, Step, augmented


@checked
def contrastive(views: Augment, *, temperature: Positive = 0.2) -> Step:
    """A step for a `fit` over images: two views of one image shall be alike, of two images not.

    No label is looked at. What the views keep is all that tells images apart: if they keep the
    colours, colours are what is learned (section 3.1 there), so `views` should take away whatever
    is not the class. The model's outputs are compared; give it a wide last layer, and another one
    for the task afterwards (`replace_head`).

    >>> from cvcourse.augment import crop_and_flip
    >>> from cvcourse.data import render
    >>> from cvcourse.models import SmallCNN, standardized
    >>> from cvcourse.train import Recipe, fit
    >>> from cvcourse.train.contrast import contrastive
    >>> images = render(40)
    >>> model = standardized(SmallCNN, images, n_classes=64)
    >>> history = fit(model, images, Recipe(epochs=1), step=contrastive(crop_and_flip))
    >>> 0 <= history[0]["accuracy"] <= 1
    True

    Args:
        views: (images, generator) → images, drawn anew at each call. Leave `fit(augment=…)` out.
        temperature: see `contrastive_loss`.

    Returns:
        A step whose metric "accuracy" is the share of views whose likest other is their partner.
    """

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        both = [augmented(views, batch.images, batch.generator) for _ in range(2)]
        ours, theirs = model(torch.cat(both)).chunk(2)  # each (B, n_features)
        loss, accuracy = contrastive_loss(ours, theirs, temperature=temperature)
        return loss, {"accuracy": accuracy}

    return step
