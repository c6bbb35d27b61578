"""What every operation must keep, whatever the image: hypothesis looks for one that breaks it."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cvcourse.augment import RandAugment, batch_colour, batch_geometry, geometry, matrices, ops

QUICK = settings(derandomize=True, max_examples=25, deadline=None)
CORNERS = np.array([[0.1, 0.0], [0.9, 0.1], [1.0, 1.0], [0.0, 0.8]])
IDENTITY = np.eye(3)


@st.composite
def images(draw: st.DrawFn) -> np.ndarray:
    """Any size from 1 × 1, odd ones too; grey, RGB or RGBA; contiguous or a view with gaps."""
    height, width = draw(st.integers(1, 21)), draw(st.integers(1, 21))
    ending = draw(st.sampled_from([(), (1,), (3,), (4,)]))
    step = draw(st.sampled_from([1, 2, -1]))
    whole = np.random.default_rng(draw(st.integers(0, 99))).integers(
        0, 256, (height * abs(step), width * abs(step), *ending), dtype=np.uint8
    )
    return whole[::step, ::step]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


Case = tuple[Callable, tuple, tuple | None]  # operation, parameters, parameters without effect

SINGLE: list[Case] = [
    (ops.brightness, (1.4,), (1.0,)),
    (ops.contrast, (0.3,), (1.0,)),
    (ops.saturation, (2.0,), (1.0,)),
    (ops.sharpness, (3.0,), (1.0,)),
    (ops.hue, (0.2,), (0.0,)),
    (ops.posterize, (3,), (8,)),
    (ops.solarize, (100,), (256,)),
    (ops.autocontrast, (), None),
    (ops.equalize, (), None),
    (ops.blur, (0.2,), (0.0,)),
    (ops.cutout, (0.3, 0.7, 0.5), (0.3, 0.7, 0.0)),
    (lambda image, std: ops.noise(image, std, rng()), (0.2,), (0.0,)),
    (geometry.rotate, (33,), (0,)),
    (geometry.translate, (0.2, -0.1), (0, 0)),
    (geometry.shear, (20, -10), (0, 0)),
    (geometry.scale, (0.7,), (1.0,)),
    (geometry.affine, (np.array([[1, 0.2, 0], [0.1, 1, 1]]),), (IDENTITY[:2],)),
    (geometry.perspective, (CORNERS,), (np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]),)),
    (geometry.flip, (), None),
]

BATCH: list[Case] = [
    *[(getattr(batch_colour, f.__name__), p, q) for f, p, q in SINGLE[:11]],
    (lambda image, std: batch_colour.noise(image, std, seeded()), (0.2,), (0.0,)),
    *[(getattr(batch_geometry, f.__name__), p, q) for f, p, q in SINGLE[12:16]],
]


def on_batch(operation: Callable) -> Callable:
    """A batch operation as one on an image."""

    def run(image: np.ndarray, *parameters: float) -> np.ndarray:
        together = np.stack([np.atleast_3d(image)] * 2)
        moved = operation(torch.from_numpy(together).permute(0, 3, 1, 2), *parameters)
        assert moved.device.type == "cpu"
        return moved[1].permute(1, 2, 0).numpy().reshape(image.shape)

    return run


EVERY = SINGLE + [(on_batch(operation), *rest) for operation, *rest in BATCH]


@pytest.mark.parametrize("case", EVERY)
@given(image=images())
@QUICK
def test_every_operation_keeps_its_promises(case: Case, image: np.ndarray) -> None:
    operation, parameters, neutral = case
    before = image.copy()
    changed = operation(image, *parameters)
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert not np.shares_memory(changed, image)
    assert np.array_equal(operation(image, *parameters), changed)
    assert np.array_equal(image, before)
    if neutral is not None:
        same = operation(image, *neutral)
        assert np.array_equal(same, image)
        assert not np.shares_memory(same, image)


@given(image=images(), data=st.data())
@QUICK
def test_crops_are_what_they_cut(image: np.ndarray, data: st.DataObject) -> None:
    height, width = image.shape[:2]
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
    cut = geometry.crop(image, (x0, y0, x1, y1))
    assert np.array_equal(cut, image[y0:y1, x0:x1])
    assert not np.shares_memory(cut, image)
    resized = geometry.resize_crop(image, (x0, y0, x1, y1), cut.shape[:2])
    assert np.array_equal(resized, cut)
    assert not np.shares_memory(resized, image)
    assert geometry.resize_crop(image, (x0, y0, x1, y1), (5, 9)).shape == (5, 9, *image.shape[2:])


@given(image=images())
@QUICK
def test_flips_undo_themselves_and_quarter_turns_move_bytes(image: np.ndarray) -> None:
    for vertical in (False, True):
        there = geometry.flip(image, vertical=vertical)
        assert np.array_equal(there, np.flip(image, 0 if vertical else 1))
        assert np.array_equal(geometry.flip(there, vertical=vertical), image)
    assert np.array_equal(geometry.rotate(image, 180), np.flip(image, (0, 1)))
    square = image[: min(image.shape[:2]), : min(image.shape[:2])]
    assert np.array_equal(geometry.rotate(square, 90), np.rot90(square))  # counter-clockwise


SMOOTH = np.add.outer(np.arange(41) * 2, np.arange(53) * 3).astype(np.uint8)
BATCH = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)


@given(degrees=st.floats(-180, 180))
@QUICK
def test_turning_back_restores_what_never_left(degrees: float) -> None:
    there = geometry.rotate(SMOOTH, degrees)
    back = geometry.rotate(there, -degrees)
    whole = np.full_like(SMOOTH, 255)
    stayed = geometry.rotate(geometry.rotate(whole, degrees), -degrees) == 255
    assert stayed.mean() > 0.3
    assert np.abs(back.astype(int) - SMOOTH)[stayed].max() <= 2  # a rounding each way


MOTIONS = st.one_of(
    st.floats(-90, 90).map(lambda a: matrices.rotation(a, (41, 53))),
    st.floats(0.5, 2).map(lambda f: matrices.scaling(f, (41, 53))),
    st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)).map(
        lambda t: matrices.translation(*t, (41, 53))
    ),
    st.tuples(st.floats(-30, 30), st.floats(-30, 30)).map(lambda t: matrices.shear(*t, (41, 53))),
    st.just(matrices.mirror((41, 53))),
    st.just(matrices.mirror((41, 53), vertical=True)),
    st.just(matrices.perspective(CORNERS, (41, 53))),
    st.just(matrices.window((8, 5, 50, 40), (41, 53))),
)


@given(first=MOTIONS, second=MOTIONS)
@QUICK
def test_mask_box_and_points_go_where_the_picture_goes(
    first: np.ndarray, second: np.ndarray
) -> None:
    matrix = second @ first
    picture = np.zeros((41, 53), np.uint8)
    picture[17:24, 22:31] = 255
    box = np.array([[22.0, 17.0, 31.0, 24.0]])
    moved = geometry.warp(picture, matrix)
    mask = geometry.warp_mask(picture > 0, matrix)
    assert mask.dtype == np.bool_
    assert (moved[mask] >= 60).all()
    assert (mask[moved > 250]).all()
    ((x0, y0, x1, y1),) = matrices.warp_boxes(box, matrix, (41, 53))
    seen = np.argwhere(moved > 127)
    if len(seen):
        (top, left), (bottom, right) = seen.min(axis=0), seen.max(axis=0) + 1
        assert x0 - 0.75 <= left < right <= x1 + 0.75
        assert y0 - 0.75 <= top < bottom <= y1 + 0.75
    centre = matrices.warp_keypoints(np.array([[26.5, 20.5]]), matrix)
    x, y = np.floor(centre[0]).astype(int)
    if 0 <= x < 53 and 0 <= y < 41:
        assert moved[y, x] > 127
    both = torch.from_numpy(np.stack([matrix, np.eye(3)]))
    boxes = matrices.warp_boxes(torch.from_numpy(np.stack([box, box])), both, (41, 53))
    assert np.allclose(boxes[0, 0], [x0, y0, x1, y1])
    assert np.allclose(boxes[1, 0], box)


def test_a_box_that_leaves_is_no_box() -> None:
    away = matrices.translation(1.0, 0.0, (20, 30))
    assert not matrices.warp_boxes(np.array([[3.0, 4.0, 9.0, 9.0]]), away, (20, 30)).any()


NAN = float("nan")
WHITE = torch.full((2, 3, 6, 5), 255, dtype=torch.uint8)
REFUSED: list[tuple[Callable, tuple, str]] = [
    *[(f, (bad,), "0 to 10") for f, *_ in SINGLE[:4] for bad in (NAN, -0.1, 11.0, float("inf"))],
    *[(ops.hue, (bad,), "-0.5 to 0.5") for bad in (NAN, -0.6, 1.0)],
    *[(ops.posterize, (bad,), "1 to 8") for bad in (0, -1, 9)],
    *[(ops.solarize, (bad,), "0 to 256") for bad in (NAN, -1, 257)],
    *[(ops.blur, (bad,), "0 to 0.25") for bad in (NAN, -0.1, 0.5)],
    *[(ops.cutout, (0.5, 0.5, bad), "0 to 1") for bad in (NAN, -0.1, 1.5)],
    *[(geometry.rotate, (bad,), "-360 to 360") for bad in (NAN, -361, 1e9)],
    *[(geometry.translate, (bad, 0.0), "-1 to 1") for bad in (NAN, -1.1, 20)],
    *[(geometry.shear, (bad, 0.0), "-80 to 80") for bad in (NAN, -90, 90)],
    *[(geometry.scale, (bad,), "0.1 to 10") for bad in (NAN, 0, -1, 100)],
]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("operation", "parameters", "allowed"), REFUSED)
def test_absurd_parameters_are_refused_with_the_range(
    operation: Callable, parameters: tuple, allowed: str, together: bool
) -> None:
    image = np.zeros((4, 5, 3), np.uint8)
    if together:
        module = batch_colour if operation.__module__ == ops.__name__ else batch_geometry
        operation = on_batch(getattr(module, operation.__name__))
    with pytest.raises(ValueError, match=f"expected {allowed}"):
        operation(image, *parameters)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (lambda: ops.noise(np.zeros((3, 3), np.uint8), NAN, rng()), "std is nan; expected 0 to 1"),
        (lambda: geometry.crop(SMOOTH, (3, 0, 3, 4)), "box is .* expected x0 < x1"),
        (lambda: geometry.crop(SMOOTH, (0, 0, 54, 4)), "from 0 to 53"),
        (lambda: geometry.crop(SMOOTH, (0.5, 0, 5, 4)), "whole pixels"),
        (lambda: geometry.perspective(SMOOTH, CORNERS[::-1]), "convex quadrilateral"),
        (lambda: geometry.perspective(SMOOTH, CORNERS * NAN), "corners holds NaN"),
        (lambda: geometry.perspective(SMOOTH, CORNERS[:3]), "shape"),
        (lambda: geometry.warp(SMOOTH, np.zeros((3, 3))), "invertible"),
        (lambda: geometry.warp(SMOOTH, IDENTITY * NAN), "finite"),
        (
            lambda: geometry.warp(SMOOTH, IDENTITY, size=(0, 4)),
            "size is 0; expected 1 to 32767",
        ),
        (lambda: geometry.warp(SMOOTH, IDENTITY, fill=256), "fill is 256; expected 0 to 255"),
        (lambda: geometry.affine(SMOOTH, IDENTITY), "shape"),
        (lambda: ops.posterize(SMOOTH, 2.5), "bits is 2.5 .* expected an integer"),
        (lambda: batch_colour.posterize(BATCH, 2.5), "bits is 2.5 .* expected whole numbers"),
        (
            lambda: batch_colour.posterize(BATCH, torch.tensor([2.0, 2.5])),
            "bits is tensor.* expected whole numbers",
        ),
        (
            lambda: matrices.warp_keypoints(torch.ones(2, 2), torch.eye(3, dtype=torch.float64)),
            "points are torch.float32 and matrix torch.float64; expected one dtype",
        ),
        (lambda: ops.blur(np.zeros((0, 4), np.uint8), 0.1), "at least one pixel"),
        (lambda: ops.equalize(np.zeros((3, 4, 5), np.uint8)), "C = 1, 3 or 4"),
        (lambda: batch_colour.equalize(torch.zeros(3, 4, dtype=torch.uint8)), "(B, C, H, W)"),
        (
            lambda: batch_geometry.rotate(BATCH, torch.ones(3)),
            "expected a number or \\(2,\\)",
        ),
    ],
)
def test_mistakes_are_named(operation: Callable, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        operation()


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match="image is float64; expected a NumPy array of uint8"):
        ops.brightness(np.zeros((3, 3)), 1.0)
    with pytest.raises(TypeError, match=r"torch.float32; expected a torch.uint8 tensor"):
        batch_colour.brightness(torch.zeros(1, 3, 2, 2), 1.0)


@pytest.mark.parametrize(
    "operation",
    [
        lambda fill: ops.cutout(SMOOTH, 0.5, 0.5, 0.5, fill=fill),
        lambda fill: geometry.rotate(SMOOTH, 20, fill=fill),
        lambda fill: batch_colour.cutout(WHITE, 0.5, 0.5, 0.5, fill=fill),
        lambda fill: batch_geometry.rotate(WHITE, 20, fill=fill),
        lambda fill: RandAugment(fill=fill),
    ],
)
def test_a_level_to_paint_is_a_whole_number(operation: Callable) -> None:
    operation(np.uint8(7))
    with pytest.raises(TypeError, match=r"fill is 2\.5"):
        operation(2.5)


def test_noise_draws_from_its_own_generator_only() -> None:
    image = np.full((5, 7, 3), 100, np.uint8)

    def drawn_elsewhere() -> float:
        return float(cv2.randn(np.empty(1, np.float32), 0, 1)[0])

    cv2.setRNGSeed(1)
    expected = drawn_elsewhere()
    cv2.setRNGSeed(1)
    noised = ops.noise(image, 0.1, rng())
    assert drawn_elsewhere() == expected
    grain = rng().standard_normal(image.shape, dtype=np.float32)
    np.testing.assert_allclose(noised, image + 25.5 * grain, atol=0.51)
