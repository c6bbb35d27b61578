import pytest
import torch
from torch import nn

from cvcourse.models import LocallyConnected2d, LocallyConnectedNet, SmallCNN

GEOMETRIES = [
    {"kernel_size": 3},
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": (1, 3), "stride": (2, 1), "padding": (0, 2)},
    {"kernel_size": 4, "stride": 3, "padding": 1},
    {"kernel_size": (7, 9)},  # as large as the image
]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_with_one_kernel_everywhere_it_is_a_convolution(geometry: dict, bias: bool) -> None:
    conv = nn.Conv2d(2, 5, bias=bias, **geometry)
    local = LocallyConnected2d(2, 5, (7, 9), bias=bias, **geometry)
    local.share(conv)
    images = torch.randn(3, 2, 7, 9)
    torch.testing.assert_close(local(images), conv(images))


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_each_position_uses_its_own_kernel(geometry: dict) -> None:
    local = LocallyConnected2d(2, 5, (7, 9), **geometry)
    images = torch.randn(3, 2, 7, 9)
    units = local(images)
    conv = nn.Conv2d(2, 5, **geometry)
    for i, j in [(0, 0), (units.shape[2] - 1, 0), (units.shape[2] // 2, units.shape[3] - 1)]:
        conv.weight.data.copy_(local.weight[i, j])
        conv.bias.data.copy_(local.bias[:, i, j])
        torch.testing.assert_close(units[:, :, i, j], conv(images)[:, :, i, j])


def test_the_convolutions_gradient_is_the_sum_over_positions() -> None:
    conv, local = nn.Conv2d(2, 3, 3, padding=1), LocallyConnected2d(2, 3, 6, 3, padding=1)
    local.share(conv)
    images = [torch.randn(4, 2, 6, 6).requires_grad_() for _ in range(2)]
    images[1].data.copy_(images[0])
    downstream = torch.randn(4, 3, 6, 6)
    for layer, some in zip((conv, local), images, strict=True):
        (layer(some) * downstream).sum().backward()
    torch.testing.assert_close(local.weight.grad.sum(dim=(0, 1)), conv.weight.grad)
    torch.testing.assert_close(local.bias.grad.sum(dim=(1, 2)), conv.bias.grad)
    torch.testing.assert_close(images[1].grad, images[0].grad)


def test_gradients_by_finite_differences() -> None:
    local = LocallyConnected2d(2, 2, 4, 3, stride=2, padding=1).double()
    images = torch.randn(2, 2, 4, 4, dtype=torch.float64, requires_grad=True)

    def layer(images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(local, {"weight": weight, "bias": bias}, images)

    assert torch.autograd.gradcheck(layer, (images, local.weight, local.bias))


def test_parameters_start_as_a_convolutions_do() -> None:
    torch.manual_seed(0)
    conv, local = nn.Conv2d(4, 64, 3), LocallyConnected2d(4, 64, 10, 3)
    for name in ("weight", "bias"):
        theirs, ours = getattr(conv, name), getattr(local, name)
        assert ours.abs().max() <= 1 / 6  # 1 / √(4 · 3 · 3)
        torch.testing.assert_close(ours.std(), theirs.std(), rtol=0.2, atol=0)


def test_counts_by_hand() -> None:
    local = LocallyConnected2d(3, 8, (16, 12), 3, padding=1)
    assert local.weight.numel() == 16 * 12 * 8 * 3 * 9
    assert local.bias.numel() == 16 * 12 * 8
    weights = 9 * (32**2 * 3 * 16 + 16**2 * 16 * 32 + 8**2 * 32 * 64)
    total = sum(p.numel() for p in LocallyConnectedNet().parameters())
    assert total == weights + 2 * (16 + 32 + 64) + 64 * 10 + 10 == 2_802_538


def test_the_net_with_shared_weights_is_the_small_cnn() -> None:
    settings = {"n_classes": 4, "channels": 1, "width": 4}
    cnn, net = SmallCNN(**settings), LocallyConnectedNet(size=21, **settings)
    rest = {
        name: value for name, value in cnn.state_dict().items() if not name.endswith("0.weight")
    }
    net.load_state_dict(rest, strict=False)
    for ours, theirs in zip(net.features, cnn.features, strict=True):
        ours[0].share(theirs[0])
    images = torch.randn(5, 1, 21, 21)
    torch.testing.assert_close(net(images), cnn(images))  # batch norm sees the same maps, too


def test_what_does_not_fit_is_named() -> None:
    local = LocallyConnected2d(3, 8, 16, 3)
    with pytest.raises(ValueError, match=r"\(3, 16, 17\).*expects \(3, 16, 16\)"):
        local(torch.zeros(2, 3, 16, 17))
    with pytest.raises(ValueError, match=r"kernel_size is \(5, 5\)"):
        LocallyConnected2d(3, 8, 4, 5)
    with pytest.raises(ValueError, match=r"conv was built with \(\(8, 3, 5, 5\)"):
        local.share(nn.Conv2d(3, 8, 5))
    with pytest.raises(ValueError, match=r"\(1, 1\), False\), this layer"):
        local.share(nn.Conv2d(3, 8, 3, bias=False))
