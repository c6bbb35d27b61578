import pytest
import torch

from cvcourse.augment import corrupt
from cvcourse.data import Scene, render

PLAIN = Scene(noise=0.0)


def test_nothing_changes_at_the_neutral_amount() -> None:
    drawn = render(10, PLAIN)
    for change, neutral in (("shift", 0.0), ("crop", 1.0), ("scale", 1.0), ("occlusion", 0.0)):
        same = corrupt(drawn, change, neutral)
        assert torch.equal(same.images, drawn.images), change


def test_the_original_is_left_alone() -> None:
    drawn = render(10, PLAIN)
    copy = drawn.images.clone()
    for change in ("shift", "crop", "scale", "occlusion"):
        corrupt(drawn, change, 0.5)
    assert torch.equal(drawn.images, copy)


def centre_of(images: torch.Tensor, background: torch.Tensor) -> torch.Tensor:
    weight = (images.float().mean(dim=1) - background.view(-1, 1, 1)).clamp(min=0)  # (N, H, W)
    at = torch.arange(32) + 0.5
    total = weight.sum(dim=(1, 2))
    x, y = (weight.sum(dim=1) * at).sum(dim=1), (weight.sum(dim=2) * at).sum(dim=1)
    return torch.stack([x / total, y / total], dim=1)


def test_a_shift_moves_every_picture_by_its_distance() -> None:
    drawn = render(60, Scene(noise=0.0, scale=0.5), seed=1)
    background = drawn.images[:, :, 0, 0].float().mean(dim=1)
    moved = corrupt(drawn, "shift", 0.25, seed=2)
    step = centre_of(moved.images, background) - centre_of(drawn.images, background)
    assert (step.norm(dim=1) - 8).abs().max() < 0.2  # a quarter of 32 pixels
    angle = torch.atan2(step[:, 1], step[:, 0])
    assert angle.min() < -2
    assert angle.max() > 2


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_scale_grows_the_area_by_its_square(scale: float) -> None:
    drawn = render(40, Scene(noise=0.0, scale=0.8, contrast=0.5), seed=1)
    threshold = drawn.images[:, :, 0, 0].float().mean(dim=1).view(-1, 1, 1) + 0.25 * 255
    area = (drawn.images.float().mean(dim=1) > threshold).sum(dim=(1, 2))
    scaled = corrupt(drawn, "scale", scale)
    grown = (scaled.images.float().mean(dim=1) > threshold).sum(dim=(1, 2))
    assert abs(float(grown.sum() / area.sum()) - scale**2) < 0.15 * scale**2


def test_a_crop_keeps_only_what_was_there() -> None:
    drawn = render(20, Scene(noise=0.0), seed=1)
    cropped = corrupt(drawn, "crop", 0.5)
    assert cropped.images.shape == drawn.images.shape
    assert (cropped.images.amax(dim=(2, 3)) <= drawn.images.amax(dim=(2, 3))).all()
    assert not torch.equal(corrupt(drawn, "crop", 0.5, seed=1).images, cropped.images)


def test_occlusion_hides_its_share_from_every_side() -> None:
    drawn = render(100, Scene(noise=0.0, contrast=0.2), seed=1)
    hidden = (corrupt(drawn, "occlusion", 0.25).images == 128).all(dim=1)  # (N, H, W)
    assert hidden.float().mean(dim=(1, 2)).min() >= 0.25
    corners = hidden[:, [0, 0, 31, 31], [0, 31, 0, 31]].int()
    assert (corners.sum(dim=1) >= 2).all()
    assert len(corners.unique(dim=0)) == 4


@pytest.mark.parametrize(
    ("change", "amount", "message"),
    [
        ("twist", 0.1, "change is 'twist'"),
        ("shift", 1.5, "shift is 1.5; expected 0 to 1"),
        ("crop", 0.0, "crop is 0.0"),
        ("scale", float("nan"), "amount is nan"),
        ("occlusion", -0.1, "occlusion is -0.1"),
    ],
)
def test_impossible_changes_are_named(change: str, amount: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corrupt(render(2), change, amount)
