"""Receptive fields along one axis: which units an operation reads, and which pixels they see.

Three kinds of integer sequences are enough, and the recurrence of receptive fields is nothing but
looking one up in the other:

- a `Window`: output unit of one operation → the input units that it reads (its taps);
- a `Span`: unit of a map → first and last pixel, on an image without borders;
- an `Axis`: unit of a map → first and last pixel, on the image at hand.

Windows and spans repeat: o + period ↦ (what o maps to) + step. A convolution of stride 2 has
period 1 and step 2; a transposed one has period 2 and step 1; bilinear resizing from 7 to 5 units
has period 5 and step 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
FAR = 1 << 40  # beyond any pixel: the first pixel of a unit that sees nothing, its last is −FAR
LONGEST_PERIOD = 1 << 12  # of a span; several odd resizings after each other could go beyond


@dataclass(frozen=True)
class Window:
    """The input units that each output unit of one operation reads, along one axis.

    Attributes:
        taps: (period, width) int64 input units; those outside the map are padding.
        step: how far the taps move when the output moves by one period.
        used: (period, width) bool, where output units read different numbers of input units.
        border: what stands outside the map: "zeros", or what is copied from inside: "reflect",
            "replicate", "circular".
    """

    taps: Integers
    step: int
    used: NDArray[np.bool_] | None = None
    border: str = "zeros"

    def at(self, outputs: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """Taps of these output units, (n, width), and which of them count."""
        cycle, phase = np.divmod(outputs, len(self.taps))
        taps = self.taps[phase] + self.step * cycle[:, None]
        used = np.ones(taps.shape, bool) if self.used is None else self.used[phase]
        return taps, used

    def within(self, outputs: Integers, n: int) -> tuple[Integers, NDArray[np.bool_]]:
        """The same on a map of n units: all taps in [0, n), those on zero padding don't count."""
        taps, used = self.at(outputs)
        if self.border == "zeros":
            used = used & (taps >= 0) & (taps < n)
        elif self.border == "reflect":
            taps = np.abs(taps)
            taps = np.where(taps < n, taps, 2 * (n - 1) - taps)
        elif self.border == "circular":
            taps = taps % n
        return taps.clip(0, n - 1), used


def _hull(low: Integers, high: Integers, used: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """First and last pixel of everything that the used taps see, (n, width) → (n,)."""
    return np.where(used, low, FAR).min(axis=1), np.where(used, high, -FAR).max(axis=1)


@dataclass(frozen=True)
class Span:
    """First and last pixel that each unit sees on an image without borders, along one axis.

    Attributes:
        low: (period,) int64 first pixel of units 0, 1, …
        high: (period,) int64 last pixel.
        step: pixels by which the field moves when the unit moves by one period.
    """

    low: Integers
    high: Integers
    step: int

    @property
    def jump(self) -> Fraction:
        """Pixels from one unit's field to the next one's, on average."""
        return Fraction(self.step, len(self.low))

    @property
    def size(self) -> int:
        """Pixels that a unit sees, from first to last; the most if units differ, 0 if none."""
        return max(0, int((self.high - self.low).max()) + 1)

    @property
    def first(self) -> tuple[int, int] | None:
        """First and last pixel of unit 0; None if it sees nothing."""
        low, high = int(self.low[0]), int(self.high[0])
        return (low, high) if low <= high else None

    def at(self, units: Integers) -> tuple[Integers, Integers]:
        """First and last pixel of any units, of any shape."""
        cycle, phase = np.divmod(units, len(self.low))
        return self.low[phase] + self.step * cycle, self.high[phase] + self.step * cycle

    def through(self, window: Window) -> Span | None:
        """The span after one more operation; None if it repeats too late to be of use."""
        repeats = len(self.low) // math.gcd(window.step, len(self.low))
        period = len(window.taps) * repeats
        if period > LONGEST_PERIOD:
            return None
        taps, used = window.at(np.arange(period))
        low, high = _hull(*self.at(taps), used)
        return Span(low, high, self.step * window.step * repeats // len(self.low))

    def union(self, other: Span | None) -> Span | None:
        """What two branches see together; None unless their units keep step with each other."""
        if other is None or self.jump != other.jump:
            return None
        period = math.lcm(len(self.low), len(other.low))
        if period > LONGEST_PERIOD:
            return None
        (low, high), (other_low, other_high) = (s.at(np.arange(period)) for s in (self, other))
        return Span(
            np.minimum(low, other_low), np.maximum(high, other_high), int(self.jump * period)
        )


@dataclass(frozen=True)
class Axis:
    """What the units of a map see along one axis of the image at hand.

    Attributes:
        dim: which dimension of the tensor runs along this axis; None once there is none left
            (after a mean, or flattening): then there is one entry, what all units see together.
        low: (n,) int64 first pixel that each unit depends on; FAR if it depends on none.
        high: (n,) int64 last pixel; −FAR if it depends on none.
        span: the same without borders; None where a unit's field is a matter of the image's size.
    """

    dim: int | None
    low: Integers
    high: Integers
    span: Span | None

    @classmethod
    def of_image(cls, dim: int, n: int) -> Axis:
        """Each of n pixels sees itself."""
        pixels, zero = np.arange(n), np.zeros(1, np.int64)
        return cls(dim, pixels, pixels, Span(zero, zero, 1))

    def through(self, window: Window, n: int) -> Axis:
        """The axis after one more operation, which gives n units."""
        taps, used = window.within(np.arange(n), len(self.low))
        low, high = _hull(self.low[taps], self.high[taps], used)
        return Axis(self.dim, low, high, self.span and self.span.through(window))

    def mixed(self) -> Axis:
        """Every unit now sees what all of them saw together."""
        n = len(self.low)
        return Axis(self.dim, np.full(n, self.low.min()), np.full(n, self.high.max()), None)

    def collapsed(self) -> Axis:
        """No dimension is left along this axis."""
        return Axis(None, self.low.min(keepdims=True), self.high.max(keepdims=True), None)

    def moved(self, dim: int) -> Axis:
        """The same units, along another dimension of the tensor."""
        return replace(self, dim=dim)

    def union(self, other: Axis) -> Axis:
        """What two branches see together; a branch of one unit is spread over the other's n."""
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        alike = len(self.low) == len(other.low)
        span = self.span.union(other.span) if self.span and alike else None
        return Axis(self.dim if self.dim is not None else other.dim, low, high, span)
