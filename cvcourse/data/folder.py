"""Your own images: a folder a split, in it a folder a class."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from cvcourse.checks import check_integer
from cvcourse.data.image_set import ImageSet
from cvcourse.data.split import balanced_subset
from cvcourse.progress import progress

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")  #: of image files, in either case
LAYOUT = "train/<class>/*.jpg and test/<class>/*.jpg"  #: of a folder (or png, bmp, webp)
_BATCH = 16  # images a thread takes at a time


def read_folder(
    path: Path | str, split: str, *, size: int = 32, n: int | None = None, seed: int = 0
) -> ImageSet:
    """Read the images `<path>/<split>/<class>/*`, of any size and mode, as small RGB squares.

    The central square of each picture is reduced by averaging (or enlarged linearly); a picture
    that is size × size already is taken as it was decoded. Pictures are turned upright by their
    EXIF orientation; transparency is dropped; 16 bits become 8. Names that begin with a dot, and
    files that are no images, are passed over.

    Args:
        path: the folder; its `train` gives the classes, sorted by name, for every split.
        split: the folder within it to read, such as "train" or "test".
        size: height and width of the result in pixels.
        n: read at most so many, chosen evenly from the classes; all of them when left out, and,
            with a warning, when there are fewer.
        seed: which n; any integer ≥ 0.

    Returns:
        An ImageSet with images (N, 3, size, size) uint8, sorted by class and then by file name, or
        with n in the order chosen.

    Raises:
        FileNotFoundError: the folder, the split or `train` is missing.
        ValueError: a split has no classes or not those of `train`; a class is empty; an image is
            damaged or cut short.
    """
    check_integer("size", size, 1, None, "the side in pixels")
    class_names = _class_names(Path(path), split)
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(class_names):
        members = _images(Path(path, split, name))
        files += members
        labels += [label] * len(members)
    targets = np.array(labels, np.int64)
    if n is not None:
        check_integer("n", n, 1, None, "how many images")
        if n > len(files):
            # Of a collection of one's own one knows less well how large it is than of a data set.
            what = f"{Path(path, split)} has {len(files)} images, not the {n} asked for"
            warnings.warn(f"{what}; taking them all", stacklevel=3)
        chosen = balanced_subset(targets, min(n, len(files)), seed)
        files, targets = [files[i] for i in chosen], targets[chosen]
    return ImageSet(
        images=torch.from_numpy(_read_all(files, size)),
        labels=torch.from_numpy(targets),
        class_names=class_names,
    )


def _class_names(path: Path, split: str) -> tuple[str, ...]:
    """The classes of `train`, in label order, after a check that `split` has the same."""
    found = {}
    for part in ("train", split):
        folder = path / part
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}; expected {LAYOUT} in {path}")
        found[part] = {f.name for f in folder.iterdir() if f.is_dir() and f.name[0] != "."}
        if not found[part]:
            raise ValueError(f"{folder} holds no class folders; expected {LAYOUT} in {path}")
    for name in sorted(found["train"] ^ found[split]):
        there, missing = ("train", split) if name in found["train"] else (split, "train")
        raise ValueError(
            f"class {name!r} is in {path / there} but not in {path / missing}; expected the same "
            "classes in both — add the folder or remove the other"
        )
    return tuple(sorted(found["train"]))


def _images(folder: Path) -> list[Path]:
    images = sorted(
        f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and f.name[0] != "."
    )
    if not images:
        raise ValueError(
            f"class folder {folder} holds no images; expected files ending in {', '.join(SUFFIXES)}"
            " — add some or remove the folder"
        )
    return images


def _read_all(files: list[Path], size: int) -> NDArray[np.uint8]:
    """All images (N, 3, size, size) RGB. A bar shows when it takes more than two seconds."""
    images = np.empty((len(files), 3, size, size), np.uint8)

    def read(start: int) -> int:
        batch = files[start : start + _BATCH]
        for i, file in enumerate(batch, start):
            images[i] = _square(_decode(file), size)[..., ::-1].transpose(2, 0, 1)
        return len(batch)

    bar = progress(desc="Reading images", total=len(files))
    with bar, ThreadPoolExecutor() as pool:
        for count in pool.map(read, range(0, len(files), _BATCH)):
            bar.update(count)
    return images


def _decode(file: Path) -> NDArray:
    """The picture (H, W, 3) uint8, BGR."""
    data = file.read_bytes()
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # an empty file, or a picture too large
        picture = None
    if picture is None or _is_cut_jpeg(data):
        raise ValueError(
            f"cannot read {file} ({len(data)} bytes): it is damaged, cut short or no image; "
            "replace or remove it"
        )
    return picture


def _is_cut_jpeg(data: bytes) -> bool:
    """Whether this is a JPEG without its end; OpenCV before 4.12 would fill the rest with grey."""
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":  # up to start of scan
        padding = data[at + 1 : at + 2] == b"\xff"
        at += 1 if padding else 2 + int.from_bytes(data[at + 2 : at + 4], "big")  # over a segment
    return data.find(b"\xff\xd9", at) < 0


def _square(picture: NDArray, size: int) -> NDArray:
    """The central square of a picture (H, W, 3) uint8, as (size, size, 3) uint8."""
    height, width = picture.shape[:2]
    edge = min(height, width)
    y, x = (height - edge) // 2, (width - edge) // 2
    square = picture[y : y + edge, x : x + edge]
    method = cv2.INTER_AREA if edge > size else cv2.INTER_LINEAR  # either copies when equal
    return cv2.resize(square, (size, size), interpolation=method)
