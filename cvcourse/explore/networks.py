"""Networks and their blocks, drawn from the modules themselves: no number is typed in.

>>> from cvcourse.explore import networks
>>> from cvcourse.models import LeNet5
>>> "61,706 parameters" in networks.network(LeNet5(), (1, 32, 32)).description
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log2, prod, sqrt
from typing import Literal

from torch import nn

from cvcourse.checks import Count, checked
from cvcourse.explore.diagram import LINE, PAPER, SIZE, WIDTH, Box, Diagram, draw_box, line, words
from cvcourse.explore.still import tone
from cvcourse.models.table import Layer, layer_table

_FUNNEL = 104  # width of the column in which the maps are drawn
_ROW = 46
_NAMES = {
    "Linear": "fully connected",
    "MaxPool2d": "max pool",
    "AvgPool2d": "average pool",
    "AdaptiveAvgPool2d": "average pool",
    "PathwiseLRN": "LRN",
    "BatchNorm2d": "batch norm",
    "Dropout": "dropout",
    "Tanh": "tanh",
}
_NORMS = ("BatchNorm2d", "GroupNorm", "LayerNorm")


@dataclass(frozen=True)
class Stage:
    """What is drawn as one: a layer, with what follows it and leaves its shape alone."""

    kind: str
    name: str
    shape: tuple[int, ...]
    parameters: int
    groups: int = 1
    then: tuple[str, ...] = ()
    layers: int = 1

    @property
    def label(self) -> str:
        """Such as "2 × conv 3×3 + ReLU"."""
        times = f"{self.layers} × " if self.layers > 1 else ""
        return " + ".join((f"{times}{self.name}", *dict.fromkeys(self.then)))

    @property
    def size(self) -> str:
        """Such as "64 × 55 × 55"."""
        if len(self.shape) == 1:
            return f"{self.shape[0]:,} neurons"
        return " × ".join(f"{n:,}" for n in self.shape)

    @property
    def counted(self) -> str:
        """Its size and what it has learned."""
        return f"{self.size}, {self.parameters:,} parameters" if self.parameters else self.size


def stages(model: nn.Module, input_shape: tuple[int, ...]) -> list[Stage]:
    """What a model does to an image, one after the other."""
    modules = dict(model.named_modules())
    found: list[Stage] = []
    neurons = prod(input_shape)
    for row in layer_table(model, input_shape):
        norm = row.kind in _NORMS
        follows = row.neurons == neurons and (norm or not row.parameters)
        if follows and (row.kind.startswith("Adaptive") or row.kind == "Identity"):
            continue  # changes nothing
        if follows and found and not row.kind.endswith("Pool2d"):
            last = found[-1]
            then = (*last.then, _NAMES.get(row.kind, row.kind))
            found[-1] = replace(last, parameters=last.parameters + row.parameters, then=then)
        else:
            module = modules.get(row.name, model)
            name, groups = _name(row, module), getattr(module, "groups", 1)
            found.append(Stage(row.kind, name, row.shape, row.parameters, groups))
        neurons = row.neurons
    return found


def _name(row: Layer, module: nn.Module) -> str:
    """Such as "conv 3×3, stride 2"."""
    name = "conv" if row.kind == "Conv2d" else _NAMES.get(row.kind, row.kind)
    if row.kind not in ("Conv2d", "MaxPool2d", "AvgPool2d"):
        return name
    side, stride = (
        value[0] if isinstance(value, tuple) else value
        for value in (module.kernel_size, module.stride)
    )
    usual = 1 if row.kind == "Conv2d" else side
    stride = f", stride {stride}" if stride != usual else ""
    return f"{name} {side}×{side}{stride}"


@checked
def network(model: nn.Module, input_shape: tuple[Count, ...], *, title: str = "") -> Diagram:
    """A network from top to bottom, with the shapes and parameters that it has.

    The wider a bar, the larger the side of its maps; the thicker, the more maps. Layers of the same
    kind and shape that follow each other are one stage of several bars. Where convolutions have two
    groups, the maps are drawn as two paths, and a crossing is an exchange between them.

    >>> from cvcourse.explore.networks import network
    >>> from cvcourse.models import SingleLayer
    >>> print(network(SingleLayer(), (3, 32, 32)))
    SingleLayer. From top to bottom: picture, 3 × 32 × 32; fully connected, 10
    neurons, 30,730 parameters. In all 30,730 parameters and 30,720 multiply-adds
    for one picture.

    Args:
        model: takes a batch of images, and passes them from layer to layer.
        input_shape: of one image, (C, H, W).
        title: the name of its class, if left out.

    Raises:
        ValueError: the model cannot take such an image.
    """
    table = layer_table(model, input_shape)
    found = stages(model, input_shape)
    paths = 2 if any(stage.groups == 2 for stage in found) else 1
    drawn = _together(found)
    picture = Stage("", "picture", tuple(input_shape), 0)
    side, y = input_shape[-1], 24.0
    wires: list[str] = []
    parts = [*_bars(picture, y, 1, side), *_label(picture, y)]
    for before, stage in zip([picture, *drawn], drawn, strict=False):
        y += _ROW
        exchange = _exchanges(stage) and before is not picture
        wires += _wires(y, paths, first=before is picture, exchange=exchange)
        parts += [*_bars(stage, y, paths, side), *_label(stage, y)]
    parameters = sum(row.parameters for row in table)
    multiply_adds = sum(row.multiply_adds for row in table)
    total = f"{parameters:,} parameters and {multiply_adds:,} multiply-adds"
    parts.append(words(WIDTH / 2, y + 42, "In all:", WIDTH))
    parts.append(words(WIDTH / 2, y + 42 + LINE, total, WIDTH + 60))
    described = "; ".join(f"{stage.label}, {stage.counted}" for stage in [picture, *drawn])
    split = " Two paths stand side by side" if paths == 2 else ""
    if split:
        crossings = [f"{s.name} of {s.size}" for s in drawn[1:] if _exchanges(s)]
        split += f", which exchange what they have before {', '.join(crossings)}."
    return Diagram(
        title or type(model).__name__,
        f"From top to bottom: {described}.{split} In all {total} for one picture.",
        y + 42 + 1.6 * LINE,
        (*wires, *parts),
    )


def _together(found: list[Stage]) -> list[Stage]:
    """Convolutions that follow each other and look alike, as one stage of several layers."""
    together: list[Stage] = []
    for stage in found:
        last = together[-1] if together else None
        alike = last and replace(last, parameters=stage.parameters, layers=1) == stage
        if last and alike and stage.kind == "Conv2d":
            parameters = last.parameters + stage.parameters
            together[-1] = replace(last, parameters=parameters, layers=last.layers + 1)
        else:
            together.append(stage)
    return together


def _exchanges(stage: Stage) -> bool:
    """Whether each path sees both."""
    return stage.groups == 1 and stage.kind in ("Conv2d", "Linear")


def _middles(paths: int) -> list[float]:
    return [_FUNNEL * (i + 0.5) / paths for i in range(paths)]


def _bars(stage: Stage, y: float, paths: int, side: int) -> list[str]:
    """The maps of a stage: as wide as their side, as thick as they are many."""
    colour = tone("orange" if len(stage.shape) == 1 else "blue")
    room = _FUNNEL / paths - 8
    if len(stage.shape) == 1:
        width, thick = room * min(1.0, log2(stage.shape[0] + 1) / 12), 5.0
    else:
        width = max(5.0, room * sqrt(stage.shape[-1] / side))
        thick = 3 + 0.6 * sqrt(stage.shape[0] / paths)
    step = min(thick + 2, 32 / stage.layers)
    look = (
        f'fill="{colour}"'
        if stage.kind in ("Conv2d", "Linear")
        else f'fill="{PAPER}" stroke="{colour}" stroke-width="1.5"'
    )
    tops = [y - step * (stage.layers - 1) / 2 + step * i for i in range(stage.layers)]
    thick = min(thick, max(step - 2, 3))
    return [
        f'<rect x="{x - width / 2:.1f}" y="{top - thick / 2:.1f}" width="{width:.1f}" '
        f'height="{thick:.1f}" rx="1" {look}/>'
        for x in _middles(paths)
        for top in tops
    ]


def _wires(y: float, paths: int, *, first: bool, exchange: bool) -> list[str]:
    """From the row above to this one: straight, and crossed where the paths exchange."""
    ends = _middles(paths)
    starts = _middles(1) if first else ends
    pairs = [(a, b) for a in starts for b in ends if first or exchange or a == b]
    return [line([(a, y - _ROW), (b, y)], tip=False) for a, b in pairs]


def _label(stage: Stage, y: float) -> list[str]:
    """Two lines: what it is, and what comes out."""
    x = _FUNNEL + 6
    return [
        f'<text x="{x}" y="{y - 3:g}" font-size="{SIZE}" font-weight="600">{stage.label}</text>',
        f'<text x="{x}" y="{y + 13:g}" font-size="{SIZE - 0.5}">{stage.counted}</text>',
    ]


@checked
def block(
    branches: Mapping[str, nn.Module],
    input_shape: tuple[Count, ...],
    *,
    join: Literal["add", "concatenate"],
    title: str,
) -> Diagram:
    """A block whose branches all see the same maps, and are joined again.

    >>> from torch import nn
    >>> from cvcourse.explore.networks import block
    >>> branches = {"branch": nn.Conv2d(8, 8, 3, padding=1), "shortcut": nn.Identity()}
    >>> print(block(branches, (8, 4, 4), join="add", title="A residual block"))
    A residual block. Maps of 8 × 4 × 4 go into every branch. branch: conv 3×3, 8 ×
    4 × 4, 584 parameters. shortcut: unchanged. They are added to 8 × 4 × 4. In all
    584 parameters.

    Args:
        branches: by their names; one to four.
        input_shape: of the maps of one image, (C, H, W).
        join: how the branches' answers become one.
        title: what it is a drawing of.

    Raises:
        ValueError: a branch cannot take such maps, or what the branches give does not fit.
    """
    rows = {name: stages(branch, input_shape) for name, branch in branches.items()}
    shapes = [row[-1].shape if row else tuple(input_shape) for row in rows.values()]
    if len({shape[1:] if join == "concatenate" else shape for shape in shapes}) != 1:
        raise ValueError(
            f"the branches give {shapes}, which one cannot {join}; pad them, or give them "
            "one stride and, to add, as many maps"
        )
    maps = sum(shape[0] for shape in shapes) if join == "concatenate" else shapes[0][0]
    out = Stage("", "", (maps, *shapes[0][1:]), 0)
    into = Stage("", "", tuple(input_shape), 0)
    step, deepest = WIDTH / len(rows), max(map(len, rows.values()))
    texts = {name: [_inside(stage, len(rows)) for stage in row] for name, row in rows.items()}
    tall = 10 + LINE * max((len(text) for row in texts.values() for text in row), default=1)
    bottom = 70 + (tall + 22) * deepest
    parts = []
    for i, row in enumerate(texts.values()):
        x, above = step * (i + 0.5), 34.0
        for j, text in enumerate(row):
            y = 56 + tall / 2 + (tall + 22) * (j + (deepest - len(row)) / 2)
            parts.append(line([(x, above), (x, y - tall / 2)]))
            box = Box(0, 0, "\n".join(text), "network", "blue")
            parts.append(draw_box(x, y, min(step - 6, 200), tall, box))
            above = y + tall / 2
        parts.append(line([(x, above), (x, bottom - 16)]))
        if not row:
            middle = (34 + bottom) / 2
            parts.append(draw_box(x, middle, 110, 32, Box(0, 0, "unchanged")))
    end = "added" if join == "add" else "stacked"
    wide = WIDTH - 8
    parts.append(draw_box(WIDTH / 2, 20, wide, 30, Box(0, 0, f"maps: {into.size}")))
    joined = Box(0, 0, f"{end}: {out.size}", tone="green")
    parts.append(draw_box(WIDTH / 2, bottom, wide, 32, joined))
    parameters = sum(stage.parameters for row in rows.values() for stage in row)
    parts.append(words(WIDTH / 2, bottom + 38, f"{parameters:,} parameters in all", WIDTH))
    told = [
        f"{name}: {'; '.join(f'{s.label}, {s.counted}' for s in row) or 'unchanged'}."
        for name, row in rows.items()
    ]
    return Diagram(
        title,
        f"Maps of {into.size} go into every branch. {' '.join(told)} They are {end} to {out.size}. "
        f"In all {parameters:,} parameters.",
        bottom + 48,
        tuple(parts),
    )


def _inside(stage: Stage, branches: int) -> list[str]:
    """The lines in a box of a block; beside two others there is little room."""
    if branches > 2:
        name = stage.name.partition(",")[0].removeprefix("max ").replace("pool", "max")
        return [name, f"{stage.shape[0]} maps", f"{stage.parameters:,}"]
    then = ["+ " + ", ".join(stage.then)] if stage.then else []
    return [stage.name, *then, stage.size, f"{stage.parameters:,} parameters"]
