"""What every augmentation checks before it touches a pixel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

Scalar = float | Tensor  #: one number, or (B,) for a batch: one for each image
MAX_FACTOR = 10.0  #: of brightness, contrast, saturation and sharpness


def check_range(name: str, value: Scalar, low: float, high: float, unit: str) -> None:
    """Refuse NaN and whatever else does not lie from `low` to `high`."""
    if isinstance(value, Tensor):
        if not value.numel():
            return
        lowest, highest = (float(bound) for bound in value.aminmax())
        if not low <= lowest <= highest <= high:  # also for NaN
            raise ValueError(
                f"{name} runs from {lowest:g} to {highest:g}; expected {low:g} to {high:g} ({unit})"
            )
    elif not low <= value <= high:  # also for NaN
        raise ValueError(f"{name} is {value!r}; expected {low:g} to {high:g} ({unit})")


def check_cutout(x: Scalar, y: Scalar, side: Scalar, fill: int) -> None:
    """Refuse a square that is not given in fractions, or a level that is none."""
    for name, value in (("x", x), ("y", y), ("side", side)):
        check_range(name, value, 0, 1, "a fraction of the side")
    check_range("fill", fill, 0, 255, "a grey level")


def check_image(image: np.ndarray) -> None:
    """Refuse what is no (H, W) or (H, W, C) uint8 picture with C = 1, 3 or 4."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        found = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(f"the image is {found}; expected a NumPy array of uint8")
    shape = image.shape
    if not 2 <= image.ndim <= 3 or 0 in shape or (image.ndim == 3 and shape[2] not in (1, 3, 4)):
        raise ValueError(
            f"the image has shape {shape}; expected (H, W) or (H, W, C) with at least one pixel "
            "and C = 1, 3 or 4 — permute channels-first images"
        )


def check_images(images: Tensor) -> None:
    """Refuse what is no (B, C, H, W) uint8 batch with C = 1, 3 or 4."""
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        found = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise TypeError(f"the images are {found}; expected a torch.uint8 tensor")
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] not in (1, 3, 4) or 0 in shape[2:]:
        raise ValueError(
            f"the images have shape {shape}; expected (B, C, H, W) with at least one pixel and "
            "C = 1, 3 or 4 — permute channels-last images"
        )
