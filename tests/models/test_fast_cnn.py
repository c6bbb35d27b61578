import pytest
import torch

from cvcourse.data import render
from cvcourse.models import standardized
from cvcourse.models.fast_cnn import FastCNN


def test_parameters_by_hand() -> None:
    whitening = 24 * 12 + 24
    convolutions = 9 * (24 * 64 + 64 * 64 + 64 * 256 + 3 * 256 * 256)
    norms = 2 * 2 * (64 + 256 + 256)
    assert sum(p.numel() for p in FastCNN().parameters()) == (
        whitening + convolutions + norms + 256 * 10
    )


def test_the_first_layers_outputs_are_white() -> None:
    train = render(200)
    standardize, network = standardized(FastCNN, train, width=4)
    images = standardize(train.images) + 0.1 * torch.randn(200, 3, 32, 32)
    network.whiten(images)
    maps = network.first(images)  # (B, 24, 31, 31)
    covariances = torch.cov(maps.transpose(0, 1).flatten(1))
    torch.testing.assert_close(covariances[:12, :12], torch.eye(12), atol=0.06, rtol=0)
    torch.testing.assert_close(covariances[12:, :12], -torch.eye(12), atol=0.06, rtol=0)


def test_flat_pictures_make_no_infinite_filters() -> None:
    network = FastCNN(width=4)
    network.whiten(torch.full((4, 3, 8, 8), 0.5))
    assert bool(network.first.weight.isfinite().all())


def test_a_blocks_first_convolution_hands_its_input_on() -> None:
    convolution = FastCNN(width=32).blocks[1][0]
    maps = torch.rand(2, 24, 5, 5)
    torch.testing.assert_close(convolution(maps)[:, :24], maps)


def test_every_parameter_that_learns_is_in_one_group() -> None:
    network = FastCNN(width=4)
    rest, biases = network.parameter_groups(0.5)
    assert [p.shape for p in biases["params"]] == [(4,), (4,), *[(16,)] * 4]
    assert (rest["lr"], biases["lr"], biases["weight_decay"]) == (0.5, 32.0, 0.0)
    assert {id(p) for p in (*rest["params"], *biases["params"])} == {
        id(p) for p in network.parameters() if p.requires_grad
    }
    fixed = {name for name, p in network.named_parameters() if not p.requires_grad}
    assert len(fixed) == 7, "the first layer's filters, and what six norms multiply by"


@pytest.mark.parametrize("size", [9, 17, 32])
def test_it_takes_any_size(size: int) -> None:
    assert FastCNN(n_classes=3, channels=1, width=2)(torch.zeros(2, 1, size, size)).shape == (2, 3)


@pytest.mark.parametrize(
    ("images", "error"),
    [
        (torch.zeros(4, 3, 8, 8, dtype=torch.uint8), (TypeError, "uint8; expected floats")),
        (torch.zeros(4, 1, 8, 8), (ValueError, r"\(4, 1, 8, 8\); expected \(B, 3, H, W\)")),
        (torch.zeros(4, 3, 1, 8), (ValueError, "H, W ≥ 2")),
        (torch.zeros(1, 3, 2, 2), (ValueError, "fewer than two windows")),
        (torch.full((4, 3, 8, 8), torch.nan), (ValueError, "NaN or infinity")),
    ],
)
def test_pictures_that_cannot_be_whitened_leave_the_layer_as_it_was(
    images: torch.Tensor, error: tuple[type[Exception], str]
) -> None:
    network = FastCNN(width=4)
    before = network.first.weight.clone()
    with pytest.raises(error[0], match=error[1]):
        network.whiten(images)
    assert torch.equal(network.first.weight, before)
