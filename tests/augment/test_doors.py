"""What is none of an operation's arguments is refused by name, at its door."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from cvcourse.augment import (
    Compose,
    CutMix,
    Cutout,
    Mixed,
    MixUp,
    RandAugment,
    batch_colour,
    batch_geometry,
    corrupt,
    crop_and_flip,
    geometry,
    matrices,
    ops,
)
from cvcourse.augment.mix import clipped_box
from cvcourse.data import render

IMAGE = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)
IMAGES = torch.from_numpy(IMAGE).permute(2, 0, 1).expand(4, 3, 12, 10)
LABELS = torch.tensor([0, 1, 2, 0])
EYE, EYES = np.eye(3), torch.eye(3).expand(4, 3, 3)
BOX = np.array([[1.0, 1, 3, 2]])
SIZE = (12, 10)
GENERATOR = torch.Generator()
MIXED = Mixed(IMAGES, torch.arange(4), 0.5)


@pytest.mark.parametrize("wrong", [None, "text", [1], 3, IMAGE.tolist(), torch.tensor(math.nan)])
@pytest.mark.parametrize(
    "call",
    [
        *[
            lambda image, f=f: f(image, 0.1)
            for f in (geometry.flip, ops.equalize, batch_colour.equalize)
        ],
        *[lambda image, n=n: getattr(geometry, n)(image, 1) for n in ("rotate", "shear")],
        *[lambda image, n=n: getattr(batch_geometry, n)(image, 1) for n in ("rotate", "shear")],
        lambda image: geometry.flip(image),
        lambda image: geometry.perspective(image, np.zeros((4, 2))),
        lambda image: batch_geometry.warp(image, EYES),
        lambda image: geometry.warp_mask(image, EYE),
        lambda image: batch_geometry.warp_masks(image, EYES),
        lambda image: RandAugment().one(image, np.random.default_rng()),
        *[lambda image, a=a: a(image, GENERATOR) for a in (CutMix(), MixUp(), Cutout())],
        *[lambda image, a=a: a(image, GENERATOR) for a in (crop_and_flip, RandAugment())],
        lambda image: Mixed(image, torch.arange(4), 0.5),
        lambda image: corrupt(image, "shift", 0.1),
    ],
)
def test_what_is_no_picture_is_named(call: Callable[[Any], object], wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^(image|mask)\w* |Mixed\.images are"):
        call(wrong)


@pytest.mark.parametrize("wrong", [None, "a generator", 3, np.random, torch.Generator])
@pytest.mark.parametrize("name", ["generator", "rng"])
def test_nothing_is_drawn_without_a_generator(name: str, wrong: Any) -> None:
    drawing: list[Callable[[], object]] = [
        lambda: ops.noise(IMAGE, 0.1, wrong),
        lambda: RandAugment().one(IMAGE, wrong),
    ]
    if name == "generator":
        drawing = [lambda: batch_colour.noise(IMAGES, 0.1, wrong)]
        for augment in (crop_and_flip, RandAugment(), Cutout(), CutMix(), MixUp()):
            drawing.append(lambda a=augment: a(IMAGES, wrong))
    for draw in drawing:
        with pytest.raises(TypeError, match=rf"^{name} is "):
            draw()


@pytest.mark.parametrize("wrong", [None, "ab", b"ab", [], {}, (3,), (3, 4, 5), (0, 4), (3, -1)])
@pytest.mark.parametrize(
    "call",
    [
        lambda size: matrices.rotation(30, size),
        lambda size: matrices.mirror(size),
        lambda size: matrices.window((0, 0, 1, 1), size),
        lambda size: matrices.warp_boxes(BOX, EYE, size),
        lambda size: geometry.resize_crop(IMAGE, (0, 0, 4, 4), size),
        lambda size: geometry.warp(IMAGE, EYE, size=size or ()),
        lambda size: batch_geometry.warp(IMAGES, EYES, size=size or ()),
        lambda size: batch_geometry.crop(IMAGES, LABELS, LABELS, size),
    ],
)
def test_what_is_no_size_is_named(call: Callable[[Any], object], wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^size is "):
        call(wrong)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: geometry.flip(IMAGE, vertical="no"), "vertical is 'no'"),
        (lambda: batch_geometry.flip(IMAGES, LABELS > 0, vertical=2), "vertical is 2"),
        (lambda: batch_geometry.flip(IMAGES, LABELS), "chosen is .* torch.int64"),
        (lambda: matrices.mirror((True, 4)), "size is True"),
        (lambda: batch_colour.brightness(IMAGES, LABELS > 0), "factor is a tensor of torch.bool"),
        (lambda: batch_geometry.rotate(IMAGES, True), "degrees is True"),
        (lambda: batch_geometry.rotate(IMAGES, 1e300), "degrees is 1e.300; expected -360 to 360"),
        (lambda: batch_geometry.crop(IMAGES, LABELS[0], LABELS, (2, 2)), r"x is \(\) torch.int64"),
        (lambda: batch_geometry.resize_crop(IMAGES, EYES[0], (2, 2)), r"boxes is \(3, 3\)"),
        (lambda: batch_geometry.warp_masks(IMAGES[:, 0].long(), EYES), "masks are .* torch.int64"),
        (lambda: batch_geometry.warp(IMAGES, EYES, fill="side"), "fill is 'side'.* 'edge'"),
        (lambda: batch_geometry.warp(IMAGES, EYES.to(torch.cfloat)), "matrix is a tensor of"),
        (lambda: geometry.warp(IMAGE, EYE * 1j), "matrix is .* expected real numbers"),
        (lambda: geometry.crop(IMAGE, (True, 0, 4, 4)), "box is True"),
        (lambda: geometry.crop(IMAGE, 3), "box is 3"),
        (lambda: matrices.window((0, 0, math.nan, 4), SIZE), r"box\[2\] is nan"),
        (lambda: matrices.window((4, 0, 4, 4), SIZE), "a side of the box is 0"),
        (
            lambda: matrices.perspective(np.zeros((2, 4, 2)), SIZE),
            "corners have shape .2, 4, 2",
        ),
        (lambda: matrices.warp_keypoints(BOX[:, :2] * math.nan, EYE), "points holds NaN"),
        (lambda: matrices.warp_keypoints(BOX[:, :2], 0 * EYE), "matrix brings points to infinity"),
        (lambda: matrices.warp_keypoints(BOX[:, :2], EYES), "expected both, or both NumPy"),
        (lambda: matrices.warp_boxes(BOX.astype(str), EYE, SIZE), "boxes is an array of <U"),
        (lambda: clipped_box(-0.1, 0.5, 0.5, 9, 9), "share is -0.1; expected 0 to 1"),
        (lambda: clipped_box(0.5, 2, 0.5, 9, 9), "x is 2; expected 0 to 1"),
        (lambda: clipped_box(0.5, 0.5, 0.5, 9, 2.5), "width is 2.5"),
        (lambda: Mixed(IMAGES.float(), LABELS, 0.5), "Mixed.images are torch.float32"),
        (lambda: Mixed(IMAGES, LABELS - 1, 0.5), "partners runs from -1 to 1"),
        (lambda: Mixed(IMAGES, LABELS[:3], 0.5), "partners are "),
        (lambda: Mixed(IMAGES, LABELS, math.nan), "Mixed.share is nan"),
        (lambda: MIXED.targets(LABELS, 2), "labels runs from 0 to 2; expected 0 to 1"),
        (lambda: MIXED.targets(LABELS.int(), 3), "labels are .* torch.int32; expected"),
        (lambda: MIXED.targets(LABELS, 3.0), "n_classes is 3.0"),
        (lambda: CutMix(alpha="1"), "CutMix.alpha is '1'"),
        (lambda: Compose([RandAugment]), "a step is <class .*RandAugment'>"),
        (lambda: Compose(iter([Cutout()])), "Compose.steps is "),
        (lambda: Compose([IMAGES]), r"steps\[0\] is tensor"),
        (lambda: RandAugment(m=None), "RandAugment.m is None .* expected float or 'random'"),
        (lambda: RandAugment().on_image(IMAGE, [-1], [True]), "chosen is -1; expected 0 to 13"),
        (lambda: crop_and_flip(IMAGES[:, :, :0], GENERATOR), "at least one pixel"),
        (lambda: crop_and_flip(IMAGES, GENERATOR, padding=-1), "padding is -1"),
        (lambda: corrupt(render(2), "shift", 0.1, seed=-1), "seed is -1"),
    ],
)
def test_what_does_not_fit_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_numbers_of_any_kind_are_numbers() -> None:
    scene = render(3)
    wanted = corrupt(scene, "shift", 0.25, seed=3).images
    assert torch.equal(corrupt(scene, "shift", Fraction(1, 4), seed=np.int64(3)).images, wanted)
    for half in (0.5, Fraction(1, 2), np.float32(0.5)):
        assert np.array_equal(ops.brightness(IMAGE, half), ops.brightness(IMAGE, 0.5))
        assert CutMix(half) == CutMix(0.5)
        assert torch.equal(batch_colour.blur(IMAGES, half / 4), batch_colour.blur(IMAGES, 0.125))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int64])
def test_matrices_may_have_any_dtype_of_numbers(dtype: torch.dtype) -> None:
    turn = torch.tensor(matrices.rotation(90, SIZE)).round().expand(4, 3, 3)
    wanted = batch_geometry.warp(IMAGES, turn.float())
    assert torch.equal(batch_geometry.warp(IMAGES, turn.to(dtype)), wanted)
    assert np.array_equal(geometry.warp(IMAGE, turn[0].tolist()), geometry.warp(IMAGE, turn[0]))
    boxes = torch.tensor([[1, 1, 6, 7]]).expand(4, 4)
    wanted = batch_geometry.resize_crop(IMAGES, boxes.float(), (5, 4))
    assert torch.equal(batch_geometry.resize_crop(IMAGES, boxes.to(dtype), (5, 4)), wanted)


def test_every_image_its_own_blur_whatever_its_dtype() -> None:
    many = IMAGES.repeat(200, 1, 1, 1)  # more than one chunk
    sigmas = torch.linspace(0, 0.25, len(many))
    blurred = batch_colour.blur(many, sigmas)
    for i in (0, 1, 399, 799):
        assert torch.equal(blurred[i : i + 1], batch_colour.blur(many[:1], sigmas[i].item()))
    assert torch.equal(batch_colour.blur(many, sigmas.double()), blurred)
