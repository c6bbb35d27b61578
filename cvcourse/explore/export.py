"""A trained network for a page: one compact form that forward.js runs, with golden answers."""

from __future__ import annotations

import base64
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torchvision.models.feature_extraction import NodePathTracer

from cvcourse.checks import checked
from cvcourse.models import Standardize
from cvcourse.train import evaluating
from cvcourse.train.look import check_finite, logits_of

Layer = dict[str, Any]

_KNOWN = (
    "convolutions, max and average pooling, batch norm, ReLU, linear layers, flatten(1) and the "
    "mean over a map, one after the other"
)


@checked
def export_for_page(model: nn.Module, example: Tensor) -> dict[str, Any]:
    """A trained model as a page can run it, without Python: layers, weights, golden answers.

    Weights of convolutions and linear layers become half-precision numbers, 2.7 characters each;
    biases and batch norm stay as they are. Batch norm is kept as a scale and a shift, and not
    folded into the convolution before it: where a max-pool stands between the two, and the scale is
    negative, that would be another function.

    >>> from cvcourse.data import render
    >>> from cvcourse.explore import export_for_page
    >>> from cvcourse.models import SmallCNN, standardized
    >>> pictures = render(2)
    >>> network = export_for_page(standardized(SmallCNN, pictures, width=4), pictures.images)
    >>> [layer["kind"] for layer in network["layers"]][:5]
    ['affine', 'convolution', 'max pool', 'affine', 'relu']

    Args:
        model: maps (B, C, H, W) uint8 to logits; see `standardized`. A plain chain of layers.
        example: (N, C, H, W) uint8, the pictures whose logits go with it.

    Returns:
        Fit for JSON: `shape` (C, H, W); `layers`, each with its `kind` and numbers; and `golden`:
        `images`, the example's bytes in base64, and `logits`, N rows, which the model gives with
        these very weights.

    Raises:
        ValueError: a layer that a page cannot compute, or a weight that half precision cannot hold
            (it is named); an example that is none, or that the model cannot take.
    """
    if example.dtype != torch.uint8 or example.ndim != 4 or not len(example):
        raise ValueError(
            f"example is {example.dtype} {tuple(example.shape)}; expected some pictures, "
            "torch.uint8 (N, C, H, W)"
        )
    exact = halved(model)
    with evaluating(exact), torch.no_grad():
        logits = check_finite(logits_of(exact, example.cpu()))
    if logits.ndim != 2:
        raise ValueError(f"the model gives {tuple(logits.shape)}; expected logits (N, classes)")
    return {
        "shape": list(example.shape[1:]),
        "layers": list(layers_of(exact).values()),
        "golden": {
            "images": in_base64(example.cpu()),
            "logits": [[round(x, 5) for x in row] for row in logits.tolist()],
        },
    }


def halved(model: nn.Module) -> nn.Module:
    """A copy on the CPU whose matrices are rounded to half precision."""
    copy = deepcopy(model).cpu().float()
    for name, parameter in copy.named_parameters():
        if parameter.ndim > 1:
            parameter.data = parameter.data.half().float()
        if not bool(parameter.isfinite().all()):
            raise ValueError(
                f"the weights {name!r} hold NaN, infinity, or numbers beyond ±65,504, the largest "
                "of half precision; train with weight decay or a lower learning rate"
            )
    return copy


class _Tracer(NodePathTracer):
    """Sees the book's first step as one layer."""

    def is_leaf_module(self, m: nn.Module, module_qualname: str) -> bool:
        return isinstance(m, Standardize) or super().is_leaf_module(m, module_qualname)


def layers_of(model: nn.Module) -> dict[str, Layer]:
    """The layers in order, by the names that `receptive_field` has for them.

    Those that change nothing in evaluation mode are left out.
    """
    tracer = _Tracer()
    try:
        nodes = list(tracer.trace(model).nodes)
    except (TypeError, ValueError, fx.proxy.TraceError) as error:
        raise ValueError(
            f"{type(model).__name__} is no plain chain of layers ({error}); a page can compute "
            f"{_KNOWN}"
        ) from error
    previous, *rest = nodes
    layers: dict[str, Layer] = {}
    for node in rest:
        name = str(node.target)
        if node.all_input_nodes != [previous]:
            raise _refusal(name, "does not take what the layer before it gives, and only that")
        if node.op == "call_module":
            found = _module(name, model.get_submodule(name))
        elif node.op != "output":
            found = _function(getattr(node.target, "__name__", name), node)
        else:
            break
        layers.update((tracer.node_to_qualname[node], layer) for layer in found)
        previous = node
    return layers


def _module(name: str, module: nn.Module) -> list[Layer]:
    for kind, describe in _MODULES.items():
        if isinstance(module, kind):
            return describe(name, module)
    raise _refusal(name, f"is a {type(module).__name__}")


def _function(name: str, node: fx.Node) -> list[Layer]:
    settings = (*node.args[1:], *node.kwargs.values())
    if name == "flatten" and settings == (1,):
        return []
    if name == "mean" and settings in (((2, 3),), ([2, 3],), ((-2, -1),), ([-2, -1],)):
        return [{"kind": "mean"}]
    if name == "relu":
        return [{"kind": "relu"}]
    raise _refusal(node.name, f"is {name}{settings}")


