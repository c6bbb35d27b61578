"""The receptive field of every node of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves
from torchvision.models.feature_extraction import NodePathTracer

from cvcourse.checks import Checked, Count, check, checked
from cvcourse.models.outline import evaluating, outlined
from cvcourse.receptive_field.axis import Axis
from cvcourse.receptive_field.call import Axes, Call
from cvcourse.receptive_field.rules import elementwise
from cvcourse.receptive_field.table import ELEMENTWISE, rule_for
from cvcourse.terminal import printable


class UnsupportedOperationError(NotImplementedError):
    """The model does something of which it is not known what it does to the field."""


class Region(NamedTuple):
    """Rows top … bottom − 1 and columns left … right − 1 of the image; empty if none matter."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Field(Checked):
    """The receptive field of the units of one node; every pair is (down, across).

    Attributes:
        name: a module's path in the model, or that of the module around a function and the
            function's name ("layer1.0.add"); called again, it ends in _1, _2, …
        operation: what it computes, such as "Conv2d" or "add".
        map_size: units down and across; (None, None) where none are left.
        axes: the fields of all units.
    """

    name: str
    operation: str
    map_size: tuple[int | None, int | None]
    axes: Axes

    @property
    def is_global(self) -> bool:
        """Whether there is no size to speak of: units see all there is, or differ without end."""
        return any(axis.span is None for axis in self.axes)

    @property
    def size(self) -> tuple[int, int] | None:
        """Pixels from first to last, borders aside; None if global."""
        return self._pair(lambda span: span.size)

    @property
    def jump(self) -> tuple[float, float] | None:
        """Pixels from one unit's field to the next one's (the effective stride); None if global."""
        return self._pair(lambda span: float(span.jump))

    @property
    def start(self) -> tuple[float, float] | None:
        """Where the field of unit (0, 0) is centred; pixel 0 is centred at 0.

        None if global, or if that unit sees nothing.
        """
        return self._pair(lambda span: span.first and sum(span.first) / 2)

    @property
    def padding(self) -> tuple[int, int] | None:
        """Pixels by which the field of unit (0, 0) sticks out of the image; None as `start`."""
        return self._pair(lambda span: span.first and -span.first[0])

    def _pair(self, of: Callable[[Any], Any]) -> Any:
        pair = (None,) if self.is_global else tuple(of(axis.span) for axis in self.axes)
        return None if None in pair else pair

    @checked
    def region(self, y: int, x: int, *, clipped: bool = True) -> Region:
        """The part of the image that the unit in row y, column x depends on.

        Args:
            y: row, 0 ≤ y < map_size[0]. Any, where there are no rows left.
            x: column.
            clipped: leave out what lies outside the image. Pixels inside that the unit would see
                only through padding of a layer in between are left out, too. Otherwise the field
                on an image without borders; the same as clipped where it is global.

        Returns:
            The smallest rectangle. Dilation and strides can leave holes in it.

        Raises:
            IndexError: there is no such unit.
        """
        (top, bottom), (left, right) = (
            self._extent(axis, n, unit, clipped)
            for axis, n, unit in zip(self.axes, self.map_size, (y, x), strict=True)
        )
        if bottom <= top or right <= left:
            return Region(0, 0, 0, 0)
        return Region(top, left, bottom, right)

    def _extent(self, axis: Axis, n: int | None, unit: int, clipped: bool) -> tuple[int, int]:
        if n is not None and not 0 <= unit < n:
            raise IndexError(
                f"{self.name!r} has no unit {unit}; its map is {self.map_size[0]} × "
                f"{self.map_size[1]} units, counted from 0"
            )
        if not clipped and not self.is_global and axis.span:
            low, high = axis.span.at(torch.tensor([unit]).numpy())
            return int(low[0]), int(high[0]) + 1
        at = unit if len(axis.low) > 1 else 0
        return int(axis.low[at]), int(axis.high[at]) + 1


class ReceptiveFields(Mapping[str, Field]):
    """The field of every node, by name, in the order of computation; print it for a table."""

    def __init__(self, fields: dict[str, Field], image_size: tuple[int, int]) -> None:
        self._fields = fields
        self.image_size = image_size

    @checked
    def __getitem__(self, name: str) -> Field:
        if name not in self._fields:
            some = ", ".join(list(self._fields)[-6:])
            raise KeyError(f"no node {name!r}; the last ones are {some}; list(…) names all")
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def region(self, node: str, y: int, x: int, *, clipped: bool = True) -> Region:
        """The part of the image that one unit of a node depends on; see `Field.region`."""
        return self[node].region(y, x, clipped=clipped)

    def __str__(self) -> str:
        lines = [f"{'node':32}{'operation':20}{'map':>10}{'size':>12}{'jump':>10}{'start':>12}"]
        for field in self.values():
            line = f"{field.name:32}{field.operation:20}{_times(field.map_size):>10}"
            numbers = (field.size, field.jump, field.start)
            widths = (12, 10, 12)
            without = "global" if field.is_global else "nothing"
            told = (without if n is None else _times(n) for n in numbers)
            lines.append(line + "".join(f"{t:>{w}}" for t, w in zip(told, widths, strict=True)))
        return printable("\n".join(lines))


def _image_size(name: str, value: Any) -> Any:
    try:
        return check(name, value, tuple[Count, Count, Count])
    except (TypeError, ValueError) as error:
        raise type(error)(f"{error}; expected (channels, height, width)") from None


