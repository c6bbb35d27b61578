"""Geometry on a batch, on any device: every image its own parameters, one resampling for all.

The operations and their parameters are those of `geometry`; a parameter is a number for all images
or a (B,) tensor on their device. To do several, multiply their `matrices` and `warp` once.

>>> import torch
>>> from cvcourse.augment import batch_geometry
>>> images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
>>> batch_geometry.rotate(images, torch.tensor([-15.0, 30.0])).shape
torch.Size([2, 3, 8, 8])
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.augment import matrices
from cvcourse.augment.chunks import by_chunks
from cvcourse.augment.matrices import Angle, Lean, Shift, Size, Zoom
from cvcourse.checks import Grey, Images, Scalar, check_finite, check_range, checked


@checked
def warp(
    images: Images, matrix: Tensor, *, size: Size | None = None, fill: Grey | Literal["edge"] = 0
) -> Tensor:
    """Resample a batch by matrices, once.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry, matrices
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> matrix = matrices.translation(torch.tensor([0.0, 0.5]), torch.zeros(2), (2, 2))
    >>> batch_geometry.warp(images, matrix, fill=9).tolist()
    [[[[1, 2], [3, 4]]], [[[9, 1], [9, 3]]]]

    Args:
        images: (B, C, H, W) uint8.
        matrix: (B, 3, 3) float on the same device, input to output; see `matrices`.
        size: height and width of the output; those of the images when left out.
        fill: the level outside the input, 0 to 255; or "edge": its outermost pixels go on.

    Returns:
        (B, C, *size) uint8, new. Bilinear, rounded.

    Raises:
        ValueError: the matrices do not fit the batch, or are not finite.
        torch.linalg.LinAlgError: a matrix cannot be inverted.
    """
    return resample(images, _inverse(images, matrix), size or _size(images), fill)


@checked
def warp_masks(masks: Tensor, matrix: Tensor, *, size: Size | None = None) -> Tensor:
    """Resample (B, H, W) masks of bool or uint8: the nearest pixel; 0 outside.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry, matrices
    >>> masks = torch.tensor([[[True, False], [False, True]]])
    >>> matrix = matrices.translation(torch.tensor([0.5]), torch.zeros(1), (2, 2))
    >>> batch_geometry.warp_masks(masks, matrix).tolist()
    [[[False, True], [False, False]]]

    Args:
        masks: (B, H, W) bool or uint8.
        matrix: (B, 3, 3) float on the same device.
        size: height and width of the output; those of the masks when left out.

    Returns:
        (B, *size), of the masks' dtype.
    """
    if masks.dtype not in (torch.bool, torch.uint8) or masks.ndim != 3 or 0 in masks.shape[1:]:
        found = f"{tuple(masks.shape)} {masks.dtype}"
        raise ValueError(f"masks are {found}; expected (B, H, W) torch.bool or torch.uint8")
    levels = masks.unsqueeze(1).to(torch.uint8)
    moved = resample(levels, _inverse(masks, matrix), size or _size(levels), 0, "nearest")
    return moved.squeeze(1).to(masks.dtype)


@checked
def rotate(images: Images, degrees: Angle, *, fill: Grey = 0) -> Tensor:
    """Turn counter-clockwise about the centre, −360° to 360°.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> batch_geometry.rotate(images, torch.tensor([0.0, 90.0])).tolist()
    [[[[1, 2], [3, 4]]], [[[2, 4], [1, 3]]]]

    Args:
        images: (B, C, H, W) uint8.
        degrees: a number for all images, or (B,) float on their device, −360 to 360.
        fill: the level outside the input, 0 to 255.
    """
    matrix = matrices.rotation(each(images, degrees), _size(images))
    return warp(images, matrix, fill=fill)


@checked
def translate(images: Images, x: Shift, y: Shift, *, fill: Grey = 0) -> Tensor:
    """Move right by x and down by y, −1 to 1 of the sides; fractions of a pixel count.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> batch_geometry.translate(images, torch.tensor([0.0, 0.5]), 0).tolist()
    [[[[1, 2], [3, 4]]], [[[0, 1], [0, 3]]]]

    Args:
        images: (B, C, H, W) uint8.
        x: a number for all images, or (B,) float on their device, −1 to 1.
        y: the same, down.
        fill: the level outside the input, 0 to 255.
    """
    matrix = matrices.translation(each(images, x), each(images, y), _size(images))
    return warp(images, matrix, fill=fill)


@checked
def shear(images: Images, x: Lean, y: Lean = 0.0, *, fill: Grey = 0) -> Tensor:
    """Lean verticals by x and horizontals by y, −80° to 80°.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> upright = torch.tensor([[0, 9, 0]] * 3, dtype=torch.uint8).expand(1, 1, 3, 3)
    >>> batch_geometry.shear(upright, 45)[0, 0].tolist()
    [[0, 0, 9], [0, 9, 0], [9, 0, 0]]

    Args:
        images: (B, C, H, W) uint8.
        x: a number for all images, or (B,) float on their device, −80 to 80 degrees.
        y: the same.
        fill: the level outside the input, 0 to 255.
    """
    matrix = matrices.shear(each(images, x), each(images, y), _size(images))
    return warp(images, matrix, fill=fill)


@checked
def scale(images: Images, factor: Zoom, *, fill: Grey = 0) -> Tensor:
    """Enlarge about the centre, 0.1 to 10; the frame stays.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> white = torch.full((1, 1, 4, 4), 200, dtype=torch.uint8)
    >>> batch_geometry.scale(white, 0.5)[0, 0, 1].tolist()
    [0, 200, 200, 0]

    Args:
        images: (B, C, H, W) uint8.
        factor: a number for all images, or (B,) float on their device, 0.1 to 10.
        fill: the level outside the input, 0 to 255.
    """
    return warp(images, matrices.scaling(each(images, factor), _size(images)), fill=fill)


@checked
def affine(images: Images, matrix: Tensor, *, fill: Grey = 0) -> Tensor:
    """Any affine maps: (B, 2, 3) matrices from input to output, in pixels.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> matrix = torch.tensor([[1.0, 0, 1], [0, 1, 0]])  # a pixel to the right
    >>> batch_geometry.affine(images, matrix.expand(2, 2, 3))[0].tolist()
    [[[0, 1], [0, 3]]]

    Args:
        images: (B, C, H, W) uint8.
        matrix: (B, 2, 3) float, of points (x, y, 1) in pixels.
        fill: the level outside the input, 0 to 255.
    """
    _check_shape("matrix", matrix, len(images), 2, 3)
    last_row = matrix.new_tensor([[0, 0, 1]]).expand(len(images), 1, 3)
    return warp(images, torch.cat([matrix, last_row], dim=1), fill=fill)


@checked
def perspective(images: Images, corners: Tensor, *, fill: Grey = 0) -> Tensor:
    """Bring the four corners, (B, 4, 2) fractions of the sides, to new places; see `matrices`.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> corners = torch.tensor([(1.0, 0), (1, 1), (0, 1), (0, 0)])  # a quarter turn
    >>> batch_geometry.perspective(images, corners.expand(2, 4, 2))[0].tolist()
    [[[3, 1], [4, 2]]]

    Args:
        images: (B, C, H, W) uint8.
        corners: (B, 4, 2) float, −1 to 2.
        fill: the level outside the input, 0 to 255.
    """
    _check_shape("corners", corners, len(images), 4, 2)
    return warp(images, matrices.perspective(corners, _size(images)), fill=fill)


@checked
def flip(images: Images, chosen: Tensor, *, vertical: bool = False) -> Tensor:
    """Swap left and right, or top and bottom, of the images chosen: (B,) bool.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> batch_geometry.flip(images, torch.tensor([False, True])).tolist()
    [[[[1, 2], [3, 4]]], [[[2, 1], [4, 3]]]]

    Args:
        images: (B, C, H, W) uint8.
        chosen: (B,) bool.
        vertical: top and bottom instead of left and right.
    """
    _check_shape("chosen", chosen, len(images), dtype=torch.bool)
    change = images.flip(2 if vertical else 3).bitwise_xor_(images)
    change.mul_(chosen.view(-1, 1, 1, 1))
    return change.bitwise_xor_(images)  # thirty times as fast as torch.where


@checked
def crop(images: Images, x: Tensor, y: Tensor, size: Size) -> Tensor:
    """Cut a window of `size` out of every image, its top left corner at whole pixels x, y (B,).

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> corner = torch.tensor([0, 1])  # of the first image 0, 0; of the second 1, 1
    >>> batch_geometry.crop(images, corner, corner, (1, 1)).flatten().tolist()
    [1, 4]

    Args:
        images: (B, C, H, W) uint8.
        x: (B,) int64, pixels from the left.
        y: (B,) int64, pixels from the top.
        size: height and width of the windows.

    Returns:
        (B, C, *size) uint8.
    """
    (height, width), (h, w) = _size(images), size
    for name, value in (("x", x), ("y", y)):
        _check_shape(name, value, len(images), dtype=torch.int64)
    check_range("x", x, 0, width - w, f"pixels, for a window of {w} in {width}")
    check_range("y", y, 0, height - h, f"pixels, for a window of {h} in {height}")
    first = torch.arange(len(images), device=images.device) * images.shape[1] * height * width
    return windows(images, first + y * width + x, size)


@checked
def resize_crop(images: Images, boxes: Tensor, size: Size) -> Tensor:
    """Bring a box of every image, (B, 4) pixels, to `size`: bilinear, no smoothing.

    Unlike `geometry.resize_crop` this sees the pixels just outside the box, so the outermost half
    pixel of the box differs; fractions of a pixel count.

    >>> import torch
    >>> from cvcourse.augment import batch_geometry
    >>> images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).expand(2, 1, 2, 2)
    >>> boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 2]])
    >>> batch_geometry.resize_crop(images, boxes, (2, 2)).shape
    torch.Size([2, 1, 2, 2])

    Args:
        images: (B, C, H, W) uint8.
        boxes: (B, 4) float: x0, y0, x1, y1 in pixels.
        size: height and width of the output.

    Returns:
        (B, C, *size) uint8.
    """
    _check_shape("boxes", boxes, len(images), 4)
    height, width = _size(images)
    x0, y0, x1, y1 = boxes.float().unbind(-1)
    fits = (x0 >= 0) & (y0 >= 0) & (x1 <= width) & (y1 <= height) & (x0 < x1) & (y0 < y1)
    if not bool(fits.all()):
        raise ValueError(
            f"boxes are {boxes.tolist()}; expected x0 < x1 from 0 to {width} and y0 < y1 from 0 to "
            f"{height}"
        )
    matrix = matrices.window((x0, y0, x1, y1), size)
    return warp(images, matrix, size=size, fill="edge")


def windows(images: Tensor, start: Tensor, size: Size) -> Tensor:
    """The windows of `size` whose first pixels stand at these places (N,) in the flat batch.

    Any dtype. Their rows lie in memory as they are wanted, so nothing needs an index but the start.
    """
    images = images.contiguous()
    _, c, height, width = images.shape
    h, w = size
    last = images.numel() - (((c - 1) * height + h - 1) * width + w)
    every = images.as_strided((max(last + 1, 0), c, h, w), (1, height * width, width, 1))
    return every.index_select(0, start)


def resample(
    images: Tensor, back: Tensor, size: Size, fill: int | Literal["edge"], mode: str = "bilinear"
) -> Tensor:
    """A `warp` by matrices (B, 3, 3) from output to input, unchecked: it waits for nothing."""
    height, width = _size(images)
    to_frame = torch.eye(3, device=back.device, dtype=back.dtype)  # pixels → [−1, 1]²
    to_frame[0, 0], to_frame[1, 1], to_frame[:2, 2] = 2 / width, 2 / height, -1
    back = to_frame @ back
    outside, level = ("border", 0) if fill == "edge" else ("zeros", fill)

    def sampled(some: slice, pixels: Tensor) -> Tensor:
        pixels = pixels.sub_(level) if level else pixels
        return F.grid_sample(pixels, _grid(back[some], *size), mode, outside, align_corners=False)

    moved = images.new_empty(len(images), images.shape[1], *size)
    return by_chunks(images, torch.float32, sampled, moved, offset=level)


def _inverse(images: Tensor, matrix: Tensor) -> Tensor:
    _check_shape("matrix", matrix, len(images), 3, 3)
    return torch.linalg.inv(check_finite("matrix", matrix, 3, 3).float())


def _check_shape(name: str, value: Tensor, *shape: int, dtype: torch.dtype | None = None) -> None:
    if value.shape != shape or dtype not in (None, value.dtype):
        expected = shape if dtype is None else f"{shape} {dtype}"
        raise ValueError(f"{name} is {tuple(value.shape)} {value.dtype}; expected {expected}")


def _grid(back: Tensor, height: int, width: int) -> Tensor:
    """Where each output pixel's centre comes from: (B, H, W, 2) on [−1, 1]²."""
    x = torch.arange(width, device=back.device, dtype=back.dtype) + 0.5
    y = torch.arange(height, device=back.device, dtype=back.dtype) + 0.5
    across = back[:, :, :1] * x + back[:, :, 2:]  # (B, 3, W)
    down = back[:, :, 1:2] * y  # (B, 3, H)
    u, v, w = (across[:, i, None] + down[:, i, :, None] for i in range(3))  # (B, H, W)
    grid = torch.empty(*w.shape, 2, dtype=back.dtype, device=back.device)
    grid[..., 0], grid[..., 1] = u / w, v / w  # three times as fast as stacking them
    return grid


def _size(images: Tensor) -> Size:
    return images.shape[2], images.shape[3]


def each(images: Tensor, value: Scalar) -> Tensor:
    """A parameter for each image: (B,) float."""
    if not isinstance(value, Tensor):
        return torch.full((len(images),), float(value), device=images.device)
    if value.shape != (len(images),):
        raise ValueError(
            f"a parameter has shape {tuple(value.shape)}; expected a number or ({len(images)},)"
        )
    return value
