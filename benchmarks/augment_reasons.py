"""Where a peer is faster than our augmentation: what the time goes into, in parts.

Each part as a share of our whole operation: one thread's processor time, in turns. "Given memory"
is memory that already belongs to the process; a result that shares nothing with its input may have
to wait until the system has mapped new pages for it.

    pip install -r benchmarks/requirements.txt
    python benchmarks/augment_reasons.py
"""

from __future__ import annotations

from collections.abc import Callable
from operator import call
from time import thread_time

import cv2
import numpy as np
import torch
from augment import BATCH, MEAN, PEERS, STD, pipelines, repeated
from augment_operations import Call, from_bytes, operations
from in_turns import medians, report, write
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from cvcourse.augment import batch_colour, crop_and_flip, geometry, ops
from cvcourse.checks import check_image
from cvcourse.data.photographs import backdrops
from cvcourse.models.standardize import Standardize

Parts = dict[str, Callable[[], object]]
ROUNDS = 21


def pictures(size: int) -> tuple[np.ndarray, Tensor]:
    """Images, and the same as a batch."""
    arrays = np.resize(backdrops(size), (BATCH[size], size, size, 3))
    return arrays, torch.from_numpy(arrays).permute(0, 3, 1, 2).contiguous()


def noise(size: int) -> Parts:
    """One image: NumPy takes longest, and it alone draws from the caller's generator."""
    image = pictures(size)[0][0].copy()
    flat, tensor = image.reshape(size, -1), torch.from_numpy(image).permute(2, 0, 1).contiguous()
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    grain = rng.standard_normal(flat.shape, dtype=np.float32)
    given = grain.copy()
    return {
        "ours": lambda: ops.noise(image, 0.1, rng),
        "Gaussian numbers from NumPy": lambda: rng.standard_normal(flat.shape, dtype=np.float32),
        "Gaussian numbers from PyTorch": lambda: torch.randn(flat.shape, generator=generator),
        "Gaussian numbers from OpenCV": lambda: cv2.randn(given, np.zeros(1), np.ones(1)),
        "scaling and adding them": lambda: cv2.add(flat, grain * 25.5, dtype=cv2.CV_8U),
        "torchvision": lambda: tv.gaussian_noise(tensor, sigma=0.1),
    }


def flip(size: int) -> Parts:
    """One image: memory first, then pixels of three bytes against planes of single ones."""
    image = pictures(size)[0][0].copy()
    tensor = torch.from_numpy(image).permute(2, 0, 1).contiguous()
    planes, given = tensor.numpy().reshape(-1, size), np.empty_like(image)
    given_planes = np.empty_like(planes)
    return {
        "ours": lambda: geometry.flip(image),
        "checking the image": lambda: check_image("image", image),
        "copying it to new memory": image.copy,
        "copying it to given memory": lambda: np.copyto(given, image),
        "reversing pixels, given memory": lambda: cv2.flip(image, 1, given),
        "reversing planes, given memory": lambda: cv2.flip(planes, 1, given_planes),
        "torchvision": lambda: tv.horizontal_flip(tensor),
    }


def crop(size: int) -> Parts:
    """One image: torchvision gives a view of the input, ours a copy."""
    image, edge = pictures(size)[0][0].copy(), size // 8
    tensor, side = torch.from_numpy(image).permute(2, 0, 1).contiguous(), size - 2 * edge
    inner = slice(edge, size - edge)
    return {
        "ours": lambda: geometry.crop(image, (edge, edge, size - edge, size - edge)),
        "the copy": lambda: image[inner, inner].copy(),
        "torchvision": lambda: tv.crop(tensor, edge, edge, side, side),
        "torchvision, copied": lambda: tv.crop(tensor, edge, edge, side, side).clone(),
    }


def equalize(size: int) -> Parts:
    """One image: Pillow keeps four bytes a pixel and counts its channels in one go."""
    image = pictures(size)[0][0].copy()
    channels, table = cv2.split(image), np.arange(256, dtype=np.uint8)
    pillow = Image.fromarray(image)
    return {
        "ours": lambda: ops.equalize(image),
        "checking the image": lambda: check_image("image", image),
        "taking channels apart": lambda: cv2.split(image),
        "counting levels": lambda: [
            cv2.calcHist([channel], [0], None, [256], [0, 256]) for channel in channels
        ],
        "looking levels up": lambda: [cv2.LUT(channel, table) for channel in channels],
        "putting channels together": lambda: cv2.merge(channels),
        "Pillow": lambda: ImageOps.equalize(pillow),
    }


