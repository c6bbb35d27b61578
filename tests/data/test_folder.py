import io
import shutil
import tracemalloc
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


@pytest.mark.parametrize(
    "name", ["a.png", "a.PNG", "a.bmp", "a.jpg", "a.JPG", "a.jpeg", "a.webp", "a.WebP"]
)
def test_formats(tmp_path: Path, name: str) -> None:
    save(tmp_path / "train" / "x" / name, smooth(), quality=95)
    assert np.abs(only(tmp_path).astype(int) - smooth()).mean() < 3


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


def test_hidden_files_and_others_are_passed_over(pets: Path) -> None:
    before = read_folder(pets, "train")
    (pets / "train" / "cat" / "._0.png").write_bytes(b"resource fork")
    (pets / "train" / "cat" / "notes.txt").write_text("hello")
    (pets / "train" / ".ipynb_checkpoints").mkdir()
    (pets / "train" / "README.md").write_text("hello")
    after = read_folder(pets, "train")
    assert torch.equal(after.images, before.images)
    assert after.class_names == before.class_names


def encoded(suffix: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(smooth(80, 80)).save(buffer, suffix, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, -1, -2])
@pytest.mark.parametrize("suffix", ["jpeg", "png", "bmp", "webp"])
def test_a_file_cut_short_is_named(pets: Path, suffix: str, keep: float) -> None:
    data = encoded(suffix)
    data = data[: int(keep)] if keep < 0 else data[: int(keep * len(data))]
    (pets / "train" / "dog" / f"cut.{suffix}").write_bytes(data)
    says = rf"cannot read .*dog.cut\.{suffix} \({len(data)} bytes\): it is damaged, cut short"
    with pytest.raises(ValueError, match=says):
        read_folder(pets, "train")


def test_a_file_that_is_no_image_is_named(pets: Path) -> None:
    (pets / "train" / "dog" / "1.png").write_text("<html>not found</html>")
    with pytest.raises(ValueError, match=r"cannot read .*dog.1\.png"):
        read_folder(pets, "train")


def test_of_several_damaged_files_the_first_is_named(pets: Path) -> None:
    for i in range(100):
        save(pets / "train" / "cat" / f"more{i:03}.png", noise())
    for name in ("more040", "more097", "more090"):
        (pets / "train" / "cat" / f"{name}.png").write_bytes(b"damaged")
    for _ in range(5):
        with pytest.raises(ValueError, match="more040"):
            read_folder(pets, "train")


@pytest.fixture
def lenient_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV before 4.12: where a JPEG is cut short, the rest is grey and nothing is said."""
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.full((32, 32, 3), 128, np.uint8))


@pytest.mark.usefixtures("lenient_decoder")
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("thumbnail", [False, True])
def test_a_cut_jpeg_is_found_whatever_the_decoder_says(
    tmp_path: Path, thumbnail: bool, progressive: bool
) -> None:
    data = encoded("jpeg", progressive=progressive)
    if thumbnail:  # a whole JPEG, with an end of its own, in a segment before the picture
        small = b"Exif\0\0" + encoded("jpeg")
        data = data[:2] + b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small + data[2:]
    file = tmp_path / "train" / "x" / "a.jpg"
    file.parent.mkdir(parents=True)
    for whole in (data, data + b"appended by the camera", data[:2] + b"\xff" + data[2:]):
        file.write_bytes(whole)
        only(tmp_path)
    for keep in (10, len(data) // 2, len(data) - 2, len(data) - 1):
        file.write_bytes(data[:keep])
        with pytest.raises(ValueError, match="cut short"):
            only(tmp_path)


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
