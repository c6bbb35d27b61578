"""Receptive fields: build a stack of layers, choose a unit, see its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import nn

from cvcourse.checks import check_integer
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.pictures import data_uri, photograph
from cvcourse.explore.traits import check_list, trait_errors
from cvcourse.receptive_field import Region, receptive_field

Layer = tuple[str, int, int, int, int]
_LIMITS = {"kernel": (1, 15), "stride": (1, 8), "padding": (0, 8), "dilation": (1, 8)}
_START: tuple[Layer, ...] = (
    ("conv", 11, 4, 2, 1),
    ("pool", 3, 2, 0, 1),
    ("conv", 5, 1, 2, 1),
    ("pool", 3, 2, 0, 1),
    ("conv", 3, 1, 1, 1),
    ("conv", 3, 1, 1, 1),
    ("conv", 3, 1, 1, 1),
    ("pool", 3, 2, 0, 1),
)  # AlexNet


def _stack(name: str, layers: Any) -> list[list[Any]]:
    found = check_list(name, layers)
    check_integer("the number of layers", len(found), 1, 60, "from the image on")
    return [_layer(check_list(f"layer {i}", one), i) for i, one in enumerate(found, 1)]


def _layer(layer: list[Any], number: int) -> list[Any]:
    if len(layer) != 5 or layer[0] not in ("conv", "pool"):
        raise traitlets.TraitError(
            f"layer {number} is {layer}; expected ('conv' or 'pool', kernel, stride, padding, "
            "dilation)"
        )
    for (name, (low, high)), value in zip(_LIMITS.items(), layer[1:], strict=True):
        check_integer(f"{name} of layer {number}", value, low, high, "in pixels")
    kind, kernel, _, padding, _ = layer
    if kind == "pool" and padding > kernel // 2:
        raise traitlets.TraitError(
            f"padding of layer {number} is {padding}; a pool of {kernel} takes at most half, "
            f"{kernel // 2}"
        )
    return layer


class ReceptiveFieldStack(Explorable):
    """Build a chain of layers, choose a unit, see which pixels it depends on.

    The browser's arithmetic is the recurrence of Araujo, Norris & Sim (2019), with each unit's own
    field at the borders; it agrees with `cvcourse.receptive_field` to the pixel.

    >>> from cvcourse.explore import ReceptiveFieldStack
    >>> stack = [("conv", 3, 1, 1, 1), ("pool", 2, 2, 0, 1)]
    >>> ReceptiveFieldStack(stack, size=16, unit=(2, 2)).region
    Region(top=3, left=3, bottom=7, right=7)

    Args:
        layers: (kind, kernel, stride, padding, dilation) each; kind is "conv" or "pool". AlexNet's
            features if not given.
        size: height and width of the image in pixels, 8 to 512.
        layer: whose unit is shown, 1 to len(layers); the last one if not given.
        unit: (row, column) in that layer's map; the one in the middle if not given.
        picture: (H, W, 3) uint8, drawn at `size`; a cat if not given.

    Raises:
        TraitError: a layer is not as above, leaves no units, or there is no such layer or unit.
    """

    title = "Receptive fields"
    _esm = module("receptive")

    size = traits.integer(8, 512, "the side in pixels")
    layers = traits.Checked(_stack, [])
    layer = traits.integer(1, 60, "one of the layers")
    unit = traits.integers(0, 512, "row and column", length=2)
    picture = traitlets.Unicode().tag(sync=True)

    @trait_errors()
    def __init__(
        self,
        layers: Sequence[Layer] = _START,
        size: int = 224,
        *,
        layer: int | None = None,
        unit: tuple[int, int] | None = None,
        picture: NDArray[np.uint8] | None = None,
    ) -> None:
        stack = _stack("layers", layers)
        size = check_integer("size", size, 8, 512, "the side in pixels")
        sizes = _sizes(stack, size)
        layer = len(stack) if layer is None else layer
        layer = check_integer("layer", layer, 1, len(stack), "one of the layers")
        middle = (sizes[layer - 1] - 1) // 2
        super().__init__(
            layers=stack,
            size=size,
            layer=layer,
            unit=[middle, middle] if unit is None else unit,
            picture=photograph("chelsea") if picture is None else data_uri(picture),
        )

    @traitlets.validate("layers", "size", "layer", "unit")
    @trait_errors()
    def _check(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        state = {key: getattr(self, key) for key in ("layers", "size", "layer", "unit")}
        state[name] = value
        sizes = _sizes(state["layers"], state["size"])
        check_integer("layer", state["layer"], 1, len(sizes), "one of the layers")
        n = sizes[state["layer"] - 1]
        if not all(0 <= u < n for u in state["unit"]):
            raise traitlets.TraitError(
                f"unit is {state['unit']}, but layer {state['layer']} has {n} × {n} units, counted "
                "from 0 — set layers, layer and unit together, in `with piece.hold_trait_"
                "notifications():`"
            )
        return value

    @property
    def model(self) -> nn.Sequential:
        """The stack as a module of one channel."""
        return nn.Sequential(*(_as_module(*layer) for layer in self.layers))

    @property
    def region(self) -> Region:
        """The pixels that the chosen unit depends on."""
        fields = receptive_field(self.model, (1, self.size, self.size))
        return fields.region(str(self.layer - 1), *self.unit)

    def caption(self) -> str:
        """The chosen unit and its pixels."""
        top, left, bottom, right = self.region
        return (
            f"Unit ({self.unit[0]}, {self.unit[1]}) of layer {self.layer} of {len(self.layers)} "
            f"depends on rows {top} to {bottom - 1} and columns {left} to {right - 1} of "
            f"{self.size} × {self.size} pixels."
        )

    def still(self) -> str:
        """The photograph with the field of the chosen unit."""
        top, left, bottom, right = (v * 300 / self.size for v in self.region)
        return still.picture(
            600,
            300,
            self.caption(),
            f'<image href="{escape(self.picture)}" x="150" width="300" height="300"/>',
            f'<rect x="{150 + left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{bottom - top:.1f}" fill="{still.tone("orange")}" fill-opacity="0.3" '
            f'stroke="{still.tone("orange")}" stroke-width="2"/>',
        )


def _sizes(layers: list[list[Any]], size: int) -> list[int]:
    """Units down (and across) after every layer."""
    sizes = []
    for number, (_, kernel, stride, padding, dilation) in enumerate(layers, 1):
        size = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        if size < 1:
            raise traitlets.TraitError(
                f"layer {number} leaves no units; take a smaller kernel or stride, more padding, "
                "or a larger image"
            )
        sizes.append(size)
    return sizes


def _as_module(kind: str, kernel: int, stride: int, padding: int, dilation: int) -> nn.Module:
    if kind == "conv":
        return nn.Conv2d(1, 1, kernel, stride, padding, dilation)
    return nn.MaxPool2d(kernel, stride, padding, dilation)
