import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cvcourse.augment import Compose, Cutout, RandAugment, crop_and_flip, ops

IMAGES = torch.randint(0, 256, (200, 3, 9, 7), dtype=torch.uint8)


def test_every_result_is_a_crop_of_the_padded_image_or_its_mirror() -> None:
    found = set()
    for image, result in zip(
        IMAGES, crop_and_flip(IMAGES, torch.Generator(), padding=2), strict=True
    ):
        padded = F.pad(image, (2, 2, 2, 2))
        crops = {
            (y, x, flip): padded[:, y : y + 9, x : x + 7].flip(2)
            if flip
            else padded[:, y : y + 9, x : x + 7]
            for y in range(5)
            for x in range(5)
            for flip in (False, True)
        }
        matches = [key for key, crop in crops.items() if torch.equal(crop, result)]
        assert len(matches) == 1
        found.add(matches[0])
    assert {y for y, _, _ in found} == {x for _, x, _ in found} == set(range(5))
    assert {flip for _, _, flip in found} == {False, True}


def test_it_follows_its_generator_and_leaves_the_input_alone() -> None:
    copy = IMAGES.clone()
    one, same, other = (
        crop_and_flip(IMAGES, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(IMAGES, copy)
    assert one.is_contiguous()
    assert one.dtype == torch.uint8


def test_without_padding_only_the_mirror_is_left() -> None:
    results = crop_and_flip(IMAGES.float(), torch.Generator(), padding=0)
    straight = (results == IMAGES).flatten(1).all(dim=1)
    mirrored = (results == IMAGES.flip(3)).flatten(1).all(dim=1)
    assert (straight ^ mirrored).all()
    assert 60 < straight.sum() < 140
    for flip, like in ((0.0, IMAGES), (1.0, IMAGES.flip(3))):
        assert crop_and_flip(IMAGES, torch.Generator(), padding=0, flip=flip).equal(like)


def test_a_crop_is_drawn_first_and_then_mirrored() -> None:
    generator = torch.Generator().manual_seed(0)
    y, x = torch.randint(0, 5, (2, 200, 1), generator=generator)[..., 0]
    flipped = torch.rand(200, 1, generator=generator) < 0.5
    padded = F.pad(IMAGES, (2, 2, 2, 2))
    results = crop_and_flip(IMAGES, generator.manual_seed(0), padding=2)
    for i, result in enumerate(results):
        crop = padded[i, :, y[i] : y[i] + 9, x[i] : x[i] + 7]
        assert torch.equal(result, crop.flip(2) if flipped[i] else crop)


def test_cutout_hides_a_grey_square_around_any_point() -> None:
    images = torch.randint(200, 256, (400, 3, 12, 15), dtype=torch.uint8)
    hidden = Cutout()(images, torch.Generator().manual_seed(0))
    x, y = torch.rand(2, 400, generator=torch.Generator().manual_seed(0))
    for image, result, across, down in zip(images, hidden, x.tolist(), y.tolist(), strict=True):
        alone = ops.cutout(image.permute(1, 2, 0).numpy(), across, down, 0.5, fill=128)
        assert np.array_equal(result.permute(1, 2, 0).numpy(), alone)
    share = (hidden == 128).float().mean(dim=(1, 2, 3))  # of 6 × 6 in 12 × 15
    assert share.max() == 0.2
    assert 0.04 < share.min() < 0.08  # a centre in the corner: 3 × 3, or a row more
    often = (hidden == 128)[:, 0].float().mean(dim=0)  # (12, 15)
    assert often.min() > 0.05
    assert often[6, 7] > often[0, 0]


def test_cutout_of_no_side_hides_nothing_and_of_the_whole_at_least_a_quarter() -> None:
    white = torch.full((300, 1, 8, 8), 255, dtype=torch.uint8)
    none, most = (Cutout(side, fill=7)(white, torch.Generator()) == 7 for side in (0.0, 1.0))
    assert not none.any()
    share = most.float().mean(dim=(1, 2, 3))
    assert share.min() == 0.25
    assert share.max() == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"side": 1.1}, "side is 1.1; expected 0 to 1"),
        ({"side": float("nan")}, "side is nan"),
        ({"fill": 256}, "fill is 256; expected 0 to 255"),
    ],
)
def test_absurd_squares_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cutout(**settings)


def test_composed_steps_draw_one_after_the_other() -> None:
    steps = [crop_and_flip, RandAugment(2, m="random"), Cutout(0.4)]
    together = Compose(steps)(IMAGES, torch.Generator().manual_seed(5))
    generator, images = torch.Generator().manual_seed(5), IMAGES
    for step in steps:
        images = step(images, generator)
    assert torch.equal(together, images)
    assert not torch.equal(Compose(steps[::-1])(IMAGES, generator.manual_seed(5)), images)
    assert Compose([])(IMAGES, generator) is IMAGES
