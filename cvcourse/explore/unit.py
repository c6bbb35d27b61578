"""What a unit sees, how strongly it answers, and what it looks at, found by hiding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from numpy.typing import NDArray
from torch import Tensor, nn

from cvcourse.checks import check_choice, check_integer, checked
from cvcourse.data import ImageSet
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module, style
from cvcourse.explore.export import (
    halved,
    in_base64,
    layers_of,
    picture_from,
)
from cvcourse.explore.pictures import check_small_pictures, exact_uri
from cvcourse.explore.traits import check_integers, trait_errors
from cvcourse.receptive_field import Region, receptive_field
from cvcourse.receptive_field.effective import up_to
from cvcourse.train.look import answer

GREY = 128  #: the level of the square that hides
FALLS, RISES = (0, 114, 178), (213, 94, 0)  #: colours of a change
_TITLES = {"linear": "fully connected", "relu": "ReLU"}


class UnitLens(Explorable):
    """Choose a unit of a trained network: the pixels that it can see, its value, what it looks at.

    The last is found by occlusion: a grey square is moved over the picture, and the change of the
    unit's value is drawn where the square was (Zeiler & Fergus 2014, "Visualizing and Understanding
    Convolutional Networks", ECCV, section 4.2). The network itself is in the page, so a picture of
    the reader's own will do. The fields are those of `cvcourse.receptive_field`.

    >>> from cvcourse.data import render
    >>> from cvcourse.explore import UnitLens
    >>> from cvcourse.models import SmallCNN, standardized
    >>> pictures = render(2)
    >>> models = {"CNN": standardized(SmallCNN, pictures)}
    >>> UnitLens(models, pictures, layer=2, unit=(0, 9, 5)).region
    Region(top=8, left=4, bottom=11, right=7)

    Args:
        models: name → trained model, 1 to 3 of them, of (B, 3, S, S) uint8 to logits; what
            `export_for_page` can express.
        pictures: 1 to 10 to begin with, (3, S, S), with S from 8 to 64.
        layer: whose unit is shown, from 1; the last one that has maps if not given.
        unit: (map, row, column) in that layer; the one with the highest value if not given.
        side: of the square that hides, 1 to 16 pixels.

    Raises:
        TraitError: pictures, models, layer, unit or side are not as above.
    """

    title = "What a unit sees"
    _esm = module("unit", "forward", "bring", "choose")
    _css = style("unit", "bring")

    networks = traitlets.Dict().tag(sync=True)
    layers: Any = traitlets.List(traitlets.Dict()).tag(sync=True)
    names = traits.names()
    pictures = traits.names()
    captions = traits.names()
    pixels = traitlets.Unicode().tag(sync=True)
    network = traitlets.Unicode().tag(sync=True)
    layer = traits.integer(1, 999, "one of the layers")
    unit = traits.integers(0, 1 << 20, "map, row and column", length=3)
    side = traits.integer(1, 16, "pixels")

    @trait_errors()
    @checked
    def __init__(
        self,
        models: Mapping[str, nn.Module],
        pictures: ImageSet,
        *,
        layer: int | None = None,
        unit: Sequence[int] | None = None,
        side: int = 5,
    ) -> None:
        shape = check_small_pictures(pictures)
        if not 1 <= len(models) <= 3:
            raise ValueError(f"there are {len(models)} models; expected 1 to 3")
        self._models = {name: halved(model).eval() for name, model in models.items()}
        layers, *others = (_layers(model, shape) for model in self._models.values())
        if any(other != layers for other in others):
            raise ValueError("the models differ in their layers; expected one kind of network")
        first = next(iter(models))
        with_maps = [number for number, one in enumerate(layers, 1) if len(one["fields"]) > 1]
        layer = max(with_maps, default=len(layers)) if layer is None else layer
        layer = check_integer("layer", layer, 1, len(layers), "one of the layers")
        if unit is None:
            maps = self._maps(first, layers[layer - 1]["name"], pictures.images[:1].cpu())[0]
            unit = [int(i) for i in np.unravel_index(int(maps.argmax()), maps.shape)]
        names = list(pictures.class_names)
        labels = check_integers("labels", pictures.labels, 0, len(names) - 1, "the true class")
        coded = [in_base64(image) for image in pictures.images.cpu()]
        super().__init__(
            networks={
                name: {"shape": list(shape), "layers": list(layers_of(model).values())}
                for name, model in self._models.items()
            },
            layers=layers,
            names=names,
            pictures=coded,
            captions=[names[label] for label in labels],
            pixels=coded[0],
            network=first,
            layer=layer,
            unit=unit,
            side=side,
        )

    @traitlets.validate("network", "layer", "unit", "pixels")
    @trait_errors()
    def _check(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        state = {key: getattr(self, key) for key in ("network", "layer", "unit", "pixels")}
        state[name] = value
        check_choice("network", state["network"], list(self.networks))
        layer = check_integer("layer", state["layer"], 1, len(self.layers), "one of the layers")
        maps, n = self.layers[layer - 1]["maps"], len(self.layers[layer - 1]["fields"])
        for axis, at, count in zip(
            ("map", "row", "column"), state["unit"], (maps, n, n), strict=True
        ):
            check_integer(f"the unit's {axis}", at, 0, count - 1, f"in layer {layer}")
        picture_from(state["pixels"], self._shape)
        return value

    @property
    def _one(self) -> dict[str, Any]:
        """The chosen layer."""
        one: dict[str, Any] = self.layers[self.layer - 1]
        return one

    @property
    def _shape(self) -> tuple[int, ...]:
        """A picture's, (3, S, S)."""
        return tuple(self.networks[self.network]["shape"])

    @property
    def _picture(self) -> Tensor:
        """(1, 3, S, S) uint8; the reader's own, too."""
        return picture_from(self.pixels, self._shape)

    def _maps(self, network: str, node: str, images: Tensor) -> Tensor:
        """What a layer answers, (B, maps, units down, units across)."""
        with torch.no_grad():
            maps = answer(up_to(self._models[network], node), images)
        return maps if maps.ndim == 4 else maps[..., None, None]

    def _values(self, images: Tensor) -> Tensor:
        """The unit's value for each of some pictures, (B,)."""
        return self._maps(self.network, self._one["name"], images)[:, *self.unit]

    @property
    def region(self) -> Region:
        """The pixels that the unit depends on."""
        fields = self._one["fields"]
        (top, bottom), (left, right) = (fields[at] for at in self.unit[1:])
        return Region(top, left, bottom, right)

    @property
    def value(self) -> float:
        """The unit's activation on the picture."""
        return self._values(self._picture).item()

    @property
    def changes(self) -> NDArray[np.float32]:
        """(S, S): by how much the value changes if a grey square is centred on that pixel."""
        picture = self._picture
        n, before = picture.shape[-1], self.side // 2
        hidden = picture.repeat(n * n, 1, 1, 1)
        for place, one in enumerate(hidden):
            top, left = place // n - before, place % n - before
            one[:, max(0, top) : top + self.side, max(0, left) : left + self.side] = GREY
        values = torch.cat([self._values(some) for some in hidden.split(256)])
        return (values - self.value).view(n, n).numpy()

    def caption(self) -> str:
        """The unit, its value, its field, and where hiding changes it most."""
        top, left, bottom, right = self.region
        changes, value = self.changes, self.value
        row, column = np.unravel_index(np.abs(changes).argmax(), changes.shape)
        found = "changes nothing anywhere"
        if changes[row, column]:
            there = value + changes[row, column]
            found = f"changes it most around ({row}, {column}), to {there:.2f}"
        return (
            f"The unit in map {self.unit[0]}, row {self.unit[1]}, column {self.unit[2]} of layer "
            f"{self.layer}, {self._one['title']}, of the network {self.network}. Its value on this "
            f"picture is {value:.2f}. It can see rows {top} to {bottom - 1} and columns {left} to "
            f"{right - 1}. A grey square of {self.side} × {self.side} pixels {found}."
        )

    def still(self) -> str:
        """The picture with the field, and beside it the map of changes."""
        changes = self.changes
        n = len(changes)
        share = np.abs(changes)[..., None] / max(float(np.abs(changes).max()), 1e-9)
        colours = np.where(changes[..., None] < 0, FALLS, RISES)
        heat = (255 + share * (colours - 255.0) + 0.5).astype(np.uint8)
        top, left, bottom, right = (v * 240 / n for v in self.region)
        parts = []
        for x, pixels in ((0, self._picture[0].permute(1, 2, 0).numpy()), (270, heat)):
            parts += [
                f'<image href="{exact_uri(pixels)}" x="{x}" width="240" height="240" '
                'style="image-rendering: pixelated"/>',
                still.frame(x + left, top, right - left, bottom - top, still.tone("orange")),
            ]
        parts.append(still.text(0, 260, "orange: what the unit can see"))
        parts.append(still.text(270, 260, "hidden here, it falls (blue) or rises (orange)"))
        return still.picture(600, 266, self.caption(), *parts)


def _layers(model: nn.Module, shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """Each layer's name, how many maps it has, and what the units see along one side of these.

    Pictures, kernels and strides are square, so that both sides are the same.
    """
    _, height, width = shape
    fields, units = receptive_field(model, (3, height, width)), []
    for name, layer in layers_of(model).items():
        with torch.no_grad():
            maps = answer(up_to(model, name), torch.zeros(1, *shape, dtype=torch.uint8))
        n = maps.shape[2] if maps.ndim == 4 else 1
        regions = [fields.region(name, at, at) for at in range(n)]
        units.append(
            {
                "name": name,
                "title": _title(layer, fields[name].operation),
                "maps": maps.shape[1],
                "fields": [[region.top, region.bottom] for region in regions],
            }
        )
    return units


def _title(layer: dict[str, Any], operation: str) -> str:
    """A layer in words, such as "3×3 convolution"."""
    if layer["kind"] == "affine":
        return "standardize" if operation == "Standardize" else "batch norm"
    size = f"{layer['size']}×{layer['size']} " if "size" in layer else ""
    return size + _TITLES.get(layer["kind"], layer["kind"])
