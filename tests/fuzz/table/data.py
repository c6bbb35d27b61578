"""`data`: pictures that are drawn, read, split."""

from __future__ import annotations

import hashlib
import math
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from cvcourse.data import (
    ImageSet,
    Scene,
    load,
    render,
)
from fuzz.arrays import bools, floats, images, indices, plane
from fuzz.kinds import (
    ANY,
    EITHER,
    FINE,
    SAME,
    WRONG,
    Kind,
    Trial,
    choice,
    names,
    number,
    numbers,
    seed,
    text,
    thing,
    whole,
)
from fuzz.objects import images_of, path
from fuzz.rows import Row, row
from fuzz.things import CLASSES, N, boxes, image_set, labels, masks, photograph, pictures

#: Other texts, where only one is right.
OTHERS = ["markup", "Hangul", "long", "two lines"]
#: Of `Scene`: the nuisances that take a number or two, value, low, high.
RANGES: dict[str, tuple[float, float, float]] = {
    "shift": (0.125, 0, 0.5),
    "scale": (1.0, 0.1, 1.8),
    "rotation": (8.0, -180, 180),
    "brightness": (0.125, -1, 1),
    "contrast": (0.5, -1, 1),
    "noise": (0.125, 0, 1),
    "occlusion": (0.25, 0, 1),
}


def span(value: float, low: float, high: float) -> Kind:
    """A number, or two of them; a list of YAML is understood or named."""
    two = (value, value)
    return number(value, low, high).but(
        Trial("two numbers", lambda: two, SAME),
        Trial("a list of two", lambda: list(two), EITHER),
        Trial("an array of two", lambda: np.array(two), EITHER),
        Trial("from high to low", lambda: (high, low), WRONG),
        Trial("from low to high", lambda: (low, high), FINE),
        Trial("three numbers", lambda: (value, value, value), WRONG),
        Trial("two texts", lambda: (str(value), str(value)), WRONG),
        Trial("one is NaN", lambda: (value, math.nan), WRONG),
        Trial("one is None", lambda: (None, value), WRONG),
        Trial("one is too high", lambda: (value, high + 0.01), WRONG),
        Trial("one is too low", lambda: (low - 0.01, value), WRONG),
        Trial("one is True", lambda: (low, True), WRONG),
        drop=["two"],
    )


@cache
def folder() -> str:
    """Two classes of three pictures each, for training and for testing."""
    made = Path(tempfile.mkdtemp(prefix="photographs"))
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (made / split / name).mkdir(parents=True)
            for i in range(3):
                cv2.imwrite(str(made / split / name / f"{i}.png"), photograph())
    return str(made)


def folder_path() -> Kind:
    """A folder that is there."""
    return path(folder, missing=WRONG).but(
        Trial("text", lambda: "fuzz", WRONG),
        Trial("an empty folder", tempfile.mkdtemp, WRONG),
        Trial("a file", lambda: __file__, WRONG),
        drop=["a device"],
    )


def of_images(data: ImageSet) -> Any:
    """What may be compared."""
    return data.images, data.labels, data.class_names


def shape_rows() -> list[Row]:
    """`Scene`, `render`, `tight_boxes`."""
    drawn = {"look": lambda scene: render(2, scene, size=8).images}
    scene = (
        thing(Scene, "Scene", "scene")
        .but(Trial("a dict", lambda: {"shift": 0.1}, WRONG))
        .optional()
    )
    occluder = number(0.5, 0, 1).but(
        Trial("background", lambda: "background", FINE),
        Trial("misspelled", lambda: "Background", WRONG),
    )
    background = choice("plain", ["plain", "noise", "photograph"])
    many = whole(3, 1).but(Trial("2**62", lambda: 2**62, ANY))
    return [
        row(
            "data.Scene",
            **{name: span(*s) for name, s in RANGES.items()},
            occluder=occluder,
            background=background,
            background_bias=number(0.5, 0, 1),
            **drawn,
        ),
        row("data.Scene.bounds", Scene().bounds, name=choice("shift", [*RANGES])),
        row(
            "data.render",
            n=many,
            scene=scene,
            seed=seed(),
            size=whole(8, 8).but(*_too_large(512)),
            look=of_images,
        ),
        row("data.shapes.tight_boxes", masks=mask_array()),
    ]


def _too_large(high: int) -> list[Trial]:
    return [Trial(f"{v}", lambda v=v: v, WRONG) for v in (high + 1, 10**6, 2**70)]  # type: ignore[misc]


def mask_array() -> Kind:
    """(N, H, W) bool."""
    make = lambda: masks().numpy()  # noqa: E731
    return plane(make).but(
        Trial("floats", lambda: make() / 255, ANY),
        Trial("one picture", lambda: make()[0], WRONG),
        drop=["no rows", "no columns"],
    )


