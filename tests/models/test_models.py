import pytest
import torch
from torch import nn

from cvcourse.data import render
from cvcourse.models import (
    MLP,
    FlattenCNN,
    SingleLayer,
    SmallCNN,
    Standardize,
    standardized,
)


def n_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_parameter_counts_by_hand() -> None:
    assert n_parameters(SingleLayer()) == 3072 * 10 + 10
    assert n_parameters(MLP()) == 3072 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10
    convolutions = 9 * (3 * 16 + 16 * 32 + 32 * 64)
    batch_norms = 2 * (16 + 32 + 64)
    assert n_parameters(SmallCNN()) == convolutions + batch_norms + 64 * 10 + 10 == 24_346
    assert n_parameters(FlattenCNN()) == convolutions + batch_norms + 1024 * 10 + 10 == 33_946


@pytest.mark.parametrize(
    "model",
    [SingleLayer(n_classes=7, channels=1, size=16), MLP(n_classes=7, channels=1, size=16)],
)
def test_fully_connected_models_take_other_sizes(model: nn.Module) -> None:
    assert model(torch.zeros(2, 1, 16, 16)).shape == (2, 7)


@pytest.mark.parametrize("size", [8, 33, 64])
def test_the_cnn_takes_any_size(size: int) -> None:
    assert SmallCNN(n_classes=4, channels=1)(torch.zeros(2, 1, size, size)).shape == (2, 4)


@pytest.mark.parametrize("size", [8, 33, 64])
def test_a_flattening_cnn_weighs_every_position_on_its_own(size: int) -> None:
    model = FlattenCNN(n_classes=4, channels=1, size=size).eval()
    images = torch.rand(2, 1, size, size)
    maps, by_hand, side = model.features(images), torch.zeros(2, 4), size // 8
    weights = model.classifier.weight.view(4, -1, side, side)  # (classes, maps, rows, columns)
    for y in range(side):
        for x in range(side):
            by_hand += maps[:, :, y, x] @ weights[:, :, y, x].T
    torch.testing.assert_close(model(images), by_hand + model.classifier.bias)


def test_a_single_layer_is_an_inner_product_with_its_templates() -> None:
    model, images = SingleLayer(), torch.rand(5, 3, 32, 32)
    by_hand = torch.einsum("bchw,kchw->bk", images, model.templates()) + model.layer.bias
    torch.testing.assert_close(model(images), by_hand)


def test_standardized_images_have_mean_zero_and_deviation_one() -> None:
    train = render(50)
    layer = Standardize(*train.statistics())
    pixels = layer(train.images)
    torch.testing.assert_close(pixels.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(pixels.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(layer(train.images.float() / 255), pixels)


def test_the_statistics_travel_with_the_weights() -> None:
    bright, dark = render(20, seed=1), render(20, seed=2)
    model, other = standardized(SmallCNN(), bright), standardized(SmallCNN(), dark)
    other.load_state_dict(model.state_dict())
    images = render(5).images
    assert torch.equal(model.eval()(images), other.eval()(images))
