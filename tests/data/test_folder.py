import contextlib
import os
import shutil
import socket
import tracemalloc
import unicodedata
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import cvcourse.progress as progress_module
from cvcourse.data import read_folder
from cvcourse.data.decode import SUFFIXES
from cvcourse.data.split import balanced_subset

RED = (220, 40, 30)


def noise(height: int = 32, width: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def smooth(height: int = 32, width: int = 32) -> NDArray[np.uint8]:
    """A picture with a different colour in every corner, kind to JPEG."""
    y, x = np.mgrid[0:height, 0:width]
    planes = (255 * y / (height - 1), 255 * x / (width - 1), np.full((height, width), 60))
    return np.stack(planes, axis=-1).astype(np.uint8)


def save(path: Path, picture: NDArray[np.uint8] | Image.Image, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(path, **options)
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes in two splits, 3 + 2 images each, all different."""
    seed = 0
    for split, count in (("train", 3), ("test", 2)):
        for name in ("dog", "cat"):
            for i in range(count):
                save(tmp_path / split / name / f"{i}.png", noise(seed=seed))
                seed += 1
    return tmp_path


def only(path: Path, size: int = 32) -> NDArray[np.uint8]:
    """The one image of a folder that has one, as (H, W, 3)."""
    image_set = read_folder(path, "train", size=size)
    assert image_set.images.shape == (1, 3, size, size)
    assert image_set.images.dtype == torch.uint8
    return image_set.images[0].permute(1, 2, 0).numpy()


def test_labels_follow_the_sorted_class_names_and_files_their_names(pets: Path) -> None:
    image_set = read_folder(pets, "train")
    assert image_set.class_names == ("cat", "dog")
    assert image_set.labels.tolist() == [0, 0, 0, 1, 1, 1]
    for i, seed in enumerate((3, 4, 5, 0, 1, 2)):
        assert np.array_equal(image_set.images[i].permute(1, 2, 0), noise(seed=seed))


def test_every_split_has_the_label_order_of_train(pets: Path) -> None:
    image_set = read_folder(str(pets), "test")
    assert image_set.class_names == ("cat", "dog")
    assert image_set.labels.tolist() == [0, 0, 1, 1]
    assert np.array_equal(image_set.images[0].permute(1, 2, 0), noise(seed=8))


def test_a_folder_below_home_is_found(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(pets.parent))
    assert len(read_folder(f"~/{pets.name}", "train")) == 6


def test_n_chooses_evenly_and_reads_no_other_file(pets: Path) -> None:
    whole = read_folder(pets, "train")
    chosen = balanced_subset(whole.labels.numpy(), 4, 7)
    for i in set(range(6)) - set(chosen.tolist()):
        (pets / "train" / ("cat", "dog")[i // 3] / f"{i % 3}.png").write_bytes(b"damaged")
    part = read_folder(pets, "train", n=4, seed=7)
    assert torch.equal(part.images, whole.images[chosen])
    assert torch.equal(part.labels, whole.labels[chosen])
    assert part.labels.bincount().tolist() == [2, 2]


def test_fewer_images_than_asked_for_are_all_taken_and_it_is_said(pets: Path) -> None:
    with pytest.warns(
        UserWarning, match="train has 6 images, not the 7 asked for; taking them all"
    ):
        part = read_folder(pets, "train", n=7, seed=3)
    assert torch.equal(part.images, read_folder(pets, "train", n=6, seed=3).images)


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), ("7", TypeError), (1.5, TypeError)])
def test_a_number_of_images_that_is_none(pets: Path, n: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"n is .*how many images"):
        read_folder(pets, "train", n=n)


@pytest.mark.parametrize("suffix", [".PNG", ".JPG", ".WebP", ".TIFF", *SUFFIXES])
def test_formats(tmp_path: Path, suffix: str) -> None:
    """Every ending that is read belongs to a file that is read right."""
    kinds = {".apng": "png", ".dib": "bmp", ".jfif": "jpeg", ".jpe": "jpeg", ".mpo": "jpeg"}
    kinds |= {".pbm": "ppm", ".pgm": "ppm", ".pnm": "ppm", ".ras": None, ".sr": None}
    file = tmp_path / "train" / "x" / f"a{suffix}"
    kind = kinds.get(suffix, Image.registered_extensions().get(suffix.lower()))
    if kind is None:
        file.parent.mkdir(parents=True)
        assert cv2.imwrite(str(file), np.ascontiguousarray(smooth()[..., ::-1]))
    else:
        save(file, smooth(), format=kind, quality=95)
    assert np.abs(only(tmp_path).astype(int) - smooth()).mean() < 3


def test_the_formats_that_people_have_are_among_them() -> None:
    common = {".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff"}
    assert common | {".webp"} <= set(SUFFIXES)


@pytest.mark.parametrize("suffix", ["gif", "png", "tiff", "webp"])
def test_of_several_frames_the_first_counts(tmp_path: Path, suffix: str) -> None:
    first, second = (Image.fromarray(picture) for picture in (smooth(), 255 - smooth()))
    options: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
    file = tmp_path / "train" / "x" / f"a.{suffix}"
    save(file, first, save_all=True, append_images=[second], **options)
    assert np.abs(only(tmp_path).astype(int) - smooth()).mean() < 8  # a GIF has 256 colours


def test_a_jpeg_of_the_right_size_is_taken_as_decoded(tmp_path: Path) -> None:
    file = save(tmp_path / "train" / "x" / "a.jpg", noise(), quality=60)
    decoded = cv2.imread(str(file))
    assert decoded is not None
    assert np.array_equal(only(tmp_path), decoded[..., ::-1])


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK"])
def test_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGB", (32, 32), RED).convert(mode)
    suffix = "jpg" if mode == "CMYK" else "png"
    save(tmp_path / "train" / "x" / f"a.{suffix}", picture)
    expected = np.array(picture.convert("RGB")).astype(int)
    assert np.abs(only(tmp_path) - expected).max() <= 2


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_become_eight(tmp_path: Path, channels: int) -> None:
    deep = np.full((32, 32, channels), 0xC0FF, np.uint16)
    file = tmp_path / "train" / "x" / "a.png"
    file.parent.mkdir(parents=True)
    assert cv2.imwrite(str(file), deep)
    assert np.unique(only(tmp_path)).tolist() in ([0xC0], [0xC1])


def test_transparency_is_dropped(tmp_path: Path) -> None:
    save(tmp_path / "train" / "x" / "a.png", Image.new("RGBA", (32, 32), (*RED, 7)))
    assert np.array_equal(only(tmp_path)[5, 5], RED)


def test_exif_turns_the_picture_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90° clockwise to see it upright
    lying = np.rot90(smooth())
    save(tmp_path / "train" / "x" / "a.jpg", np.ascontiguousarray(lying), exif=exif, quality=95)
    assert np.abs(only(tmp_path).astype(int) - smooth()).mean() < 3


@pytest.mark.parametrize("wide", [False, True])
def test_the_central_square_is_reduced_by_averaging(tmp_path: Path, wide: bool) -> None:
    picture = noise(64, 100) if wide else noise(100, 64)
    save(tmp_path / "train" / "x" / "a.png", picture)
    square = picture[:, 18:82] if wide else picture[18:82]
    means = square.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(only(tmp_path) - means).max() <= 0.5


def test_a_small_picture_is_enlarged_smoothly(tmp_path: Path) -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[:, 1] = 255
    save(tmp_path / "train" / "x" / "a.png", picture)
    row = only(tmp_path, size=16)[8, :, 0].astype(int)
    assert (row[0], row[-1]) == (0, 255)
    assert 0 < np.diff(row).max() < 64


def test_hidden_files_are_passed_over(pets: Path) -> None:
    before = read_folder(pets, "train")
    (pets / "train" / "cat" / "._0.png").write_bytes(b"resource fork")
    (pets / "train" / "cat" / ".cache").mkdir()
    (pets / "train" / ".ipynb_checkpoints").mkdir()
    (pets / "train" / ".DS_Store").write_bytes(b"")
    after = read_folder(pets, "train")
    assert torch.equal(after.images, before.images)
    assert after.class_names == before.class_names


def test_what_is_left_out_is_counted_and_named_once(pets: Path) -> None:
    before = read_folder(pets, "train")
    for name in ("cat/1.heic", "cat/2.HEIC", "dog/3.heic", "dog/notes.txt", "dog/LICENSE", "a.png"):
        (pets / "train" / name).write_bytes(b"something")
    save(pets / "train" / "cat" / "kittens" / "a.png", noise())
    (pets / "train" / "dog" / "folder.jpg").mkdir()
    with pytest.warns(UserWarning, match="left out") as said:
        after = read_folder(pets, "train")
    assert torch.equal(after.images, before.images)
    (warning,) = said
    assert str(warning.message) == (
        f"{pets / 'train'} holds 3 .heic, 1 .png, 1 without an ending, 1 .txt, the folders "
        "cat/kittens, dog/folder.jpg, left out; expected pictures in class folders"
    )
    assert str(pets / "test") in said_of(pets, "test", "test/dog/x.mov")


def said_of(folder: Path, split: str, name: str) -> str:
    """What is said of a split with one more file."""
    (folder / name).write_bytes(b"something")
    with pytest.warns(UserWarning, match=r"holds 1 \.\w+, left out") as said:
        read_folder(folder, split)
    return str(said[0].message)


def test_many_folders_are_counted(pets: Path) -> None:
    for i in range(8):
        (pets / "train" / "cat" / f"{i}").mkdir()
    with pytest.warns(UserWarning, match=r"the folders cat/0, .*, cat/4 and 3 more, left out"):
        read_folder(pets, "train")


def test_a_class_of_other_files_says_what_it_holds(pets: Path) -> None:
    (pets / "train" / "eel").mkdir()
    (pets / "train" / "eel" / "a.heic").write_bytes(b"")
    (pets / "train" / "eel" / "more").mkdir()
    with pytest.raises(
        ValueError, match=r"eel holds no images; .*it holds 1 \.heic, the folder eel"
    ):
        read_folder(pets, "train")


@pytest.mark.parametrize("place", ["train/cat/x.png", "train/x", "test/dog/x.txt", "test/dog"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "dangling link"])
def test_what_is_neither_file_nor_folder_is_refused(pets: Path, place: str, kind: str) -> None:
    path = pets / place
    if path.exists():
        shutil.rmtree(path)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    else:
        path.symlink_to("/dev/null" if kind == "device" else pets / "nowhere")
    with pytest.raises(OSError, match=rf"is no regular file.*{place}"):
        read_folder(pets, place.split("/")[0])


def test_links_to_files_and_folders_are_followed(pets: Path, tmp_path: Path) -> None:
    whole = read_folder(pets, "train")
    (pets / "train" / "dog").rename(tmp_path / "elsewhere")
    (pets / "train" / "dog").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "0.png").rename(tmp_path / "picture")
    (tmp_path / "elsewhere" / "0.png").symlink_to(tmp_path / "picture")
    assert torch.equal(read_folder(pets, "train").images, whole.images)


COMPOSED, APART = (unicodedata.normalize(form, "été 고양이") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(("train", "test"), [(COMPOSED, APART), (APART, COMPOSED), (APART, APART)])
def test_names_compare_however_they_are_encoded(tmp_path: Path, train: str, test: str) -> None:
    save(tmp_path / "train" / train / "a.png", noise())
    save(tmp_path / "test" / test / "a.png", noise(seed=1))
    for split in ("train", "test"):
        assert read_folder(tmp_path, split).class_names == (COMPOSED,)


def test_one_name_in_two_encodings_is_refused(tmp_path: Path) -> None:
    for name in (COMPOSED, APART):
        save(tmp_path / "train" / name / "a.png", noise())
    with pytest.raises(ValueError, match=f"class '{COMPOSED}' has two folders in .*train"):
        read_folder(tmp_path, "train")


def test_a_name_that_no_figure_could_show_is_refused(tmp_path: Path) -> None:
    file = save(tmp_path / "train" / "x" / "a.png", noise())
    os.rename(file.parent, os.fsencode(tmp_path / "train") + b"/\xe9t\xe9")
    with pytest.raises(ValueError, match=r"train/\\udce9t\\udce9' is not in UTF-8; rename it"):
        read_folder(tmp_path, "train")


def test_missing_folders_say_what_is_expected(pets: Path) -> None:
    layout = "expected train/<class>/.*jpg and test/<class>/.*jpg in "
    with pytest.raises(FileNotFoundError, match=f"no folder .*nowhere.*{layout}"):
        read_folder(pets / "nowhere", "train")
    with pytest.raises(FileNotFoundError, match=f"no folder .*validation.*{layout}"):
        read_folder(pets, "validation")
    shutil.rmtree(pets / "train")
    with pytest.raises(FileNotFoundError, match=f"no folder .*train.*{layout}"):
        read_folder(pets, "test")


def test_a_split_without_classes(tmp_path: Path) -> None:
    save(tmp_path / "train" / "a.png", noise())
    with pytest.raises(ValueError, match="train holds no class folders; expected train/<class>"):
        read_folder(tmp_path, "train")


def test_an_empty_class(pets: Path) -> None:
    (pets / "train" / "eel").mkdir()
    with pytest.raises(ValueError, match=r"class folder .*eel holds no images; expected .*\.webp"):
        read_folder(pets, "train")


def test_a_class_that_test_lacks(pets: Path) -> None:
    shutil.rmtree(pets / "test" / "dog")
    with pytest.raises(ValueError, match=r"class 'dog' is in .*train but not in .*test;"):
        read_folder(pets, "test")


def test_a_class_that_train_lacks(pets: Path) -> None:
    save(pets / "test" / "eel" / "0.png", noise())
    with pytest.raises(ValueError, match=r"class 'eel' is in .*test but not in .*train;"):
        read_folder(pets, "test")


@pytest.mark.parametrize("size", [0, 2.5])
def test_bad_size(pets: Path, size: int) -> None:
    with pytest.raises((TypeError, ValueError), match="size is"):
        read_folder(pets, "train", size=size)


def test_a_short_read_prints_nothing(
    pets: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = partial(progress_module.tqdm, disable=False)
    monkeypatch.setattr(progress_module, "tqdm", shown)
    read_folder(pets, "train")
    assert capfd.readouterr() == ("", "")


def test_no_second_copy_in_memory(tmp_path: Path) -> None:
    first = save(tmp_path / "train" / "x" / "000.png", noise(128, 128))
    for i in range(1, 200):
        shutil.copy(first, first.with_name(f"{i:03}.png"))
    tracemalloc.start()
    image_set = read_folder(tmp_path, "train", size=128)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * image_set.images.nbytes
