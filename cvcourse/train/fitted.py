"""A model built and trained in one call, the way most experiments begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from cvcourse.checks import Seed, checked
from cvcourse.data import ImageSet
from cvcourse.models import standardized
from cvcourse.random_state import seeded
from cvcourse.train.fit import fit
from cvcourse.train.recipe import Recipe
from cvcourse.train.step import Augment, Step, supervised


@checked
def fitted(
    make: Callable[..., nn.Module],
    train: ImageSet,
    recipe: Recipe,
    *,
    seed: Seed = 0,
    step: Step = supervised,
    augment: Augment | None = None,
    **settings: Any,
) -> nn.Module:
    """A new model behind the images' statistics, trained on them: `standardized`, then `fit`.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SmallCNN
    >>> from cvcourse.train import Recipe, fitted
    >>> model = fitted(SmallCNN, render(40, size=8), Recipe(epochs=1, batch_size=20), width=4)
    >>> model.training
    False

    Args:
        make: the model's class; its n_classes, channels and size are read off the images.
        train: the training images.
        recipe: the numbers.
        seed: of the weights, the order of the images, the augmentation and dropout.
        step: see `fit`.
        augment: see `fit`.
        settings: the constructor's other arguments.
    """
    with seeded(seed):
        model = standardized(make, train, **settings)
    fit(model, train, recipe, step=step, augment=augment, seed=seed)
    return model
