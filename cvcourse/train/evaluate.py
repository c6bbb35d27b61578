"""What a trained model says of a set of images."""

from __future__ import annotations

from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.checks import Count, checked
from cvcourse.data import ImageSet
from cvcourse.models.outline import evaluating
from cvcourse.train.look import check_finite, check_labeled, logits_of


@checked
def predict(model: nn.Module, images: Tensor, *, batch_size: Count = 128) -> Tensor:
    """Logits for every image, in evaluation mode.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import predict
    >>> test = render(20, seed=1)
    >>> predict(standardized(SingleLayer, test), test.images).shape
    torch.Size([20, 10])

    Args:
        model: takes a batch of images on its own device.
        images: (N, C, H, W), on any device.
        batch_size: images at a time; more do not fit a CPU's cache.

    Returns:
        (N, n_classes) float32 on the images' device.

    Raises:
        ValueError: there are no images, or the model cannot take them, or answers with other than
            numbers: NaN, +∞ or no floats at all.
    """
    return check_finite(_logits(model, images, batch_size))


@checked
def accuracy(model: nn.Module, image_set: ImageSet) -> float:
    """The share of images whose largest logit is at their label, 0 to 1.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import accuracy
    >>> test = render(20, seed=1)
    >>> 0 <= accuracy(standardized(SingleLayer, test), test) <= 1
    True

    Args:
        model: (B, C, H, W) uint8 → logits (B, n_classes).
        image_set: images that all have labels.

    Raises:
        ValueError: as `evaluate`.
    """
    return evaluate(model, image_set)["accuracy"]


@checked
def evaluate(model: nn.Module, image_set: ImageSet) -> dict[str, float]:
    """Mean cross-entropy (nats) and accuracy (0 to 1) on labelled images.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import evaluate
    >>> test = render(20, seed=1)
    >>> sorted(evaluate(standardized(SingleLayer, test), test))
    ['accuracy', 'loss']

    Args:
        model: (B, C, H, W) uint8 → logits (B, n_classes).
        image_set: images that all have labels.

    Returns:
        "loss" in nats, and "accuracy", 0 to 1.

    Raises:
        ValueError: there are no images, one has no label, the model cannot take them, has another
            number of outputs than there are classes, or answers NaN or +∞.
    """
    check_labeled("image_set", image_set)
    logits = check_finite(_logits(model, image_set.images, 128, image_set.n_classes))
    return {
        "loss": F.cross_entropy(logits, image_set.labels).item(),
        "accuracy": (logits.argmax(dim=1) == image_set.labels).float().mean().item(),
    }


@torch.no_grad()
def _logits(
    model: nn.Module, images: Tensor, batch_size: int, n_classes: int | None = None
) -> Tensor:
    if not images.ndim or not len(images):
        raise ValueError("predict was given no images; give it at least one")
    weights = chain(model.parameters(), model.buffers())
    device = next((tensor.device for tensor in weights), images.device)
    with evaluating(model):
        logits = [
            logits_of(model, some.to(device), n_classes).float()
            for some in images.split(batch_size)
        ]
    return torch.cat(logits).to(images.device)
