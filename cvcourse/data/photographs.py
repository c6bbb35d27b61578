"""Photographs that come with scikit-image: real pictures without a download."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

NAMES = (
    "astronaut",
    "brick",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "rocket",
)


def photographs() -> dict[str, NDArray[np.uint8]]:
    """Ten photographs by name.

    >>> from cvcourse.data import photographs
    >>> photographs()["chelsea"].shape
    (300, 451, 3)

    Returns:
        name → (H, W, 3) uint8 RGB; sizes differ; grey pictures have three equal channels. Each call
        gives fresh copies.
    """
    pictures = {name: getattr(skimage.data, name)() for name in NAMES}
    return {
        name: cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB) if picture.ndim == 2 else picture
        for name, picture in pictures.items()
    }


@cache
def backdrops(side: int) -> NDArray[np.uint8]:
    """The ten photographs as square backdrops for the renderer.

    Args:
        side: height and width in pixels.

    Returns:
        (10, side, side, 3) uint8 RGB, read-only: the central square of each, reduced.
    """
    squares = []
    for picture in photographs().values():
        edge = min(picture.shape[:2])
        y, x = (picture.shape[0] - edge) // 2, (picture.shape[1] - edge) // 2
        square = picture[y : y + edge, x : x + edge]
        squares.append(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA))
    result = np.stack(squares).astype(np.uint8)
    result.setflags(write=False)
    return result
