"""What `fit`, `evaluate` and `predict` look at before they start."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cvcourse.checks import recording
from cvcourse.data import ImageSet
from cvcourse.models.outline import evaluating
from cvcourse.random_state import seeded


def answer(model: Callable[[Tensor], Any], images: Tensor, who: str = "the model") -> Any:
    """What a model says of some images.

    Raises:
        ValueError: it cannot take them; with its own error, or what is missing.
    """
    try:
        return model(images)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        if "Byte" in reason or "unsigned char" in reason:
            reason = f"it takes floats, not bytes: standardized(model, train) lets it ({reason})"
        raise ValueError(
            f"{who} cannot take images of shape {tuple(images.shape)}, {images.dtype}; {reason}"
        ) from error


def logits_of(
    model: Callable[[Tensor], Any],
    images: Tensor,
    n_classes: int | None = None,
    who: str = "the model",
) -> Tensor:
    """The same, if it is floats: (n_images, n_classes), or (n_images, …) where None.

    Raises:
        ValueError: with what it is instead.
    """
    answers, n = answer(model, images, who), len(images)
    rows = isinstance(answers, Tensor) and answers.is_floating_point() and answers.ndim > 1
    if not rows or len(answers) != n or not answers.numel():
        found = (
            f"{tuple(answers.shape)} {answers.dtype}" if isinstance(answers, Tensor) else answers
        )
        raise ValueError(
            f"{who} gives {reprlib.repr(found)} for {n} images; expected a tensor of floats, a "
            "row for each"
        )
    if n_classes is not None and answers.shape[1:] != (n_classes,):
        outputs = "×".join(map(str, answers.shape[1:]))
        raise ValueError(f"{who} has {outputs} outputs; expected {n_classes}, one for each class")
    return answers


def check_finite(logits: Tensor, who: str = "the model") -> Tensor:
    """Refuse NaN and +∞ (−∞ is a class that is ruled out); on a GPU this waits for it.

    Raises:
        ValueError: with how many images they are of.
    """
    if recording(logits):
        return logits
    wrong = int((logits.isnan() | logits.isposinf()).flatten(1).any(dim=1).sum())
    if wrong:
        raise ValueError(
            f"{who} answers NaN or infinity for {wrong} of {len(logits)} images, which is "
            "neither right nor wrong; has its training diverged?"
        )
    return logits


@torch.no_grad()
def look(model: nn.Module, images: Tensor, ask: Callable[..., Any] = answer) -> Any:
    """What a model says of the first two images; its modes, buffers and the random states stay."""
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with seeded(0), evaluating(model):
        return ask(partial(functional_call, model, buffers), images[:2])


def check_labeled(name: str, image_set: ImageSet) -> None:
    """Refuse a set that is empty, or has images without a label."""
    if not len(image_set):
        raise ValueError(f"there are no labelled images: `{name}` is empty; give at least one")
    missing = int((image_set.labels < 0).sum())
    if missing:
        raise ValueError(f"{missing} of {len(image_set)} images of `{name}` have no label (-1)")


def check_same_classes(name: str, image_set: ImageSet, other_name: str, other: ImageSet) -> None:
    """Refuse two sets of different classes."""
    if image_set.class_names != other.class_names:
        raise ValueError(
            f"`{name}` has classes {', '.join(image_set.class_names)}; `{other_name}` has "
            f"{', '.join(other.class_names)}; expected the same"
        )


def groups_of(
    model: nn.Module, parameters: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """A copy of the parameter groups to train; where None: one of all that takes a gradient.

    Raises:
        ValueError: a parameter is not the model's, or none takes a gradient.
    """
    own = {id(p): p for p in model.parameters()}
    everything = {"params": [p for p in own.values() if p.requires_grad]}
    groups = [dict(group) for group in ([everything] if parameters is None else parameters)]
    for number, group in enumerate(groups):
        given = group.get("params", [])
        group["params"] = [given] if isinstance(given, Tensor) else list(given)
        foreign = sum(id(p) not in own for p in group["params"])
        if foreign:
            raise ValueError(
                f"{foreign} of the params in parameters[{number}] are not the model's; a copy of "
                "the model has others"
            )
    if not any(p.requires_grad for group in groups for p in group["params"]):
        raise ValueError(
            "the model has nothing to train: no parameter given takes a gradient; unfreeze some, "
            "or leave parameters=… out"
        )
    return groups
