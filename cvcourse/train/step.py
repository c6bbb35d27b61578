"""What `fit` does at every step: a function from a model and a batch to a loss."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.checks import Checked, Share, check, check_labels, checked, recording
from cvcourse.data import ImageSet
from cvcourse.train.look import check_finite, logits_of

OF_A_ROW = {"loss", "epoch", "learning_rate"}  #: what `fit` itself writes into the history


@dataclass
class Batch(Checked):
    """What a step is given.

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.train import Batch
    >>> train, chosen = render(10), torch.tensor([2, 3])
    >>> batch = Batch(train.images[chosen], train.labels[chosen], chosen, torch.Generator())
    >>> batch.images.shape, batch.progress
    (torch.Size([2, 3, 32, 32]), 0.0)

    Attributes:
        images: (B, C, H, W) uint8, or what the augmentation made of them.
        labels: (B,) int64.
        indices: (B,) int64, where these images stand in the training set.
        generator: on the images' device, for every random choice of a step. Its state is part of
            the checkpoint; a step that draws from other images (see `pseudo_label`) draws with it.
        progress: how much of the run lies behind, from 0 to 1, for whatever a step ramps up; None
            while the step is recorded to be played again and again (`Recipe(capture=True)`).
        n_images: in the training set; None where that is not known.
        n_classes: of the training set; None where that is not known.
        unlabeled: how many images of the training set have no label.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    generator: torch.Generator
    progress: Share | None = 0.0
    n_images: int | None = None
    n_classes: int | None = None
    unlabeled: int = 0

    def logits(self, model: nn.Module, images: Tensor) -> Tensor:
        """What the model says of images like these, for a step that learns from all labels.

        Raises:
            ValueError: the model cannot take them or has another number of outputs than there are
                classes, or images of the training set have no label.
        """
        if self.unlabeled:
            raise ValueError(
                f"{self.unlabeled} images of the training set have no label (-1); leave them out, "
                "or give fit a step that learns from such images"
            )
        logits = logits_of(model, images, self.n_classes)
        if self.n_classes is None:  # not made by fit, which looked at the labels once
            check_labels("labels", self.labels, len(images), check_finite(logits).shape[1])
        return logits

    def rows(self, name: str, table: Any) -> Any:
        """What belongs to these images in a tensor or an image set of the whole training set.

        Raises:
            ValueError: it has not as many rows.
        """
        if self.n_images not in (None, len(table)):
            raise ValueError(
                f"{name} has {len(table)} rows; expected {self.n_images}, one for each training "
                "image"
            )
        if self.n_images is None:
            check_labels("indices", self.indices, len(self.indices), len(table))
        return rows(table, self.indices)


Step = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]
Augment = Callable[[Tensor, torch.Generator], Tensor]


@checked
def supervised(
    model: nn.Module, batch: Batch, *, label_smoothing: Share = 0.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """The plain step: cross-entropy on the labels, in nats.

    >>> import torch
    >>> from cvcourse.train import Batch, supervised
    >>> images, labels = torch.zeros(2, 10), torch.tensor([0, 3])  # a model that changes nothing
    >>> batch = Batch(images, labels, torch.arange(2), torch.Generator())
    >>> loss, metrics = supervised(torch.nn.Identity(), batch)
    >>> f"{loss:.2f}", metrics["accuracy"].item()
    ('2.30', 0.5)

    Args:
        model: images → logits (B, n_classes).
        batch: B images with labels.
        label_smoothing: the share of the target that all classes get alike, 0 to 1.

    Returns:
        The loss, a scalar, and the metric "accuracy".

    Raises:
        ValueError: an image has no label, or the model has another number of outputs than there
            are classes.
    """
    logits = batch.logits(model, batch.images)  # (B, n_classes)
    loss = F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
    return loss, {"accuracy": (logits.argmax(dim=1) == batch.labels).float().mean()}


def loss_and_metrics(answer: Any) -> tuple[Tensor, dict[str, Tensor]]:
    """What a step returned: its loss; and that and all metrics as float32 numbers, by name.

    Raises:
        TypeError: it is no loss with metrics beside it, or one of them is no number.
        ValueError: a metric has the name of what is in the history anyway.
    """
    if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], Mapping):
        raise TypeError(
            f"the step returned {reprlib.repr(answer)}; expected a loss and a dict of metrics, "
            "which may be empty: return loss, {}"
        )
    loss, metrics = answer
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise TypeError(
            f"the step's loss is {reprlib.repr(loss)}; expected a tensor that depends on the "
            "model's parameters"
        )
    taken = OF_A_ROW & metrics.keys()
    if taken:
        raise ValueError(f"the step's metrics have {', '.join(taken)}, which fit measures itself")
    numbers = {}
    for name, value in {"loss": loss, **metrics}.items():
        known = isinstance(value, Tensor | float | int | np.generic)
        number = torch.as_tensor(value, device=loss.device) if known else torch.empty(0)
        if number.numel() != 1 or number.is_complex():
            raise TypeError(f"the step's {name} is {reprlib.repr(value)}; expected one number")
        numbers[str(name)] = number.detach().float().reshape(())
    return loss, numbers


@checked
def augmented(augment: Augment | None, images: Tensor, generator: torch.Generator) -> Tensor:
    """What an augmentation makes of some images; the images where there is none.

    Raises:
        TypeError: it makes other than a tensor.
        ValueError: it makes more or fewer images, or NaN.
    """
    if augment is None:
        return images
    made = check("what augment made", augment(images, generator), Tensor)
    if len(made) != len(images):
        raise ValueError(f"augment made {len(made)} of {len(images)} images; expected as many")
    if made.is_floating_point() and not recording(made) and not bool(made.isfinite().all()):
        raise ValueError("augment made NaN or infinity of some images; expected finite pixels")
    return made


@checked
def rows(table: Tensor | ImageSet, indices: Tensor) -> Any:
    """`table[indices]` on the indices' device, wherever the tensor or image set is."""
    return table[indices.to(table.device)].to(indices.device)
