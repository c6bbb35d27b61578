import gzip
import hashlib
import io
import multiprocessing
import os
import pickle
import shutil
import tarfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import scipy.io
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from cvcourse.data import DownloadError, ImageSet, Scene, data_folder, datasets, load, render

Images = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an empty home."""
    monkeypatch.setenv("CVCOURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return tmp_path


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that archives are unpacked into from here on."""
    folders = []
    unpack = datasets.unpack

    def note(archives: Sequence[Path], folder: Path) -> None:
        folders.append(folder)
        unpack(archives, folder)

    monkeypatch.setattr(datasets, "unpack", note)
    return folders


# ---------------------------------------------------------------- rendered and bundled


def test_shapes_are_rendered_and_test_never_shares_a_seed_with_train() -> None:
    for seed in (0, 3):
        train, test = load("shapes", n=20, seed=seed), load("shapes", "test", n=20, seed=seed)
        assert torch.equal(train.images, render(20, seed=2 * seed).images)
        assert torch.equal(test.images, render(20, seed=2 * seed + 1).images)
        assert train.boxes is not None


def test_shapes_have_a_size_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "render", lambda n, scene, seed, size: n)
    assert (load("shapes"), load("shapes", "test")) == (10_000, 2_000)


def test_shapes_are_drawn_as_the_scene_says_and_as_large_as_asked_for() -> None:
    scene = Scene(shift=0.2, noise=0.0)
    for split, stream in (("train", 6), ("test", 7)):
        drawn = load("shapes", split, n=12, seed=3, scene=scene, size=16)
        assert torch.equal(drawn.images, render(12, scene, seed=stream, size=16).images)


def test_other_sets_have_no_scene_and_are_averaged_down() -> None:
    whole, small = load("digits", n=20), load("digits", n=20, scene=Scene(shift=0.4), size=4)
    blocks = whole.images.float().unflatten(2, (4, 2)).unflatten(4, (4, 2)).mean(dim=(3, 5))
    assert torch.equal(small.images, blocks.round().to(torch.uint8))
    assert torch.equal(small.labels, whole.labels)
    large = load("digits", n=20, size=16)
    assert large.images.shape == (20, 1, 16, 16)
    assert torch.equal(load("digits", n=20, size=8).images, whole.images)
    with pytest.raises(ValueError, match="size is 0"):
        load("digits", size=0)


def test_digits() -> None:
    train, test = load("digits"), load("digits", "test")
    assert train.images.shape == (1438, 1, 8, 8)
    assert test.images.shape == (359, 1, 8, 8)
    assert train.class_names == test.class_names == tuple("0123456789")
    assert (int(train.images.min()), int(train.images.max())) == (0, 255)
    share = test.labels.bincount() / (test.labels.bincount() + train.labels.bincount())
    assert (share - 0.2).abs().max() < 0.01


def test_digits_splits_are_disjoint_and_together_all() -> None:
    def key(image: torch.Tensor, label: int) -> bytes:
        return image.numpy().tobytes() + bytes([label])

    found = [
        key(image, int(label))
        for part in (load("digits"), load("digits", "test"))
        for image, label in zip(part.images, part.labels, strict=True)
    ]
    bunch = load_digits()
    levels = torch.from_numpy(np.rint(bunch.images * 255 / 16).astype(np.uint8))
    expected = [key(i, int(label)) for i, label in zip(levels, bunch.target, strict=True)]
    assert sorted(found) == sorted(expected)


def test_a_subset_is_balanced_and_grows() -> None:
    large = load("digits", n=100, seed=1)
    assert large.labels.bincount().tolist() == [10] * 10
    assert torch.equal(load("digits", n=30, seed=1).images, large.images[:30])
    assert torch.equal(load("digits", n=100, seed=1).images, large.images)
    assert not torch.equal(load("digits", n=100, seed=2).images, large.images)


# ---------------------------------------------------------------- downloaded


