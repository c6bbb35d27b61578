"""One picture file as a small square: looked at first, decoded, and refused where it is damaged."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Formats of bytes; OpenCV's readers of floats (.hdr, .pfm, …) know no common scale.
_NAMES = (
    *("a.avif", "a.bmp", "a.dib", "a.gif", "a.jp2", "a.jpe", "a.jpeg", "a.jpg", "a.pbm", "a.pgm"),
    *("a.png", "a.pnm", "a.ppm", "a.ras", "a.sr", "a.tif", "a.tiff", "a.webp"),
)
SUFFIXES = (
    *(Path(name).suffix for name in _NAMES if cv2.haveImageWriter(name)),  # as OpenCV was built
    *(".apng", ".jfif", ".mpo"),  # PNG and JPEG by other names
)  #: of picture files, in either case
MOST = 89_478_485  #: pixels of a picture; Pillow's bound as well
LARGE = 1 << 24  #: pixels, or bytes of a file, from which on pictures are decoded one at a time
_FRAMES = {bytes([marker]) for marker in range(0xC0, 0xD0)} - {b"\xc4", b"\xc8", b"\xcc"}
_DAMAGE = re.compile(rb"Corrupt JPEG data|\[ERROR|libpng error")  # in what decoders write

_large_ones = threading.RLock()
_listeners = threading.Lock()


def read_square(file: Path, size: int) -> NDArray[np.uint8]:
    """The central square of a picture, (3, size, size) RGB.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no picture, damaged, or too large.
    """
    length = file.stat().st_size
    if length > 4 * MOST:
        raise _too_large(file, f"is {length:,} bytes long", 4 * MOST)
    with _large_ones if length > LARGE else nullcontext():
        data = file.read_bytes()
        if data.startswith(b"\xff\xd8"):
            pixels, whole = _look_at_jpeg(data)
        else:
            pixels, whole = _pixels(data), True
        if pixels > MOST:
            raise _too_large(file, f"has {pixels:,} pixels", MOST)
        if not whole:
            raise _damaged(file, length)
        with _large_ones if pixels > LARGE else nullcontext():
            return _square(_decode(file, data), size)[..., ::-1].transpose(2, 0, 1)


def check_all(files: list[Path]) -> None:
    """Decode one after the other, and refuse the first that a decoder complains of.

    Raises:
        ValueError: naming that file.
    """
    for file in files:
        with listening() as decoders:
            _decode(file, file.read_bytes())
        if decoders.complained:
            raise _damaged(file, file.stat().st_size)


@dataclass
class Decoders:
    """Whether they complained of damage, and where a bar is shown meanwhile."""

    terminal: TextIO | None = None
    complained: bool = False


@contextmanager
def listening() -> Iterator[Decoders]:
    """Hear what decoders write to standard error, which is all that some do about damage.

    Where a JPEG is damaged, libjpeg fills the rest with grey, writes a line, and returns as if all
    were well. What is written by others is passed on at the end.
    """
    decoders = Decoders()
    with _listeners, TemporaryFile() as said:
        try:
            real = os.dup(2)
        except OSError:  # there is no standard error, and nothing to hear
            yield decoders
            return
        with open(real, "w", encoding="utf-8", errors="replace") as terminal:
            if sys.stderr is sys.__stderr__:
                decoders.terminal = terminal
            os.dup2(said.fileno(), 2)
            try:
                yield decoders
            finally:
                os.dup2(real, 2)
        said.seek(0)
        for line in said:
            if _DAMAGE.search(line):
                decoders.complained = True
            else:
                os.write(2, line)


def _decode(file: Path, data: bytes) -> NDArray:
    """The picture (H, W, 3) uint8, BGR."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # an empty file
        picture = None
    if picture is None:
        raise _damaged(file, len(data))
    return picture


def _damaged(file: Path, length: int) -> ValueError:
    return ValueError(
        f"cannot read {file} ({length} bytes): it is damaged, cut short or no image; "
        "replace or remove it"
    )


def _too_large(file: Path, what: str, most: int) -> ValueError:
    return ValueError(f"{file} {what}; expected at most {most:,} — make it smaller or remove it")


def _pixels(data: bytes) -> int:
    """How many a picture has, by its header; 0 where that says nothing."""
    if data.startswith(b"\x89PNG"):
        return _number(data[16:20]) * _number(data[20:24])
    try:
        with Image.open(BytesIO(data)) as picture:
            return picture.width * picture.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return MOST + 1
    except Exception:  # whatever a damaged header gives: the decoder will say so
        return 0


def _look_at_jpeg(data: bytes) -> tuple[int, bool]:
    """How many pixels it has, and whether it has an end.

    OpenCV before 4.12 fills what is missing with grey.
    """
    pixels, at = 0, 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":  # up to start of scan
        marker = data[at + 1 : at + 2]
        if marker in _FRAMES:
            pixels = _number(data[at + 5 : at + 7]) * _number(data[at + 7 : at + 9])
        at += (
            1 if marker == b"\xff" else 2 + _number(data[at + 2 : at + 4])
        )  # padding, or a segment
    return pixels, data.find(b"\xff\xd9", at) >= 0


def _number(digits: bytes) -> int:
    return int.from_bytes(digits, "big")


def _square(picture: NDArray, size: int) -> NDArray:
    """The central square of a picture (H, W, 3) uint8, as (size, size, 3) uint8."""
    height, width = picture.shape[:2]
    edge = min(height, width)
    y, x = (height - edge) // 2, (width - edge) // 2
    square = picture[y : y + edge, x : x + edge]
    method = cv2.INTER_AREA if edge > size else cv2.INTER_LINEAR  # either copies when equal
    return cv2.resize(square, (size, size), interpolation=method)
