"""cvcourse.data, files, checks, progress: pictures and what every module shares."""

from __future__ import annotations

import math
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import torch
from arrays import bools, floats, images, indices, picture
from kinds import (
    ANY,
    EITHER,
    FINE,
    SAME,
    WRONG,
    Kind,
    Trial,
    choice,
    function,
    mapping,
    names,
    number,
    numbers,
    path,
    seed,
    text,
    thing,
    truth,
    whole,
)
from objects import images_of
from rows import Row, row
from things import CLASSES, N, boxes, image_set, labels, masks, photograph, pictures

from cvcourse import checks, files, progress
from cvcourse.data import (
    ImageSet,
    LabelSplit,
    Scene,
    data_folder,
    fetch,
    load,
    photographs,
    read_folder,
    render,
    split_labels,
    train_val_split,
)
from cvcourse.data.shapes import tight_boxes

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
            for number in range(3):
                cv2.imwrite(str(made / split / name / f"{number}.png"), photograph())
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
    scene = thing(Scene, "Scene", "scene").but(Trial("a dict", lambda: {"shift": 0.1}, WRONG)).optional()
    occluder = number(0.5, 0, 1).but(Trial("background", lambda: "background", FINE), Trial("misspelled", lambda: "Background", WRONG))
    background = choice("plain", ["plain", "noise", "photograph"])
    many = whole(3, 1).but(Trial("2**62", lambda: 2**62, ANY))
    return [
        row("Scene", Scene, **{name: span(*s) for name, s in RANGES.items()}, occluder=occluder, background=background, background_bias=number(0.5, 0, 1), **drawn),
        row("Scene.bounds", Scene().bounds, name=choice("shift", [*RANGES])),
        row("render", render, n=many, scene=scene, seed=seed(), size=whole(8, 8).but(*_too_large(512)), look=of_images),
        row("tight_boxes", tight_boxes, masks=mask_array()),
    ]


def _too_large(high: int) -> list[Trial]:
    return [Trial(f"{v}", lambda v=v: v, WRONG) for v in (high + 1, 10**6, 2**70)]  # type: ignore[misc]


def mask_array() -> Kind:
    make = lambda: masks().numpy()  # noqa: E731
    kind = picture(make)
    return kind.but(
        Trial("floats", lambda: make() / 255, ANY),
        Trial("int64", lambda: make().astype(np.int64), EITHER),
        Trial("one line", lambda: make()[0, 0], WRONG),
        Trial("one picture", lambda: make()[0], WRONG),
        drop=["bool", "grey", "grey, one channel", "two channels", "five channels", "channels first", "no rows", "no columns"],
    ).named("masks")


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
        "images": images(pictures, tied=(0,), empty=WRONG).but(Trial("no channel", lambda: pictures()[:, :0], WRONG), drop=["no rows", "no columns"]),
        "labels": indices(labels, CLASSES - 1, -1, tied=(0,)),
        "class_names": names("cat", "dog", "owl").but(Trial("one more", lambda: ("cat", "dog", "owl", "cow"), FINE), Trial("one twice", lambda: ("cat", "cat", "owl"), ANY), drop=["one more"]),
        "boxes": floats(boxes, tied=(0, 1)).optional(),
        "masks": bools(masks, tied=(0, 1, 2)).optional(),
    }
    data = {"n": whole(4, 1).optional(), "seed": seed()}
    from cvcourse.data.image_set import ImageSet as Set

    parts: dict[str, Any] = {"empty": FINE, "no_labels": FINE}

    return [
        row("ImageSet", ImageSet, **full, look=of_images),
        row("ImageSet.of_classes", lambda classes: of_images(image_set().of_classes(classes)), classes=classes),
        row("ImageSet.to", lambda device: of_images(image_set().to(device)), device=choice("cpu", ["cpu"]).but(Trial("device", lambda: torch.device("cpu"), SAME), drop=["empty text"])),
        row("ImageSet[…]", lambda index: of_images(image_set()[index]), index=indices(lambda: torch.tensor([0, 2, 4]), N - 1, -N, ndim=False, empty=FINE).but(Trial("slice", lambda: slice(0, 5, 2), SAME), Trial("bool", lambda: torch.tensor([True, False] * 3), SAME), Trial("short mask", lambda: torch.tensor([True]), WRONG), Trial("array", lambda: np.array([0, 2, 4]), SAME), Trial("nested list", lambda: [0, 2, 4], SAME), drop=["[]"])),
        row("ImageSet.statistics", Set.statistics, **{"*self": images_of(no_labels=FINE)}),
        row("LabelSplit", LabelSplit, labeled=images_of(**parts), unlabeled=images_of(**parts), validation=images_of(**parts), unlabeled_truth=thing(labels, "Tensor"), look=lambda s: of_images(s.labeled)),
        row("split_labels", split_labels, image_set=split, n_per_class=whole(2, 1, 5), validation_per_class=whole(3, 0, 6), seed=seed(), look=lambda s: (of_images(s.labeled), s.unlabeled_truth)),
        row("train_val_split", train_val_split, image_set=labelled, n_per_class=whole(2, 1, 7), seed=seed(), look=lambda s: of_images(s[1])),
        row("load", partial(load, scene=None), name=choice("shapes", ["shapes", "digits"]).but(Trial("a folder", folder, FINE)), split=choice("train", ["train", "test"]), **data, size=whole(8, 8).but(*_too_large(512)), look=of_images),
        row("load of a folder", partial(load, folder()), split=choice("train", ["train", "test"]), **data, size=whole(8, 1).optional().but(Trial("2**40", lambda: 2**40, ANY)), look=of_images),
        row("read_folder", read_folder, path=folder_path(), split=choice("train", ["train", "test"]), size=whole(8, 1).but(Trial("2**40", lambda: 2**40, ANY)), **data, look=of_images),
        row("fetch", _fetch, name=text("data.bin"), urls=thing(list, "urls", drop=["[]", "its class"]), sha256=text("0" * 64), folder=path(lambda: Path(tempfile.mkdtemp())).but(Trial("text", lambda: "fuzz", ANY))),
        row("photographs", photographs),
        row("data_folder", data_folder),
    ]


