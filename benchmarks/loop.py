"""Our loop against the barest one, and against torchvision's usual pipeline.

Aims: at most 1.03 × the barest loop; an input pipeline at least 3 × as fast as a DataLoader with
torchvision transforms; an epoch faster than theirs.

    python benchmarks/loop.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import torch
import torch.nn.functional as F
from in_turns import medians, report, write
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from cvcourse.augment import crop_and_flip
from cvcourse.data import ImageSet, load
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Recipe, fit

BATCH = 128
RECIPE = Recipe(epochs=1, batch_size=BATCH, learning_rate=1e-2)


def barest_epoch(train: ImageSet) -> None:
    """What one would write by hand for the same training."""
    model = standardized(SmallCNN(), train).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2, fused=True)
    steps = len(train) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1e-2, total_steps=steps, cycle_momentum=False
    )
    order = torch.randperm(len(train))
    for start in range(0, steps * BATCH, BATCH):
        chosen = order[start : start + BATCH]
        images = train.images[chosen].contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(model(images), train.labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


class Transformed(Dataset):
    """A TensorDataset with a transform for each image, as tutorials have it."""

    def __init__(self, data: ImageSet, transform: v2.Transform) -> None:
        self.data, self.transform = TensorDataset(data.images, data.labels), transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, label = self.data[index]
        return self.transform(image), label


def torchvision_epoch(loader: DataLoader) -> None:
    """The hand-written loop, fed by a DataLoader that has already normalised the images."""
    model = SmallCNN().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2, fused=True)
    for images, labels in loader:
        batch = images.contiguous(memory_format=torch.channels_last)
        loss = F.cross_entropy(model(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def exhaust(batches: Iterable) -> None:
    """Take every batch and do nothing with it."""
    for _ in batches:
        pass


def our_batches(train: ImageSet) -> Iterable[Tensor]:
    """Our input pipeline: index, crop and flip, standardise."""
    standardize = standardized(nn.Identity(), train)
    generator = torch.Generator().manual_seed(0)
    for chosen in torch.randperm(len(train)).split(BATCH):
        yield standardize(crop_and_flip(train.images[chosen], generator))


def as_folder(train: ImageSet, folder: Path) -> None:
    """The images as JPEG files, a folder a class."""
    for number, (image, label) in enumerate(zip(train.images, train.labels, strict=True)):
        place = folder / train.class_names[int(label)]
        place.mkdir(exist_ok=True)
        pixels = image.permute(1, 2, 0).numpy()[..., ::-1]
        cv2.imwrite(str(place / f"{number:05}.jpg"), pixels)


def main() -> None:
    """Measure, print, write down."""
    train = load("shapes", "train", n=5120)
    mean, std = (statistic.tolist() for statistic in train.statistics())
    usual = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()]
    to_float = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)]
    tensors = DataLoader(Transformed(train, v2.Compose([*usual, *to_float])), BATCH, shuffle=True)
    tables = {}

    seconds = medians(
        {
            "ours (fit)": lambda: fit(standardized(SmallCNN(), train), train, RECIPE),
            "the barest loop": lambda: barest_epoch(train),
        },
        rounds=9,
    )
    tables["epoch, no augmentation"] = report(
        "an epoch of SmallCNN on 5,120 images", seconds, ours="ours (fit)"
    )
    print(f"  ours is {seconds['ours (fit)'] / seconds['the barest loop']:.3f} × the barest loop")

    with tempfile.TemporaryDirectory() as name:
        as_folder(train, Path(name))
        files = DataLoader(
            ImageFolder(name, v2.Compose([v2.ToImage(), *usual, *to_float[1:]])),
            BATCH,
            shuffle=True,
        )
        seconds = medians(
            {
                "ours": lambda: exhaust(our_batches(train)),
                "DataLoader + TensorDataset + transforms v2": lambda: exhaust(tensors),
                "DataLoader + ImageFolder + transforms v2": lambda: exhaust(files),
            },
            rounds=3,
        )
        tables["input pipeline"] = report(
            "crop, flip and normalise 5,120 images", seconds, ours="ours"
        )
        seconds = medians(
            {
                "ours": lambda: fit(
                    standardized(SmallCNN(), train), train, RECIPE, augment=crop_and_flip
                ),
                "DataLoader + TensorDataset + transforms v2": lambda: torchvision_epoch(tensors),
                "DataLoader + ImageFolder + transforms v2": lambda: torchvision_epoch(files),
            },
            rounds=3,
        )
        tables["epoch, crop and flip"] = report(
            "an epoch of SmallCNN with crop and flip", seconds, ours="ours"
        )
    write("loop", tables, ["torch", "torchvision", "lightning-fabric"])


if __name__ == "__main__":
    main()
