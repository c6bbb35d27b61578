"""Our augmentations against torchvision, kornia and albumentations: the same images, in turns.

One thread's processor time, at 32 and 224 pixels, the same parameters where a library can be told
them. Each library gets its own favourite: torchvision a PIL image and a uint8 tensor,
albumentations a uint8 array, kornia a batch of floats — and, as "kornia, bytes", the bytes that
images are kept in, turned into floats and back. Ours is measured on one array and on a batch of
bytes with a parameter for each image.

Aims: on one image as fast as the best peer, operation by operation; whole pipelines on a batch at
32 pixels at least 3 × as fast as torchvision. Where the aims are met only just, or not,
`augment_reasons.py` takes the time apart.

    pip install -r benchmarks/requirements.txt
    python benchmarks/augment.py
"""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time
from typing import Any

import cv2
import kornia.augmentation as kornia_augment
import numpy as np
import torch
from augment_operations import BILINEAR, Call, albu, from_bytes, operations
from in_turns import medians, report, write
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from cvcourse.augment import CutMix, RandAugment, batch_colour, crop_and_flip
from cvcourse.data.photographs import backdrops
from cvcourse.models.standardize import Standardize

BATCH = {32: 128, 224: 16}
REPEATS = {32: 100, 224: 20}
ROUNDS = 7
PEERS = ["pillow", "kornia", "albumentations"]
MEAN, STD = [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]


def one_by_one(size: int, calls: dict[str, Call]) -> dict[str, float]:
    """Median seconds of each contestant for a thousand images."""
    pictures = np.resize(backdrops(size), (BATCH[size], size, size, 3))
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    inputs = {
        "ours, batch": images,
        "kornia, batch": images.float() / 255,
        "torchvision tensor": images[0].clone(),
        "torchvision PIL": tv.to_pil_image(images[0]),
    }
    contestants, counts = {}, {}
    for name, call in calls.items():
        batched = name.endswith("batch")
        repeats = 2 if batched else REPEATS[size]
        for label in ("torchvision tensor", "torchvision PIL") if name == "tv" else (name,):
            contestants[label] = repeated(call, inputs.get(label, pictures[0].copy()), repeats)
            counts[label] = repeats * (BATCH[size] if batched else 1)
        if name == "kornia, batch":
            contestants["kornia, bytes"] = repeated(from_bytes(call), images, repeats)
            counts["kornia, bytes"] = counts[name]
    return {
        name: s / counts[name] * 1000
        for name, s in medians(contestants, ROUNDS, thread_time).items()
    }


def repeated(call: Call, given: object, times: int) -> Callable[[], object]:
    """The same call on the same input, several times."""

    def run() -> None:
        for _ in range(times):
            call(given)

    return run


def pipelines(size: int) -> dict[str, dict[str, Call]]:
    """Whole pipelines, from a batch of bytes to standardised floats; theirs image by image."""
    generator, n = torch.Generator().manual_seed(0), BATCH[size]
    labels, padding = torch.zeros(n, dtype=torch.int64), size // 8
    standardize, strength = Standardize(torch.tensor(MEAN), torch.tensor(STD)), 0.4
    policy, cutmix = RandAugment(2, 9), CutMix()

    def factors() -> Tensor:
        return 1 + strength * (2 * torch.rand(n, generator=generator) - 1)

    def our_colours(images: Tensor) -> Tensor:
        images = crop_and_flip(images, generator, padding=padding)
        for change in (batch_colour.brightness, batch_colour.contrast, batch_colour.saturation):
            images = change(images, factors())
        return standardize(images)

    def our_cutmix(images: Tensor) -> tuple[Tensor, Tensor]:
        mixture = cutmix(crop_and_flip(images, generator, padding=padding), generator)
        return standardize(mixture.images), mixture.targets(labels, 10)

    usual = [v2.RandomCrop(size, padding), v2.RandomHorizontalFlip()]
    to_float = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    jitter_all = v2.ColorJitter(strength, strength, strength)
    their_policy = v2.RandAugment(2, 9, interpolation=BILINEAR)
    their_cutmix = v2.CutMix(num_classes=10)

    def each(*transforms: Callable) -> Call:
        compose = v2.Compose([*transforms, *to_float])
        return lambda images: torch.stack([compose(image) for image in images])

    def then_cutmix(call: Any) -> Call:
        return lambda images: their_cutmix(call(images), labels)

    albu_crop = [albu.Pad(padding, p=1), albu.RandomCrop(size, size), albu.HorizontalFlip()]
    albu_jitter = albu.ColorJitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (0, 0), p=1)
    albu_all = albu.Compose([*albu_crop, albu_jitter, albu.Normalize(MEAN, STD)])
    kornia_all = kornia_augment.AugmentationSequential(
        kornia_augment.RandomCrop((size, size), padding),
        kornia_augment.RandomHorizontalFlip(),
        kornia_augment.ColorJitter(strength, strength, strength, 0.0, p=1),
        kornia_augment.Normalize(MEAN, STD),
    )
    return {
        "crop, flip, colour, normalise": {
            "ours": our_colours,
            "torchvision": each(*usual, jitter_all),
            "albumentations": lambda images: [albu_all(image=image)["image"] for image in images],
            "kornia": kornia_all,
        },
        "RandAugment 2×9, normalise": {
            "ours": lambda images: standardize(policy(images, generator)),
            "torchvision": each(their_policy),
        },
        "crop, flip, CutMix, normalise": {
            "ours": our_cutmix,
            "torchvision": then_cutmix(each(*usual)),
        },
    }


def whole_batches(size: int, calls: dict[str, Call]) -> dict[str, float]:
    """Median seconds of each pipeline for a thousand images; torchvision's from tensors and PIL."""
    pictures = np.resize(backdrops(size), (BATCH[size], size, size, 3))
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    contestants = {}
    for name, call in calls.items():
        if name == "torchvision":
            contestants["torchvision tensor"] = repeated(call, list(images), 1)
            contestants["torchvision PIL"] = repeated(call, [tv.to_pil_image(i) for i in images], 1)
        else:
            inputs = {"ours": images, "kornia": images.float() / 255}
            contestants[name] = repeated(call, inputs.get(name, pictures), 1)
    return {
        name: s / len(images) * 1000
        for name, s in medians(contestants, ROUNDS, thread_time).items()
    }


def main() -> None:
    """Measure, print, write down."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    tables = {}
    for size, n in BATCH.items():
        measured = {
            f"{name}, {size} px": one_by_one(size, calls)
            for name, calls in operations(size, n).items()
        } | {
            f"{name}, {size} px, a batch of {n}": whole_batches(size, calls)
            for name, calls in pipelines(size).items()
        }
        for title, seconds in measured.items():
            tables[title] = report(title, seconds, ours="ours")
            tables[title]["ours, images/s"] = round(1000 / seconds["ours"])
    write("augment", tables, ["torch", "torchvision", "opencv-python-headless", *PEERS])


if __name__ == "__main__":
    main()
