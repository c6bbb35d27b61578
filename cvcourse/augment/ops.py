"""Colour, filters and noise on one image: (H, W) or (H, W, C) uint8 in, a new one out.

The definitions are torchvision's (`transforms.v2`), with one difference: results are rounded to the
nearest level where torchvision cuts the decimals off, so a factor does not darken by half a level.
Colour is RGB. A fourth channel is opacity: only blur and cutout change it.

>>> import numpy as np
>>> from cvcourse.augment import ops
>>> image = np.full((4, 6, 3), 100, np.uint8)
>>> ops.cutout(ops.brightness(image, 1.5), 0.5, 0.5, 0.5).shape
(4, 6, 3)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Concatenate, ParamSpec

import cv2
import numpy as np

from cvcourse.checks import Grey, Image, Share, check_integer, check_number, checked

GREY = (0.299, 0.587, 0.114)  #: how bright red, green and blue look (ITU-R BT.601)
Factor = Annotated[float, partial(check_number, low=0, high=10, meaning="1 changes nothing")]
Turn = Annotated[float, partial(check_number, low=-0.5, high=0.5, meaning="of the colour wheel")]
Bits = Annotated[int, partial(check_integer, low=1, high=8, meaning="bits of a level to keep")]
Threshold = Annotated[float, partial(check_number, low=0, high=256, meaning="256 changes nothing")]
Sigma = Annotated[float, partial(check_number, low=0, high=0.25, meaning="of the shorter side")]

P = ParamSpec("P")
_LEVELS = np.arange(256, dtype=np.uint8)


def _colours(
    operation: Callable[Concatenate[Image, P], Image],
) -> Callable[Concatenate[Image, P], Image]:
    """Check image and parameters; keep opacity and a trailing axis of one channel out."""

    @checked
    @wraps(operation)
    def wrapped(image: Image, *args: P.args, **kwargs: P.kwargs) -> Image:
        opaque = image.ndim == 3 and image.shape[2] == 4
        flat = image[..., :3] if opaque else image[..., 0] if image.shape[2:] == (1,) else image
        changed = operation(np.ascontiguousarray(flat), *args, **kwargs).reshape(flat.shape)
        return np.dstack([changed, image[..., 3]]) if opaque else changed.reshape(image.shape)

    return wrapped


@_colours
def brightness(image: Image, factor: Factor) -> Image:
    """Multiply every level by a factor, 0 (black) to 10; 1 changes nothing.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> ops.brightness(np.array([[10, 100, 200]], np.uint8), 1.5).tolist()
    [[15, 150, 255]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        factor: 0 to 10.
    """
    return cv2.convertScaleAbs(image, alpha=factor)


@_colours
def contrast(image: Image, factor: Factor) -> Image:
    """Move every level away from the image's mean grey, 0 (all grey) to 10; 1 changes nothing.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> ops.contrast(np.array([[0, 100, 200]], np.uint8), 0.5).tolist()
    [[50, 100, 150]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        factor: 0 to 10.
    """
    means = cv2.mean(image)
    grey = means[0] if image.ndim == 2 else float(np.dot(means[:3], GREY))
    return cv2.addWeighted(image, factor, image, 0, (1 - factor) * grey)


@_colours
def saturation(image: Image, factor: Factor) -> Image:
    """Move every pixel away from its own grey, 0 (grey) to 10; 1 changes nothing.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> ops.saturation(np.array([[[255, 0, 0]]], np.uint8), 0).tolist()  # how bright red looks
    [[[76, 76, 76]]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        factor: 0 to 10.
    """
    if image.ndim == 2:
        return image.copy()
    return cv2.transform(image, factor * np.eye(3) + (1 - factor) * np.array([GREY] * 3))


@_colours
def hue(image: Image, turn: Turn) -> Image:
    """Turn the colour wheel, −0.5 to 0.5 of a whole turn; 0 changes nothing.

    By way of HSV in 8 bits, which moves levels by a few units of its own.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> cyan = ops.hue(np.array([[[255, 0, 0]]], np.uint8), 0.5)
    >>> cyan[0, 0].tolist()[0]  # no red is left
    0

    Args:
        image: (H, W) or (H, W, C) uint8.
        turn: of the colour wheel, −0.5 to 0.5.
    """
    shift = round(turn * 256) % 256
    if image.ndim == 2 or not shift:
        return image.copy()
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., 0] += np.uint8(shift)  # 256 is a whole turn, so overflow is right
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)


@_colours
def posterize(image: Image, bits: Bits) -> Image:
    """Keep the `bits` highest bits of every level, 1 to 8; 8 changes nothing.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> ops.posterize(np.array([[100, 200]], np.uint8), 1).tolist()
    [[0, 128]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        bits: a whole number, 1 to 8.
    """
    return image & np.uint8(256 - 2 ** (8 - bits))


@_colours
def solarize(image: Image, threshold: Threshold) -> Image:
    """Invert the levels from a threshold on, 0 (all) to 256 (none).

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> ops.solarize(np.array([[10, 200]], np.uint8), 128).tolist()
    [[10, 55]]

    Args:
        image: (H, W) or (H, W, C) uint8.
        threshold: a level, 0 to 256.
    """
    _, chosen = cv2.threshold(image, math.ceil(threshold) - 1, 255, cv2.THRESH_BINARY)
    return cv2.bitwise_xor(image, chosen)


@_colours
def autocontrast(image: Image) -> Image:
    """Stretch each channel so that it runs from 0 to 255; a channel of one level stays.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> ops.autocontrast(np.array([[50, 90, 150]], np.uint8)).tolist()
    [[0, 102, 255]]

    Args:
        image: (H, W) or (H, W, C) uint8.
    """
    stretched = []
    for channel in cv2.split(image):
        low, high, _, _ = cv2.minMaxLoc(channel)
        if high > low:
            channel = cv2.normalize(channel, channel, 0, 255, cv2.NORM_MINMAX)
        stretched.append(channel)
    return cv2.merge(stretched)


@_colours
def equalize(image: Image) -> Image:
    """Spread each channel's levels so that all are about equally frequent (as Pillow does).

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> dark = np.arange(64, dtype=np.uint8).repeat(64).reshape(64, 64)
    >>> int(ops.equalize(dark).max())
    255

    Args:
        image: (H, W) or (H, W, C) uint8.
    """
    spread = [cv2.LUT(channel, _equalizing_table(channel)) for channel in cv2.split(image)]
    return cv2.merge(spread)  # a table for each channel at once would take twice as long


@_colours
def sharpness(image: Image, factor: Factor) -> Image:
    """Move every pixel away from its smoothed neighbourhood, 0 (smooth) to 10; 1 changes nothing.

    The outermost pixels have no whole neighbourhood and stay.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> spot = np.pad(np.full((1, 1), 130, np.uint8), 2)
    >>> ops.sharpness(spot, 0)[2].tolist()  # smooth: 5/13 of the spot stay where it was
    [0, 10, 50, 10, 0]

    Args:
        image: (H, W) or (H, W, C) uint8.
        factor: 0 to 10.
    """
    if min(image.shape[:2]) <= 2:
        return image.copy()
    kernel = np.full((3, 3), (1 - factor) / 13)
    kernel[1, 1] = factor + 5 * (1 - factor) / 13
    sharp = cv2.filter2D(image, -1, kernel)
    for edge in (0, -1):
        sharp[edge], sharp[:, edge] = image[edge], image[:, edge]
    return sharp


@checked
def blur(image: Image, sigma: Sigma) -> Image:
    """Smooth by a Gaussian of standard deviation `sigma`, 0 to 0.25 of the shorter side.

    The Gaussian ends at 3 sigma; the image goes on mirrored about its outermost pixels.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> spot = np.pad(np.full((1, 1), 255, np.uint8), 4)  # (9, 9)
    >>> ops.blur(spot, 0.1)[4].tolist()
    [0, 0, 4, 27, 50, 27, 4, 0, 0]

    Args:
        image: (H, W) or (H, W, C) uint8.
        sigma: a fraction of the shorter side, 0 to 0.25.
    """
    radius, pixels = gaussian_support(sigma, image.shape[:2])
    if not radius:
        return image.copy()
    side = 2 * radius + 1
    kernel = cv2.getGaussianKernel(side, pixels, cv2.CV_32F)
    smooth = cv2.sepFilter2D(  # in floats: three times as fast as GaussianBlur's whole numbers
        image, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101
    )
    return cv2.convertScaleAbs(smooth).reshape(image.shape)


def gaussian_support(sigma: float, size: tuple[int, int]) -> tuple[int, float]:
    """The radius in whole pixels of a blur, and its standard deviation in pixels."""
    pixels = sigma * min(size)
    return (int(np.ceil(3 * pixels)) if pixels > 0.05 else 0), pixels


@_colours
def noise(image: Image, std: Share, rng: np.random.Generator) -> Image:
    """Add Gaussian noise to every level: standard deviation 0 to 1, where white is 1.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> grey = np.full((64, 64), 128, np.uint8)
    >>> f"{ops.noise(grey, 0.1, np.random.default_rng(0)).std() / 255:.2f}"
    '0.10'

    Args:
        image: (H, W) or (H, W, C) uint8.
        std: 0 to 1, where white is 1.
        rng: NumPy's generator, which is drawn from.
    """
    flat = image.reshape(len(image), -1)
    # OpenCV's generator is faster, but there is one for the whole process, and others draw from it.
    grain = rng.standard_normal(flat.shape, dtype=np.float32)
    grain *= 255 * std
    return cv2.add(flat, grain, dtype=cv2.CV_8U)


@checked
def cutout(image: Image, x: Share, y: Share, side: Share, *, fill: Grey = 0) -> Image:
    """Hide a square (DeVries and Taylor 2017); what lies outside the image hides nothing.

    >>> import numpy as np
    >>> from cvcourse.augment import ops
    >>> ops.cutout(np.full((4, 4), 255, np.uint8), 0.5, 0.5, 0.5)[1].tolist()
    [255, 0, 0, 255]

    Args:
        image: (H, W) or (H, W, C) uint8.
        x: the square's centre, 0 to 1 of the width.
        y: the same down the height.
        side: 0 to 1 of the shorter side of the image.
        fill: the level to paint, 0 to 255.
    """
    height, width = image.shape[:2]
    half = side * min(height, width) / 2
    top, bottom = (max(round(y * height + edge), 0) for edge in (-half, half))
    left, right = (max(round(x * width + edge), 0) for edge in (-half, half))
    hidden = image.copy()
    hidden[top:bottom, left:right] = fill
    return hidden


def _equalizing_table(channel: Image) -> np.ndarray:
    counts = cv2.calcHist([channel], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    below = np.cumsum(counts)
    step = (below[-1] - counts[np.flatnonzero(counts)[-1]]) // 255  # the brightest are not spread
    if step == 0:
        return _LEVELS
    table = np.zeros(256, np.uint8)
    table[1:] = np.minimum((below[:-1] + step // 2) // step, 255)
    return table
