"""What `fit` does at every step: a function from a model and a batch to a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Batch:
    """What a step is given.

    Attributes:
        images: (B, C, H, W) uint8, or what the augmentation made of them.
        labels: (B,) int64.
        indices: (B,) int64, where these images stand in the training set.
        generator: on the images' device, for every random choice of a step. Its state is part of
            the checkpoint; a step that draws from other images (see `pseudo_label`) draws with it.
        progress: how much of the run lies behind, from 0 to 1, for whatever a step ramps up.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    generator: torch.Generator
    progress: float = 0.0


Step = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]
Augment = Callable[[Tensor, torch.Generator], Tensor]


def supervised(
    model: nn.Module, batch: Batch, *, label_smoothing: float = 0.0
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
    """
    logits = model(batch.images)  # (B, n_classes)
    loss = F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
    return loss, {"accuracy": (logits.argmax(dim=1) == batch.labels).float().mean()}
