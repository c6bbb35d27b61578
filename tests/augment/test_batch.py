import torch
import torch.nn.functional as F

from cvcourse.augment import crop_and_flip

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


def test_a_crop_is_drawn_first_and_then_mirrored() -> None:
    generator = torch.Generator().manual_seed(0)
    y, x = torch.randint(0, 5, (2, 200, 1), generator=generator)[..., 0]
    flipped = torch.rand(200, 1, generator=generator) < 0.5
    padded = F.pad(IMAGES, (2, 2, 2, 2))
    results = crop_and_flip(IMAGES, generator.manual_seed(0), padding=2)
    for i, result in enumerate(results):
        crop = padded[i, :, y[i] : y[i] + 9, x[i] : x[i] + 7]
        assert torch.equal(result, crop.flip(2) if flipped[i] else crop)
