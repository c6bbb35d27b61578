"""The rest of `augment`: `matrices`, `mix`, `RandAugment`, `corrupt`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cvcourse.augment import (
    CutMix,
    Cutout,
    Mixed,
    MixUp,
    RandAugment,
    crop_and_flip,
)
from fuzz.arrays import images, indices, matrix, picture
from fuzz.kinds import (
    ANY,
    FINE,
    WRONG,
    Trial,
    choice,
    number,
    numbers,
    seed,
    size,
    thing,
    truth,
    whole,
)
from fuzz.objects import generator, rng
from fuzz.rows import Row, row
from fuzz.table.pictures import FLAT, MOVES, SQUARE, corners, fill
from fuzz.things import N, image_set, labels, photograph, pictures


def rows() -> list[Row]:
    """`matrices`, `mix`, `randaugment`, `corrupt`."""
    frame = size((12, 10))
    batch = {"*images": images(pictures), "*generator": generator()}
    found = [
        row(f"augment.matrices.{name}", size=frame, **{n: number(*s) for n, s in moves.items()})
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
        row("augment.matrices.mirror", size=frame, vertical=truth(False)),
        row("augment.matrices.window", box=numbers((2.0, 1.0, 8.0, 9.0)), size=frame),
        row("augment.matrices.perspective", corners=corners(lambda: np.array(SQUARE)), size=frame),
        row(
            "augment.matrices.warp_keypoints",
            points=_points(2),
            matrix=matrix(FLAT.copy).but(drop=["one more dimension"]),
        ),
        row(
            "augment.matrices.warp_boxes",
            boxes=_points(4),
            matrix=matrix(FLAT.copy).but(drop=["one more dimension"]),
            size=frame,
        ),
        row(
            "augment.mix.clipped_box",
            share=number(0.5, 0, 1),
            x=number(0.5, 0, 1),
            y=number(0.25, 0, 1),
            height=whole(12, 1),
            width=whole(10, 1),
        ),
        row("augment.CutMix", alpha=number(1.0, 0, 1000, above=True), look=_mix),
        row("augment.MixUp", alpha=number(1.0, 0, 1000, above=True), look=_mix),
        row(
            "augment.CutMix()",
            CutMix(),
            **batch,
            look=lambda m: (m.images, m.share),
        ),
        row(
            "augment.MixUp()",
            MixUp(),
            **batch,
            look=lambda m: (m.images, m.share),
        ),
        row(
            "augment.Mixed",
            images=images(pictures, tied=(0,)).but(drop=["empty"]),
            partners=indices(lambda: torch.arange(N).flip(0), N - 1, tied=(0,)),
            share=number(0.5, 0, 1),
            look=lambda m: m.targets(labels(), 3),
        ),
        row(
            "augment.Mixed.targets",
            lambda **kw: Mixed(pictures(), torch.arange(N).flip(0), 0.5).targets(**kw),
            labels=indices(labels, 2, tied=(0,)),
            n_classes=whole(3, 3),
        ),
        row(
            "augment.RandAugment",
            n=whole(2, 0),
            m=number(9.0, 0, 30).but(Trial("random", lambda: "random", FINE)),
            fill=fill(),
            look=lambda a: a(pictures(), torch.Generator().manual_seed(0)),
        ),
        row(
            "augment.RandAugment()",
            RandAugment(),
            **batch,
        ),
        row(
            "augment.Compose",
            steps=thing(lambda: [crop_and_flip, Cutout()], "steps", "step").but(
                Trial("its class", lambda: crop_and_flip, WRONG),
                Trial("[]", list, ANY),
                Trial("()", tuple, ANY),
                Trial("a class in it", lambda: [RandAugment], WRONG),
                Trial("images", lambda: [pictures()], WRONG),
            ),
            look=augmented,
        ),
        row("augment.Cutout", side=number(0.5, 0, 1), fill=fill(), look=augmented),
        row("augment.Cutout()", Cutout(), **batch),
        row("augment.RandAugment.one", RandAugment().one, image=picture(photograph), rng=rng()),
        row(
            "augment.corrupt",
            image_set=thing(image_set, "images", "ImageSet"),
            change=choice("shift", ["shift", "crop", "scale", "occlusion"]),
            amount=number(0.25, 0, 1),
            seed=seed(),
            look=lambda s: s.images,
        ),
    ]


def augmented(augment: Any) -> Any:
    """What an augmentation makes of a batch."""
    return augment(pictures(), torch.Generator().manual_seed(0))


def _mix(made: Any) -> Any:
    mixed = made(pictures(), torch.Generator().manual_seed(0))
    return mixed.images, mixed.share


def _points(columns: int) -> Any:
    def make() -> np.ndarray:
        return np.array([[1.0, 2.0, 5.0, 7.0][:columns]] * 3)

    return (
        matrix(make, rows=4)
        .but(
            Trial("tensor", lambda: torch.from_numpy(make()), ANY),
            Trial("one more dimension", lambda: np.stack([make(), make()]), ANY),
            Trial("empty", lambda: make()[:0], FINE),
            Trial("zeros", lambda: 0 * make(), FINE),
            drop=["transposed", "a row less"],
        )
        .named("points", "keypoints", "boxes")
    )
