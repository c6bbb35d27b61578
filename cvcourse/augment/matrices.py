"""Every geometric operation is a 3 × 3 matrix; images, boxes and points follow it.

A matrix maps a point (x, y, 1) of the input to its place in the output. Coordinates are in pixels
and continuous: the frame is [0, W] × [0, H], x to the right, y down, and pixel (row i, column j)
covers [j, j + 1] × [i, i + 1]. A product of matrices is the operations one after the other, the
right-hand one first, and still one resampling.

A parameter is a number, which gives a (3, 3) array for `geometry`, or a (B,) tensor, which gives
(B, 3, 3) on the same device for `batch_geometry`. Directions are torchvision's.

>>> from cvcourse.augment import matrices
>>> size = (32, 32)
>>> both = matrices.translation(0.25, 0, size) @ matrices.rotation(90, size)
>>> both.round().astype(int).tolist()
[[0, 1, 8], [-1, 0, 32], [0, 0, 1]]
"""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from cvcourse.checks import Scalar, check_finite, check_integers, check_range, checked

#: Height and width in pixels, 1 to 32767: OpenCV's largest.
Size = Annotated[
    tuple[int, int],
    partial(check_integers, n=2, low=1, high=32767, meaning="height and width in pixels"),
]
Array = TypeVar("Array", np.ndarray, Tensor)
Angle = Annotated[Scalar, partial(check_range, low=-360, high=360, meaning="degrees")]
Shift = Annotated[Scalar, partial(check_range, low=-1, high=1, meaning="a fraction of the side")]
Lean = Annotated[Scalar, partial(check_range, low=-80, high=80, meaning="degrees")]
Zoom = Annotated[Scalar, partial(check_range, low=0.1, high=10, meaning="times the size")]
_Edge = Annotated[Scalar, partial(check_range, low=-math.inf, high=math.inf, meaning="pixels")]


@checked
def rotation(degrees: Angle, size: Size) -> Any:
    """Turn counter-clockwise about the centre by −360° to 360°.

    >>> from cvcourse.augment import matrices
    >>> matrices.rotation(90, (2, 2)).round().astype(int).tolist()
    [[0, 1, 0], [-1, 0, 2], [0, 0, 1]]

    Args:
        degrees: a number, or (B,) float.
        size: height and width in pixels.

    Returns:
        (3, 3) float64, or (B, 3, 3).
    """
    library, angle = trigonometry(degrees), degrees * (math.pi / 180)
    cos, sin = library.cos(angle), library.sin(angle)
    return about_centre(cos, sin, -sin, cos, size)


@checked
def translation(x: Shift, y: Shift, size: Size) -> Any:
    """Move right by x and down by y, each −1 to 1 of the image's own width or height.

    >>> from cvcourse.augment import matrices
    >>> matrices.translation(0.5, 0, (2, 4)).tolist()  # half of a width of 4
    [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

    Args:
        x: a number, or (B,) float, as a fraction of the width.
        y: the same, of the height.
        size: height and width in pixels.

    Returns:
        (3, 3) float64, or (B, 3, 3).
    """
    return _matrix(1, 0, x * size[1], 0, 1, y * size[0])


@checked
def shear(x: Lean, y: Lean, size: Size) -> Any:
    """Slant about the centre: lean verticals by x and then horizontals by y, −80° to 80°.

    With x > 0 what lies above the centre moves right; with y > 0 what lies left of it moves down.

    >>> from cvcourse.augment import matrices
    >>> matrices.shear(45, 0, (2, 2)).round().astype(int).tolist()
    [[1, -1, 1], [0, 1, 0], [0, 0, 1]]

    Args:
        x: degrees; a number, or (B,) float.
        y: the same.
        size: height and width in pixels.

    Returns:
        (3, 3) float64, or (B, 3, 3).
    """
    slope_x, slope_y = (trigonometry(lean).tan(lean * (math.pi / 180)) for lean in (x, y))
    return about_centre(1, -slope_x, -slope_y, 1 + slope_x * slope_y, size)


@checked
def scaling(factor: Zoom, size: Size) -> Any:
    """Enlarge about the centre, 0.1 to 10; below 1: shrink.

    >>> from cvcourse.augment import matrices
    >>> matrices.scaling(2, (4, 4)).tolist()
    [[2.0, 0.0, -2.0], [0.0, 2.0, -2.0], [0.0, 0.0, 1.0]]

    Args:
        factor: a number, or (B,) float.
        size: height and width in pixels.

    Returns:
        (3, 3) float64, or (B, 3, 3).
    """
    return about_centre(factor, 0, 0, factor, size)


