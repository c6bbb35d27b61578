"""Damaged pictures are named, never read as grey; large ones are refused, or read one at a time."""

import io
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from cvcourse.data import folder as folder_module
from cvcourse.data import read_folder
from cvcourse.data.decode import LARGE, MOST, listening

rng = np.random.default_rng(0)
SMOOTH = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (160, 120))
DETAILED = np.clip(SMOOTH + rng.normal(0, 10, SMOOTH.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One class in one split, without a picture."""
    (tmp_path / "train" / "x").mkdir(parents=True)
    return tmp_path


def encoded(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(DETAILED).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, -1, -2])
@pytest.mark.parametrize("suffix", ["jpeg", "png", "bmp", "webp", "gif", "tiff", "ppm"])
def test_a_file_cut_short_is_named(folder: Path, suffix: str, keep: float) -> None:
    data = encoded(suffix)
    data = data[: int(keep)] if keep < 0 else data[: int(keep * len(data))]
    (folder / "train" / "x" / f"cut.{suffix}").write_bytes(data)
    says = rf"cannot read .*x.cut\.{suffix} \({len(data)} bytes\): it is damaged, cut short"
    with pytest.raises(ValueError, match=says):
        read_folder(folder, "train")


def test_a_file_that_is_no_image_is_named(folder: Path) -> None:
    (folder / "train" / "x" / "1.png").write_text("<html>not found</html>")
    with pytest.raises(ValueError, match=r"cannot read .*x.1\.png"):
        read_folder(folder, "train")


def test_of_several_damaged_files_the_first_is_named(folder: Path) -> None:
    for i in range(100):
        (folder / "train" / "x" / f"more{i:03}.png").write_bytes(encoded("png"))
    for name in ("more040", "more097", "more090"):
        (folder / "train" / "x" / f"{name}.png").write_bytes(b"damaged")
    for _ in range(5):
        with pytest.raises(ValueError, match="more040"):
            read_folder(folder, "train")


@pytest.fixture
def lenient_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV before 4.12: where a JPEG is cut short, the rest is grey and nothing is said."""
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.full((32, 32, 3), 128, np.uint8))


@pytest.mark.usefixtures("lenient_decoder")
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("thumbnail", [False, True])
def test_a_cut_jpeg_is_found_whatever_the_decoder_says(
    folder: Path, thumbnail: bool, progressive: bool
) -> None:
    data = encoded("jpeg", progressive=progressive)
    if thumbnail:  # a whole JPEG, with an end of its own, in a segment before the picture
        small = b"Exif\0\0" + encoded("jpeg")
        data = data[:2] + b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small + data[2:]
    file = folder / "train" / "x" / "a.jpg"
    for whole in (data, data + b"appended by the camera", data[:2] + b"\xff" + data[2:]):
        file.write_bytes(whole)
        read_folder(folder, "train")
    for keep in (10, len(data) // 2, len(data) - 2, len(data) - 1):
        file.write_bytes(data[:keep])
        with pytest.raises(ValueError, match="cut short"):
            read_folder(folder, "train")


ways = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
}


@pytest.mark.parametrize("way", ways)
@pytest.mark.parametrize("damage", ["zeros", "ones", "noise", "hole", "end too early"])
def test_a_jpeg_damaged_in_the_middle_is_named(folder: Path, way: str, damage: str) -> None:
    """The decoder returns a picture, grey below, and writes a line to standard error."""
    data = encoded("jpeg", **ways[way])
    at = len(data) // 2
    if damage == "end too early":
        broken = data[:at] + b"\xff\xd9"
    else:
        bodies = {"zeros": bytes(400), "ones": b"\xff" * 400, "noise": rng.bytes(400), "hole": b""}
        broken = data[:at] + bodies[damage] + data[at + 400 :]
    for i in range(5):
        (folder / "train" / "x" / f"{i}.jpg").write_bytes(broken if i == 3 else data)
    with pytest.raises(ValueError, match=r"cannot read .*x.3\.jpg .*it is damaged"):
        read_folder(folder, "train")
    (folder / "train" / "x" / "3.jpg").write_bytes(data)
    assert len(read_folder(folder, "train")) == 5


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_so_is_another_file_that_its_decoder_complains_of(folder: Path, compression: str) -> None:
    data = encoded("tiff", compression=compression)
    at = len(data) // 2
    broken = data[:at] + b"\xff" * 400 + data[at + 400 :]
    (folder / "train" / "x" / "a.tif").write_bytes(broken)
    with pytest.raises(ValueError, match=r"cannot read .*a\.tif"):
        read_folder(folder, "train")


def test_what_others_write_meanwhile_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with listening() as decoders:
        os.write(2, b"libpng warning: iCCP: known incorrect sRGB profile\nhello\n")
        assert capfd.readouterr().err == ""
    assert not decoders.complained
    assert capfd.readouterr().err.splitlines()[1] == "hello"
    with listening() as decoders:
        os.write(2, b"Corrupt JPEG data: premature end of data segment\nhello\n")
    assert decoders.complained
    assert capfd.readouterr().err == "hello\n"


def test_the_ear_is_taken_away_whatever_happens(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), listening():
        raise ZeroDivisionError
    os.write(2, b"hello\n")
    assert capfd.readouterr().err == "hello\n"


def test_a_process_without_standard_error_reads_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_: int) -> int:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    (folder / "train" / "x" / "a.jpg").write_bytes(encoded("jpeg"))
    assert len(read_folder(folder, "train")) == 1


# ---------------------------------------------------------------- large ones


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and ends there."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
    )


def jpeg_header(width: int, height: int) -> bytes:
    data = encoded("jpeg")
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def gif_header(width: int, height: int) -> bytes:
    data = encoded("gif")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


@pytest.mark.parametrize("side", [9_460, 30_000])
@pytest.mark.parametrize("make", [png_header, jpeg_header, gif_header])
def test_a_bomb_is_refused_by_its_header(
    folder: Path, make: Any, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imdecode", None)  # never asked
    (folder / "train" / "x" / "a.png").write_bytes(make(side, side))
    with pytest.raises(ValueError, match=r"a\.png has .* pixels; expected at most 89,478,485"):
        read_folder(folder, "train")


def test_a_file_as_long_as_no_picture_is_not_even_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", None)
    with (folder / "train" / "x" / "a.bmp").open("wb") as file:
        file.truncate(1 << 40)  # of holes: it takes no place on the disk
    with pytest.raises(
        ValueError, match=r"a\.bmp is 1,099,511,627,776 bytes long; expected at most"
    ):
        read_folder(folder, "train")


@pytest.mark.parametrize(("height", "large"), [(5000, True), (3000, False)])
def test_large_pictures_are_decoded_one_at_a_time(
    folder: Path, height: int, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that memory is bounded by one of them, not by one a thread."""
    assert (5000 * height > LARGE) == large
    assert 5000 * height < MOST
    two, met = threading.Barrier(2), []

    def imdecode(*_: Any) -> np.ndarray:
        try:
            two.wait(0.3 if large else 30)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)
        return SMOOTH

    monkeypatch.setattr(cv2, "imdecode", imdecode)
    monkeypatch.setattr(folder_module, "_BATCH", 1)
    for i in range(8):
        (folder / "train" / "x" / f"{i}.png").write_bytes(png_header(5000, height))
    read_folder(folder, "train")
    assert met == [not large] * 8
