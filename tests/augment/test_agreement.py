"""The batch against the single image, operation by operation: each image its own parameters.

OpenCV rounds halves to even and we round them up: one level, `HALF`. Warps: see `placed`.
"""

import inspect
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from cvcourse.augment import batch_colour, batch_geometry, geometry, matrices, ops
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


CASES: list[tuple[Callable, Callable, list[tuple[float, ...]], int | None]] = [
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
    (geometry.rotate, batch_geometry.rotate, [(0.0,), (30.0,), (-90.0,), (200.0,)], None),
    (
        geometry.translate,
        batch_geometry.translate,
        [(0.0, 0.0), (0.1, -0.3), (-0.77, 0.0), (1.0, 1.0)],
        None,
    ),
    (geometry.shear, batch_geometry.shear, [(0.0, 0.0), (20.0, 0.0), (-30.0, 9.0), (0, 45)], None),
    (geometry.scale, batch_geometry.scale, [(1.0,), (0.3,), (1.7,), (9.0,)], None),
]


@pytest.mark.parametrize("n", [1, 3, 4])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_batch_and_single_agree(case: tuple, n: int, placed: int) -> None:
    single, whole, parameters, limit = case
    pictures = channels(DIM, n)
    columns = [
        torch.tensor(values, dtype=torch.float32) for values in zip(*parameters, strict=True)
    ]
    together = whole(batch(pictures), *columns)
    assert together.dtype == torch.uint8
    each = batch([single(p, *values) for p, values in zip(pictures, parameters, strict=True)])
    assert (together.int() - each.int()).abs().max() <= (placed if limit is None else limit)
    assert torch.equal(whole(batch(pictures)[:1], *parameters[0]), together[:1])  # plain numbers
    names = list(inspect.signature(whole).parameters)[1 : 1 + len(columns)]
    named = dict(zip(names, columns, strict=True))
    assert torch.equal(whole(batch(pictures), **named), together)


def gap(together: Tensor, each: list[np.ndarray]) -> int:
    return int((together.int() - batch(each).int()).abs().max())


@pytest.mark.parametrize("fill", [0, 77])
def test_any_matrix_and_any_corners(fill: int, placed: int) -> None:
    affine = torch.tensor([[1.0, 0.2, -3.0], [-0.1, 0.9, 2.5]]).repeat(4, 1, 1)
    affine[:, 0, 2] += torch.arange(4) * 2.5
    corners = torch.tensor([[0.1, 0.0], [0.9, 0.1], [1.1, 1.0], [0.0, 0.8]]).repeat(4, 1, 1)
    corners[:, 0] += torch.arange(4)[:, None] * 0.05
    images = batch(PICTURES)
    for name, parameter in (("affine", affine), ("perspective", corners)):
        single, whole = getattr(geometry, name), getattr(batch_geometry, name)
        alone = [
            single(picture, values.double().numpy(), fill=fill)
            for picture, values in zip(PICTURES, parameter, strict=True)
        ]
        assert gap(whole(images, parameter, fill=fill), alone) <= placed


def test_several_operations_are_one_resampling(placed: int) -> None:
    turn = matrices.rotation(torch.tensor([10.0, -30.0, 0.0, 90.0]), SIZE)
    grow = matrices.scaling(torch.tensor([1.2, 0.7, 1.0, 1.5]), SIZE)
    alone = [
        geometry.warp(
            picture, matrices.rotation(a, SIZE) @ matrices.scaling(f, SIZE), size=(40, 20)
        )
        for picture, a, f in zip(PICTURES, (10, -30, 0, 90), (1.2, 0.7, 1, 1.5), strict=True)
    ]
    together = batch_geometry.warp(batch(PICTURES), turn @ grow, size=(40, 20))
    assert gap(together, alone) <= placed
    masks = batch(PICTURES)[:, 0] > 100
    moved = batch_geometry.warp_masks(masks, turn @ grow)
    assert moved.dtype == torch.bool
    each = [
        geometry.warp_mask(mask.numpy(), matrix.double().numpy())
        for mask, matrix in zip(masks, turn @ grow, strict=True)
    ]
    assert (moved.numpy() != np.stack(each)).mean() < 0.005  # halves between two pixels


def test_flips_and_crops_move_bytes() -> None:
    images = batch(PICTURES)
    chosen = torch.tensor([True, False, True, False])
    for vertical in (False, True):
        flipped = batch_geometry.flip(images, chosen, vertical=vertical)
        for i, picture in enumerate(PICTURES):
            wanted = geometry.flip(picture, vertical=vertical) if chosen[i] else picture
            assert np.array_equal(flipped[i].permute(1, 2, 0).numpy(), wanted)
    x, y = torch.tensor([0, 3, 9, 17]), torch.tensor([0, 1, 18, 4])
    cut = batch_geometry.crop(images, x, y, (11, 20))
    for i, picture in enumerate(PICTURES):
        wanted = geometry.crop(picture, (int(x[i]), int(y[i]), int(x[i]) + 20, int(y[i]) + 11))
        assert np.array_equal(cut[i].permute(1, 2, 0).numpy(), wanted)
    with pytest.raises(ValueError, match="x runs from 0 to 18; expected 0 to 17"):
        batch_geometry.crop(images, x + torch.tensor([0, 0, 0, 1]), y, (11, 20))


@pytest.mark.parametrize("chosen", [torch.tensor([2] * 4), torch.ones(3, dtype=torch.bool)])
def test_what_says_no_yes_or_no_for_each_image_flips_none(chosen: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"chosen is .*; expected \(4,\) torch.bool"):
        batch_geometry.flip(batch(PICTURES), chosen)


def test_resized_crops_agree_inside() -> None:
    box = (4, 6, 24, 21)
    boxes = torch.tensor([box] * 4).float()
    alone = [geometry.resize_crop(picture, box, (45, 60)) for picture in PICTURES]
    together = batch_geometry.resize_crop(batch(PICTURES), boxes, (45, 60))
    inside = [picture[2:-2, 2:-2] for picture in alone]
    assert (
        gap(together[:, :, 2:-2, 2:-2], inside) <= HALF
    )  # half a pixel of the input is 1.5 of the output
    with pytest.raises(ValueError, match="expected x0 < x1 from 0 to 37"):
        batch_geometry.resize_crop(batch(PICTURES), boxes + 20, (9, 9))
