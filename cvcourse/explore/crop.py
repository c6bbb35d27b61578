"""Crop lab: move a window or an occluder, see what trained models then say."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import traitlets
from numpy.typing import NDArray
from torch import nn

from cvcourse.checks import check_integer, checked
from cvcourse.data import ImageSet
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.pictures import exact_uri
from cvcourse.explore.traits import check_integers, trait_errors
from cvcourse.train import evaluating

SIDE = 32
GRID, STEP = 9, 3  # positions each way, pixels from one to the next
SIZES = {"window": (1.5, 1.0, 0.6), "occluder": (0.25, 0.4, 0.55)}  # shares of the picture's side
GREY = 128


class CropLab(Explorable):
    """Drag a window or an occluder over pictures; two models' predictions follow.

    Every prediction is computed here, once: 2 ways × 3 sizes × 9 × 9 positions a picture, their
    probabilities rounded to 1/255.

    >>> from cvcourse.data import render
    >>> from cvcourse.explore import CropLab
    >>> from cvcourse.models import MLP, SingleLayer, standardized
    >>> pictures = render(1)
    >>> models = {make.__name__: standardized(make, pictures) for make in (SingleLayer, MLP)}
    >>> CropLab(models, pictures).title
    'Crop lab'

    Args:
        models: name → trained model, two of them; each takes (B, 3, 32, 32) uint8 to logits.
        pictures: 1 to 6 of them, (3, 32, 32), of at most 10 classes.

    Raises:
        TraitError: pictures or models are not as above.
    """

    title = "Crop lab"
    _esm = module("crop")

    pixels = traitlets.Unicode().tag(sync=True)
    predictions = traitlets.Unicode().tag(sync=True)
    names = traits.names()
    labels = traits.integers(0, 9, "a class")
    arms = traits.names(length=2)
    picture = traits.integer(0, 5, "one of the pictures")
    mode = traits.choice(*SIZES)
    level = traits.integer(0, 2, "one of the sizes")
    place = traits.integers(0, GRID - 1, "row and column", length=2)

    @trait_errors()
    @checked
    def __init__(self, models: Mapping[str, nn.Module], pictures: ImageSet) -> None:
        shape, classes = tuple(pictures.images.shape), len(pictures.class_names)
        if not 1 <= shape[0] <= 6 or shape[1:] != (3, SIDE, SIDE):
            raise ValueError(
                f"pictures have shape {shape}; expected (1 to 6, 3, {SIDE}, {SIDE}) — choose a few"
            )
        if classes > 10:
            raise ValueError(
                f"there are {classes} classes; expected at most 10, or the page "
                "would become too heavy"
            )
        if len(models) != 2:
            raise ValueError(f"there are {len(models)} models; expected 2 to compare")
        arrays = pictures.images.permute(0, 2, 3, 1).cpu().numpy()  # (P, 32, 32, 3)
        found = np.stack([_predict(name, model, arrays, classes) for name, model in models.items()])
        super().__init__(
            pixels=_base64(arrays),
            predictions=_base64(found),
            names=list(pictures.class_names),
            labels=check_integers("labels", pictures.labels, 0, classes - 1, "the true class"),
            arms=list(models),
            level=1,
            place=[GRID // 2, GRID // 2],
        )

    @traitlets.validate("picture")
    @trait_errors()
    def _check_picture(self, proposal: dict[str, Any]) -> int:
        meaning = "one of the pictures"
        return check_integer("picture", proposal["value"], 0, len(self.labels) - 1, meaning)

    @property
    def images(self) -> NDArray[np.uint8]:
        """The pictures, (P, 32, 32, 3)."""
        pixels = np.frombuffer(base64.b64decode(self.pixels), np.uint8)
        return pixels.reshape(-1, SIDE, SIDE, 3)

    @property
    def seen(self) -> NDArray[np.uint8]:
        """What the models see at this setting, (32, 32, 3)."""
        return _view(self.images[self.picture], self.mode, self.level, *self.place)

    @property
    def probabilities(self) -> dict[str, NDArray[np.float64]]:
        """Each model's probabilities at this setting, (C,), to 1/255."""
        found = np.frombuffer(base64.b64decode(self.predictions), np.uint8)
        shape = (len(self.arms), len(self.labels), 2, 3, GRID, GRID, len(self.names))
        way = list(SIZES).index(self.mode)
        here = found.reshape(shape)[:, self.picture, way, self.level, self.place[0], self.place[1]]
        return dict(zip(self.arms, here / 255, strict=True))

    def caption(self) -> str:
        """What each model says of the window at this place."""
        says = still.says(self.probabilities, self.names)
        return f"A {self.names[self.labels[self.picture]]}, {self.mode} at {self.place}. {says}."

    def still(self) -> str:
        """What the models see, and their probabilities."""
        image = f'<image href="{exact_uri(self.seen)}" width="240" height="240" '
        parts = [image + 'style="image-rendering: pixelated"/>']
        for i, (arm, p) in enumerate(self.probabilities.items()):
            y = 30 + 110 * i
            parts.append(still.text(270, y, arm))
            for j, label in enumerate(np.argsort(-p)[:3]):
                parts += [
                    still.text(270, y + 24 + 20 * j, self.names[label]),
                    still.bar(350, y + 12 + 20 * j, 190, 14, float(p[label]), "blue"),
                    still.text(600, y + 24 + 20 * j, f"{p[label]:.2f}", anchor="end"),
                ]
        return still.picture(600, 244, self.caption(), *parts)


