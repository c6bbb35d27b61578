from typing import Any

import numpy as np
import pytest
import torch

from cvcourse.data import ImageSet


def make(n: int = 4, **changes: object) -> ImageSet:
    parts: dict = {
        "images": torch.arange(n * 3 * 4 * 4).view(n, 3, 4, 4).to(torch.uint8),
        "labels": torch.arange(n) % 2,
        "class_names": ("a", "b"),
        "boxes": torch.zeros(n, 4),
        "masks": torch.zeros(n, 4, 4, dtype=torch.bool),
    }
    return ImageSet(**(parts | changes))


def test_indexing_takes_everything_along() -> None:
    whole = make()
    part = whole[torch.tensor([3, 1])]
    assert len(part) == 2
    assert torch.equal(part.images, whole.images[[3, 1]])
    assert part.labels.tolist() == [1, 1]
    assert part.boxes is not None
    assert part.masks is not None
    assert len(part.boxes) == len(part.masks) == 2
    assert len(whole[whole.labels == 0]) == 2


def test_a_single_index_is_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"use \[2:3\]"):
        make()[2]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"images": torch.zeros(4, 3, 4, 4)}, TypeError, "expected torch.uint8"),
        ({"images": torch.zeros(4, 4, 4, 3, dtype=torch.uint8)}, ValueError, "permute"),
        ({"images": torch.zeros(4, 4, 4, dtype=torch.uint8)}, ValueError, "images have shape"),
        ({"labels": torch.zeros(3, dtype=torch.int64)}, ValueError, "labels have shape"),
        ({"labels": torch.zeros(4)}, TypeError, "labels are torch.float32"),
        ({"labels": torch.full((4,), 2)}, ValueError, "expected 0 to 1"),
        ({"boxes": torch.zeros(4, 5)}, ValueError, "boxes have shape"),
        ({"boxes": torch.full((4, 4), torch.nan)}, ValueError, "boxes hold NaN"),
        ({"images": torch.zeros(4, 3, 4, 4).to("meta")}, TypeError, "images is a tensor of"),
        ({"class_names": "ab"}, TypeError, "class_names is 'ab'"),
        ({"masks": torch.zeros(4, 5, 4, dtype=torch.bool)}, ValueError, "masks have shape"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(**changes)


def test_statistics_are_those_of_the_pixels() -> None:
    images = torch.randint(0, 256, (20, 3, 5, 7), dtype=torch.uint8)
    images[:, 2] = 9  # a channel that never changes
    mean, std = make(20, images=images, boxes=None, masks=None).statistics()
    pixels = images.double() / 255
    torch.testing.assert_close(mean, pixels.mean(dim=(0, 2, 3)).float())
    expected = pixels.std(dim=(0, 2, 3), correction=0).float()
    torch.testing.assert_close(std[:2], expected[:2])
    assert std[2] == 1


def test_an_empty_set_has_no_statistics() -> None:
    with pytest.raises(ValueError, match="empty"):
        make()[:0].statistics()


def test_some_classes_are_numbered_in_the_order_given() -> None:
    labels = torch.tensor([2, 0, -1, 1, 2])
    whole = make(5, labels=labels, class_names=("a", "b", "c"))
    some = whole.of_classes((2, 0))
    assert some.class_names == ("c", "a")
    assert some.labels.tolist() == [0, 1, 0]
    assert torch.equal(some.images, whole.images[[0, 1, 4]])
    assert some.boxes is not None
    assert len(some.boxes) == 3


@pytest.mark.parametrize("classes", ["a", 0.5, [True], [0.0], torch.tensor(0), iter([0])])
def test_classes_are_whole_numbers(classes: Any) -> None:
    with pytest.raises(TypeError, match=r"(a class|classes) is .*; expected"):
        make().of_classes(classes)


@pytest.mark.parametrize("classes", [(0, 0), (2,), (-1,)])
def test_classes_that_are_not_there_are_named(classes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected some of 0 to 1"):
        make().of_classes(classes)


@pytest.mark.parametrize(
    ("index", "chosen"),
    [
        ([2, 0], [2, 0]),
        ((2, -4), [2, 0]),
        (np.array([2, 0])[::-1], [0, 2]),
        (range(1, 3), [1, 2]),
        ([False, True, True, False], [1, 2]),
        ([], []),
    ],
)
def test_an_index_may_be_numbers_or_a_mask_in_any_sequence(index: Any, chosen: list[int]) -> None:
    whole = make()
    assert torch.equal(whole[index].images, whole.images[torch.tensor(chosen, dtype=torch.int64)])


@pytest.mark.parametrize("index", [None, "0", 1.5, [0.0, 1.0], [[0, 1]], {"a": 0}, iter([0])])
def test_what_is_no_index_is_named(index: Any) -> None:
    with pytest.raises(TypeError, match="an index of an ImageSet"):
        make()[index]


def test_an_index_out_of_range_names_how_many_images_there_are() -> None:
    with pytest.raises(IndexError, match="has 4 images; index 4 is out of bounds"):
        make()[[4]]
