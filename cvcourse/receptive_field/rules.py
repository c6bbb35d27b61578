"""What each operation does to the receptive field."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from typing import Any

import torch
from torchvision.ops import Permute

from cvcourse.receptive_field import windows
from cvcourse.receptive_field.axis import Axis, Window
from cvcourse.receptive_field.call import Axes, Call


def pair(value: Any) -> tuple[int, int]:
    """One integer for both axes, or one for each (y, x)."""
    y, x = value if isinstance(value, Iterable) else (value, value)
    return y, x


def look_through(call: Call, y: Window, x: Window) -> Axes:
    """An operation with these windows down and across a (…, H, W) tensor."""
    dims = tuple(axis.dim for axis in call.axes)
    last = len(call.input_shape) - 2, len(call.input_shape) - 1
    if dims != last:
        raise ValueError(
            f"{call.node} needs height and width as the last dimensions {last}; they are {dims}"
        )
    height, width = call.shape[-2:]
    return call.axes[0].through(y, height), call.axes[1].through(x, width)


def convolution(call: Call) -> Axes:
    """Convolution, grouped or not: the groups part the channels, not the positions."""
    weight = call.setting("weight", 1).shape[-2:]
    stride, dilation = pair(call.setting("stride", 3, 1)), pair(call.setting("dilation", 5, 1))
    padding = call.setting("padding", 4, 0)
    if padding == "same":
        padding = tuple(d * (k - 1) // 2 for d, k in zip(dilation, weight, strict=True))
    padding = (0, 0) if padding == "valid" else pair(padding)
    border = getattr(call.module, "padding_mode", "zeros")
    settings = zip(weight, stride, padding, dilation, strict=True)
    return look_through(call, *(windows.convolution(*one, border) for one in settings))


def transposed_convolution(call: Call) -> Axes:
    """Transposed convolution (torch's argument order: dilation comes last)."""
    weight = call.setting("weight", 1).shape[-2:]
    stride, padding = pair(call.setting("stride", 3, 1)), pair(call.setting("padding", 4, 0))
    dilation = pair(call.setting("dilation", 7, 1))
    settings = zip(weight, stride, padding, dilation, strict=True)
    return look_through(call, *(windows.transposed_convolution(*one) for one in settings))


def pooling(call: Call) -> Axes:
    """Max and average pooling; ceil_mode shows in the output's shape."""
    kernel = pair(call.setting("kernel_size", 1))
    stride = pair(call.setting("stride", 2) or kernel)
    padding, dilation = pair(call.setting("padding", 3, 0)), (1, 1)
    if "max" in str(call.operation).lower():
        dilation = pair(call.setting("dilation", 4, 1))
    settings = zip(kernel, stride, padding, dilation, strict=True)
    return look_through(call, *(windows.convolution(*one) for one in settings))


def adaptive_pooling(call: Call) -> Axes:
    """To a given size; to 1 is global."""
    before, after = call.input_shape[-2:], call.shape[-2:]
    sizes = zip(before, after, strict=True)
    axes = look_through(call, *(windows.adaptive_pooling(*n) for n in sizes))
    y, x = (
        axis.mixed() if m == 1 < n else axis for axis, n, m in zip(axes, before, after, strict=True)
    )
    return y, x


def interpolation(call: Call) -> Axes:
    """Resizing; where torch is given a scale factor, it samples by that, not by the sizes."""
    mode = call.setting("mode", 3, "nearest")
    corners = bool(call.setting("align_corners", 4, False))
    if mode == "area":
        return adaptive_pooling(call)
    if mode not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise ValueError(f"{call.node} resizes by mode {mode!r}, which is not for images")
    if call.module is None and call.node.kwargs.get("antialias"):
        raise ValueError(f"{call.node} resizes with antialias=True; use avg_pool2d to reduce")
    factor = call.setting("scale_factor", 2)
    if call.setting("recompute_scale_factor", 5):
        factor = None
    factors = factor if isinstance(factor, tuple | list) else (factor, factor)
    both = []
    for n_in, n_out, f in zip(call.input_shape[-2:], call.shape[-2:], factors, strict=True):
        scale = Fraction(n_in, n_out) if f is None else 1 / Fraction(f).limit_denominator(1000)
        offset = (scale - 1) / 2
        if corners:
            scale, offset = Fraction(n_in - 1, max(n_out - 1, 1)), Fraction(0)
        elif mode == "nearest":
            offset = Fraction(0)
        elif mode == "nearest-exact":
            offset = scale / 2
        both.append(windows.interpolation(scale, offset, mode.removesuffix("-exact")))
    return look_through(call, *both)


def padding(call: Call) -> Axes:
    """Padding or cropping at the borders."""
    left, _, top, _ = (*call.setting("padding" if call.module else "pad", 1), 0, 0)[:4]
    mode = call.setting("mode", 2, "constant")
    for name in ("Reflection", "Replication", "Circular"):
        if call.module is not None and type(call.module).__name__.startswith(name):
            mode = {"Reflection": "reflect", "Replication": "replicate"}.get(name, "circular")
    border = "zeros" if mode == "constant" else mode
    return look_through(call, *(windows.convolution(1, 1, p, 1, border) for p in (top, left)))


def pixel_shuffle(call: Call) -> Axes:
    """Channels to positions."""
    factor = call.setting("upscale_factor", 1)
    return look_through(call, *[windows.pixel_shuffle(factor)] * 2)


def pixel_unshuffle(call: Call) -> Axes:
    """Positions to channels: blocks of pixels, side by side."""
    factor = call.setting("downscale_factor", 1)
    return look_through(call, *[windows.convolution(factor, factor)] * 2)


def elementwise(call: Call) -> Axes:
    """Each output from the inputs at its own position; several inputs are spread to one shape."""
    rank = len(call.shape)
    merged = []
    for which in (0, 1):  # y, x
        axes = [
            axis if axis.dim is None else axis.moved(axis.dim + rank - len(shape))
            for axis, shape in ((fields[which], shape) for fields, shape in call.inputs)
        ]
        merged.append(reduce(Axis.union, axes))
    return merged[0], merged[1]


def globally(call: Call) -> Axes:
    """Every position from all positions, as in group or instance norm."""
    y, x = call.axes
    return y.mixed(), x.mixed()


def along_dims(dims: Iterable[int], call: Call) -> Axes:
    """Every position from all positions along some dimensions, which stay."""
    along = {dim % len(call.input_shape) for dim in dims}
    y, x = (axis.mixed() if axis.dim in along else axis for axis in call.axes)
    return y, x


def layer_norm(call: Call) -> Axes:
    """Normalised over the last dimensions."""
    return along_dims(range(-len(call.setting("normalized_shape", 1)), 0), call)


def linear(call: Call) -> Axes:
    """A fully connected layer on the last dimension, whose place its outputs take."""
    last = len(call.input_shape) - 1
    y, x = (axis.collapsed() if axis.dim == last else axis for axis in call.axes)
    return y, x


def softmax(call: Call) -> Axes:
    """Normalised along one dimension."""
    return along_dims([call.setting("dim", 1, -1)], call)


def reduction(call: Call) -> Axes:
    """A mean, sum, maximum … along some dimensions."""
    rank, dims = len(call.input_shape), call.setting("dim", 1)
    gone = range(rank) if dims is None else ([dims] if isinstance(dims, int) else dims)
    gone = {dim % rank for dim in gone}
    kept = [d for d in range(rank) if d not in gone or len(call.shape) == rank]
    y, x = (
        axis.collapsed()
        if axis.dim is None or axis.dim in gone
        else axis.moved(kept.index(axis.dim))
        for axis in call.axes
    )
    return y, x


def reshape(call: Call) -> Axes:
    """A dimension lives on if there is one of its size with as many numbers before it.

    An axis that is merged with other dimensions, as in flattening, is gone: all that follows is
    taken to see what all its units saw.
    """
    after = []
    for axis, search in zip(
        call.axes, (1, -1), strict=True
    ):  # y is the first that fits, x the last
        fits = [
            dim
            for dim in range(len(call.shape))
            if axis.dim is not None
            and call.shape[dim] == call.input_shape[axis.dim]
            and math.prod(call.shape[:dim]) == math.prod(call.input_shape[: axis.dim])
        ]
        after.append(axis.moved(fits[::search][0]) if fits else axis.collapsed())
    return after[0], after[1]


def permutation(call: Call) -> Axes:
    """Dimensions in another order."""
    order = call.module.dims if isinstance(call.module, Permute) else call.integers("dims")
    places = [dim % len(order) for dim in order]
    y, x = (a if a.dim is None else a.moved(places.index(a.dim)) for a in call.axes)
    return y, x


def transposition(call: Call) -> Axes:
    """Two dimensions change places."""
    rank = len(call.input_shape)
    one, other = call.setting("dim0", 1) % rank, call.setting("dim1", 2) % rank
    swap = {one: other, other: one}
    y, x = (a if a.dim is None else a.moved(swap.get(a.dim, a.dim)) for a in call.axes)
    return y, x


def concatenation(call: Call) -> Axes:
    """Along the channels; torch itself sees to it that the positions match."""
    dim = call.setting("dim", 1, 0) % len(call.shape)
    if any(dim == axis.dim for axis in call.axes):
        raise ValueError(f"{call.node} joins maps along height or width; join them by channels")
    return elementwise(call)


def parts(call: Call) -> Axes:
    """Split along the channels: every part has the field of the whole."""
    dim = call.setting("dim", 2, 0) % len(call.input_shape)
    if any(dim == axis.dim for axis in call.axes):
        raise ValueError(f"{call.node} splits a map along height or width; use slices instead")
    return call.axes


def item(call: Call) -> Axes:
    """One of several parts, or a slice of a tensor."""
    source, index = call.node.args[0], call.setting("index", 1)
    assert isinstance(source, torch.fx.Node)
    if not isinstance(call.values[source], torch.Tensor):
        return call.axes
    index = index if isinstance(index, tuple) else (index,)
    if Ellipsis in index:
        at = index.index(Ellipsis)
        fill = len(call.input_shape) - sum(i is not None for i in index) + 1
        index = (*index[:at], *[slice(None)] * fill, *index[at + 1 :])
    axes = list(call.axes)
    dim = new = 0  # of the input and of the output
    for one in index:
        for which, axis in enumerate(call.axes):
            if dim == axis.dim and one is not None:
                if not isinstance(one, slice):
                    raise ValueError(f"{call.node} picks one row or column; use a slice instead")
                n = call.input_shape[dim]
                start, stop, step = one.indices(n)
                window = windows.selection(start, step)
                axes[which] = axis.through(window, len(range(start, stop, step))).moved(new)
        dim += one is not None
        new += one is None or isinstance(one, slice)
    y, x = (
        a.moved(old.dim + new - dim) if old.dim is not None and old.dim >= dim else a
        for a, old in zip(axes, call.axes, strict=True)
    )
    return y, x