ImageSize = Annotated[tuple[int, int, int], _image_size]


def _times(pair: tuple[Any, Any]) -> str:
    y, x = ("–" if one is None else f"{one:g}" for one in pair)
    return y if y == x else f"{y}×{x}"


@checked
def receptive_field(model: nn.Module, input_size: ImageSize) -> ReceptiveFields:
    """The receptive field of every node of a model in evaluation mode.

    The recurrence of Araujo, Norris & Sim (2019), "Computing Receptive Fields of Convolutional
    Neural Networks", Distill, in integers, on a graph traced by torch.fx; each unit's own field at
    the borders comes with it. Nothing is computed but shapes, so a large model takes no memory.

    >>> from torch import nn
    >>> from cvcourse.receptive_field import receptive_field
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.MaxPool2d(2))
    >>> pool = receptive_field(model, (3, 32, 32))["1"]
    >>> pool.size, pool.jump, pool.region(0, 0)
    ((7, 7), (4.0, 4.0), Region(top=0, left=0, bottom=7, right=7))

    Args:
        model: any module that torch.fx can trace and that takes (B, C, H, W) images.
        input_size: (channels, height, width) of the images.

    Returns:
        The fields, by the nodes' names.

    Raises:
        ValueError: the input size has not three numbers, or an operation is used in a way that
            leaves no rows and columns to speak of.
        UnsupportedOperationError: an operation that is not known, or control flow that cannot be
            traced.
    """
    model, graph, names = trace(model)
    values = _shapes(model, graph, input_size)
    fields: dict[fx.Node, Axes] = {}
    result = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            _, height, width = input_size
            fields[node] = Axis.of_image(2, height), Axis.of_image(3, width)
            operation = "input"
        elif node.op.startswith("call") and _is_tensor(values[node]):
            module = model.get_submodule(node.target) if node.op == "call_module" else None
            call = Call(node, module, values, fields)
            if not call.inputs:
                continue
            fields[node] = _apply_rule(call, names[node])
            operation = getattr(call.operation, "__name__", str(call.operation))
        else:
            continue
        if isinstance(values[node], Tensor):
            y, x = (None if a.dim is None else len(a.low) for a in fields[node])
            result[names[node]] = Field(names[node], operation, (y, x), fields[node])
    return ReceptiveFields(result, input_size[1:])


class _Tracer(NodePathTracer):
    """Does not look into modules whose rule is known."""

    def is_leaf_module(self, m: nn.Module, module_qualname: str) -> bool:
        return rule_for(type(m)) is not None or super().is_leaf_module(m, module_qualname)


def trace(model: nn.Module) -> tuple[nn.Module, fx.Graph, dict[fx.Node, str]]:
    """The model, its graph in evaluation mode, and the nodes' names.

    A lone layer is put into a `nn.Sequential`: torch.fx would look into it.

    Raises:
        UnsupportedOperationError: torch.fx cannot trace the model.
    """
    # A copy, since torch.fx keeps the tensors that it meets on its way as the model's attributes.
    model = nn.Sequential(model) if rule_for(type(model)) else copy(model)
    wrapped = tuple(f for f in ELEMENTWISE if callable(f) and not isinstance(f, type))
    tracer = _Tracer(autowrap_functions=wrapped)
    with evaluating(model):
        try:
            graph = tracer.trace(model)
        except (fx.proxy.TraceError, TypeError) as error:
            raise UnsupportedOperationError(
                f"torch.fx cannot trace {type(model).__name__}: {error}. Pass the part that it can "
                "trace, such as model.features; or, if a module of yours leaves every position to "
                "itself, add its class to cvcourse.receptive_field.ELEMENTWISE"
            ) from error
    return (
        model,
        graph,
        {node: tracer.node_to_qualname.get(node, node.name) for node in graph.nodes},
    )


def _shapes(
    model: nn.Module, graph: fx.Graph, input_size: tuple[int, int, int]
) -> dict[fx.Node, Any]:
    """What every node evaluates to for two images; its tensors have a shape but no data."""
    values: dict[fx.Node, Any] = {}

    class Recorder(fx.Interpreter):
        def run_node(self, node: fx.Node) -> Any:
            values[node] = super().run_node(node)
            return values[node]

    with outlined(model, (2, *input_size)) as images:
        Recorder(model, garbage_collect_values=False, graph=graph).run(images)
    return values


def _is_tensor(value: Any) -> bool:
    """A tensor, or several that come from one operation."""
    return any(isinstance(part, Tensor) for part in tree_leaves(value))


def _apply_rule(call: Call, name: str) -> Axes:
    if all(axis.dim is None for axes, _ in call.inputs for axis in axes):
        return elementwise(call)  # no positions are left that it could mix
    rule = rule_for(call.operation)
    if rule is not None:
        return rule(call)
    shape = ", ".join(map(str, call.input_shape[1:]))
    what = getattr(call.operation, "__name__", call.operation)
    raise UnsupportedOperationError(
        f"receptive_field does not know the operation {what} at node {name!r}, whose input has the "
        f"shape (B, {shape}). If it leaves every position to itself, add it to "
        "cvcourse.receptive_field.ELEMENTWISE; if not, write it with operations of torch.nn that "
        "are known (convolution, pooling, resizing, cat, reshape …), or pass the part of the model "
        "before it"
    )
