"""The batch against the single image, operation by operation: each image its own parameters.

OpenCV rounds halves to even and we round them up: one level, `HALF`.
"""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from cvcourse.augment import batch_colour, batch_geometry, geometry, ops
from cvcourse.data.photographs import photographs

HALF = 1
SIZE = (29, 37)
PICTURES = [
    cv2.resize(photographs()[name], SIZE[::-1], interpolation=cv2.INTER_AREA)
    for name in ("astronaut", "chelsea", "coffee", "rocket")
]
DIM = [picture // 2 + 20 for picture in PICTURES]


def batch(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def channels(pictures: list[np.ndarray], n: int) -> list[np.ndarray]:
    if n == 1:
        return [picture[..., :1] for picture in pictures]
    return [np.dstack([picture, picture[..., :1]])[..., :n] for picture in pictures]


CASES: list[tuple[Callable, Callable, list[tuple[float, ...]], int]] = [
    *[
        (getattr(ops, name), getattr(batch_colour, name), [(0.0,), (0.4,), (1.0,), (2.7,)], HALF)
        for name in ("brightness", "contrast", "saturation", "sharpness")
    ],
    (ops.hue, batch_colour.hue, [(-0.5,), (0.0,), (0.1,), (0.33,)], 8),  # 8 bits of HSV
    (ops.posterize, batch_colour.posterize, [(1,), (3,), (6,), (8,)], 0),
    (ops.solarize, batch_colour.solarize, [(0.0,), (99.5,), (200.0,), (256.0,)], 0),
    (ops.autocontrast, batch_colour.autocontrast, [(), (), (), ()], HALF),
    (ops.equalize, batch_colour.equalize, [(), (), (), ()], 0),
    (ops.blur, batch_colour.blur, [(0.0,), (0.02,), (0.05,), (0.25,)], HALF),
    (
        ops.cutout,
        batch_colour.cutout,
        [(0.5, 0.5, 0.5), (0.0, 0.2, 0.4), (1.0, 1.0, 0.3), (0.3, 0.9, 0.0)],
        0,
    ),
    (geometry.rotate, batch_geometry.rotate, [(0.0,), (30.0,), (-90.0,), (200.0,)], HALF),
    (
        geometry.translate,
        batch_geometry.translate,
        [(0.0, 0.0), (0.1, -0.3), (-0.77, 0.0), (1.0, 1.0)],
        HALF,
    ),
    (geometry.shear, batch_geometry.shear, [(0.0, 0.0), (20.0, 0.0), (-30.0, 9.0), (0, 45)], HALF),
    (geometry.scale, batch_geometry.scale, [(1.0,), (0.3,), (1.7,), (9.0,)], HALF),
]


@pytest.mark.parametrize("n", [1, 3, 4])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_batch_and_single_agree(case: tuple, n: int) -> None:
    single, whole, parameters, limit = case
    pictures = channels(DIM, n)
    columns = [
        torch.tensor(values, dtype=torch.float32) for values in zip(*parameters, strict=True)
    ]
    together = whole(batch(pictures), *columns)
    assert together.dtype == torch.uint8
    each = batch([single(p, *values) for p, values in zip(pictures, parameters, strict=True)])
    assert (together.int() - each.int()).abs().max() <= limit
    assert torch.equal(whole(batch(pictures)[:1], *parameters[0]), together[:1])  # plain numbers
