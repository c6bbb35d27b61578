"""Which rule goes with which operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torchvision.ops import FrozenBatchNorm2d, Permute, StochasticDepth

from cvcourse.models import Standardize
from cvcourse.receptive_field import rules
from cvcourse.receptive_field.call import Axes, Call

_FUNCTIONS = """
    relu relu_ relu6 leaky_relu leaky_relu_ prelu elu elu_ celu selu gelu silu mish sigmoid sigmoid_
    tanh tanh_ hardtanh hardtanh_ hardswish hardsigmoid softplus add add_ iadd sub sub_ isub rsub
    mul mul_ imul div div_ truediv itruediv neg pow rsqrt sqrt exp log abs square reciprocal sign
    sin cos clamp clamp_ clip maximum minimum where lt gt le ge eq ne lerp addcmul float half double
    to type type_as contiguous clone detach dropout dropout_ dropout2d stochastic_depth batch_norm
    local_response_norm channel_shuffle expand expand_as
"""
ELEMENTWISE: set[Any] = {
    *(nn.Identity, nn.Dropout, nn.Dropout2d, nn.AlphaDropout, StochasticDepth, Standardize),
    *(nn.BatchNorm2d, FrozenBatchNorm2d, nn.LocalResponseNorm, nn.ChannelShuffle),
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Softplus),
    *(nn.Softsign, nn.LogSigmoid, nn.Threshold, nn.Softmax2d),
    *_FUNCTIONS.split(),
}
"""What leaves every position to itself: classes of modules, functions, names of torch functions.

Add your own, and `receptive_field` will take them for granted.
"""

RULES: dict[Any, Callable[[Call], Axes]] = {
    **dict.fromkeys([nn.Conv2d, "conv2d"], rules.convolution),
    **dict.fromkeys([nn.ConvTranspose2d, "conv_transpose2d"], rules.transposed_convolution),
    **dict.fromkeys([nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d], rules.pooling),
    **dict.fromkeys(["max_pool2d", "avg_pool2d"], rules.pooling),
    **dict.fromkeys([nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d], rules.adaptive_pooling),
    **dict.fromkeys(["adaptive_avg_pool2d", "adaptive_max_pool2d"], rules.adaptive_pooling),
    **dict.fromkeys(
        [nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d], rules.interpolation
    ),
    "interpolate": rules.interpolation,
    **dict.fromkeys([nn.ZeroPad2d, nn.ConstantPad2d, nn.ReflectionPad2d], rules.padding),
    **dict.fromkeys([nn.ReplicationPad2d, nn.CircularPad2d, "pad"], rules.padding),
    **dict.fromkeys([nn.PixelShuffle, "pixel_shuffle"], rules.pixel_shuffle),
    **dict.fromkeys([nn.PixelUnshuffle, "pixel_unshuffle"], rules.pixel_unshuffle),
    **dict.fromkeys(
        [nn.GroupNorm, nn.InstanceNorm2d, "group_norm", "instance_norm"], rules.globally
    ),
    **dict.fromkeys([nn.LayerNorm, "layer_norm"], rules.layer_norm),
    **dict.fromkeys([nn.Linear, "linear"], rules.linear),
    **dict.fromkeys([nn.Softmax, nn.LogSoftmax, "softmax", "log_softmax"], rules.softmax),
    **dict.fromkeys(["mean", "sum", "amax", "amin", "var", "std", "logsumexp"], rules.reduction),
    **dict.fromkeys([nn.Flatten, nn.Unflatten, "flatten", "unflatten", "view"], rules.reshape),
    **dict.fromkeys(["reshape", "squeeze", "unsqueeze"], rules.reshape),
    **dict.fromkeys([Permute, "permute"], rules.permutation),
    "transpose": rules.transposition,
    **dict.fromkeys(["cat", "concat"], rules.concatenation),
    **dict.fromkeys(["chunk", "split"], rules.parts),
    "getitem": rules.item,
}


def rule_for(operation: Any) -> Callable[[Call], Axes] | None:
    """The rule of a class of modules, a function, or the name of one of torch's; None if unknown.

    A subclass goes by its parent's rule unless it computes something else.
    """
    computes = getattr(operation, "forward", None)
    for kind in operation.__mro__ if isinstance(operation, type) else [operation]:
        if computes is not getattr(kind, "forward", None):
            continue
        if kind in ELEMENTWISE:
            return rules.elementwise
        if kind in RULES:
            return RULES[kind]
    return None
