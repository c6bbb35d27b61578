import pytest
import torch
from torch import nn

from cvcourse.data import ImageSet, render
from cvcourse.models import (
    MLP,
    FlattenCNN,
    LocallyConnectedNet,
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


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([0.5, 0.5], [0.5], "mean is .2,., std .1,."),
        ([0.5], [0.0], "std above 0"),
        ([float("nan")], [0.5], "finite numbers"),
        ([1], [1], "expected floats"),
    ],
)
def test_statistics_that_are_none_are_refused(mean: list, std: list, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Standardize(torch.tensor(mean), torch.tensor(std))


@pytest.mark.parametrize("images", [torch.zeros(2, 4, 8, 8), torch.zeros(2, 8, 8, 3)])
def test_images_of_other_channels_are_refused(images: torch.Tensor) -> None:
    layer = Standardize(torch.full((3,), 0.5), torch.full((3,), 0.5))
    with pytest.raises(ValueError, match=r"expected \(B, 3, H, W\)"):
        layer(images)
    with pytest.raises(TypeError, match="int64"):
        layer(images.long())


def test_the_statistics_travel_with_the_weights() -> None:
    bright, dark = render(20, seed=1), render(20, seed=2)
    model, other = standardized(SmallCNN(), bright), standardized(SmallCNN(), dark)
    other.load_state_dict(model.state_dict())
    images = render(5).images
    assert torch.equal(model.eval()(images), other.eval()(images))


GREY = ImageSet(torch.zeros(4, 1, 16, 16, dtype=torch.uint8), torch.arange(4) % 3, tuple("abc"))


@pytest.mark.parametrize("make", [SingleLayer, MLP, SmallCNN, FlattenCNN, LocallyConnectedNet])
def test_a_model_is_built_to_fit_the_images(make: type[nn.Module]) -> None:
    standardize, model = standardized(make, GREY)
    assert isinstance(standardize, Standardize)
    assert type(model) is make
    assert model(torch.zeros(2, 1, 16, 16)).shape == (2, 3)


def test_settings_go_to_the_constructor_and_before_what_the_images_say() -> None:
    model = standardized(SmallCNN, GREY, width=5, n_classes=20)[1]
    assert model.features[0][0].out_channels == 5
    assert model.classifier.out_features == 20
    built = SmallCNN(channels=1)
    assert standardized(built, GREY)[1] is built

    class Heir(SmallCNN):
        """Has no constructor of its own."""

    assert standardized(Heir, GREY)[1].classifier.out_features == 3
    made = standardized(lambda *, channels: nn.Conv2d(channels, 7, 3), GREY)[1]
    assert made.weight.shape == (7, 1, 3, 3)


def test_what_cannot_be_built_is_named() -> None:
    with pytest.raises(TypeError, match="SmallCNN is built already, and cannot take width"):
        standardized(SmallCNN(), GREY, width=3)
    wide = ImageSet(GREY.images.repeat(1, 1, 1, 2), GREY.labels, GREY.class_names)
    with pytest.raises(ValueError, match="the images are 16 × 32; expected square ones"):
        standardized(MLP, wide)
    assert standardized(SmallCNN, wide)[1](torch.zeros(1, 1, 16, 32)).shape == (1, 3)


def test_without_a_border_no_place_differs_from_another() -> None:
    images = torch.rand(2, 1, 32, 32)
    pushed = images.roll(8, dims=3)  # three poolings by 2
    torch.manual_seed(0)
    model = SmallCNN(channels=1, padding_mode="circular").eval()
    assert model(pushed).allclose(model(images), atol=1e-5)
    torch.manual_seed(0)
    model = SmallCNN(channels=1).eval()
    assert not model(pushed).allclose(model(images), atol=1e-5)
