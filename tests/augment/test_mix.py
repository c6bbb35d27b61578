import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaincinv

from cvcourse.augment import CutMix, MixUp
from cvcourse.augment.mix import clipped_box

OWN = torch.arange(8, dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 3, 12, 31)  # level: whose


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_cutmix_counts_the_pixels_it_pasted(alpha: float) -> None:
    shares = []
    for seed in range(60):
        mixture = CutMix(alpha)(OWN, generator(seed))
        for i, partner in enumerate(mixture.partners.tolist()):
            levels = mixture.images[i]
            assert ((levels == i) | (levels == partner)).all()
            if partner != i:
                own = (levels == i).float().mean()
                assert float(own) == pytest.approx(mixture.share, abs=1e-6)
        shares.append(mixture.share)
    assert len(set(shares)) > 20
    assert 0 <= min(shares) < 0.5 < max(shares) <= 1


@given(
    share=st.floats(0, 1),
    x=st.floats(0, 1, exclude_max=True),
    y=st.floats(0, 1, exclude_max=True),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
@settings(derandomize=True, max_examples=100, deadline=None)
def test_the_box_lies_inside_and_has_the_images_proportions(
    share: float, x: float, y: float, height: int, width: int
) -> None:
    x0, y0, x1, y1 = clipped_box(share, x, y, height, width)
    assert 0 <= x0 <= x1 <= width
    assert 0 <= y0 <= y1 <= height
    side = (1 - share) ** 0.5
    assert x1 - x0 <= width * side
    assert y1 - y0 <= height * side


def test_width_and_height_are_not_swapped() -> None:
    x0, y0, x1, y1 = clipped_box(0.75, 0.5, 0.5, 40, 100)
    assert (x1 - x0, y1 - y0) == (50, 20)
    assert (x0, y0) == (25, 10)
    assert clipped_box(0.75, 0.0, 0.99, 40, 100) == (0, 29, 25, 40)  # clipped left and below


def test_mixup_is_the_weighted_mean() -> None:
    images = torch.randint(0, 256, (8, 3, 5, 7), dtype=torch.uint8)
    for seed in range(20):
        mixture = MixUp(1.0)(images, generator(seed))
        share = mixture.share
        assert 0 <= share <= 1
        wanted = share * images.double() + (1 - share) * images[mixture.partners].double()
        assert (mixture.images.double() - wanted).abs().max() <= 0.5 + 1e-3


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
def test_shares_follow_beta(alpha: float) -> None:
    draw = generator(0)
    shares = torch.tensor([MixUp(alpha)(OWN, draw).share for _ in range(2000)])
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.03)
    variance = 1 / (4 * (2 * alpha + 1))
    assert float(shares.var()) == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize("mix", [CutMix(), MixUp()])
def test_targets_sum_to_one_and_hold_both_labels(mix: CutMix | MixUp) -> None:
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    copy = OWN.clone()
    mixture = mix(OWN, generator(3))
    targets = mixture.targets(labels, 4)
    assert torch.allclose(targets.sum(dim=1), torch.ones(8))
    for i, partner in enumerate(mixture.partners.tolist()):
        wanted = torch.zeros(4)
        wanted[labels[i]] += mixture.share
        wanted[labels[partner]] += 1 - mixture.share
        assert torch.allclose(targets[i], wanted)
    assert torch.equal(OWN, copy)
    again = mix(OWN, generator(3))
    assert torch.equal(again.images, mixture.images)
    assert again.share == mixture.share


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("mix", [CutMix, MixUp])
def test_absurd_alphas_are_refused(mix: type[CutMix | MixUp], alpha: float) -> None:
    with pytest.raises(ValueError, match="expected above 0"):
        mix(alpha)


@pytest.mark.parametrize("alpha", [1e-3, 1000.0])
@pytest.mark.parametrize("mix", [CutMix, MixUp])
def test_alpha_goes_up_to_a_thousand(mix: type[CutMix | MixUp], alpha: float) -> None:
    assert 0 <= mix(alpha)(OWN, generator(0)).share <= 1
    with pytest.raises(ValueError, match="expected above 0 to 1000"):
        mix(1000.5)


@pytest.mark.parametrize("mix", [CutMix(0.7), MixUp(0.7)])
def test_a_seed_is_three_doubles_and_an_order_on_the_images_device(mix: CutMix | MixUp) -> None:
    draw = generator(5)
    first, *centre = torch.rand(3, generator=draw, dtype=torch.float64).tolist()
    partners = torch.randperm(8, generator=draw)
    share = float(betaincinv(0.7, 0.7, first))
    with torch.device("meta"):  # where whatever names no device would be
        mixture = mix(OWN, generator(5))
    assert torch.equal(mixture.partners, partners)
    assert mixture.images.dtype == torch.uint8
    if isinstance(mix, MixUp):
        assert mixture.share == share
    else:
        y, x = centre
        x0, y0, x1, y1 = clipped_box(share, x, y, 12, 31)
        changed = (mixture.images != OWN)[partners != torch.arange(8)][0, 0]
        assert changed.sum() == (x1 - x0) * (y1 - y0) > 0
        assert changed[y0:y1, x0:x1].all()


@pytest.mark.parametrize("mix", [CutMix(), MixUp()])
def test_only_bytes_are_mixed(mix: CutMix | MixUp) -> None:
    with pytest.raises((TypeError, ValueError), match="uint8"):
        mix(OWN.float(), generator(0))