def _fetch(**given: Any) -> Any:
    """A file that is there already."""
    from cvcourse.data.download import DownloadError

    try:
        return fetch(**given)
    except DownloadError:
        return "no mirror gave it"


def shared_rows() -> list[Row]:
    """`files`, `checks`, `progress`."""
    file = path(lambda: str(Path(tempfile.mkdtemp()) / "file.bin"))
    low_high = {"low": number(0.0), "high": number(1.0)}
    many = numbers((0.25, 0.5), 0, 1, length=False)
    batch = images(pictures)
    return [
        row("write_file", files.write_file, path=file, content=thing(lambda: b"content", "bytes", "content", drop=["bytes"])),
        row("check_writable", files.check_writable, path=file, look=lambda p: p.name),
        row("progress", lambda **kw: list(progress.progress(**kw)), iterable=thing(lambda: [1, 2], "iterable").but(drop=["text", "bytes", "list", "[]", "{}", "iterator", "array of text", "()", "a list of it"]), quiet=truth(True)),
        row("check_integer", partial(checks.check_integer, "epochs", low=0, high=9, meaning="passes"), value=whole(3, 0, 9)),
        row("check_number", partial(checks.check_number, "rate", low=0, high=1), value=number(0.5, 0, 1)),
        row("check_numbers", partial(checks.check_numbers, "rates", low=0, high=1), values=many),
        row("check_choice", partial(checks.check_choice, "mode", choices=["fast", "exact"]), value=choice("fast", ["fast", "exact"])),
        row("check_threshold", checks.check_threshold, threshold=number(0.5, 0, 1)),
        row("check_range", partial(checks.check_range, "x", low=0, high=1, unit="a share"), value=number(0.5, 0, 1).but(Trial("list", lambda: [0.5], WRONG))),
        row("check_cutout", checks.check_cutout, x=number(0.5, 0, 1), y=number(0.5, 0, 1), side=number(0.5, 0, 1), fill=whole(3, 0, 255)),
        row("check_image", checks.check_image, image=picture(photograph)),
        row("check_images", checks.check_images, images=batch),
        row("check_same_length", lambda a: checks.check_same_length(a=a, b="xy"), a=thing(lambda: [1, 2]).but(drop=["None", "text", "bytes", "list", "[]", "{}", "()", "a list of it", "array of text"])),
    ]


def rows() -> list[Row]:
    return [*shape_rows(), *set_rows(), *shared_rows()]


_ = (function, mapping, get_args)
