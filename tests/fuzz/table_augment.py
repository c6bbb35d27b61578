"""cvcourse.augment: one picture, a batch, matrices, two images in one."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from arrays import bools, each, floats, images, indices, matrix, picture
from kinds import (
    ANY,
    EITHER,
    FINE,
    SAME,
    WRONG,
    Trial,
    choice,
    generator,
    number,
    numbers,
    rng,
    seed,
    size,
    thing,
    truth,
    whole,
)
from rows import Row, row
from things import N, SIDE, image_set, labels, masks, photograph, pictures

from cvcourse.augment import (
    CutMix,
    Mixed,
    MixUp,
    RandAugment,
    batch_colour,
    batch_geometry,
    corrupt,
    crop_and_flip,
    geometry,
    matrices,
    mix,
    ops,
)

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
TURN = matrices.rotation(90, (SIDE, SIDE))
FLAT = matrices.rotation(90, (12, 10))


def batch_matrix(rows: int = 3) -> Any:
    """(B, rows, 3) float on the images' device."""
    return floats(
        lambda: torch.tensor(TURN[:rows], dtype=torch.float32).repeat(N, 1, 1), tied=(0, 1, 2)
    ).named("matrix", "matrices")


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


def one_picture() -> list[Row]:
    """`ops` and `geometry`."""
    image = picture(photograph)
    box = numbers((2, 1, 8, 9))
    box = box.but(*(Trial(f"{b}", lambda b=b: b, WRONG) for b in _bad_boxes()))
    found = [
        row(f"ops.{name}", getattr(ops, name), image=image, **{argument: number(*span)})
        for name, (argument, *span) in STRENGTHS.items()
    ]
    found += [row(f"ops.{name}", getattr(ops, name), image=image) for name in ("autocontrast", "equalize")]
    found += [
        row("ops.posterize", ops.posterize, image=image, bits=whole(4, 1, 8)),
        row("ops.noise", ops.noise, image=image, std=number(0.125, 0, 1), rng=rng()),
        row("ops.cutout", ops.cutout, image=image, fill=fill(), **{n: number(*s) for n, s in SQUARES.items()}),
        row("ops.gaussian_support", ops.gaussian_support, sigma=number(0.125, 0, 0.25), size=size((12, 10))),
        row("geometry.warp", geometry.warp, image=image, matrix=matrix(FLAT.copy), size=size((9, 7)).optional(), fill=fill()),
        row("geometry.affine", geometry.affine, image=image, matrix=matrix(FLAT[:2].copy, rows=2), fill=fill()),
        row("geometry.perspective", geometry.perspective, image=image, corners=corners(lambda: np.array(SQUARE)), fill=fill()),
        row("geometry.flip", geometry.flip, image=image, vertical=truth(True)),
        row("geometry.crop", geometry.crop, image=image, box=box),
        row("geometry.resize_crop", geometry.resize_crop, image=image, box=box, size=size((9, 7))),
        row(
            "geometry.warp_mask",
            geometry.warp_mask,
            mask=picture(lambda: photograph()[..., 0] > 100).but(drop=["grey", "grey, one channel", "two channels", "five channels", "channels first", "bool"]).named("mask"),
            matrix=matrix(FLAT.copy),
            size=size((9, 7)).optional(),
            fill=whole(1, 0, 255),
        ),
    ]
    found += [
        row(f"geometry.{name}", getattr(geometry, name), image=image, fill=fill(), **{n: number(*s) for n, s in moves.items()})
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
    return matrix(make).but(
        Trial("crossed", lambda: np.array(crossed), WRONG),
        Trial("on a line", lambda: np.array(line), WRONG),
        Trial("far away", lambda: np.array(far), WRONG),
        Trial("the other way round", lambda: np.array(SQUARE[::-1]), WRONG),
        Trial("zeros", lambda: np.zeros((4, 2)), WRONG),
        Trial("one more dimension", lambda: np.stack([make()] * 2), ANY),
        drop=["transposed"],
    ).named("corners", "quadrilateral")


def batches() -> list[Row]:
    """`batch_colour` and `batch_geometry`."""
    many = images(pictures, tied=())
    found = [
        row(f"batch_colour.{name}", getattr(batch_colour, name), images=many, **{argument: each(*span, N)})
        for name, (argument, *span) in STRENGTHS.items()
    ]
    found += [row(f"batch_colour.{name}", getattr(batch_colour, name), images=many) for name in ("autocontrast", "equalize")]
    found += [
        row(f"batch_geometry.{name}", getattr(batch_geometry, name), images=many, fill=fill(), **{n: each(*s, N) for n, s in moves.items()})
        for name, moves in MOVES.items()
    ]
    place = partial(indices, lambda: torch.tensor([0, 1, 2, 3, 2, 1]), 3, tied=(0,))
    fitting = images(pictures, tied=(0,)).but(drop=["empty"])
    return [
        *found,
        row("batch_colour.posterize", batch_colour.posterize, images=many, bits=each(4.0, 1, 8, N)),
        row("batch_colour.noise", batch_colour.noise, images=many, std=each(0.125, 0, 1, N), generator=generator()),
        row("batch_colour.cutout", batch_colour.cutout, images=many, fill=fill(), **{n: each(*s, N) for n, s in SQUARES.items()}),
        row("batch_geometry.warp", batch_geometry.warp, images=fitting, matrix=batch_matrix(), size=size((9, 7)).optional(), fill=fill().but(Trial("edge", lambda: "edge", FINE))),
        row("batch_geometry.warp_masks", batch_geometry.warp_masks, masks=bools(masks, tied=(0,)), matrix=batch_matrix(), size=size((9, 7)).optional()),
        row("batch_geometry.affine", batch_geometry.affine, images=fitting, matrix=batch_matrix(2), fill=fill()),
        row("batch_geometry.perspective", batch_geometry.perspective, images=fitting, corners=floats(lambda: torch.tensor(SQUARE).repeat(N, 1, 1), -1, 2, tied=(0, 1, 2)), fill=fill()),
        row("batch_geometry.flip", batch_geometry.flip, images=fitting, chosen=bools(lambda: labels() > 0, tied=(0,)), vertical=truth(True)),
        row("batch_geometry.crop", batch_geometry.crop, images=fitting, x=place(), y=place(), size=size((5, 5))),
        row("batch_geometry.resize_crop", batch_geometry.resize_crop, images=fitting, boxes=floats(lambda: torch.tensor([[1.0, 1.0, 6.0, 7.0]]).repeat(N, 1), tied=(0, 1)), size=size((5, 4))),
        row("crop_and_flip", crop_and_flip, images=images(pictures, floats=FINE, channels=FINE).but(drop=["int64", "int8", "bool", "NaN floats", "channels last"]), generator=generator(), padding=whole(2, 0)),
    ]


def matrices_and_mixes() -> list[Row]:
    """`matrices`, `mix`, `randaugment`, `corrupt`."""
    frame = size((12, 10))
    found = [
        row(f"matrices.{name}", getattr(matrices, name), size=frame, **{n: number(*s) for n, s in moves.items()})
        for name, moves in {
            "rotation": MOVES["rotate"],
            "translation": MOVES["translate"],
            "shear": MOVES["shear"],
            "scaling": MOVES["scale"],
        }.items()
    ]
    ones = thing(lambda: CutMix(alpha=1.0))
    assert ones
    return [
        *found,
        row("matrices.mirror", matrices.mirror, size=frame, vertical=truth(False)),
        row("matrices.window", matrices.window, box=numbers((2.0, 1.0, 8.0, 9.0)), size=frame),
        row("matrices.perspective", matrices.perspective, corners=corners(lambda: np.array(SQUARE)), size=frame),
        row("matrices.warp_keypoints", matrices.warp_keypoints, points=_points(2), matrix=matrix(FLAT.copy).but(drop=["one more dimension"])),
        row("matrices.warp_boxes", matrices.warp_boxes, boxes=_points(4), matrix=matrix(FLAT.copy).but(drop=["one more dimension"]), size=frame),
        row("mix.clipped_box", mix.clipped_box, share=number(0.5, 0, 1), x=number(0.5, 0, 1), y=number(0.25, 0, 1), height=whole(12, 1), width=whole(10, 1)),
        row("CutMix", CutMix, alpha=number(1.0, 0, 1000, above=True), look=_mix),
        row("MixUp", MixUp, alpha=number(1.0, 0, 1000, above=True), look=_mix),
        row("CutMix()", CutMix(), **{"*images": images(pictures), "*generator": generator()}, look=lambda m: (m.images, m.share)),
        row("MixUp()", MixUp(), **{"*images": images(pictures), "*generator": generator()}, look=lambda m: (m.images, m.share)),
        row("Mixed", Mixed, images=images(pictures, tied=(0,)).but(drop=["empty"]), partners=indices(lambda: torch.arange(N).flip(0), N - 1, tied=(0,)), share=number(0.5, 0, 1), look=lambda m: m.targets(labels(), 3)),
        row("Mixed.targets", lambda **kw: Mixed(pictures(), torch.arange(N).flip(0), 0.5).targets(**kw), labels=indices(labels, 2, tied=(0,)), n_classes=whole(3, 3)),
        row("RandAugment", RandAugment, n=whole(2, 0), m=number(9.0, 0, 30), fill=fill(), look=lambda a: a(pictures(), torch.Generator().manual_seed(0))),
        row("RandAugment()", RandAugment(), **{"*images": images(pictures), "*generator": generator()}),
        row("RandAugment.one", RandAugment().one, image=picture(photograph), rng=rng()),
        row("corrupt", corrupt, image_set=thing(image_set, "images", "ImageSet"), change=choice("shift", ["shift", "crop", "scale", "occlusion"]), amount=number(0.25, 0, 1), seed=seed(), look=lambda s: s.images),
    ]


def _mix(made: Any) -> Any:
    mixed = made(pictures(), torch.Generator().manual_seed(0))
    return mixed.images, mixed.share


def _points(columns: int) -> Any:
    def make() -> np.ndarray:
        return np.array([[1.0, 2.0, 5.0, 7.0][:columns]] * 3)

    return matrix(make, rows=4).but(
        Trial("tensor", lambda: torch.from_numpy(make()), ANY),
        Trial("one more dimension", lambda: np.stack([make(), make()]), ANY),
        Trial("empty", lambda: make()[:0], FINE),
        Trial("zeros", lambda: 0 * make(), FINE),
        drop=["transposed", "a row less"],
    ).named("points", "keypoints", "boxes")


def rows() -> list[Row]:
    return [*one_picture(), *batches(), *matrices_and_mixes()]


_ = (EITHER, SAME)
