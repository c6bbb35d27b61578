from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any, cast

import numpy as np
import pytest
import torch

from cvcourse.data import ImageSet, split_labels, train_val_split
from cvcourse.data.split import balanced_subset


def numbered(counts: tuple[int, ...] = (40, 30, 20)) -> ImageSet:
    """Classes of these sizes, mixed; every image shows its own number in its first two pixels."""
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]
    images = torch.zeros(len(labels), 1, 1, 2, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(len(labels)) // 256
    images[:, 0, 0, 1] = torch.arange(len(labels)) % 256
    return ImageSet(images, labels, ("cat", "dog", "eel")[: len(counts)])


def numbers(image_set: ImageSet) -> list[int]:
    return (image_set.images[:, 0, 0, 0].int() * 256 + image_set.images[:, 0, 0, 1]).tolist()


def test_the_parts_are_disjoint_and_together_everything() -> None:
    whole = numbered()
    split = split_labels(whole, 5, validation_per_class=4, seed=0)
    parts = (split.labeled, split.unlabeled, split.validation)
    assert sorted(chain.from_iterable(map(numbers, parts))) == list(range(90))
    assert [len(part) for part in parts] == [15, 90 - 15 - 12, 12]
    assert all(part.class_names == whole.class_names for part in parts)


def test_labeled_and_validation_are_balanced_and_keep_their_labels() -> None:
    whole = numbered()
    split = split_labels(whole, 5, validation_per_class=4, seed=0)
    assert torch.bincount(split.labeled.labels).tolist() == [5, 5, 5]
    assert torch.bincount(split.validation.labels).tolist() == [4, 4, 4]
    for part in (split.labeled, split.validation):
        assert torch.equal(part.labels, whole.labels[numbers(part)])


def test_the_unlabeled_show_no_label_and_their_truth_is_beside_them() -> None:
    whole = numbered()
    split = split_labels(whole, 5, validation_per_class=4, seed=0)
    assert split.unlabeled.labels.unique().tolist() == [-1]
    assert torch.equal(split.unlabeled_truth, whole.labels[numbers(split.unlabeled)])


def test_the_seed_decides_which() -> None:
    def chosen(seed: int) -> list[int]:
        return numbers(split_labels(numbered(), 5, validation_per_class=4, seed=seed).labeled)

    assert chosen(3) == chosen(3)
    assert sorted(chosen(3)) != sorted(chosen(4))


def test_more_labels_keep_the_validation_set_and_the_fewer_labels() -> None:
    few = split_labels(numbered(), 2, validation_per_class=4, seed=0)
    many = split_labels(numbered(), 9, validation_per_class=4, seed=0)
    assert numbers(few.validation) == numbers(many.validation)
    assert set(numbers(few.labeled)) < set(numbers(many.labeled))


def test_the_parts_may_be_empty() -> None:
    split = split_labels(numbered((3, 3, 3)), 3, validation_per_class=0, seed=0)
    assert (len(split.labeled), len(split.unlabeled), len(split.validation)) == (9, 0, 0)
    assert len(split.unlabeled_truth) == 0


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda s: split_labels(s, 15, validation_per_class=6, seed=0),
            ValueError,
            "class 'eel' has 20 images; expected at least 21 .n_per_class 15 . validation",
        ),
        (
            lambda s: split_labels(s, 0, validation_per_class=6, seed=0),
            ValueError,
            "n_per_class is 0",
        ),
        (
            lambda s: split_labels(s, cast(int, 2.0), validation_per_class=6, seed=0),
            TypeError,
            "n_per_class is 2.0",
        ),
        (
            lambda s: split_labels(s, 1, validation_per_class=-1, seed=0),
            ValueError,
            "validation_per_class is -1",
        ),
        (lambda s: split_labels(s, 1, validation_per_class=1, seed=-1), ValueError, "seed is -1"),
        (
            lambda s: split_labels(s, 1, validation_per_class=1, seed=True),
            TypeError,
            "seed is True",
        ),
    ],
)
def test_split_errors(call: Callable[[Any], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call(numbered())


def test_images_without_a_label_cannot_be_split() -> None:
    unlabeled = split_labels(numbered(), 5, validation_per_class=4, seed=0).unlabeled
    with pytest.raises(ValueError, match="63 of the 63 images have no label"):
        split_labels(unlabeled, 1, validation_per_class=1, seed=0)


def test_a_class_without_any_image_is_named() -> None:
    whole = numbered((5, 5))
    with pytest.raises(ValueError, match="class 'fox' has 0 images"):
        split_labels(
            ImageSet(whole.images, whole.labels, ("cat", "dog", "fox")),
            1,
            validation_per_class=0,
            seed=0,
        )


def test_a_subset_is_as_even_as_the_classes_allow() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 4])
    assert np.bincount(labels[balanced_subset(labels, 9, 0)]).tolist() == [3, 3, 3]
    assert sorted(np.bincount(labels[balanced_subset(labels, 10, 0)])) == [3, 3, 4]
    assert np.bincount(labels[balanced_subset(labels, 24, 0)]).tolist() == [10, 10, 4]
    assert np.bincount(labels[balanced_subset(labels, 154, 0)]).tolist() == [100, 50, 4]


def test_a_subset_repeats_nothing_and_starts_with_the_smaller_subsets() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 4])
    large = balanced_subset(labels, 60, 5)
    assert len(set(large.tolist())) == 60
    assert np.array_equal(balanced_subset(labels, 7, 5), large[:7])
    assert not np.array_equal(balanced_subset(labels, 60, 6), large)


@pytest.mark.parametrize(
    ("n", "seed", "error", "says"),
    [
        (5, 0, ValueError, "n is 5, but there are only 4 images"),
        (0, 0, ValueError, "n is 0; expected at least 1"),
        (1.5, 0, TypeError, "n is 1.5"),
        (1, -1, ValueError, "seed is -1"),
        (1, None, TypeError, "seed is None"),
    ],
)
def test_subset_errors(n: int, seed: int, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        balanced_subset(np.zeros(4, np.int64), n, seed)


def test_what_is_held_back_is_the_validation_set_and_the_rest_is_all_the_others() -> None:
    whole = numbered()
    rest, held = train_val_split(whole, 3, seed=2)
    assert torch.bincount(held.labels).tolist() == [3, 3, 3]
    assert torch.bincount(rest.labels).tolist() == [37, 27, 17]
    assert sorted(numbers(rest) + numbers(held)) == list(range(90))
    same = split_labels(whole, 1, validation_per_class=3, seed=2).validation
    assert numbers(held) == numbers(same)


def test_the_hidden_labels_must_be_those_of_the_unlabeled() -> None:
    split = split_labels(numbered(), 1, validation_per_class=1, seed=0)
    with pytest.raises(ValueError, match="unlabeled_truth are"):
        replace(split, unlabeled_truth=split.unlabeled_truth[1:])
    with pytest.raises(TypeError, match="unlabeled is None"):
        replace(split, unlabeled=None)
