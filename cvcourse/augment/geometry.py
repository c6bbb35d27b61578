"""Geometry on one image: (H, W) or (H, W, C) uint8 in, a new array of the same dtype out.

Each operation is its matrix (see `matrices`) given to `warp`; give the same matrix to `warp_mask`,
`warp_boxes` and `warp_keypoints`, and the annotations go along. Resampling is bilinear; what lies
outside the input is `fill`. OpenCV 5 places pixels exactly, OpenCV 4 to 1/32 of a pixel: a few
levels off where neighbours differ most.

>>> import numpy as np
>>> from cvcourse.augment import geometry, matrices
>>> image = np.arange(6, dtype=np.uint8).reshape(2, 3)
>>> turned_and_moved = matrices.translation(0.5, 0, (2, 3)) @ matrices.rotation(180, (2, 3))
>>> geometry.warp(image, turned_and_moved).shape
(2, 3)
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cvcourse.augment import matrices
from cvcourse.augment.matrices import Size
from cvcourse.checks import Grey, Image, check_array, check_image, check_integers, checked


def _check_matrix(name: str, value: Any, shape: tuple[int, int] = (3, 3)) -> NDArray[np.float64]:
    is_ready = isinstance(value, np.ndarray) and value.dtype == np.float64  # as most are
    numbers = value if is_ready else check_array(name, value)
    if numbers.shape != shape:
        raise ValueError(f"{name} has shape {numbers.shape}; expected {shape}")
    return numbers


Matrix = Annotated[np.ndarray, _check_matrix]  #: (3, 3), input to output; see `matrices`
#: x0, y0, x1, y1 in whole pixels, ends exclusive.
Box = Annotated[
    tuple[int, int, int, int], partial(check_integers, n=4, meaning="whole pixels x0, y0, x1, y1")
]


@checked
def warp(image: Image, matrix: Matrix, *, size: Size | None = None, fill: Grey = 0) -> Image:
    """Resample an image by a matrix, once.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry, matrices
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> geometry.warp(image, matrices.translation(0.5, 0, (2, 2)), fill=9).tolist()
    [[9, 1], [9, 3]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        matrix: (3, 3), input to output; a product of `matrices`.
        size: height and width of the output; those of the image when left out.
        fill: the level outside the input, 0 to 255.

    Returns:
        A new image of `size`.

    Raises:
        ValueError: the matrix is not 3 × 3, finite and invertible.
    """
    return _warp(image, matrix, size, fill, cv2.INTER_LINEAR)


@checked
def warp_mask(
    mask: np.ndarray, matrix: Matrix, *, size: Size | None = None, fill: Grey = 0
) -> np.ndarray:
    """Resample a mask of bool or uint8: the nearest pixel, so no new values but `fill`.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry, matrices
    >>> mask = np.array([[True, False], [False, True]])
    >>> geometry.warp_mask(mask, matrices.translation(0.5, 0, (2, 2))).tolist()
    [[False, True], [False, False]]

    Args:
        mask: (H, W) bool or uint8.
        matrix: (3, 3), input to output; see `matrices`.
        size: height and width of the output; those of the mask when left out.
        fill: what stands outside the input, 0 to 255.

    Returns:
        A new mask of `size` and the same dtype.
    """
    levels = check_image("mask", mask.view(np.uint8) if mask.dtype == np.bool_ else mask)
    return _warp(levels, matrix, size, fill, cv2.INTER_NEAREST).astype(mask.dtype, copy=False)


def rotate(image: Image, degrees: float, *, fill: int = 0) -> Image:
    """Turn counter-clockwise about the centre, −360° to 360°.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> geometry.rotate(image, 90).tolist()
    [[2, 4], [1, 3]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        degrees: −360 to 360.
        fill: the level outside the input, 0 to 255.
    """
    return warp(image, matrices.rotation(degrees, _size(image)), fill=fill)


def translate(image: Image, x: float, y: float, *, fill: int = 0) -> Image:
    """Move right by x and down by y, −1 to 1 of the sides; fractions of a pixel count.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> geometry.translate(image, 0.5, 0).tolist()
    [[0, 1], [0, 3]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        x: a fraction of the width, −1 to 1.
        y: a fraction of the height, −1 to 1.
        fill: the level outside the input, 0 to 255.
    """
    return warp(image, matrices.translation(x, y, _size(image)), fill=fill)


def shear(image: Image, x: float, y: float = 0.0, *, fill: int = 0) -> Image:
    """Lean verticals by x and horizontals by y, −80° to 80°.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> upright = np.array([[0, 9, 0]] * 3, np.uint8)
    >>> geometry.shear(upright, 45).tolist()  # the top moves right
    [[0, 0, 9], [0, 9, 0], [9, 0, 0]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        x: degrees, −80 to 80.
        y: degrees, −80 to 80.
        fill: the level outside the input, 0 to 255.
    """
    return warp(image, matrices.shear(x, y, _size(image)), fill=fill)


def scale(image: Image, factor: float, *, fill: int = 0) -> Image:
    """Enlarge about the centre, 0.1 to 10; the frame stays.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> geometry.scale(np.full((4, 4), 200, np.uint8), 0.5)[1].tolist()
    [0, 200, 200, 0]

    Args:
        image: (H, W) or (H, W, C) uint8.
        factor: 0.1 to 10; below 1: shrink.
        fill: the level outside the input, 0 to 255.
    """
    return warp(image, matrices.scaling(factor, _size(image)), fill=fill)


@checked
def affine(
    image: Image,
    matrix: Annotated[np.ndarray, partial(_check_matrix, shape=(2, 3))],
    *,
    fill: Grey = 0,
) -> Image:
    """Any affine map: a (2, 3) matrix from input to output, in pixels.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> geometry.affine(image, np.array([[1, 0, 1], [0, 1, 0]])).tolist()  # a pixel to the right
    [[0, 1], [0, 3]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        matrix: (2, 3), of a point (x, y, 1) in pixels.
        fill: the level outside the input, 0 to 255.
    """
    return warp(image, np.vstack([matrix, (0, 0, 1)]), fill=fill)


def perspective(image: Image, corners: np.ndarray, *, fill: int = 0) -> Image:
    """Bring the four corners to new places, as fractions of the sides; see `matrices`.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> corners = np.array([(1, 0), (1, 1), (0, 1), (0, 0)])  # a quarter turn
    >>> geometry.perspective(image, corners).tolist()
    [[3, 1], [4, 2]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        corners: (4, 2), x and y of the top left, top right, bottom right, bottom left, −1 to 2.
        fill: the level outside the input, 0 to 255.
    """
    return warp(image, matrices.perspective(corners, _size(image)), fill=fill)


@checked
def flip(image: Image, *, vertical: bool = False) -> Image:
    """Swap left and right, or top and bottom. Nothing is resampled.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> geometry.flip(image).tolist()
    [[2, 1], [4, 3]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        vertical: top and bottom instead of left and right.
    """
    return cv2.flip(image, 0 if vertical else 1).reshape(image.shape)


@checked
def crop(image: Image, box: Box) -> Image:
    """Cut out the box x0, y0, x1, y1, in whole pixels inside the image.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> geometry.crop(image, (1, 0, 2, 2)).tolist()
    [[2], [4]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        box: x0, y0, x1, y1 in whole pixels, ends exclusive.
    """
    x0, y0, x1, y1 = _check_box(box, image.shape[:2])
    return image[y0:y1, x0:x1].copy()


@checked
def resize_crop(image: Image, box: Box, size: Size) -> Image:
    """Cut out the box x0, y0, x1, y1, in whole pixels, and resize it to `size` (height, width).

    Bilinear, without smoothing where it shrinks. Annotations follow `matrices.window(box, size)`.

    >>> import numpy as np
    >>> from cvcourse.augment import geometry
    >>> image = np.array([[1, 2], [3, 4]], np.uint8)
    >>> geometry.resize_crop(image, (1, 0, 2, 2), (2, 3)).tolist()
    [[2, 2, 2], [4, 4, 4]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        box: x0, y0, x1, y1 in whole pixels, ends exclusive.
        size: height and width of the output in pixels.
    """
    x0, y0, x1, y1 = _check_box(box, image.shape[:2])
    height, width = size
    resized = cv2.resize(image[y0:y1, x0:x1], (width, height), interpolation=cv2.INTER_LINEAR)
    return resized.reshape(height, width, *image.shape[2:])


def _warp(
    image: Image, matrix: np.ndarray, size: Size | None, fill: int, interpolation: int
) -> Image:
    height, width = size or image.shape[:2]
    (a, b, x), (c, d, y), (g, h, w) = rows = matrix.tolist()
    determinant = a * (d * w - y * h) - b * (c * w - y * g) + x * (c * h - d * g)
    if not 1e-12 < abs(determinant) < float("inf"):  # also for NaN
        raise ValueError(f"matrix is {rows}; expected finite numbers and an invertible matrix")
    # OpenCV counts from pixel centres: conjugate with a shift by half a pixel.
    x, y, w = x + (a + b) / 2, y + (c + d) / 2, w + (g + h) / 2
    a, b, x = a - g / 2, b - h / 2, x - w / 2
    c, d, y = c - g / 2, d - h / 2, y - w / 2
    resample, rows = (
        (cv2.warpPerspective, [[a, b, x], [c, d, y], [g, h, w]])
        if g or h
        else (cv2.warpAffine, [[a / w, b / w, x / w], [c / w, d / w, y / w]])
    )
    moved = resample(
        image, np.array(rows), (width, height), flags=interpolation, borderValue=(fill,) * 4
    )
    return moved.reshape(height, width, *image.shape[2:])


def _size(image: Image) -> Size:
    height, width = check_image("image", image).shape[:2]
    return height, width


def _check_box(box: Box, size: Size) -> Box:
    x0, y0, x1, y1 = box
    height, width = size
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ValueError(
            f"box is {box}; expected x0 < x1 from 0 to {width} and y0 < y1 from 0 to {height}"
        )
    return box