def about_centre(a: Scalar, b: Scalar, c: Scalar, d: Scalar, size: Size) -> Any:
    """The linear map ((a, b), (c, d)) with the frame's centre as its fixed point.

    >>> from cvcourse.augment import matrices
    >>> matrices.about_centre(0, 1, 1, 0, (2, 4)).tolist()  # x and y change places
    [[0.0, 1.0, 1.0], [1.0, 0.0, -1.0], [0.0, 0.0, 1.0]]

    Args:
        a: a number, or a float tensor of any shape (...), like b, c and d.
        b: the same.
        c: the same.
        d: the same.
        size: height and width in pixels.

    Returns:
        (3, 3) float64, or (..., 3, 3).
    """
    x, y = size[1] / 2, size[0] / 2
    return _matrix(a, b, x - a * x - b * y, c, d, y - c * x - d * y)


@checked
def mirror(size: Size, *, vertical: bool = False) -> np.ndarray:
    """Swap left and right, or top and bottom.

    >>> from cvcourse.augment import matrices
    >>> matrices.mirror((4, 4)).tolist()
    [[-1.0, 0.0, 4.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

    Args:
        size: height and width in pixels.
        vertical: top and bottom instead of left and right.

    Returns:
        (3, 3) float64.
    """
    height, width = size
    return _matrix(1, 0, 0, 0, -1, height) if vertical else _matrix(-1, 0, width, 0, 1, 0)


@checked
def window(box: tuple[_Edge, _Edge, _Edge, _Edge], size: Size) -> Any:
    """Bring the box x0, y0, x1, y1 (pixels of the input) to fill an output of `size`.

    >>> from cvcourse.augment import matrices
    >>> matrices.window((2, 0, 4, 2), (4, 4)).tolist()
    [[2.0, 0.0, -4.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]

    Args:
        box: four numbers, or four (B,) float; x0 < x1 and y0 < y1.
        size: height and width of the output in pixels.

    Returns:
        (3, 3) float64, or (B, 3, 3).
    """
    x0, y0, x1, y1 = box
    for side in (x1 - x0, y1 - y0):
        check_range("a side of the box", side, 1e-6, math.inf, "pixels")
    across, down = size[1] / (x1 - x0), size[0] / (y1 - y0)
    return _matrix(across, 0, (0 - x0) * across, 0, down, (0 - y0) * down)


@checked
def perspective(corners: np.ndarray | Tensor, size: Size) -> Any:
    """Bring the frame's corners to new places: the only operation here that bends parallels.

    Heckbert (1989), Fundamentals of Texture Mapping and Image Warping, section 2.2.3.

    >>> import numpy as np
    >>> from cvcourse.augment import matrices
    >>> corners = np.array([(0.25, 0), (0.75, 0), (1, 1), (0, 1)])  # a trapezium
    >>> matrix = matrices.perspective(corners, (4, 4))
    >>> matrices.warp_keypoints(np.array([[4.0, 0.0]]), matrix).round(3).tolist()
    [[3.0, 0.0]]

    Args:
        corners: (4, 2), or (B, 4, 2): x, y of the top left, top right, bottom right and bottom
            left corner, as fractions of the sides; (0, 0), (1, 0), (1, 1), (0, 1) change nothing.
        size: of the image.

    Returns:
        (3, 3) float64, or (B, 3, 3).

    Raises:
        ValueError: the corners are not those of a convex quadrilateral, in this order, or lie
            outside −1 to 2.
    """
    at: Any = check_finite("corners", corners, 4, 2)
    if isinstance(corners, np.ndarray) and corners.ndim > 2:
        raise ValueError(f"corners have shape {corners.shape}; expected (4, 2), or a tensor")
    after, before = at[..., [1, 2, 3, 0], :] - at, at[..., [3, 0, 1, 2], :] - at
    turns = after[..., 0] * before[..., 1] - before[..., 0] * after[..., 1]  # (..., 4)
    if not bool(((at >= -1) & (at <= 2)).all() and (turns > 1e-6).all()):
        raise ValueError(
            f"corners are {corners.tolist()}; expected a convex quadrilateral from the top left "
            "corner clockwise, in fractions from -1 to 2"
        )
    x0, x1, x2, x3 = (at[..., i, 0] for i in range(4))
    y0, y1, y2, y3 = (at[..., i, 1] for i in range(4))
    skew_x, skew_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    area = turns[..., 2]  # of the parallelogram at the corner opposite the first
    g = ((x3 - x2) * skew_y - skew_x * (y3 - y2)) / area
    h = (skew_x * (y1 - y2) - (x1 - x2) * skew_y) / area
    height, width = size
    return _matrix(
        x1 - x0 + g * x1,
        (x3 - x0 + h * x3) * (width / height),
        x0 * width,
        (y1 - y0 + g * y1) * (height / width),
        y3 - y0 + h * y3,
        y0 * height,
        g / width,
        h / height,
    )