def _base64(array: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _offset(index: int) -> int:
    """Pixels from the middle."""
    return (index - GRID // 2) * STEP


def _view(picture: NDArray[np.uint8], mode: str, level: int, y: int, x: int) -> NDArray[np.uint8]:
    """A (32, 32, 3) picture through the window, or with the occluder on it."""
    share = SIZES[mode][level]
    if mode == "window":
        return _crop(picture, share, _offset(y), _offset(x))
    hidden, half = picture.copy(), int(share * SIDE / 2)
    top, left = (SIDE // 2 + _offset(i) - half for i in (y, x))
    hidden[max(top, 0) : top + 2 * half, max(left, 0) : left + 2 * half] = GREY
    return hidden


def _crop(picture: NDArray[np.uint8], share: float, dy: int, dx: int) -> NDArray[np.uint8]:
    """A shifted window, bilinearly resized to the picture's size; borders are repeated."""
    steps = ((np.arange(SIDE) + 0.5) / SIDE - 0.5) * share * SIDE + SIDE / 2 - 0.5  # (32,)

    def ends(shift: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        first = np.floor(steps + shift)
        low = first.astype(int)
        return low.clip(0, SIDE - 1), (low + 1).clip(0, SIDE - 1), steps + shift - first

    top, bottom, fy = ends(dy)
    left, right, fx = ends(dx)
    fy, fx = fy[:, None, None], fx[None, :, None]
    above = (1 - fx) * picture[top][:, left] + fx * picture[top][:, right]
    below = (1 - fx) * picture[bottom][:, left] + fx * picture[bottom][:, right]
    return np.floor((1 - fy) * above + fy * below + 0.5).astype(np.uint8)


def _predict(
    name: str, model: nn.Module, pictures: NDArray[np.uint8], classes: int
) -> NDArray[np.uint8]:
    """Probabilities × 255 in every setting: (P, 2 ways, 3 sizes, GRID, GRID, C)."""
    device = next(model.parameters()).device
    found = []
    with evaluating(model), torch.no_grad():
        for picture in pictures:
            views = [
                _view(picture, mode, level, y, x)
                for mode in SIZES
                for level in range(3)
                for y in range(GRID)
                for x in range(GRID)
            ]
            batch = torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).to(device)
            probabilities = model(batch).double().softmax(dim=1)
            if probabilities.shape != (len(batch), classes) or bool(probabilities.isnan().any()):
                raise ValueError(
                    f"the model {name!r} answers {tuple(probabilities.shape)} for {len(batch)} "
                    f"pictures of {classes} classes, or NaN; expected numbers, one for each class"
                )
            found.append(probabilities.cpu().numpy())
    shape = (len(pictures), 2, 3, GRID, GRID, -1)
    return np.floor(np.stack(found).reshape(shape) * 255 + 0.5).astype(np.uint8)
