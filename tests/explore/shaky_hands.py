"""Drawings as shaky hands make them: strokes that tremble, drift, overshoot and do not close.

This is nothing like the renderer, nor like the rough outlines that the networks practise on: here a
hand follows a path through a few corners, and errs on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2): x, y within about 1 of (0, 0), y downwards

INKS = ("#1c2a4a", "#000000", "#b3261e", "#1b5e20", "#4a148c", "#5d4037")


@dataclass(frozen=True)
class Drawing:
    """Strokes, each (n, 2), as shares of the sheet's side; a colour and a pen, 4 to 40 of 256."""

    strokes: list[Points]
    colour: str
    pen: int


def draw(name: str, rng: np.random.Generator) -> Drawing:
    """One drawing of a class."""
    size, (x, y) = rng.uniform(0.2, 0.36), rng.uniform(0.38, 0.62, 2)
    squeeze = np.exp(rng.normal(0, 0.08, 2))
    tilt = np.radians(rng.normal(0, 8))
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    strokes = [
        _tremble(stroke, rng) * squeeze @ turn.T * size + (x, y) for stroke in PATHS[name](rng)
    ]
    return Drawing(strokes, str(rng.choice(INKS)), int(rng.integers(8, 22)))


def _tremble(path: Points, rng: np.random.Generator) -> Points:
    """The path as a hand follows it: slow drift, and a tremor of some 10 waves a stroke."""
    t = np.linspace(0, 2 * np.pi, len(path))[:, None]
    drift = rng.normal(0, 0.06, 2) * np.sin(t / 2 * rng.uniform(0.7, 1.5) + rng.uniform(0, 6, 2))
    tremor = rng.normal(0, 0.03, 2) * np.sin(t * rng.uniform(7, 14) + rng.uniform(0, 6, 2))
    return path + drift + tremor + rng.normal(0, 0.01, path.shape)


def _through(corners: list[tuple[float, float]], rng: np.random.Generator, *, closed: bool = True):
    """One stroke through corners that are missed by a little; a closed one ends near its start."""
    points = np.array(corners) + rng.normal(0, 0.09, (len(corners), 2))
    if closed:
        points = np.concatenate([points, points[:1] + rng.normal(0, 0.12, (1, 2))])
    sides = [
        a + (b - a) * np.linspace(0, 1, 12, endpoint=False)[:, None] for a, b in pairwise(points)
    ]
    bow = np.sin(np.linspace(0, np.pi, 12, endpoint=False))[:, None]
    sides = [side + bow * rng.normal(0, 0.05, 2) for side in sides]
    return np.concatenate([*sides, points[-1:]])


def _arc(start: float, end: float, rng: np.random.Generator, radius: float = 1.0) -> Points:
    angle = np.linspace(start, end, 50)
    r = radius * (1 + np.linspace(0, rng.normal(0, 0.1), 50))
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


def _circle(rng: np.random.Generator, radius: float = 1.0) -> Points:
    start = rng.uniform(0, 2 * np.pi)
    return _arc(start, start + 2 * np.pi * rng.uniform(0.88, 1.08), rng, radius)


def _star(rng: np.random.Generator) -> list[Points]:
    angle = np.arange(10) * np.pi / 5 - np.pi / 2
    if rng.random() < 0.5:  # in one go, through its own middle
        tips = angle[[0, 4, 8, 2, 6]]
        return [_through([(np.cos(a), np.sin(a)) for a in tips], rng)]
    radius = np.tile([1.0, rng.uniform(0.38, 0.52)], 5)
    return [
        _through([(r * np.cos(a), r * np.sin(a)) for r, a in zip(radius, angle, strict=True)], rng)
    ]


def _heart(rng: np.random.Generator) -> list[Points]:
    t = np.linspace(0.1, 2 * np.pi * rng.uniform(0.9, 1.02), 60)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.stack([1.05 * np.sin(t) ** 3, -(y + 2.5) / 16], axis=1)]


def _arrow(rng: np.random.Generator, way: int) -> list[Points]:
    tip = (way, rng.normal(0, 0.05))
    back, spread = way * rng.uniform(0.25, 0.5), rng.uniform(0.5, 0.75)
    shaft = _through([(-way, 0), tip], rng, closed=False)
    return [shaft, _through([(back, -spread), tip, (back, spread)], rng, closed=False)]


PATHS: dict[str, Callable[[np.random.Generator], list[Points]]] = {
    "circle": lambda rng: [_circle(rng)],
    "square": lambda rng: [_through([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)], rng)],
    "triangle": lambda rng: [_through([(0, -1), (0.95, 0.8), (-0.95, 0.8)], rng)],
    "star": _star,
    "cross": lambda rng: [
        _through([(0, -1), (0, 1)], rng, closed=False),
        _through([(-1, 0), (1, 0)], rng, closed=False),
    ],
    "ring": lambda rng: [_circle(rng), _circle(rng, 0.55)],
    "crescent": lambda rng: [
        _arc(0.25 * np.pi, 1.75 * np.pi, rng),
        _arc(0.34 * np.pi, 1.66 * np.pi, rng, 0.78) + np.array([0.38, 0]),
    ],
    "heart": _heart,
    "left arrow": lambda rng: _arrow(rng, -1),
    "right arrow": lambda rng: _arrow(rng, 1),
}
