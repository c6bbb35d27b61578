"""Balanced choices of images: a small subset, or a few labels and many images without."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cvcourse.checks import Checked, Count, Natural, Seed, check_labels, checked
from cvcourse.data.image_set import UNLABELED, ImageSet


@dataclass(frozen=True)
class LabelSplit(Checked):
    """A set in three parts that share no image and together are all of it.

    Attributes:
        labeled: the few images whose labels training may see; as many of each class.
        unlabeled: all the images left over, with label -1.
        validation: as many of each class, for choosing between models.
        unlabeled_truth: (len(unlabeled),) int64: the labels hidden from `unlabeled`, in its order,
            to measure by and never to train on.
    """

    labeled: ImageSet
    unlabeled: ImageSet
    validation: ImageSet
    unlabeled_truth: Tensor

    def __post_init__(self) -> None:
        super().__post_init__()
        unlabeled, truth = self.unlabeled, self.unlabeled_truth
        check_labels("unlabeled_truth", truth, len(unlabeled), unlabeled.n_classes)


@checked
def split_labels(
    image_set: ImageSet, n_per_class: Count, *, validation_per_class: Natural, seed: Seed
) -> LabelSplit:
    """Keep the labels of a few images of each class, and hide those of the rest.

    The same arguments give the same split. With one seed, the validation set stays as it is when
    `n_per_class` changes, and more labels are the fewer labels and others.

    >>> from cvcourse.data import render, split_labels
    >>> split = split_labels(render(100), 2, validation_per_class=3, seed=0)
    >>> len(split.labeled), len(split.validation), len(split.unlabeled)
    (20, 30, 50)

    Args:
        image_set: images that all have labels.
        n_per_class: how many images of each class keep their label, at least 1.
        validation_per_class: how many others of each class are set aside, at least 0.
        seed: any integer ≥ 0.

    Returns:
        The parts, each in a random order.

    Raises:
        TypeError: a number is no integer.
        ValueError: a number is out of range, an image has no label, or a class has too few images.
    """
    labels = image_set.labels.cpu().numpy()
    if (labels == UNLABELED).any():
        raise ValueError(
            f"{int((labels == UNLABELED).sum())} of the {len(labels)} images have no label (-1); "
            "expected labels to keep and to hide — leave those images out first"
        )
    wanted = n_per_class + validation_per_class
    counts = np.bincount(labels, minlength=image_set.n_classes)
    for name, count in zip(image_set.class_names, counts, strict=True):
        if count < wanted:
            raise ValueError(
                f"class {name!r} has {count} images; expected at least {wanted} (n_per_class "
                f"{n_per_class} + validation_per_class {validation_per_class}) — ask for fewer"
            )
    order, turn = _in_turns(labels, seed)

    def part(chosen: NDArray[np.bool_]) -> ImageSet:
        return image_set[torch.from_numpy(order[chosen]).to(image_set.device)]

    rest = part(turn >= wanted)
    return LabelSplit(
        labeled=part((validation_per_class <= turn) & (turn < wanted)),
        unlabeled=replace(rest, labels=torch.full_like(rest.labels, UNLABELED)),
        validation=part(turn < validation_per_class),
        unlabeled_truth=rest.labels,
    )


@checked
def train_val_split(
    image_set: ImageSet, n_per_class: Count, *, seed: Seed
) -> tuple[ImageSet, ImageSet]:
    """Set `n_per_class` images of each class aside, and keep all the others.

    >>> from cvcourse.data import render, train_val_split
    >>> train, validation = train_val_split(render(100), 2, seed=0)
    >>> len(train), len(validation)
    (80, 20)

    Args:
        image_set: images that all have labels.
        n_per_class: how many of each class to set aside, at least 1.
        seed: any integer ≥ 0.

    Returns:
        The rest, and those set aside, each in a random order.

    Raises:
        TypeError: a number is no integer.
        ValueError: as `split_labels`; every class keeps at least one image.
    """
    split = split_labels(image_set, 1, validation_per_class=n_per_class, seed=seed)
    order, turn = _in_turns(image_set.labels.cpu().numpy(), seed)
    rest = torch.from_numpy(order[turn >= n_per_class]).to(image_set.device)
    return image_set[rest], split.validation


@checked
def balanced_subset(labels: NDArray[np.int64], n: Count, seed: Seed) -> NDArray[np.int64]:
    """Choose `n` images, as evenly from the classes as their sizes allow.

    The classes take turns, so that with one seed the first k of n images are the k images that
    `balanced_subset(labels, k, seed)` gives.

    Args:
        labels: (N,) int64; images without a label (-1) count as a class.
        n: how many, 1 to N.
        seed: any integer ≥ 0.

    Returns:
        (n,) int64: indices without repetition, in the order chosen.

    Raises:
        TypeError: n or seed is no integer.
        ValueError: one of them is out of range.
    """
    if n > len(labels):
        raise ValueError(f"n is {n}, but there are only {len(labels)} images; ask for no more")
    order, turn = _in_turns(labels, seed)
    return order[np.argsort(turn, kind="stable")[:n]]


def _in_turns(labels: NDArray[np.int64], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A random order of the images (N,), and for each how many of its class come before it (N,)."""
    order = np.random.default_rng(seed).permutation(len(labels))
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = labels[order] == label
        turn[members] = np.arange(members.sum())
    return order, turn
