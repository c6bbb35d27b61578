"""The first step of every model: bytes become numbers around zero."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cvcourse.checks import checked
from cvcourse.data import ImageSet


class Standardize(nn.Module):
    """uint8 images to (x / 255 − mean) / std, a channel at a time.

    The statistics are buffers: they travel with the model's weights, so that a model never meets
    those of another dataset.

    >>> import torch
    >>> from cvcourse.models import Standardize
    >>> standardize = Standardize(torch.tensor([0.5]), torch.tensor([0.25]))
    >>> images = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)
    >>> standardize(images).flatten().tolist()
    [-2.0, 2.0]

    Args:
        mean: (C,) float, on the scale [0, 1].
        std: (C,) float, above 0.

    Raises:
        ValueError: they are not of one length, or not finite; or a std is not above 0.
    """

    mean: Tensor
    std: Tensor

    @checked
    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        if mean.ndim != 1 or mean.shape != std.shape or not len(mean):
            raise ValueError(
                f"mean is {tuple(mean.shape)}, std {tuple(std.shape)}; expected (C,) of both"
            )
        if not (mean.is_floating_point() and std.is_floating_point()):
            raise TypeError(f"mean is {mean.dtype}, std {std.dtype}; expected floats")
        if not bool((mean.isfinite() & std.isfinite() & (std > 0)).all()):
            raise ValueError(f"mean is {mean}, std {std}; expected finite numbers, std above 0")
        self.register_buffer("mean", mean.view(-1, 1, 1))
        self.register_buffer("std", std.view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) uint8, or float already on [0, 1] → (B, C, H, W) float.

        Raises:
            TypeError: the images are neither.
            ValueError: they have another number of channels.
        """
        if not isinstance(images, Tensor) or not (
            images.dtype == torch.uint8 or images.is_floating_point()
        ):
            found = images.dtype if isinstance(images, Tensor) else type(images).__name__
            raise TypeError(f"the images are {found}; expected torch.uint8, or float on [0, 1]")
        if images.ndim != 4 or images.shape[1] != len(self.mean):
            raise ValueError(
                f"the images have shape {tuple(images.shape)}; expected (B, {len(self.mean)}, H, W)"
            )
        if images.is_floating_point():
            return (images - self.mean) / self.std
        return images.float().div_(255).sub_(self.mean).div_(self.std)  # in one piece of memory


@checked
def standardized(
    model: nn.Module | Callable[..., nn.Module], train: ImageSet, **settings: Any
) -> nn.Sequential:
    """A model behind the statistics of the images that it is going to be trained on.

    `standardized(SmallCNN, train, width=8)` builds it to fit them: whatever of `n_classes`,
    `channels` and `size` the constructor takes is read off `train`.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SmallCNN, standardized
    >>> train = render(20)
    >>> model = standardized(SmallCNN, train, width=4)
    >>> model(train.images).shape
    torch.Size([20, 10])

    Args:
        model: a class (or a function) to build the model with, or a model that is built already.
        train: the training images.
        settings: the constructor's other arguments; they go before what `train` says.

    Returns:
        `Standardize`, then the model.

    Raises:
        TypeError: settings for a model that is built already, or what was built is no model.
        ValueError: `size` is wanted, and the images are not square.
    """
    if isinstance(model, nn.Module):
        if settings:
            raise TypeError(
                f"{type(model).__name__} is built already, and cannot take {', '.join(settings)}; "
                "give the class instead"
            )
        return nn.Sequential(Standardize(*train.statistics()), model)
    _, channels, height, width = train.images.shape
    found = {"n_classes": train.n_classes, "channels": channels, "size": width}
    taken = _keywords(model)
    if "size" in taken - settings.keys() and height != width:
        raise ValueError(f"the images are {height} × {width}; expected square ones for a size")
    fitting = {name: value for name, value in found.items() if name in taken}
    built = model(**fitting | settings)
    if not isinstance(built, nn.Module):
        raise TypeError(f"{model!r} made a {type(built).__name__}; expected a model")
    return nn.Sequential(Standardize(*train.statistics()), built)


def _keywords(make: Callable[..., nn.Module]) -> set[str]:
    """What a constructor takes by name, its base class's where it passes **settings on."""
    names: set[str] = set()
    owners = make.__mro__ if isinstance(make, type) else (make,)
    for function in (vars(o).get("__init__") if isinstance(o, type) else o for o in owners):
        parameters = inspect.signature(function).parameters.values() if function else ()
        names |= {p.name for p in parameters}
        if function and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names
