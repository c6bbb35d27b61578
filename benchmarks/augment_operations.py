"""Each augmentation as every library does it, with the same parameters where it takes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would ask the network

import albumentations as albu
import kornia.enhance as kornia_enhance
import kornia.filters as kornia_filters
import kornia.geometry.transform as kornia_geometry
import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from cvcourse.augment import batch_colour, batch_geometry, geometry, ops

BILINEAR = InterpolationMode.BILINEAR

Call = Callable[[Any], object]  #: from an image, or a batch, to what becomes of it


def jitter(**factors: tuple[float, float]) -> Call:
    """Albumentations' brightness, contrast, saturation or hue alone."""
    neutral = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    return with_array(albu.ColorJitter(**(neutral | factors), p=1))


def with_array(transform: Callable) -> Call:
    """Albumentations wants and gives dictionaries."""
    return lambda image: transform(image=image)["image"]


def from_bytes(call: Call) -> Call:
    """An operation on floats in [0, 1] as one on bytes."""

    def run(images: Tensor) -> Tensor:
        changed: Any = call(images.float().div_(255))
        return changed.mul_(255).round_().clamp_(0, 255).to(torch.uint8)

    return run


def affine(angle: float = 0.0, **change: Any) -> Call:
    """Torchvision's affine map, bilinear."""
    neutral: dict[str, Any] = {"translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    return lambda image: tv.affine(image, angle, **(neutral | change), interpolation=BILINEAR)


def operations(size: int, n: int) -> dict[str, dict[str, Call]]:
    """Each operation by everybody who has it; "tv" stands for both of torchvision's."""
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)

    def every(value: float) -> Tensor:
        return torch.full((n,), float(value))

    radius, sigma = ops.gaussian_support(0.02, (size, size))
    window = (size // 8, size // 8, size - size // 8, size - size // 8)
    side = window[2] - window[0]
    corners = np.array([[0.1, 0.05], [0.9, 0.1], [1.0, 0.9], [0.0, 1.0]])
    frame = [[0, 0], [size, 0], [size, size], [0, size]]
    matrix = torch.tensor([[1.0, 0.1, 0.0], [0.0, 1.0, 0.0]]).repeat(n, 1, 1)
    edge = every(size // 8).long()
    wide = (0.1 * size, 0.05 * size)
    return {
        "brightness": {
            "ours": lambda x: ops.brightness(x, 1.4),
            "ours, batch": lambda x: batch_colour.brightness(x, every(1.4)),
            "tv": lambda x: tv.adjust_brightness(x, 1.4),
            "albumentations": jitter(brightness=(1.4, 1.4)),
            "kornia, batch": lambda x: kornia_enhance.adjust_brightness_accumulative(x, every(1.4)),
        },
        "contrast": {
            "ours": lambda x: ops.contrast(x, 1.4),
            "ours, batch": lambda x: batch_colour.contrast(x, every(1.4)),
            "tv": lambda x: tv.adjust_contrast(x, 1.4),
            "albumentations": jitter(contrast=(1.4, 1.4)),
            "kornia, batch": lambda x: kornia_enhance.adjust_contrast_with_mean_subtraction(
                x, every(1.4)
            ),
        },
        "saturation": {
            "ours": lambda x: ops.saturation(x, 1.4),
            "ours, batch": lambda x: batch_colour.saturation(x, every(1.4)),
            "tv": lambda x: tv.adjust_saturation(x, 1.4),
            "albumentations": jitter(saturation=(1.4, 1.4)),
            "kornia, batch": lambda x: kornia_enhance.adjust_saturation_with_gray_subtraction(
                x, every(1.4)
            ),
        },
        "hue": {
            "ours": lambda x: ops.hue(x, 0.1),
            "ours, batch": lambda x: batch_colour.hue(x, every(0.1)),
            "tv": lambda x: tv.adjust_hue(x, 0.1),
            "albumentations": jitter(hue=(0.1, 0.1)),
            "kornia, batch": lambda x: kornia_enhance.adjust_hue(x, every(0.6)),
        },
        "posterize": {
            "ours": lambda x: ops.posterize(x, 4),
            "ours, batch": lambda x: batch_colour.posterize(x, every(4)),
            "tv": lambda x: tv.posterize(x, 4),
            "albumentations": with_array(albu.Posterize(4, p=1)),
            "kornia, batch": lambda x: kornia_enhance.posterize(x, 4),
        },
        "solarize": {
            "ours": lambda x: ops.solarize(x, 128),
            "ours, batch": lambda x: batch_colour.solarize(x, every(128)),
            "tv": lambda x: tv.solarize(x, 128),
            "albumentations": with_array(albu.Solarize((0.5, 0.5), p=1)),
            "kornia, batch": lambda x: kornia_enhance.solarize(x, 0.5),
        },
        "autocontrast": {
            "ours": ops.autocontrast,
            "ours, batch": batch_colour.autocontrast,
            "tv": tv.autocontrast,
            "albumentations": with_array(albu.AutoContrast(method="pil", p=1)),
        },
        "equalize": {
            "ours": ops.equalize,
            "ours, batch": batch_colour.equalize,
            "tv": tv.equalize,
            "albumentations": with_array(albu.Equalize(mode="pil", p=1)),
            "kornia, batch": kornia_enhance.equalize,
        },
        "sharpness": {
            "ours": lambda x: ops.sharpness(x, 1.9),
            "ours, batch": lambda x: batch_colour.sharpness(x, every(1.9)),
            "tv": lambda x: tv.adjust_sharpness(x, 1.9),
            "albumentations": with_array(albu.Sharpen((0.5, 0.5), kernel_size=3, p=1)),
            "kornia, batch": lambda x: kornia_enhance.sharpness(x, every(1.9)),
        },
        "blur": {
            "ours": lambda x: ops.blur(x, 0.02),
            "ours, batch": lambda x: batch_colour.blur(x, every(0.02)),
            "tv": lambda x: tv.gaussian_blur(x, [2 * radius + 1] * 2, [sigma] * 2),
            "albumentations": with_array(
                albu.GaussianBlur((2 * radius + 1,) * 2, (sigma, sigma), p=1)
            ),
            "kornia, batch": lambda x: kornia_filters.gaussian_blur2d(
                x, 2 * radius + 1, (sigma, sigma)
            ),
        },
        "noise": {
            "ours": lambda x: ops.noise(x, 0.1, rng),
            "ours, batch": lambda x: batch_colour.noise(x, every(0.1), generator),
            "torchvision tensor": lambda x: tv.gaussian_noise(x, sigma=0.1),
            "albumentations": with_array(albu.GaussNoise((0.1, 0.1), p=1)),
        },
        "cutout": {
            "ours": lambda x: ops.cutout(x, 0.5, 0.5, 0.5),
            "ours, batch": lambda x: batch_colour.cutout(x, every(0.5), every(0.5), every(0.5)),
            "torchvision tensor": lambda x: tv.erase(
                x, size // 4, size // 4, size // 2, size // 2, torch.zeros(1, dtype=torch.uint8)
            ),
            "albumentations": with_array(albu.CoarseDropout((1, 1), (0.5, 0.5), (0.5, 0.5), p=1)),
        },
        "rotate": {
            "ours": lambda x: geometry.rotate(x, 20),
            "ours, batch": lambda x: batch_geometry.rotate(x, every(20)),
            "tv": lambda x: tv.rotate(x, 20, BILINEAR),
            "albumentations": with_array(albu.Rotate((20, 20), p=1)),
            "kornia, batch": lambda x: kornia_geometry.rotate(x, every(20)),
        },
        "translate": {
            "ours": lambda x: geometry.translate(x, 0.1, 0.05),
            "ours, batch": lambda x: batch_geometry.translate(x, every(0.1), every(0.05)),
            "tv": affine(translate=wide),
            "albumentations": with_array(
                albu.Affine(translate_percent={"x": (0.1, 0.1), "y": (0.05, 0.05)}, p=1)
            ),
            "kornia, batch": lambda x: kornia_geometry.translate(x, torch.tensor([wide] * n)),
        },
        "shear": {
            "ours": lambda x: geometry.shear(x, 15),
            "ours, batch": lambda x: batch_geometry.shear(x, every(15)),
            "tv": affine(shear=[15.0, 0.0]),
            "albumentations": with_array(albu.Affine(shear={"x": (15, 15), "y": (0, 0)}, p=1)),
            "kornia, batch": lambda x: kornia_geometry.shear(x, torch.tensor([[0.27, 0.0]] * n)),
        },
        "scale": {
            "ours": lambda x: geometry.scale(x, 1.3),
            "ours, batch": lambda x: batch_geometry.scale(x, every(1.3)),
            "tv": affine(scale=1.3),
            "albumentations": with_array(albu.Affine(scale=(1.3, 1.3), p=1)),
            "kornia, batch": lambda x: kornia_geometry.scale(x, torch.tensor([[1.3, 1.3]] * n)),
        },
        "affine": {
            "ours": lambda x: geometry.affine(x, matrix[0].numpy()),
            "ours, batch": lambda x: batch_geometry.affine(x, matrix),
            "tv": affine(10.0, translate=wide, scale=1.1, shear=[5.0, 0.0]),
            "albumentations": with_array(
                albu.Affine(scale=(1.1, 1.1), rotate=(10, 10), shear=(5, 5), p=1)
            ),
            "kornia, batch": lambda x: kornia_geometry.warp_affine(x, matrix, (size, size)),
        },
        "perspective": {
            "ours": lambda x: geometry.perspective(x, corners),
            "ours, batch": lambda x: batch_geometry.perspective(
                x, torch.from_numpy(corners).float().repeat(n, 1, 1)
            ),
            "tv": lambda x: tv.perspective(x, frame, (corners * size).tolist(), BILINEAR),
            "albumentations": with_array(albu.Perspective((0.1, 0.1), p=1)),
            "kornia, batch": lambda x: kornia_geometry.warp_perspective(
                x, torch.eye(3).repeat(n, 1, 1) + 1e-4, (size, size)
            ),
        },
        "flip": {
            "ours": geometry.flip,
            "ours, batch": lambda x: batch_geometry.flip(x, every(1) > 0),
            "tv": tv.horizontal_flip,
            "albumentations": with_array(albu.HorizontalFlip(p=1)),
            "kornia, batch": kornia_geometry.hflip,
        },
        "crop": {
            "ours": lambda x: geometry.crop(x, window),
            "ours, batch": lambda x: batch_geometry.crop(x, edge, edge, (side, side)),
            "tv": lambda x: tv.crop(x, window[1], window[0], side, side),
            "albumentations": with_array(albu.Crop(*window, p=1)),
        },
        "resize_crop": {
            "ours": lambda x: geometry.resize_crop(x, window, (size, size)),
            "ours, batch": lambda x: batch_geometry.resize_crop(
                x, torch.tensor([window] * n).float(), (size, size)
            ),
            "tv": lambda x: tv.resized_crop(
                x, window[1], window[0], side, side, [size, size], BILINEAR, antialias=False
            ),
            "albumentations": with_array(
                albu.RandomResizedCrop((size, size), (0.56, 0.56), (1.0, 1.0), p=1)
            ),
        },
    }
