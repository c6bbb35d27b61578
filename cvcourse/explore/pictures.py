"""Pictures inside a page: photographs that ship with the package, and the reader's own."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cvcourse.data import ImageSet

_FOLDER = Path(__file__).parent / "photographs"


def photograph(name: str) -> str:
    """A photograph that ships with the package, as a data URI; the same bytes everywhere."""
    return _uri((_FOLDER / f"{name}.jpg").read_bytes(), "jpeg")


def grey_photograph(name: str) -> NDArray[np.uint8]:
    """A grey photograph that ships with the package, (H, W); the same pixels everywhere."""
    pixels = cv2.imread(str(_FOLDER / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def check_picture(name: str, picture: Any, *shape: int) -> None:
    """An array of bytes of this shape, in which 0 stands for any number of pixels."""
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        found = picture.dtype if isinstance(picture, np.ndarray) else type(picture).__name__
        raise TypeError(f"{name} is {found}; expected a NumPy array of uint8")
    fits = picture.ndim == len(shape) and all(
        n > 0 and wanted in (0, n) for wanted, n in zip(shape, picture.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(str(n or "any") for n in shape)
        raise ValueError(f"{name} has shape {picture.shape}; expected ({wanted})")


def check_small_pictures(pictures: ImageSet) -> tuple[int, ...]:
    """That a page can hold these, 1 to 10 square ones; the shape of each, (3, S, S).

    Raises:
        ValueError: it cannot; with what they are.
    """
    n, *shape = pictures.images.shape
    if not (1 <= n <= 10 and shape[0] == 3 and 8 <= shape[1] == shape[2] <= 64):
        raise ValueError(
            f"pictures have shape {(n, *shape)}; expected (1 to 10, 3, S, S), S 8 to 64"
        )
    return tuple(shape)


def data_uri(picture: NDArray[np.uint8], *, quality: int = 82) -> str:
    """A picture of one's own as a data URI.

    Args:
        picture: (H, W, 3) uint8 RGB.
        quality: of the JPEG, 1 to 100.
    """
    check_picture("picture", picture, 0, 0, 3)
    bgr = np.ascontiguousarray(picture[..., ::-1])
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _uri(jpeg.tobytes(), "jpeg")


def exact_uri(picture: NDArray[np.uint8]) -> str:
    """A small (H, W, 3) RGB picture as a data URI, unchanged and uncompressed."""
    _, bitmap = cv2.imencode(".bmp", np.ascontiguousarray(picture[..., ::-1]))
    return _uri(bitmap.tobytes(), "bmp")


def lossless_uri(picture: NDArray[np.uint8]) -> str:
    """A large (H, W, 3) RGB picture as a data URI, unchanged, in a PNG."""
    _, png = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    return _uri(png.tobytes(), "png")


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
