"""`augment` of a batch: `batch_colour`, `batch_geometry`."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from cvcourse.augment import (
    matrices,
)
from fuzz.arrays import bools, each, floats, images, indices
from fuzz.kinds import (
    FINE,
    Trial,
    size,
    truth,
    whole,
)
from fuzz.objects import generator
from fuzz.rows import Row, row
from fuzz.table.pictures import MOVES, SQUARE, SQUARES, STRENGTHS, fill
from fuzz.things import SIDE, N, labels, masks, pictures

TURN = matrices.rotation(90, (SIDE, SIDE))


def batch_matrix(rows: int = 3) -> Any:
    """(B, rows, 3) float on the images' device."""
    return (
        floats(
            lambda: torch.tensor(TURN[:rows], dtype=torch.float32).repeat(N, 1, 1), tied=(0, 1, 2)
        )
        .but(drop=["bool"])
        .named("matrix", "matrices")
    )


def rows() -> list[Row]:
    """`batch_colour` and `batch_geometry`."""
    many = images(pictures, tied=())
    found = [
        row(f"augment.batch_colour.{name}", images=many, **{argument: each(*span, N)})
        for name, (argument, *span) in STRENGTHS.items()
    ]
    found += [
        row(f"augment.batch_colour.{name}", images=many) for name in ("autocontrast", "equalize")
    ]
    found += [
        row(
            f"augment.batch_geometry.{name}",
            images=many,
            fill=fill(),
            **{n: each(*s, N) for n, s in moves.items()},
        )
        for name, moves in MOVES.items()
    ]
    place = partial(indices, lambda: torch.tensor([0, 1, 2, 3, 2, 1]), 3, tied=(0,))
    fitting = images(pictures, tied=(0,)).but(drop=["empty"])
    odd = ["int64", "int8", "bool", "NaN floats", "channels last", "complex"]
    anything = images(pictures, floats=FINE, channels=FINE).but(drop=odd)
    return [
        *found,
        row("augment.batch_colour.posterize", images=many, bits=each(4.0, 1, 8, N)),
        row(
            "augment.batch_colour.noise",
            images=many,
            std=each(0.125, 0, 1, N),
            generator=generator(),
        ),
        row(
            "augment.batch_colour.cutout",
            images=many,
            fill=fill(),
            **{n: each(*s, N) for n, s in SQUARES.items()},
        ),
        row(
            "augment.batch_geometry.warp",
            images=fitting,
            matrix=batch_matrix(),
            size=size((9, 7)).optional(),
            fill=fill().but(Trial("edge", lambda: "edge", FINE)),
        ),
        row(
            "augment.batch_geometry.warp_masks",
            masks=bools(masks, tied=(0,)).but(
                Trial("twos", lambda: masks().byte() * 2, FINE), drop=["empty"]
            ),
            matrix=batch_matrix(),
            size=size((9, 7)).optional(),
        ),
        row("augment.batch_geometry.affine", images=fitting, matrix=batch_matrix(2), fill=fill()),
        row(
            "augment.batch_geometry.perspective",
            images=fitting,
            corners=floats(lambda: torch.tensor(SQUARE).repeat(N, 1, 1), -1, 2, tied=(0, 1, 2)),
            fill=fill(),
        ),
        row(
            "augment.batch_geometry.flip",
            images=fitting,
            chosen=bools(lambda: labels() > 0, tied=(0,)),
            vertical=truth(True),
        ),
        row("augment.batch_geometry.crop", images=fitting, x=place(), y=place(), size=size((5, 5))),
        row(
            "augment.batch_geometry.resize_crop",
            images=fitting,
            boxes=floats(
                lambda: torch.tensor([[1.0, 1.0, 6.0, 7.0]]).repeat(N, 1), tied=(0, 1)
            ).but(drop=["bool"]),
            size=size((5, 4)),
        ),
        row("augment.crop_and_flip", images=anything, generator=generator(), padding=whole(2, 0)),
    ]
