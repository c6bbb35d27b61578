"""What a network is made of, layer by layer: shapes, parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import type_before_parametrizations
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from cvcourse.checks import Checked, Count, Natural, checked
from cvcourse.models.outline import outlined, step_by_step
from cvcourse.terminal import printable


@dataclass(frozen=True)
class Layer(Checked):
    """One line of a layer table.

    Attributes:
        name: where the layer is in the model, "features.0".
        kind: its class, "Conv2d".
        shape: of what it puts out for one image, (C, H, W) or (features,); of several tensors the
            first one's.
        parameters: how many numbers in it are learned.
        multiply_adds: of its convolutions and matrix products, for one image; adding a bias,
            comparing and normalising are not counted.
    """

    name: str
    kind: str
    shape: tuple[Natural, ...]
    parameters: Natural
    multiply_adds: Natural

    @property
    def neurons(self) -> int:
        """How many numbers it puts out for one image."""
        return torch.Size(self.shape).numel()


@checked
def layer_table(model: nn.Module, input_shape: tuple[Count, ...]) -> list[Layer]:
    """Every layer of a model in the order in which an image passes through.

    A layer is a module without modules inside, or one with parameters of its own. Nothing is
    computed and the model is left alone: one image that has a shape but no pixels goes through. A
    layer that is used twice has two lines, the second without parameters, and so have two layers
    that share theirs. What no layer that ran accounts for stands "elsewhere", on the last line.

    >>> from cvcourse.models import LeNet5, layer_table
    >>> first = layer_table(LeNet5(), (1, 32, 32))[0]
    >>> first.kind, first.shape, first.parameters, first.multiply_adds
    ('Conv2d', (6, 28, 28), 156, 117600)

    Args:
        model: takes a batch of images.
        input_shape: of one image, (C, H, W).

    Raises:
        ValueError: the model cannot take such an image.

    Returns:
        One row a layer; see `Layer`. `print(format_table(rows))` shows them.
    """
    counter = FlopCounterMode(display=False)
    rows: list[Layer] = []
    started: dict[str, int] = {}
    left = {id(p): p.numel() for p in model.parameters()}  # parameters of no row yet

    def start(name: str) -> None:
        started[name] = counter.get_total_flops()

    def end(name: str, module: nn.Module, output: Any) -> None:
        first = next(part for part in tree_leaves(output) if isinstance(part, Tensor))
        rows.append(
            Layer(
                name=name,
                kind=type_before_parametrizations(module).__name__,
                shape=tuple(first.shape[1:]),
                parameters=sum(left.pop(id(p), 0) for p in module.parameters()),
                multiply_adds=(counter.get_total_flops() - started[name]) // 2,
            )
        )

    with ExitStack() as hooks, outlined(model, (1, *input_shape)) as image, counter:
        for name, module in _layers(model):
            before = module.register_forward_pre_hook(lambda _, __, name=name: start(name))
            after = module.register_forward_hook(lambda m, _, out, name=name: end(name, m, out))
            hooks.callback(before.remove)
            hooks.callback(after.remove)
        model(image)
    elsewhere = counter.get_total_flops() // 2 - sum(row.multiply_adds for row in rows)
    if left or elsewhere:
        rows.append(Layer("", "elsewhere", (), sum(left.values()), elsewhere))
    return rows


@checked
def multiply_adds(function: Callable[..., object], *inputs: Any) -> int:
    """Multiplications with an addition that a call does, in convolutions and matrix products.

    >>> import torch
    >>> from cvcourse.models import multiply_adds
    >>> multiply_adds(torch.nn.Linear(64, 10), torch.zeros(1, 64))
    640

    Args:
        function: a model (its mode is left alone) or any other function; one that calls
            `backward` has those of the gradients counted, too.
        inputs: what to call it with; on device "meta" nothing is computed.
    """
    with step_by_step(), FlopCounterMode(display=False) as counter:
        function(*inputs)
    return int(counter.get_total_flops()) // 2


@checked
def format_table(rows: Sequence[Layer]) -> str:
    """The rows and their totals, in columns.

    >>> from cvcourse.models import LeNet5, format_table, layer_table
    >>> rows = layer_table(LeNet5(), (1, 32, 32))
    >>> print(format_table(rows[-1:]))
    layer         kind                          output    parameters    multiply-adds
    classifier.2  Linear                            10           850              840
    total                                                        850              840

    Args:
        rows: as `layer_table` gives them.
    """
    titles = f"{'layer':14}{'kind':20}{'output':>16}{'parameters':>14}{'multiply-adds':>17}"
    lines = [
        f"{row.name:14}{row.kind:20}{' × '.join(map(str, row.shape)):>16}"
        f"{row.parameters:14,}{row.multiply_adds:17,}"
        for row in rows
    ]
    parameters = sum(row.parameters for row in rows)
    multiply_adds = sum(row.multiply_adds for row in rows)
    total = f"{'total':50}{parameters:14,}{multiply_adds:17,}"
    return printable("\n".join((titles, *lines, total)))


def _layers(module: nn.Module, name: str = "") -> list[tuple[str, Any]]:
    children = [c for c in module.named_children() if c[0] != "parametrizations"]
    if not children or next(module.parameters(recurse=False), None) is not None:
        return [(name, module)]
    return [
        layer
        for child_name, child in children
        for layer in _layers(child, f"{name}.{child_name}" if name else child_name)
    ]