def _flatten(name: str, layer: nn.Flatten) -> list[Layer]:
    if (layer.start_dim, layer.end_dim) != (1, -1):
        raise _refusal(name, f"flattens from {layer.start_dim} to {layer.end_dim}")
    return []  # the numbers stand in that order already


def _refusal(name: str, why: str) -> ValueError:
    return ValueError(
        f"the layer {name!r} {why}; a page can compute {_KNOWN} — use those, or compute the "
        "answers beforehand, as CropLab does"
    )


def _standardize(name: str, layer: Standardize) -> list[Layer]:
    mean, std = layer.mean.flatten(), layer.std.flatten()
    return [_affine(1 / (255 * std), -mean / std)]


def _batch_norm(name: str, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> list[Layer]:
    if layer.running_mean is None or layer.running_var is None:
        raise _refusal(name, "is a batch norm without running statistics")
    scale = (layer.running_var + layer.eps).rsqrt()
    shift = -layer.running_mean * scale
    if layer.affine:
        scale, shift = scale * layer.weight, shift * layer.weight + layer.bias
    return [_affine(scale, shift)]


def _affine(scale: Tensor, shift: Tensor) -> Layer:
    return {"kind": "affine", "scale": _numbers(scale), "shift": _numbers(shift)}


def _convolution(name: str, layer: nn.Conv2d) -> list[Layer]:
    size, stride = layer.kernel_size[0], layer.stride[0]
    padding = layer.padding if isinstance(layer.padding, str) else layer.padding[0]
    if padding in ("same", "valid"):
        padding = size // 2 if padding == "same" else 0
    plain = (
        layer.kernel_size == (size, size)
        and size % 2 == 1
        and layer.stride == (stride, stride)
        and layer.padding in (*("same", "valid"), (padding, padding))
        and (layer.groups, layer.dilation, layer.padding_mode) == (1, (1, 1), "zeros")
    )
    if not plain:
        raise _refusal(name, "is no square, odd, undivided convolution with zeros around the map")
    shape = {"size": size, "stride": stride, "padding": padding}
    return [{"kind": "convolution", "outputs": layer.out_channels, **shape, **_weights(layer)}]


def _linear(name: str, layer: nn.Linear) -> list[Layer]:
    return [{"kind": "linear", "outputs": layer.out_features, **_weights(layer)}]


def _pooling(name: str, layer: nn.MaxPool2d | nn.AvgPool2d) -> list[Layer]:
    stride = layer.kernel_size if layer.stride is None else layer.stride
    (size, *others), (stride, *more) = (
        set(x if isinstance(x, tuple) else (x,)) for x in (layer.kernel_size, stride)
    )
    plain = not (others or more or layer.ceil_mode) and layer.padding in (0, (0, 0))
    if not plain or getattr(layer, "dilation", 1) != 1 or getattr(layer, "divisor_override", None):
        raise _refusal(name, "is no square pooling without padding")
    kind = "max pool" if isinstance(layer, nn.MaxPool2d) else "average pool"
    return [{"kind": kind, "size": size, "stride": stride}]


def _whole_mean(name: str, layer: nn.AdaptiveAvgPool2d) -> list[Layer]:
    if layer.output_size not in (1, (1, 1)):
        raise _refusal(name, f"pools to {layer.output_size}, and not to one number a map")
    return [{"kind": "mean"}]


def _weights(layer: nn.Conv2d | nn.Linear) -> Layer:
    bias = torch.zeros(len(layer.weight)) if layer.bias is None else layer.bias
    return {"weights": in_base64(layer.weight.detach().half()), "bias": _numbers(bias)}


def _numbers(vector: Tensor) -> list[float]:
    """Seven digits, as many as single precision has."""
    return [float(f"{x:.7g}") for x in vector.tolist()]


def in_base64(tensor: Tensor) -> str:
    """Its bytes as a text."""
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


def picture_from(pixels: str, shape: tuple[int, ...]) -> Tensor:
    """(1, *shape) uint8, from the text that `in_base64` makes of it.

    Raises:
        ValueError: it has another number of bytes.
    """
    data = np.frombuffer(base64.b64decode(pixels), np.uint8)
    wanted = int(np.prod(shape))
    if len(data) != wanted:
        raise ValueError(f"pixels are {len(data):,} bytes in base64; expected {wanted:,}")
    return torch.from_numpy(data.copy()).view(1, *shape)


_MODULES: dict[Any, Callable[[str, Any], list[Layer]]] = {
    Standardize: _standardize,
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    (nn.BatchNorm1d, nn.BatchNorm2d): _batch_norm,
    (nn.MaxPool2d, nn.AvgPool2d): _pooling,
    nn.AdaptiveAvgPool2d: _whole_mean,
    nn.ReLU: lambda name, layer: [{"kind": "relu"}],
    nn.Flatten: _flatten,
    (nn.Identity, nn.Dropout, nn.Dropout2d): lambda name, layer: [],
}
