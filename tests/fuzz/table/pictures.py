"""`augment` of one picture: `ops`, `geometry`."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvcourse.augment import (
    matrices,
)
from fuzz.arrays import matrix, picture, plane
from fuzz.kinds import (
    ANY,
    WRONG,
    Trial,
    number,
    numbers,
    size,
    truth,
    whole,
)
from fuzz.objects import rng
from fuzz.rows import Row, row
from fuzz.things import photograph

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]


FLAT = matrices.rotation(90, (12, 10))


def fill() -> Any:
    return whole(128, 0, 255)


#: What brightness, contrast … take: name → argument, value, low, high.
STRENGTHS: dict[str, tuple[str, float, float, float]] = {
    "brightness": ("factor", 1.5, 0, 10),
    "contrast": ("factor", 1.5, 0, 10),
    "saturation": ("factor", 1.5, 0, 10),
    "hue": ("turn", 0.25, -0.5, 0.5),
    "solarize": ("threshold", 128.0, 0, 256),
    "sharpness": ("factor", 1.5, 0, 10),
    "blur": ("sigma", 0.125, 0, 0.25),
}


MOVES: dict[str, dict[str, tuple[float, float, float]]] = {
    "rotate": {"degrees": (30.0, -360, 360)},
    "translate": {"x": (0.25, -1, 1), "y": (0.5, -1, 1)},
    "shear": {"x": (10.0, -80, 80), "y": (5.0, -80, 80)},
    "scale": {"factor": (1.5, 0.1, 10)},
}


SQUARES = {"x": (0.5, 0, 1), "y": (0.25, 0, 1), "side": (0.5, 0, 1)}


def rows() -> list[Row]:
    """`ops` and `geometry`."""
    image = picture(photograph)
    box = numbers((2, 1, 8, 9))
    box = box.but(*(Trial(f"{b}", lambda b=b: b, WRONG) for b in _bad_boxes()))
    found = [
        row(f"augment.ops.{name}", image=image, **{argument: number(*span)})
        for name, (argument, *span) in STRENGTHS.items()
    ]
    found += [row(f"augment.ops.{name}", image=image) for name in ("autocontrast", "equalize")]
    found += [
        row("augment.ops.posterize", image=image, bits=whole(4, 1, 8)),
        row("augment.ops.noise", image=image, std=number(0.125, 0, 1), rng=rng()),
        row(
            "augment.ops.cutout",
            image=image,
            fill=fill(),
            **{n: number(*s) for n, s in SQUARES.items()},
        ),
        row(
            "augment.geometry.warp",
            image=image,
            matrix=matrix(FLAT.copy),
            size=size((9, 7)).optional(),
            fill=fill(),
        ),
        row(
            "augment.geometry.affine",
            image=image,
            matrix=matrix(FLAT[:2].copy, rows=2),
            fill=fill(),
        ),
        row(
            "augment.geometry.perspective",
            image=image,
            corners=corners(lambda: np.array(SQUARE)),
            fill=fill(),
        ),
        row("augment.geometry.flip", image=image, vertical=truth(True)),
        row("augment.geometry.crop", image=image, box=box),
        row("augment.geometry.resize_crop", image=image, box=box, size=size((9, 7))),
        row(
            "augment.geometry.warp_mask",
            mask=plane(lambda: photograph()[..., 0] > 100),
            matrix=matrix(FLAT.copy),
            size=size((9, 7)).optional(),
            fill=whole(1, 0, 255),
        ),
    ]
    found += [
        row(
            f"augment.geometry.{name}",
            image=image,
            fill=fill(),
            **{n: number(*s) for n, s in moves.items()},
        )
        for name, moves in MOVES.items()
    ]
    return found


def _bad_boxes() -> list[Any]:
    return [(8, 1, 2, 9), (2, 9, 8, 1), (2, 1, 2, 9), (-1, 1, 8, 9), (2, 1, 11, 9), (2, 1, 8, 13)]


def corners(make: Any) -> Any:
    """Four corners of a convex quadrilateral."""
    crossed = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]
    line = [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0], [0.25, 0.25]]
    far = [[-1.5, 0.0], *SQUARE[1:]]
    return (
        matrix(make)
        .but(
            Trial("crossed", lambda: np.array(crossed), WRONG),
            Trial("on a line", lambda: np.array(line), WRONG),
            Trial("far away", lambda: np.array(far), WRONG),
            Trial("the other way round", lambda: np.array(SQUARE[::-1]), WRONG),
            Trial("zeros", lambda: np.zeros((4, 2)), WRONG),
            Trial("one more dimension", lambda: np.stack([make()] * 2), ANY),
            drop=["transposed"],
        )
        .named("corners", "quadrilateral")
    )