def set_rows() -> list[Row]:
    """`ImageSet`, splits, `load`, `read_folder`, downloads."""
    labelled = images_of(partial(image_set, 24), other_classes=ANY)
    split = images_of(partial(image_set, 24), other_classes=ANY)
    classes = numbers((2, 0)).but(
        Trial("tensor", lambda: torch.tensor([2, 0]), SAME),
        Trial("one twice", lambda: [0, 0], WRONG),
        Trial("too high", lambda: [3], WRONG),
        Trial("too low", lambda: [-1], WRONG),
        Trial("halves", lambda: [0.5, 1], WRONG),
        Trial("[]", list, ANY),
        drop=["one less", "one more"],
    )
    full = {
        "images": images(pictures, tied=(0,), empty=WRONG).but(
            Trial("no channel", lambda: pictures()[:, :0], WRONG), drop=["no rows", "no columns"]
        ),
        "labels": indices(labels, CLASSES - 1, -1, tied=(0,)),
        "class_names": names("cat", "dog", "owl").but(
            Trial("one more", lambda: ("cat", "dog", "owl", "cow"), FINE),
            Trial("one twice", lambda: ("cat", "cat", "owl"), ANY),
            drop=["one more"],
        ),
        "boxes": floats(boxes, tied=(0, 1)).optional(),
        "masks": bools(masks, tied=(0, 1, 2)).optional(),
    }
    data = {"n": whole(4, 1).optional(), "seed": seed()}

    parts: dict[str, Any] = {"empty": FINE, "no_labels": FINE}

    return [
        row("data.ImageSet", **full, look=of_images),
        row(
            "data.ImageSet.of_classes",
            lambda classes: of_images(image_set().of_classes(classes)),
            classes=classes,
        ),
        row(
            "data.ImageSet.to",
            lambda device: of_images(image_set().to(device)),
            device=choice("cpu", ["cpu"]).but(
                Trial("device", lambda: torch.device("cpu"), SAME), drop=["empty text"]
            ),
        ),
        row(
            "data.ImageSet.__getitem__",
            lambda index: of_images(image_set()[index]),
            index=indices(lambda: torch.tensor([0, 2, 4]), N - 1, -N, ndim=False, empty=FINE).but(
                Trial("slice", lambda: slice(0, 5, 2), SAME),
                Trial("bool", lambda: torch.tensor([True, False] * 3), SAME),
                Trial("short mask", lambda: torch.tensor([True]), WRONG),
                Trial("array", lambda: np.array([0, 2, 4]), SAME),
                Trial("nested list", lambda: [0, 2, 4], SAME),
                drop=["[]"],
            ),
        ),
        row(
            "data.LabelSplit",
            labeled=images_of(**parts),
            unlabeled=images_of(no_labels=FINE, other_classes=ANY),  # the truth must fit it
            validation=images_of(**parts),
            unlabeled_truth=thing(labels, "Tensor"),
            look=lambda s: of_images(s.labeled),
        ),
        row(
            "data.split_labels",
            image_set=split,
            n_per_class=whole(2, 1, 5),
            validation_per_class=whole(3, 0, 6),
            seed=seed(),
            look=lambda s: (of_images(s.labeled), s.unlabeled_truth),
        ),
        row(
            "data.train_val_split",
            image_set=labelled,
            n_per_class=whole(2, 1, 7),
            seed=seed(),
            look=lambda s: of_images(s[1]),
        ),
        row(
            "data.load",
            partial(load, scene=None),
            name=choice("shapes", ["shapes", "digits"]).but(Trial("a folder", folder, FINE)),
            split=choice("train", ["train", "test"]),
            **data,
            size=whole(8, 8).but(*_too_large(512)).optional(),
            look=of_images,
        ),
        row(
            "data.load of a folder",
            partial(load, folder()),
            split=choice("train", ["train", "test"]),
            **data,
            size=whole(8, 1).optional().but(Trial("2**40", lambda: 2**40, ANY)),
            look=of_images,
        ),
        row(
            "data.read_folder",
            path=folder_path(),
            split=choice("train", ["train", "test"]),
            size=whole(8, 1).but(Trial("2**40", lambda: 2**40, ANY)),
            **data,
            look=of_images,
        ),
        row(
            "data.fetch",
            name=text("data.bin").but(drop=OTHERS),
            urls=thing(
                lambda: ["https://example.invalid/data.bin"], "urls", drop=["its class"]
            ).but(
                # They are asked only if the file is not there.
                Trial("list", lambda: ["fuzz"], ANY),
                Trial("[]", lambda: [], ANY),
                Trial("()", lambda: (), ANY),
            ),
            sha256=text(hashlib.sha256(b"").hexdigest()).but(drop=OTHERS),
            folder=path(fetched, missing=WRONG).but(
                Trial("text", lambda: "fuzz", ANY), drop=["a directory", "a device"]
            ),
            look=lambda found: found.name,
        ),
        row("data.photographs"),
        row("data.data_folder"),
    ]


def fetched() -> Path:
    """A folder that holds the file already."""
    made = Path(tempfile.mkdtemp())
    (made / "data.bin").touch()
    return made


def rows() -> list[Row]:
    return [*shape_rows(), *set_rows()]
