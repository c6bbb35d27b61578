"""The windows of the operations that move information between positions, along one axis."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from cvcourse.receptive_field.axis import Window


def convolution(
    kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, border: str = "zeros"
) -> Window:
    """Output o reads o · stride − padding + dilation · (0 … kernel − 1). Pooling does the same."""
    return Window(dilation * np.arange(kernel)[None] - padding, stride, border=border)


def transposed_convolution(kernel: int, stride: int, padding: int, dilation: int) -> Window:
    """Input i writes to i · stride − padding + dilation · k; output o reads all such i."""
    numerator = np.arange(stride)[:, None] + padding - dilation * np.arange(kernel)
    return Window(numerator // stride, 1, used=numerator % stride == 0)


def adaptive_pooling(n_in: int, n_out: int) -> Window:
    """Output o averages ⌊o n_in / n_out⌋ … ⌈(o + 1) n_in / n_out⌉ − 1."""
    divisor = math.gcd(n_in, n_out)
    step, period = n_in // divisor, n_out // divisor
    first = np.arange(period) * step // period
    last = -(-(np.arange(period) + 1) * step // period) - 1
    taps = first[:, None] + np.arange((last - first).max() + 1)  # (period, widest)
    return Window(taps, step, used=taps <= last[:, None])


def interpolation(scale: Fraction, offset: Fraction, mode: str) -> Window:
    """Output o is sampled at o · scale + offset, in units of the input.

    Args:
        scale: input units from one output to the next.
        offset: where output 0 is sampled.
        mode: "nearest" takes the unit at or before; "bilinear" reads one at either side, "bicubic"
            two. A sample that falls on a unit reads only that one.
    """
    where = [o * scale + offset for o in range(scale.denominator)]
    before = np.array([math.floor(x) for x in where])[:, None]
    reach = {"nearest": [0], "bilinear": [0, 1], "bicubic": [-1, 0, 1, 2]}[mode]
    between = np.array([x.denominator > 1 for x in where])[:, None]
    taps = before + np.array(reach)
    return Window(taps, scale.numerator, between | (taps == before), border="replicate")


def selection(start: int, step: int) -> Window:
    """A slice: output o reads start + o · step."""
    return Window(np.array([[start]]), step)


def pixel_shuffle(factor: int) -> Window:
    """Channels become positions: outputs o … o + factor − 1 read one and the same input."""
    return Window(np.zeros((factor, 1), np.int64), 1)