def pictures(n: int, shape: tuple[int, ...], seed: int) -> Images:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def tar_gz(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


Truth = dict[str, tuple[Images, list[int]]]  # split → images (N, C, H, W), labels
Made = tuple[dict[str, bytes], Truth, tuple[str, ...]]  # files as on the web, what is in them


def cifar10() -> Made:
    names = [f"class{i}" for i in range(10)]
    images, labels = pictures(50, (3, 32, 32), 0), [i % 10 for i in range(50)]
    test = pictures(20, (3, 32, 32), 1)
    folder = "cifar-10-batches-py"
    batches = {
        f"data_batch_{i + 1}": (images, labels, slice(10 * i, 10 * i + 10)) for i in range(5)
    }
    batches["test_batch"] = (test, labels[:20], slice(None))
    files = {
        f"{folder}/{name}": pickle.dumps({"data": x[part].reshape(-1, 3072), "labels": y[part]})
        for name, (x, y, part) in batches.items()
    }
    files[f"{folder}/batches.meta"] = pickle.dumps({"label_names": names})
    truth = {"train": (images, labels), "test": (test, labels[:20])}
    return {"cifar-10-python.tar.gz": tar_gz(**files)}, truth, tuple(names)


def cifar100() -> Made:
    names = [f"class{i}" for i in range(100)]
    truth = {
        split: (pictures(100, (3, 32, 32), seed), list(range(99, -1, -1)))
        for seed, split in enumerate(("train", "test"))
    }
    files = {
        f"cifar-100-python/{split}": pickle.dumps(
            {"data": x.reshape(-1, 3072), "fine_labels": y, "coarse_labels": [0] * 100}
        )
        for split, (x, y) in truth.items()
    }
    files["cifar-100-python/meta"] = pickle.dumps({"fine_label_names": names})
    return {"cifar-100-python.tar.gz": tar_gz(**files)}, truth, tuple(names)


def idx(array: Images) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(s.to_bytes(4, "big") for s in array.shape)
    return gzip.compress(header + array.tobytes())


def mnist(names: tuple[str, ...]) -> Made:
    files, truth = {}, {}
    for seed, (split, prefix) in enumerate((("train", "train"), ("test", "t10k"))):
        images = pictures(30, (28, 28), seed)
        labels = [(i + seed) % 10 for i in range(30)]
        files[f"{prefix}-images-idx3-ubyte.gz"] = idx(images)
        files[f"{prefix}-labels-idx1-ubyte.gz"] = idx(np.array(labels, np.uint8))
        truth[split] = (images[:, None], labels)
    return files, truth, names


def svhn() -> Made:
    files, truth = {}, {}
    for seed, split in enumerate(("train", "test")):
        images, labels = pictures(20, (3, 32, 32), seed), [i % 10 for i in range(20)]
        buffer = io.BytesIO()
        digits = np.array([[label or 10] for label in labels], np.uint8)  # 0 is written as 10
        scipy.io.savemat(buffer, {"X": images.transpose(2, 3, 1, 0), "y": digits})
        files[f"{split}_32x32.mat"] = buffer.getvalue()
        truth[split] = (images, labels)
    return files, truth, tuple("0123456789")


def stl10() -> Made:
    names = ("airplane", "bird", "car")
    truth: Truth = {}
    files = {"stl10_binary/class_names.txt": "\n".join(names).encode()}
    for seed, split in enumerate(("train", "test", "unlabeled")):
        images, labels = pictures(6, (3, 96, 96), seed), [0, 1, 2, 2, 1, 0]
        columns_first = images.transpose(0, 1, 3, 2)
        files[f"stl10_binary/{split}_X.bin"] = columns_first.tobytes()
        if split == "unlabeled":
            labels = [-1] * 6
        else:
            files[f"stl10_binary/{split}_y.bin"] = bytes(label + 1 for label in labels)
        truth[split] = (images, labels)
    return {"stl10_binary.tar.gz": tar_gz(**files)}, truth, names


CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker")
MAKERS: dict[str, Callable[[], Made]] = {
    "cifar10": cifar10,
    "cifar100": cifar100,
    "fashion_mnist": partial(mnist, (*CLOTHES, "Bag", "Ankle boot")),
    "mnist": partial(mnist, tuple("0123456789")),
    "svhn": svhn,
    "stl10": stl10,
}


class Web(ThreadingHTTPServer):
    """Files in the formats of the real data sets, below a folder a data set."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.folder, self.monkeypatch = folder, monkeypatch
        self.requests: list[str] = []

    def publish(self, name: str) -> tuple[Truth, tuple[str, ...]]:
        """Put these files where `load` looks for the data set's; returns what is in them."""
        files, truth, class_names = MAKERS[name]()
        assert files.keys() == datasets._FILES[name].keys()
        (self.folder / name).mkdir(parents=True)
        for file, body in files.items():
            (self.folder / name / file).write_bytes(body)
        sums = {file: hashlib.sha256(body).hexdigest() for file, body in files.items()}
        self.monkeypatch.setitem(datasets._FILES, name, sums)
        mirror = f"http://127.0.0.1:{self.server_port}/{name}/"
        self.monkeypatch.setitem(datasets._MIRRORS, name, (mirror,))
        return truth, class_names


class _Handler(SimpleHTTPRequestHandler):
    server: Web

    def log_message(self, *_: Any) -> None:
        self.server.requests.append(self.path)


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with Web(tmp_path / "web", monkeypatch) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(image_set: ImageSet, images: Images, labels: list[int], names: tuple[str, ...]) -> None:
    assert torch.equal(image_set.images, torch.from_numpy(images.copy()))
    assert image_set.images.is_contiguous()
    assert image_set.labels.tolist() == labels
    assert image_set.class_names == names


@pytest.mark.parametrize("name", MAKERS)
def test_what_was_published_is_what_is_loaded(web: Web, name: str) -> None:
    truth, names = web.publish(name)
    for split, (images, labels) in truth.items():
        check(load(name, split), images, labels, names)


@pytest.mark.parametrize("name", MAKERS)
def test_the_second_load_asks_nobody_and_unpacks_nothing(
    web: Web, name: str, unpacked: list[Path]
) -> None:
    truth, names = web.publish(name)
    load(name, "test")
    asked = len(web.requests)
    check(load(name, "test"), *truth["test"], names)
    assert asked == len(web.requests) == (1 if name == "svhn" else len(datasets._FILES[name]))
    assert len(unpacked) == (0 if name == "svhn" else 1)


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_four_processes_share_one_download(web: Web, name: str) -> None:
    truth, names = web.publish(name)
    fork = multiprocessing.get_context("fork")
    for _ in range(2):
        start = fork.Barrier(4)

        def load_and_check(start: Any = start) -> None:
            torch.set_num_threads(1)
            start.wait()
            check(load(name), *truth["train"], names)

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*use of fork", DeprecationWarning)
            processes = [fork.Process(target=load_and_check) for _ in range(4)]
            for process in processes:
                process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 4
        assert len(web.requests) == len(datasets._FILES[name])
        web.requests.clear()
        shutil.rmtree(data_folder())


def test_a_subset_of_a_downloaded_set(web: Web) -> None:
    truth, _ = web.publish("cifar10")
    part = load("cifar10", n=20, seed=4)
    assert part.labels.bincount().tolist() == [2] * 10
    whole = {image.tobytes() for image in truth["train"][0]}
    assert {image.numpy().tobytes() for image in part.images} < whole
    with pytest.raises(ValueError, match="n is 51, but there are only 50 images"):
        load("cifar10", n=51)


def test_an_archive_that_was_damaged_since_is_noticed(
    web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, names = web.publish("cifar10")
    load("cifar10")
    archive = data_folder() / "cifar10" / "cifar-10-python.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-1])
    check(load("cifar10"), *truth["train"], names)
    assert f"{archive} is damaged" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_an_unpacked_file_that_was_damaged_since_is_unpacked_anew(web: Web, name: str) -> None:
    truth, names = web.publish(name)
    load(name)
    unpacked = data_folder() / name / f"{name}-unpacked"
    for file in [f for f in unpacked.rglob("*") if f.is_file()]:
        file.write_bytes(b"damaged")
    check(load(name), *truth["train"], names)


def test_a_file_put_there_by_hand_is_taken(web: Web) -> None:
    truth, names = web.publish("svhn")
    shutil.copytree(web.folder / "svhn", data_folder() / "svhn")
    check(load("svhn"), *truth["train"], names)
    assert not web.requests


def test_a_read_only_data_folder_serves_too(web: Web, home: Path, unpacked: list[Path]) -> None:
    truth, names = web.publish("cifar10")
    folder = data_folder() / "cifar10"
    shutil.copytree(web.folder / "cifar10", folder)
    folder.chmod(0o555)
    for _ in range(2):
        check(load("cifar10"), *truth["train"], names)
    cache = home / "home" / ".cache" / "cvcourse"
    assert unpacked == [cache.joinpath(*folder.parts[1:], "cifar10-unpacked")]
    assert not (folder / "cifar10-unpacked").exists()


def test_offline_the_error_says_what_to_put_where(web: Web) -> None:
    web.publish("mnist")
    shutil.rmtree(web.folder)
    with pytest.raises(DownloadError) as caught:
        load("mnist")
    for part in ("train-images-idx3-ubyte.gz", str(data_folder() / "mnist"), "CVCOURSE_DATA"):
        assert part in str(caught.value)


def test_every_published_file_has_a_checksum_and_every_data_set_a_mirror() -> None:
    assert datasets._FILES.keys() == datasets._MIRRORS.keys()
    sums = [digest for files in datasets._FILES.values() for digest in files.values()]
    assert len(set(sums)) == len(sums) == 13
    assert all(len(digest) == 64 and int(digest, 16) for digest in sums)
    assert all(
        url.startswith("http") and url.endswith("/")
        for urls in datasets._MIRRORS.values()
        for url in urls
    )


# ---------------------------------------------------------------- your own


def pets(path: Path, start: int = 0) -> Path:
    for i, part in enumerate(("train/cat", "train/dog", "test/cat", "test/dog")):
        (path / part).mkdir(parents=True)
        for j in range(3):
            picture = pictures(1, (32, 32, 3), start + 10 * i + j)[0]
            Image.fromarray(picture).save(path / part / f"{j}.png")
    return path


def archived(folder: Path, kind: str = "gztar", *, around: bool = False) -> Path:
    """The folder as an archive beside it, `around`: with the folder itself around its parts."""
    root, base = (folder.parent, folder.name) if around else (folder, ".")
    archive = shutil.make_archive(str(folder), kind, root, base)
    shutil.rmtree(folder)
    return Path(archive)


def check_pets(image_set: ImageSet) -> None:
    assert image_set.class_names == ("cat", "dog")
    assert image_set.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert np.array_equal(
        image_set.images[4].permute(1, 2, 0), pictures(1, (32, 32, 3), 10 * 3 + 1)[0]
    )


def test_a_folder_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pets(tmp_path / "pets")
    check_pets(load(folder, "test"))
    check_pets(load(str(folder), "test"))
    monkeypatch.chdir(tmp_path)
    check_pets(load("pets", "test"))


def test_a_folder_below_the_data_folder() -> None:
    pets(data_folder() / "mine" / "pets")
    check_pets(load("mine/pets", "test"))


def test_a_path_is_never_a_name() -> None:
    pets(data_folder() / "digits")
    check_pets(load(Path("digits"), "test"))


def test_a_subset_of_a_folder(tmp_path: Path) -> None:
    folder = pets(tmp_path / "pets")
    assert load(folder, n=4, seed=1).labels.bincount().tolist() == [2, 2]
    with pytest.warns(UserWarning, match="6 images, not the 7 asked for") as said:
        assert len(load(folder, n=7)) == 6
    assert said[0].filename == __file__, "the warning names the line that asks for too many"


def test_an_archive_is_unpacked_once_beside_itself(unpacked: list[Path]) -> None:
    archive = archived(pets(data_folder() / "pets"))
    for _ in range(2):
        check_pets(load("pets", "test"))
    assert unpacked == [data_folder() / "pets"]
    assert sorted(data_folder().iterdir()) == [data_folder() / "pets", archive]


def test_an_archive_in_a_read_only_folder_is_unpacked_in_the_cache(
    home: Path, unpacked: list[Path]
) -> None:
    archive = archived(pets(data_folder() / "pets"))
    data_folder().chmod(0o555)
    for _ in range(2):
        check_pets(load("pets", "test"))
    assert list(data_folder().iterdir()) == [archive]
    cache = home / "home" / ".cache" / "cvcourse"
    assert unpacked == [cache.joinpath(*data_folder().parts[1:], "pets")]


def test_read_only_archives_of_one_name_do_not_get_mixed_up(tmp_path: Path) -> None:
    for i, place in enumerate(("one", "two")):
        archive = archived(pets(tmp_path / place / "pets", start=100 * i))
        archive.parent.chmod(0o555)
    first, second = (load(tmp_path / place / "pets") for place in ("one", "two"))
    assert not torch.equal(first.images, second.images)


@pytest.mark.parametrize("kind", ["gztar", "zip"])
@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_archives_as_people_make_them(kind: str, around: bool, whole: bool) -> None:
    """With a folder around `train` or without; named with its ending or without."""
    archive = archived(pets(data_folder() / "pets"), kind, around=around)
    for _ in range(2):
        check_pets(load(archive.name if whole else "pets", "test"))
        check_pets(load(archive if whole else data_folder() / "pets", "test"))


def test_what_macos_adds_to_an_archive_is_passed_over() -> None:
    folder = pets(data_folder() / "pets")
    shutil.copytree(folder, data_folder() / "__MACOSX" / "pets")
    archive = shutil.make_archive(str(folder), "zip", data_folder())
    for made in (folder, data_folder() / "__MACOSX"):
        shutil.rmtree(made)
    assert Path(archive).name == "pets.zip"
    check_pets(load("pets", "test"))


@pytest.mark.parametrize("relative", [False, True])
def test_without_a_home_a_path_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("CVCOURSE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where there is none
    archived(pets(tmp_path / "pets"))
    check_pets(load("pets" if relative else tmp_path / "pets", "test"))
    with pytest.raises(FileNotFoundError, match="no home directory"):
        load("mnist")
    with pytest.raises(FileNotFoundError, match="no such home directory: '~/pets'"):
        load("~/pets")


def test_a_damaged_archive_is_named_and_leaves_nothing() -> None:
    archive = archived(pets(data_folder() / "pets"))
    archive.write_bytes(archive.read_bytes()[:-500])
    with pytest.raises(ValueError, match=r"cannot unpack .*pets\.tar\.gz: .*; replace the file"):
        load("pets")
    assert list(data_folder().iterdir()) == [archive]


# ---------------------------------------------------------------- errors


def test_an_unknown_name_lists_the_names_and_says_where_it_looked() -> None:
    with pytest.raises(ValueError, match="there is no data set 'cifar11'") as caught:
        load("cifar11")
    for part in (*datasets.NAMES, "train/<class>/*.jpg", str(data_folder() / "cifar11")):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["shapes", "digits", "cifar10", "mine"])
def test_an_unknown_split(name: str) -> None:
    for split in ("val", "unlabeled", ""):
        with pytest.raises(ValueError, match=rf"split of '{name}' is '{split}'; expected one of"):
            load(name, split)


def test_the_third_split_of_stl10_is_offered() -> None:
    with pytest.raises(ValueError, match=r"expected one of .'train', 'test', 'unlabeled'.$"):
        load("stl10", "val")


@pytest.mark.parametrize("name", ["shapes", "digits"])
@pytest.mark.parametrize(
    ("n", "seed", "error", "says"),
    [
        (None, -1, ValueError, "seed is -1"),
        (None, 1.5, TypeError, "seed is 1.5"),
        (None, True, TypeError, "seed is True"),
        (0, 0, ValueError, "n is 0"),
        (-3, 0, ValueError, "n is -3"),
        ("9", 0, TypeError, "n is '9'"),
    ],
)
def test_bad_numbers(name: str, n: object, seed: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        load(name, n=cast(int, n), seed=cast(int, seed))


# ---------------------------------------------------------------- real photographs

DATA = Path(os.environ.get("CVCOURSE_DATA", "nowhere"))


@pytest.mark.skipif(
    not any((DATA / name).exists() for name in ("cifar10-jpeg", "cifar10-jpeg.tar.gz")),
    reason="CVCOURSE_DATA has neither cifar10-jpeg/ nor cifar10-jpeg.tar.gz",
)
def test_cifar10_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real data folder and home
    test = load("cifar10-jpeg", "test")
    assert test.images.shape == (10_000, 3, 32, 32)
    assert test.labels.bincount().tolist() == [1000] * 10
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    assert " ".join(test.class_names) == names
    train = load("cifar10-jpeg", n=1000, seed=0)
    assert train.labels.bincount().tolist() == [100] * 10
    mean, std = train.statistics()  # those of CIFAR-10: 0.491 0.482 0.447, 0.247 0.244 0.262
    assert (mean - torch.tensor([0.491, 0.482, 0.447])).abs().max() < 0.02
    assert (std - torch.tensor([0.247, 0.244, 0.262])).abs().max() < 0.02
