"""Your own images: a folder a split, in it a folder a class."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cvcourse.checks import check, check_integer
from cvcourse.data.decode import SUFFIXES, check_all, listening, read_square
from cvcourse.data.image_set import ImageSet
from cvcourse.data.split import balanced_subset
from cvcourse.files import check_regular, expand_home
from cvcourse.progress import progress

LAYOUT = "train/<class>/*.jpg and test/<class>/*.jpg"  #: of a folder (or png, gif, tiff, …)
_BATCH = 16  # images a thread takes at a time


def read_folder(
    path: Path | str, split: str, *, size: int = 32, n: int | None = None, seed: int = 0
) -> ImageSet:
    """Read the images `<path>/<split>/<class>/*`, of any size and mode, as small RGB squares.

    The central square of each picture is reduced by averaging (or enlarged linearly); a picture
    that is size × size already is taken as it was decoded. Pictures are turned upright by their
    EXIF orientation; transparency is dropped; 16 bits become 8; of several frames or pages the
    first counts. Read is whatever OpenCV can decode (`SUFFIXES`). One warning counts the files that
    are left out, and names the folders within a class; only names that begin with a dot are passed
    over in silence.

    Args:
        path: the folder; its `train` gives the classes, sorted by name, for every split. A letter
            with its accent is one name, whether it was written as one character or two (NFC).
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
        OSError: a pipe, a device or a link that leads nowhere is where a file or folder should be.
        ValueError: a split has no classes or not those of `train`; a class is empty; an image is
            damaged, cut short, or of more than 89 million pixels.
    """
    check_integer("size", size, 1, None, "the side in pixels")
    check("split", split, str)
    path = expand_home(path)
    classes, left_out = _classes(path, split)
    files: list[Path] = []
    labels: list[int] = []
    for label, folder in enumerate(classes.values()):
        members, others = _images(folder)
        files += members
        labels += [label] * len(members)
        left_out += others
    if left_out:
        what = f"{path / split} holds {_told(left_out)}, left out"
        warnings.warn(f"{what}; expected pictures in class folders", stacklevel=3)
    targets = np.array(labels, np.int64)
    if n is not None:
        check_integer("n", n, 1, None, "how many images")
        if n > len(files):
            # Of a collection of one's own one knows less well how large it is than of a data set.
            what = f"{path / split} has {len(files)} images, not the {n} asked for"
            warnings.warn(f"{what}; taking them all", stacklevel=3)
        chosen = balanced_subset(targets, min(n, len(files)), seed)
        files, targets = [files[i] for i in chosen], targets[chosen]
    return ImageSet(
        images=torch.from_numpy(_read_all(files, size)),
        labels=torch.from_numpy(targets),
        class_names=tuple(classes),
    )


def _classes(path: Path, split: str) -> tuple[dict[str, Path], list[Path]]:
    """The class folders of a split, which are those of `train`, in label order; and what else."""
    found: dict[str, dict[str, Path]] = {}
    for part in ("train", split):
        place = path / part
        if not place.is_dir():
            raise FileNotFoundError(f"there is no folder {place}; expected {LAYOUT} in {path}")
        folders, files = _entries(place)
        found[part] = _by_name(folders)
        if not folders:
            raise ValueError(f"{place} holds no class folders; expected {LAYOUT} in {path}")
    for name in sorted(found["train"].keys() ^ found[split].keys()):
        there, missing = ("train", split) if name in found["train"] else (split, "train")
        raise ValueError(
            f"class {name!r} is in {path / there} but not in {path / missing}; expected the same "
            "classes in both — add the folder or remove the other"
        )
    return dict(sorted(found[split].items())), files


def _by_name(folders: Iterable[Path]) -> dict[str, Path]:
    """The names of classes: in UTF-8, whatever this system's own code, and composed."""
    named: dict[str, Path] = {}
    for folder in folders:
        try:
            name = unicodedata.normalize("NFC", os.fsencode(folder.name).decode())
        except UnicodeDecodeError as error:
            raise ValueError(
                f"the name of class folder {str(folder)!a} is not in UTF-8; rename it"
            ) from error
        if name in named:
            raise ValueError(
                f"class {name!r} has two folders in {folder.parent}, whose names differ only in "
                "how their accents are encoded; put their pictures into one"
            )
        named[name] = folder
    return named


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the files in a folder, sorted; but for those whose names begin with a dot."""
    folders: list[Path] = []
    files: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name[0] == ".":
                continue
            if not entry.is_dir() and not entry.is_file():
                check_regular(Path(entry.path))
            (folders if entry.is_dir() else files).append(Path(entry.path))
    return folders, files


def _images(folder: Path) -> tuple[list[Path], list[Path]]:
    """The pictures of a class, and what else is there."""
    folders, files = _entries(folder)
    images = [file for file in files if file.suffix.lower() in SUFFIXES]
    left_out = folders + [file for file in files if file.suffix.lower() not in SUFFIXES]
    if not images:
        found = f"it holds {_told(left_out)}" if left_out else "it is empty"
        raise ValueError(
            f"class folder {folder} holds no images; expected files ending in {', '.join(SUFFIXES)}"
            f", but {found} — add some or remove the folder"
        )
    return images, left_out


def _told(left_out: list[Path]) -> str:
    """How many files of each suffix, and which folders: "7 .heic, 1 .txt, the folder cat/old"."""
    folders = [f"{path.parent.name}/{path.name}" for path in left_out if path.is_dir()]
    suffixes = Counter(path.suffix.lower() for path in left_out if not path.is_dir())
    parts = [f"{n} {suffix or 'without an ending'}" for suffix, n in suffixes.most_common()]
    if folders:
        more = f" and {len(folders) - 5} more" if len(folders) > 5 else ""
        parts.append(f"the folder{'s' * (len(folders) > 1)} {', '.join(folders[:5])}{more}")
    return ", ".join(parts)


def _read_all(files: list[Path], size: int) -> NDArray[np.uint8]:
    """All images (N, 3, size, size) RGB. A bar shows when it takes more than two seconds."""
    images = np.empty((len(files), 3, size, size), np.uint8)

    def read(start: int) -> int:
        batch = files[start : start + _BATCH]
        for i, file in enumerate(batch, start):
            images[i] = read_square(file, size)
        return len(batch)

    with listening() as decoders:
        bar = progress(desc="Reading images", total=len(files), file=decoders.terminal)
        with bar, ThreadPoolExecutor() as pool:
            for count in pool.map(read, range(0, len(files), _BATCH)):
                bar.update(count)
    if decoders.complained:  # one of them; all were read side by side
        check_all(files)
    return images
