"""What a trained model says of a set of images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.data import ImageSet


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode, and each of its modules back in its own mode afterwards.

    (`model.train()` would also wake the parts that were frozen in evaluation mode on purpose.)

    >>> from torch import nn
    >>> from cvcourse.train import evaluating
    >>> model = nn.Sequential(nn.Dropout())
    >>> with evaluating(model):
    ...     model.training
    False
    >>> model.training
    True

    Args:
        model: any module; it is given back as it was, even after an error.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@torch.no_grad()
def predict(model: nn.Module, images: Tensor, *, batch_size: int = 128) -> Tensor:
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
        ValueError: there are no images.
    """
    if not len(images):
        raise ValueError("predict was given no images; give it at least one")
    device = next(model.parameters()).device
    with evaluating(model):
        logits = [model(some.to(device)).float() for some in images.split(batch_size)]
    return torch.cat(logits).to(images.device)


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
    """
    return evaluate(model, image_set)["accuracy"]


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
        ValueError: an image has no label.
    """
    if bool((image_set.labels < 0).any()):
        missing = int((image_set.labels < 0).sum())
        raise ValueError(f"{missing} of {len(image_set)} images have no label to be measured by")
    logits = predict(model, image_set.images)
    return {
        "loss": F.cross_entropy(logits, image_set.labels).item(),
        "accuracy": (logits.argmax(dim=1) == image_set.labels).float().mean().item(),
    }
