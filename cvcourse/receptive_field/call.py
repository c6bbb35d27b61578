"""One operation of a traced model, with what is known about its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from cvcourse.receptive_field.axis import Axis

Axes = tuple[Axis, Axis]  # down (y), then across (x)


@dataclass(frozen=True)
class Call:
    """One operation: a module, a function or a method of a tensor, and what goes in and out.

    Attributes:
        node: the operation in the graph.
        module: the module that is called, if one is.
        values: what every node so far evaluates to; tensors on the "meta" device, which have a
            shape but no data.
        fields: the axes of every node so far whose value depends on the image.
    """

    node: fx.Node
    module: nn.Module | None
    values: dict[fx.Node, Any]
    fields: dict[fx.Node, Axes]

    @property
    def operation(self) -> Any:
        """What rules are kept by: the module's class, or the function's or method's name."""
        if self.module is not None:
            return type(self.module)
        if self.node.op == "call_method":
            return self.node.target
        target: Any = self.node.target
        known = target.__module__.split(".")[0] in ("torch", "torchvision", "_operator")
        return target.__name__ if known else target

    def setting(self, name: str, position: int, default: Any = None) -> Any:
        """A setting of the operation: the module's attribute, or the function's argument."""
        if self.module is not None:
            return getattr(self.module, name, default)
        if len(self.node.args) > position:
            return self.value(self.node.args[position])
        return self.value(self.node.kwargs.get(name, default))

    def integers(self, name: str) -> list[int]:
        """A list of integers after the input, given as one argument or one by one."""
        given = self.value(self.node.kwargs.get(name, self.node.args[1:]))
        return list(given if isinstance(given[0], int) else given[0])

    def value(self, argument: Any) -> Any:
        """An argument with every node replaced by what it evaluates to."""
        return torch.fx.node.map_arg(argument, lambda node: self.values[node])

    @property
    def inputs(self) -> list[tuple[Axes, torch.Size]]:
        """Axes and shape of every input tensor that depends on the image, in order."""
        return [
            (self.fields[node], self._shape(self.values[node]))
            for node in self._input_nodes()
            if node in self.fields
        ]

    def _input_nodes(self) -> Iterator[fx.Node]:
        nodes: list[fx.Node] = []
        torch.fx.node.map_arg((self.node.args, self.node.kwargs), nodes.append)
        yield from nodes

    @staticmethod
    def _shape(value: Any) -> torch.Size:
        return value.shape if isinstance(value, Tensor) else value[0].shape  # parts are alike

    @property
    def axes(self) -> Axes:
        """Axes of the first input."""
        return self.inputs[0][0]

    @property
    def input_shape(self) -> torch.Size:
        """Shape of the first input."""
        return self.inputs[0][1]

    @property
    def shape(self) -> torch.Size:
        """Shape of the output."""
        return self._shape(self.values[self.node])
