from itertools import pairwise

import pytest
import torch
import torchvision
from peers import logits_of, random_state
from torch import nn

from cvcourse.models import VGG, layer_table

DEPTHS = (11, 13, 16, 19)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "bn"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_torchvisions_weights_give_identical_logits(depth: int, batch_norm: bool) -> None:
    name = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"
    with torch.device("meta"):
        ours = VGG(depth, batch_norm=batch_norm, n_classes=10)
        theirs = torchvision.models.get_model(name, num_classes=10, init_weights=False)
    state, images = random_state(theirs), torch.randn(2, 3, 32, 32)
    expected = logits_of(theirs, state, images)
    assert expected.isfinite().all()
    assert expected.std() > 0.01
    assert torch.equal(logits_of(ours, state, images), expected)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "bn"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_sizes_are_those_that_torchvision_publishes(depth: int, batch_norm: bool) -> None:
    name = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"
    published = torchvision.models.get_model_weights(name).DEFAULT.meta
    with torch.device("meta"):
        rows = layer_table(VGG(depth, batch_norm=batch_norm), (3, 224, 224))
    assert sum(row.parameters for row in rows) == published["num_params"]
    billions = sum(row.multiply_adds for row in rows) / 1e9
    assert billions == pytest.approx(published["_ops"], abs=6e-3)
    learned = [row for row in rows if row.kind in ("Conv2d", "Linear")]
    assert len(learned) == depth


def test_vgg_16_by_hand() -> None:
    widths = [3, 64, 64, 128, 128, *3 * [256], *6 * [512]]
    by_hand = sum((9 * a + 1) * b for a, b in pairwise(widths))
    by_hand += (512 * 49 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    with torch.device("meta"):
        assert sum(p.numel() for p in VGG(16).parameters()) == by_hand == 138_357_544


def test_only_3_by_3_convolutions_and_2_by_2_pooling() -> None:
    with torch.device("meta"):
        kinds = {type(m): m for m in VGG(19).features}
        assert set(kinds) == {nn.Conv2d, nn.ReLU, nn.MaxPool2d}
        convolutions = [m for m in VGG(19).features if isinstance(m, nn.Conv2d)]
    assert all(
        (m.kernel_size, m.stride, m.padding) == ((3, 3), (1, 1), (1, 1)) for m in convolutions
    )


def test_two_images_still_differ_after_thirteen_convolutions() -> None:
    torch.manual_seed(0)
    features, images = VGG(16, n_classes=10).features, torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        ours = torch.sub(*features(images)).std()
        for module in features:
            if isinstance(module, nn.Conv2d):
                module.reset_parameters()  # as torch starts any convolution
        usual = torch.sub(*features(images)).std()
    assert ours > 1000 * usual


def test_an_unknown_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="depth is 12; expected one of 11, 13, 16, 19"):
        VGG(12)  # type: ignore[arg-type]
