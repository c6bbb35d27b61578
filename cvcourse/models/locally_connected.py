"""Locally connected layers: a small patch for each unit, and weights of its own for each position.

Half-way between a fully connected layer and a convolution; LeCun (1989), "Generalization and
network design strategies", compares the three.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from cvcourse.checks import Count, checked
from cvcourse.models.small_cnn import Side, SmallCNN

Pixels = Count | tuple[Count, Count]  #: a number, or one each down and across


class LocallyConnected2d(nn.Module):
    """A convolution that does not share its weights: every output position has its own kernel.

    >>> import torch
    >>> from cvcourse.models import LocallyConnected2d
    >>> layer = LocallyConnected2d(3, 8, size=6, kernel_size=3, padding=1)
    >>> layer(torch.zeros(2, 3, 6, 6)).shape, tuple(layer.weight.shape)
    (torch.Size([2, 8, 6, 6]), (6, 6, 8, 3, 3, 3))

    Args:
        in_channels: C.
        out_channels: C'.
        size: height and width of the input in pixels; the layer fits no other.
        kernel_size: of the patch each unit sees.
        stride: step from patch to patch.
        padding: zeros on each side of the input.
        bias: whether every unit has a bias.

    Attributes:
        weight: (H', W', C', C, K_h, K_w); `weight[i, j]` has the layout of `nn.Conv2d.weight`.
        bias: (C', H', W') or None.

    Raises:
        ValueError: the kernel is larger than the padded input.
    """

    @checked
    def __init__(
        self,
        in_channels: Count,
        out_channels: Count,
        size: Pixels,
        kernel_size: Pixels,
        *,
        stride: Pixels = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.size, self.kernel_size = _pair(size), _pair(kernel_size)
        self.stride, self.padding = _pair(stride), _pair(padding)
        height, width = (
            (s + 2 * p - k) // step + 1
            for s, p, k, step in zip(
                self.size, self.padding, self.kernel_size, self.stride, strict=True
            )
        )
        if min(*self.padding) < 0:
            raise ValueError(f"padding is {padding}; expected at least 0 pixels")
        if min(height, width) < 1:
            raise ValueError(
                f"kernel_size is {self.kernel_size} on an input of {self.size} with padding "
                f"{self.padding}; expected a kernel no larger than the padded input — make the "
                "kernel smaller or pad more"
            )
        shape = (height, width, out_channels, in_channels, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(out_channels, height, width)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters as nn.Conv2d does: uniform within ±1 / √(C K_h K_w)."""
        bound = 1 / math.sqrt(self.weight[0, 0, 0].numel())
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C', H', W').

        Raises:
            ValueError: the input has another size or number of channels.
        """
        in_channels = self.weight.shape[3]
        if maps.shape[1:] != (in_channels, *self.size):
            raise ValueError(
                f"the input is {tuple(maps.shape[1:])}; this layer expects "
                f"{(in_channels, *self.size)} (channels, height, width): its weights belong to "
                "positions — resize the images or build the layer for them"
            )
        (pad_h, pad_w), (step_h, step_w) = self.padding, self.stride
        padded = F.pad(maps, (pad_w, pad_w, pad_h, pad_h))
        leading = padded.permute(2, 3, 0, 1).contiguous()  # positions first: one bmm, few copies
        patches = leading.unfold(0, self.kernel_size[0], step_h).unfold(
            1, self.kernel_size[1], step_w
        )  # (H', W', B, C, K_h, K_w), a view
        units = torch.einsum("hwbcij,hwdcij->bdhw", patches, self.weight)  # (B, C', H', W')
        return units if self.bias is None else units + self.bias

    @torch.no_grad()
    @checked
    def share(self, conv: nn.Conv2d) -> None:
        """Give every position this convolution's kernel and bias: the two then compute the same.

        Raises:
            ValueError: the convolution was not built with the same arguments.
        """
        theirs = (
            tuple(conv.weight.shape),
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.bias is not None,
        )
        ours = (
            tuple(self.weight.shape[2:]),
            self.stride,
            self.padding,
            (1, 1),
            self.bias is not None,
        )
        if theirs != ours:
            raise ValueError(
                f"conv was built with {theirs}, this layer with {ours} (kernel, stride, padding, "
                "dilation, bias) — build both with the same arguments"
            )
        self.weight.copy_(conv.weight.expand_as(self.weight))
        if self.bias is not None and conv.bias is not None:
            self.bias.copy_(conv.bias.view(-1, 1, 1).expand_as(self.bias))

    def extra_repr(self) -> str:
        """What `print(model)` shows of the layer."""
        out_channels, in_channels = self.weight.shape[2:4]
        return (
            f"{in_channels}, {out_channels}, size={self.size}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, bias={self.bias is not None}"
        )


class LocallyConnectedNet(SmallCNN):
    """`SmallCNN` with locally connected layers in place of the convolutions, and nothing else.

    2,802,538 parameters at the default width and size.

    >>> import torch
    >>> from cvcourse.models import LocallyConnectedNet
    >>> LocallyConnectedNet(n_classes=10, size=16, width=4)(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 10])

    Args:
        n_classes: number of logits.
        channels: image channels, C.
        size: image height and width in pixels, at least 8.
        width: channels after the first block; each further block doubles them.
    """

    @checked
    def __init__(
        self, *, n_classes: Count = 10, channels: Count = 3, size: Side = 32, width: Count = 16
    ) -> None:
        super().__init__(n_classes=n_classes, channels=channels, width=width)
        widths = (channels, width, 2 * width, 4 * width)
        for block, (inputs, outputs) in enumerate(pairwise(widths)):
            cast(nn.Sequential, self.features[block])[0] = LocallyConnected2d(
                inputs, outputs, size // 2**block, 3, padding=1, bias=False
            )
