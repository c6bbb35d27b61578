from dataclasses import replace

import numpy as np
import pytest
import torch

from cvcourse.data import CLASS_NAMES, Scene, render
from cvcourse.data.shapes import CHUNK

BARE = Scene(noise=0.0, rotation=0.0, scale=1.0, brightness=0.0)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    first, again, other = render(30, seed=4), render(30, seed=4), render(30, seed=5)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, other.images)


@pytest.mark.parametrize("background", ["plain", "noise", "photograph"])
def test_fewer_pictures_are_the_first_of_more(background: str) -> None:
    scene = Scene(background=background)
    many, few = render(CHUNK + 20, scene, seed=1), render(CHUNK + 3, scene, seed=1)
    assert torch.equal(many.images[: len(few)], few.images)
    assert torch.equal(many.labels[: len(few)], few.labels)


def test_every_block_of_ten_holds_each_class_once() -> None:
    labels = render(50).labels.view(5, 10)
    assert (labels.sort(dim=1).values == torch.arange(10)).all()
    assert not (labels == labels[0]).all(), "the order within a block is random"


CHANGES = {
    "shift": 0.2,
    "scale": 0.6,
    "rotation": 40.0,
    "contrast": 0.2,
    "occlusion": 0.5,
}


@pytest.mark.parametrize("nuisance", CHANGES)
def test_a_nuisance_leaves_the_background_and_the_others_alone(nuisance: str) -> None:
    before = render(20, BARE, seed=3)
    after = render(20, replace(BARE, **{nuisance: CHANGES[nuisance]}), seed=3)
    assert torch.equal(before.labels, after.labels)
    assert not torch.equal(before.images, after.images)
    # Outside both objects (and the bar, which stays inside the object's box) nothing changed.
    corners = torch.zeros(32, 32, dtype=torch.bool)
    corners[:3, :3] = corners[-3:, -3:] = corners[:3, -3:] = corners[-3:, :3] = True
    assert torch.equal(before.images[..., corners], after.images[..., corners])


@pytest.mark.parametrize("nuisance", ["shift", "scale", "rotation", "occlusion"])
def test_geometry_leaves_the_colours_alone(nuisance: str) -> None:
    before = render(20, BARE, seed=3)
    after = render(20, replace(BARE, **{nuisance: CHANGES[nuisance]}), seed=3)
    assert before.masks is not None
    assert after.masks is not None
    for i in range(20):
        old = before.images[i][:, before.masks[i]].median(dim=1).values
        new = after.images[i][:, after.masks[i]].median(dim=1).values
        assert torch.equal(old, new)


def test_a_shift_moves_the_object_by_just_that_much() -> None:
    still, moved = render(200, BARE, seed=2), render(200, replace(BARE, shift=0.125), seed=2)
    assert still.boxes is not None
    assert moved.boxes is not None
    full = torch.tensor([name not in ("crescent", "triangle") for name in CLASS_NAMES])[
        still.labels
    ]
    step = (moved.boxes - still.boxes)[full]
    distance = step.view(-1, 2, 2).mean(dim=1).norm(dim=1)
    assert (distance - 4).abs().max() < 1.1  # of 32 pixels; boxes end on whole ones
    angle = torch.atan2(step[:, 1], step[:, 0])
    assert angle.min() < -2
    assert angle.max() > 2, "every direction"


def test_brightness_adds_to_every_pixel() -> None:
    dark, bright = render(10, BARE, seed=1), render(10, replace(BARE, brightness=0.2), seed=1)
    raised = (bright.images.int() - dark.images.int())[bright.images < 255]
    assert raised.min() >= 50
    assert raised.max() <= 52  # 0.2 · 255 = 51


@pytest.mark.parametrize("contrast", [-0.3, 0.4])
def test_contrast_is_the_step_from_background_to_object(contrast: float) -> None:
    scene = replace(BARE, contrast=contrast)
    drawn = render(50, scene, seed=1)
    assert drawn.masks is not None
    pixels = drawn.images.float() / 255
    pairs = zip(pixels, drawn.masks, strict=True)
    inside = torch.stack([p[:, m].median(dim=1).values for p, m in pairs])  # (50, 3)
    free = ((inside > 0) & (inside < 1)).all(dim=1)  # no channel ran into black or white
    step = inside.mean(dim=1) - pixels[:, :, 0, 0].mean(dim=1)
    assert free.any()
    assert (step - contrast)[free].abs().max() < 0.005


def test_boxes_are_tight_around_the_visible_pixels() -> None:
    drawn = render(60, Scene(shift=(0, 0.3), occlusion=(0, 0.6)), seed=9)
    assert drawn.masks is not None
    assert drawn.boxes is not None
    for mask, box in zip(drawn.masks, drawn.boxes, strict=True):
        rows, columns = np.nonzero(mask.numpy())
        tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert box.tolist() == tight