def warp_keypoints(points: Array, matrix: Array) -> Array:
    """Where points go.

    >>> import numpy as np
    >>> from cvcourse.augment import matrices
    >>> points = np.array([[0.0, 0.0], [2.0, 1.0]])
    >>> matrices.warp_keypoints(points, matrices.translation(0.5, 0, (4, 4))).tolist()
    [[2.0, 0.0], [4.0, 1.0]]

    Args:
        points: (N, 2), or (B, N, 2), float: x and y in pixels.
        matrix: (3, 3), or (B, 3, 3).

    Returns:
        The points' new places, same shape; they may lie outside the frame.

    Raises:
        TypeError: the points or the matrix are no array of real numbers.
        ValueError: they have another shape, are not finite, or a point goes to infinity.
    """
    points, matrix = check_finite("points", points, 2), check_finite("matrix", matrix, 3, 3)
    if isinstance(points, Tensor) != isinstance(matrix, Tensor):
        raise TypeError("one of points and matrix is a tensor; expected both, or both NumPy arrays")
    if isinstance(points, Tensor) and points.dtype != matrix.dtype:
        raise TypeError(f"points are {points.dtype} and matrix {matrix.dtype}; expected one dtype")
    linear, offset = matrix[..., :2].swapaxes(-1, -2), matrix[..., None, :, 2]
    moved = points @ linear + offset  # (..., N, 3)
    if (moved[..., 2] == 0).any():
        raise ValueError("matrix brings points to infinity; expected an invertible one")
    return moved[..., :2] / moved[..., 2:]


@checked
def warp_boxes(boxes: Array, matrix: Array, size: Size) -> Array:
    """The upright hull of each box after the operation, clipped to the frame.

    >>> import numpy as np
    >>> from cvcourse.augment import matrices
    >>> boxes = np.array([[1.0, 1.0, 3.0, 2.0]])
    >>> matrices.warp_boxes(boxes, matrices.rotation(90, (4, 4)), (4, 4)).round(3).tolist()
    [[1.0, 1.0, 2.0, 3.0]]

    Args:
        boxes: (N, 4), or (B, N, 4), float: x0, y0, x1, y1 in pixels.
        matrix: (3, 3), or (B, 3, 3).
        size: of the output.

    Returns:
        The same shape; (0, 0, 0, 0) for a box of which nothing is left.
    """
    boxes = check_finite("boxes", boxes, 4)
    corners = boxes[..., [0, 1, 2, 1, 2, 3, 0, 3]].reshape(*boxes.shape[:-2], -1, 2)
    moved = warp_keypoints(corners, matrix).reshape(*boxes.shape[:-1], 4, 2)
    maths: Any = torch if isinstance(moved, Tensor) else np
    height, width = size
    x, y = moved[..., 0].clip(0, width), moved[..., 1].clip(0, height)  # (..., N, 4)
    hull = maths.stack(
        [maths.amin(x, -1), maths.amin(y, -1), maths.amax(x, -1), maths.amax(y, -1)], -1
    )
    seen = (hull[..., 2] > hull[..., 0]) & (hull[..., 3] > hull[..., 1])
    return hull * seen[..., None]


def trigonometry(value: Scalar) -> Any:
    """The library of sine and cosine for a number, or for a tensor."""
    return torch if isinstance(value, Tensor) else math


def _matrix(*entries: Scalar) -> Any:
    """Row by row: six entries, or eight with a perspective's g and h."""
    nine = [*entries, *(0.0, 0.0, 1.0)[len(entries) - 6 :]]
    like = next((entry for entry in entries if isinstance(entry, Tensor)), None)
    if like is None:
        return np.array(nine, dtype=np.float64).reshape(3, 3)
    rows = [e if isinstance(e, Tensor) else like.new_full(like.shape, e) for e in nine]
    return torch.stack(torch.broadcast_tensors(*rows), dim=-1).unflatten(-1, (3, 3))
