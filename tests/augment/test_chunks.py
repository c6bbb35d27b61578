"""Chunks share their memory: no image may show in the result of another."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from cvcourse.augment import batch_colour, batch_geometry, chunks, crop_and_flip

IMAGES = torch.randint(
    0, 256, (5, 4, 11, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)
PARAMETER = torch.tensor([0.1, 0.9, 0.3, 0.0, 0.6])

OPERATIONS: list[Callable[[Tensor, Tensor], Tensor]] = [
    batch_colour.brightness,
    batch_colour.contrast,
    batch_colour.saturation,
    batch_colour.sharpness,
    lambda images, p: batch_colour.hue(images, p - 0.4),
    lambda images, p: batch_colour.posterize(images, (1 + 7 * p).floor()),
    lambda images, p: batch_colour.solarize(images, 256 * p),
    lambda images, _: batch_colour.autocontrast(images),
    lambda images, _: batch_colour.equalize(images),
    lambda images, p: batch_colour.blur(images, p / 4),
    lambda images, p: batch_geometry.rotate(images, 90 * p, fill=77),
    lambda images, p: batch_geometry.translate(images, p, 0.5 * p),
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_chunks_give_what_the_whole_batch_gives(
    operation: Callable, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = operation(IMAGES, PARAMETER)
    monkeypatch.setitem(chunks.CHUNK, "cpu", n * 11 * 8)
    for channels in (1, 3, 4):
        some = IMAGES[:, :channels]  # a view with gaps
        assert torch.equal(
            operation(some, PARAMETER),
            whole if channels == 4 else operation(some.contiguous(), PARAMETER),
        )
    assert operation(IMAGES[:0], PARAMETER[:0]).shape == (0, 4, 11, 8)


def test_windows_are_cut_from_any_layout() -> None:
    x, y = torch.tensor([0, 4, 1, 2, 4]), torch.tensor([5, 0, 1, 2, 5])  # the very last one, too
    cut = batch_geometry.crop(IMAGES, x, y, (6, 4))
    for i, image in enumerate(IMAGES):
        assert torch.equal(cut[i], image[:, y[i] : y[i] + 6, x[i] : x[i] + 4])
    turned = IMAGES.contiguous(memory_format=torch.channels_last)
    for same in (turned, torch.cat([IMAGES, IMAGES])[5:], IMAGES.repeat(1, 2, 1, 1)[:, :4]):
        assert torch.equal(batch_geometry.crop(same, x, y, (6, 4)), cut)
        one, other = (
            crop_and_flip(images, torch.Generator().manual_seed(3)) for images in (same, IMAGES)
        )
        assert torch.equal(one, other)
    empty = IMAGES[:0]
    assert batch_geometry.crop(empty, x[:0], y[:0], (6, 4)).shape == (0, 4, 6, 4)
    assert crop_and_flip(empty, torch.Generator()).shape == empty.shape
