"""torchvision's transforms v2 as the oracle: the same operation, the same parameters.

We round where torchvision cuts decimals off: up to one level, `CUT`.
"""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from cvcourse.augment import geometry, ops
from cvcourse.data.photographs import photographs

BILINEAR = InterpolationMode.BILINEAR
CUT = 1
IMAGE = cv2.resize(photographs()["astronaut"], (47, 38), interpolation=cv2.INTER_AREA)
CORNERS = np.array([[0.1, 0.05], [0.9, 0.1], [1.0, 0.8], [-0.1, 1.0]])


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)


TENSOR = tensor(IMAGE)


def difference(ours: np.ndarray, theirs: torch.Tensor) -> np.ndarray:
    assert ours.dtype == np.uint8
    assert theirs.dtype == torch.uint8
    return np.abs(ours.astype(int) - theirs.permute(1, 2, 0).numpy().astype(int))


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 1.9, 3.0])
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("brightness", CUT),
        ("contrast", 2 * CUT),  # theirs cuts the decimals of each pixel's grey, too
        ("saturation", 2 * CUT),  # likewise
        ("sharpness", 2 * CUT),  # theirs rounds the smoothed picture, too
    ],
)
def test_factors(name: str, limit: int, factor: float) -> None:
    theirs = getattr(tv, f"adjust_{name}")(TENSOR, factor)
    assert difference(getattr(ops, name)(IMAGE, factor), theirs).max() <= limit


@pytest.mark.parametrize("turn", [-0.5, -0.2, 0.0, 0.1, 0.4])
def test_hue_differs_by_what_eight_bits_of_hsv_lose(turn: float) -> None:
    gap = difference(ops.hue(IMAGE, turn), tv.adjust_hue(TENSOR, turn))
    assert gap.max() <= 8
    assert gap.mean() < 1


def test_tables_are_the_same_to_the_bit() -> None:
    for bits in range(1, 9):
        assert not difference(ops.posterize(IMAGE, bits), tv.posterize(TENSOR, bits)).any()
    for threshold in (0, 100, 255):
        theirs = tv.solarize(TENSOR, threshold)
        assert not difference(ops.solarize(IMAGE, threshold), theirs).any()
    assert not difference(ops.equalize(IMAGE), tv.equalize(TENSOR)).any()
    dim = IMAGE // 2 + 30
    assert difference(ops.autocontrast(dim), tv.autocontrast(tensor(dim))).max() <= CUT


@pytest.mark.parametrize("sigma", [0.02, 0.05, 0.1])
def test_blur(sigma: float) -> None:
    radius, pixels = ops.gaussian_support(sigma, IMAGE.shape[:2])
    theirs = tv.gaussian_blur(TENSOR, [2 * radius + 1] * 2, [pixels] * 2)
    assert difference(ops.blur(IMAGE, sigma), theirs).max() <= CUT


def affine(**change: float | list[float]) -> torch.Tensor:
    neutral = {"angle": 0.0, "translate": [0.0, 0.0], "scale": 1.0, "shear": [0.0, 0.0]}
    return tv.affine(TENSOR, **(neutral | change), interpolation=BILINEAR)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        *[
            (
                lambda a=angle: geometry.rotate(IMAGE, a),
                lambda a=angle: tv.rotate(TENSOR, a, BILINEAR),
            )
            for angle in (-70, 20, 90, 180)
        ],
        (lambda: geometry.shear(IMAGE, 20, 10), lambda: affine(shear=[20, 10])),
        (lambda: geometry.shear(IMAGE, -30), lambda: affine(shear=[-30, 0])),
        (lambda: geometry.scale(IMAGE, 1.3), lambda: affine(scale=1.3)),
        (lambda: geometry.scale(IMAGE, 0.6), lambda: affine(scale=0.6)),
        (
            lambda: geometry.translate(IMAGE, 0.1, -0.23),
            lambda: affine(translate=[0.1 * 47, -0.23 * 38]),
        ),
        (
            lambda: geometry.perspective(IMAGE, CORNERS),
            lambda: tv.perspective(
                TENSOR,
                [[0, 0], [47, 0], [47, 38], [0, 38]],
                (CORNERS * [47, 38]).tolist(),
                interpolation=BILINEAR,
            ),
        ),
        (
            lambda: geometry.resize_crop(IMAGE, (5, 3, 30, 33), (38, 47)),
            lambda: tv.resized_crop(TENSOR, 3, 5, 30, 25, [38, 47], BILINEAR, antialias=False),
        ),
    ],
)
def test_geometry(
    ours: Callable[[], np.ndarray], theirs: Callable[[], torch.Tensor], placed: int
) -> None:
    gap = difference(ours(), theirs())
    assert gap.max() <= placed
    assert gap.mean() < 0.35


def test_cutting_and_flipping_move_bytes() -> None:
    assert not difference(geometry.flip(IMAGE), tv.horizontal_flip(TENSOR)).any()
    assert not difference(geometry.flip(IMAGE, vertical=True), tv.vertical_flip(TENSOR)).any()
    assert not difference(geometry.crop(IMAGE, (5, 3, 30, 33)), tv.crop(TENSOR, 3, 5, 30, 25)).any()
    theirs = tv.erase(TENSOR, 9, 14, 20, 20, torch.tensor([7], dtype=torch.uint8))
    ours = ops.cutout(IMAGE, x=24 / 47, y=0.5, side=20 / 38, fill=7)
    assert not difference(ours, theirs).any()