def blur(size: int) -> Parts:
    """One image: floats, between bytes and bytes, against OpenCV's own 8-bit Gaussian."""
    image, sigma = pictures(size)[0][0].copy(), 0.02
    radius, pixels = ops.gaussian_support(sigma, (size, size))
    side = 2 * radius + 1
    kernel = cv2.getGaussianKernel(side, pixels, cv2.CV_32F)
    smooth = cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel)
    theirs = operations(size, BATCH[size])["blur"]["albumentations"]
    return {
        "ours": lambda: ops.blur(image, sigma),
        "the kernel": lambda: cv2.getGaussianKernel(side, pixels, cv2.CV_32F),
        "filtering to floats": lambda: cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel),
        "floats to bytes": lambda: cv2.convertScaleAbs(smooth),
        "OpenCV's GaussianBlur": lambda: cv2.GaussianBlur(image, (side, side), pixels),
        "albumentations": lambda: theirs(image),
    }


def brightness(size: int) -> Parts:
    """A batch: kornia's is one of floats, which ours has to make and to round; in given memory."""
    images, calls = pictures(size)[1], operations(size, BATCH[size])["brightness"]
    floats, levels, given = images.float(), images.short(), torch.empty_like(images)
    theirs, zero_to_one = calls["kornia, batch"], images.float() / 255
    return {
        "ours": lambda: calls["ours, batch"](images),
        "bytes to floats": lambda: floats.copy_(images),
        "multiplying floats": lambda: floats.mul_(1.0),
        "floats to bytes": lambda: given.copy_(levels.copy_(floats.add_(0)).clamp_(0, 255)),
        "new memory": lambda: [torch.zeros_like(m) for m in (given, floats[:64], levels[:64])],
        "the call, on a pixel": lambda: batch_colour.brightness(images[:, :, :1, :1], 1.0),
        "kornia, floats": lambda: theirs(zero_to_one),
        "kornia, bytes": lambda: from_bytes(theirs)(images),
    }


def colour_pipeline(size: int) -> Parts:
    """Crop, flip, three colours, standardise: the batch's floats, and OpenCV's bytes in turn."""
    arrays, images = pictures(size)
    generator, standardize = (
        torch.Generator().manual_seed(0),
        Standardize(*map(torch.tensor, (MEAN, STD))),
    )
    whole: dict[str, Call] = pipelines(size)["crop, flip, colour, normalise"]
    factors = torch.full((len(images),), 1.2)
    moved = crop_and_flip(images, generator, padding=size // 8)

    return {
        "ours": lambda: whole["ours"](images),
        "crop and flip": lambda: crop_and_flip(images, generator, padding=size // 8),
        "brightness": lambda: batch_colour.brightness(moved, factors),
        "contrast": lambda: batch_colour.contrast(moved, factors),
        "saturation": lambda: batch_colour.saturation(moved, factors),
        "the three with `ops`, image by image": lambda: [
            ops.saturation(ops.contrast(ops.brightness(a, 1.2), 1.2), 1.2) for a in arrays
        ],
        "standardise": lambda: standardize(moved),
        "albumentations": lambda: whole["albumentations"](arrays),
    }


def main() -> None:
    """Measure, print, write down."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    runs: dict[str, tuple[Parts, int]] = {}
    for size, times in ((32, 100), (224, 20)):
        runs[f"noise on one image, {size} px"] = noise(size), times
        runs[f"flip of one image, {size} px"] = flip(size), times
        runs[f"equalize of one image, {size} px"] = equalize(size), times
        runs[f"blur of one image, {size} px"] = blur(size), times
    runs["crop of one image, 224 px"] = crop(224), 100
    runs["brightness of a batch, 32 px"] = brightness(32), 4
    runs["colour pipeline on a batch, 224 px"] = colour_pipeline(224), 1
    tables = {}
    for title, (parts, times) in runs.items():
        turns = {name: repeated(call, part, times) for name, part in parts.items()}
        tables[title] = report(title, medians(turns, ROUNDS, thread_time), ours="ours")
    write("augment_reasons", tables, ["torch", "torchvision", "opencv-python-headless", *PEERS])


if __name__ == "__main__":
    main()
