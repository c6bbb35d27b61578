"""Training one backbone with several heads: the sum of their losses as a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from cvcourse.checks import checked
from cvcourse.data import ImageSet
from cvcourse.train.look import answer
from cvcourse.train.step import Batch, Step


@checked
def multi_head_step(train: ImageSet, losses: Mapping[str, Callable[..., Tensor]]) -> Step:
    """A step for `fit`: the sum of the heads' losses.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SmallCNN, standardized
    >>> from cvcourse.models.heads import ClassificationHead, MultiHead, classification_loss
    >>> from cvcourse.train import Recipe, fit
    >>> from cvcourse.train.multi_head import multi_head_step
    >>> train = render(20)
    >>> heads = {"class": ClassificationHead(16, 10)}
    >>> model = standardized(MultiHead(SmallCNN(width=4).features, heads), train)
    >>> step = multi_head_step(train, {"class": classification_loss})
    >>> "class_loss" in fit(model, train, Recipe(epochs=1), step=step)[0]
    True

    Args:
        train: the images that `fit` is given, on its device; boxes and masks are looked up in it by
            `batch.indices`.
        losses: head's name → loss (what the head says, truth) → scalar.

    Returns:
        A step for a `MultiHead`; its metrics are "<head>_loss".

    Raises:
        ValueError: there is no such head, or fit is given other images (at the first step).
    """

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        truth, said = batch.rows("train", train), answer(model, batch.images)
        missing = losses.keys() - said.keys()
        if missing or not losses:
            raise ValueError(f"losses are for {list(losses)}; the heads are {list(said)}")
        terms = {f"{name}_loss": loss(said[name], truth) for name, loss in losses.items()}
        return torch.stack(list(terms.values())).sum(), terms

    return step