def test_the_mask_is_where_the_object_shows() -> None:
    scene = replace(BARE, contrast=0.5)
    drawn = render(40, scene, seed=6)
    assert drawn.masks is not None
    grey = drawn.images.float().mean(dim=1) / 255
    for picture, mask in zip(grey, drawn.masks, strict=True):
        background, step = picture[0, 0], picture[mask].median() - picture[0, 0]
        assert torch.equal(
            picture > background + 0.55 * step, mask & (picture > background + 0.55 * step)
        )
        assert (picture[~mask] <= background + 0.55 * step).all()


@pytest.mark.parametrize("hidden", [0.3, 0.6])
def test_occlusion_hides_its_share(hidden: float) -> None:
    squares = CLASS_NAMES.index("square")
    whole, part = render(100, BARE, seed=1), render(100, replace(BARE, occlusion=hidden), seed=1)
    assert whole.masks is not None
    assert part.masks is not None
    left = part.masks[whole.labels == squares].sum() / whole.masks[whole.labels == squares].sum()
    assert abs(1 - left - hidden) < 0.04


def test_a_fully_hidden_object_has_an_empty_box() -> None:
    drawn = render(10, Scene(occlusion=1.0))
    assert drawn.boxes is not None
    assert not drawn.boxes.any()


def test_a_cut_off_object_adds_nothing_to_the_picture() -> None:
    scene = replace(BARE, occlusion=0.5)
    cut, barred = render(20, replace(scene, occluder="background")), render(20, scene)
    assert cut.masks is not None
    assert barred.masks is not None
    assert torch.equal(cut.masks, barred.masks)
    assert not torch.equal(cut.images, barred.images)
    empty = cut.images[~cut.masks.unsqueeze(1).expand(-1, 3, -1, -1)].view(-1)
    assert len(empty)
    for i in range(20):
        corner = cut.images[i, :, 0, 0]
        plain = (cut.images[i] == corner.view(3, 1, 1)).all(dim=0)
        assert plain[~cut.masks[i]].float().mean() > 0.9  # the rest is the soft edge


@pytest.mark.parametrize("bias", [0.0, 0.5, 1.0])
def test_background_bias_is_the_share_that_follows_the_class(bias: float) -> None:
    drawn = render(3000, replace(BARE, background_bias=bias), seed=8)
    corner = drawn.images[:, :, 0, 0].float()
    tint = corner - corner.mean(dim=1, keepdim=True)
    hue = torch.atan2(tint[:, 1] - tint[:, 2], tint[:, 0] * 3**0.5)
    own = torch.stack([hue[drawn.labels == c].median() for c in range(10)])
    if bias == 1:
        assert len(own.mul(10).round().unique()) == 10
    same = (hue - own[drawn.labels]).abs() < 0.05
    expected = bias + (1 - bias) / 10
    if bias > 0:
        assert abs(float(same.float().mean()) - expected) < 0.04


def test_arrows_point_where_they_say() -> None:
    drawn = render(100, BARE, seed=1)
    assert drawn.masks is not None
    for name, heavier in (("left arrow", "left"), ("right arrow", "right")):
        mask = drawn.masks[drawn.labels == CLASS_NAMES.index(name)].float().mean(dim=0)
        left, right = mask[:, :16].sum(dim=0).max(), mask[:, 16:].sum(dim=0).max()
        assert (left > right) == (heavier == "left")  # the head is the tallest part


def test_rotation_is_counter_clockwise() -> None:
    drawn = render(100, replace(BARE, rotation=90.0), seed=1)
    assert drawn.masks is not None
    mask = drawn.masks[drawn.labels == CLASS_NAMES.index("right arrow")].float().mean(dim=0)
    assert mask[:16].sum(dim=1).max() > mask[16:].sum(dim=1).max(), "the head is now on top"


@pytest.mark.parametrize("size", [8, 33, 64])
def test_other_sizes(size: int) -> None:
    drawn = render(12, Scene(background="photograph"), size=size)
    assert drawn.images.shape == (12, 3, size, size)
    assert drawn.masks is not None
    assert drawn.masks.any(dim=(1, 2)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shift": 0.6}, r"Scene.shift is 0.6; .* from 0 to 0.5"),
        ({"shift": float("nan")}, "Scene.shift is nan"),
        ({"scale": (1.2, 0.8)}, "Scene.scale"),
        ({"noise": -0.1}, "Scene.noise"),
        ({"occlusion": 1.5}, "Scene.occlusion"),
        ({"occluder": "pink"}, "Scene.occluder"),
        ({"occluder": 2.0}, "Scene.occluder"),
        ({"background": "sky"}, "Scene.background is 'sky'; expected one of 'plain', 'noise', 'ph"),
        (
            {"background_bias": 2},
            "Scene.background_bias is 2; expected 0 to 1",
        ),
    ],
)
def test_a_scene_that_cannot_be_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scene(**settings)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, "n is 0"),
        ({"n": 2.5}, TypeError, "n is 2.5"),
        ({"n": 1, "seed": 0.5}, TypeError, "seed is 0.5"),
        ({"n": 1, "seed": True}, TypeError, "seed is True"),
        ({"n": 1, "seed": -1}, ValueError, "seed is -1"),
        ({"n": 1, "size": 4}, ValueError, "size is 4; expected 8 to 512"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        render(**arguments)
