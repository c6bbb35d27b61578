"""The ten classes of `shapes`: their names and their outlines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLASS_NAMES = (
    "circle",
    "square",
    "triangle",
    "star",
    "cross",
    "ring",
    "crescent",
    "heart",
    "left arrow",
    "right arrow",
)


def _ring(radius: float, points: int = 40) -> NDArray[np.float64]:
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return radius * np.stack([np.cos(t), np.sin(t)], axis=1)


def _polygon(*points: tuple[float, float]) -> NDArray[np.float64]:
    return np.array(points, dtype=np.float64)


def _star() -> NDArray[np.float64]:
    t = np.arange(10) * np.pi / 5 - np.pi / 2
    r = np.where(np.arange(10) % 2 == 0, 1.1, 0.45)
    return np.stack([r * np.cos(t), r * np.sin(t)], axis=1)


def _crescent() -> NDArray[np.float64]:
    outer, inner = np.linspace(0.25, 1.75, 30) * np.pi, np.linspace(1.62, 0.38, 30) * np.pi
    bite = np.stack([0.38 + 0.76 * np.cos(inner), 0.76 * np.sin(inner)], axis=1)
    return np.concatenate([np.stack([np.cos(outer), np.sin(outer)], axis=1), bite])


def _heart() -> NDArray[np.float64]:
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x / 16, -(y + 2.5) / 16], axis=1)


_ARROW = _polygon((-1, 0), (0, -0.9), (0, -0.38), (1, -0.38), (1, 0.38), (0, 0.38), (0, 0.9))

# Contours of each class within about 1 of (0, 0), y downwards; a second contour is a hole.
OUTLINES: tuple[tuple[NDArray[np.float64], ...], ...] = (
    (_ring(1.0),),
    (_polygon((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),),
    (_polygon((0, -1.05), (1.0, 0.8), (-1.0, 0.8)),),
    (_star(),),
    (
        _polygon(
            *((-0.33, -1), (0.33, -1), (0.33, -0.33), (1, -0.33), (1, 0.33), (0.33, 0.33)),
            *((0.33, 1), (-0.33, 1), (-0.33, 0.33), (-1, 0.33), (-1, -0.33), (-0.33, -0.33)),
        ),
    ),
    (_ring(1.0), _ring(0.55)),
    (_crescent(),),
    (_heart(),),
    (_ARROW,),
    (_ARROW * (-1, 1),),
)
