import pytest
import torch
import torchvision
from torch import nn

from cvcourse.data import render
from cvcourse.models import SmallCNN, standardized
from cvcourse.receptive_field import effective_receptive_field, receptive_field


def test_by_hand_it_is_the_kernel() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.ReLU(inplace=True))
    kernel = model[0].weight.detach().sum(dim=0).abs().mean(dim=0)  # (3, 3): the channels' sum
    mass = effective_receptive_field(model, torch.randn(5, 2, 6, 8), "0")
    assert mass.shape == (6, 8)
    torch.testing.assert_close(mass[2:5, 3:6], kernel)
    assert mass.sum() == pytest.approx(kernel.sum().item()), "and nothing elsewhere"


def test_an_operation_in_place_does_not_come_before_its_turn() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True))
    nn.init.constant_(model[0].weight, 2.0)
    nn.init.constant_(model[0].bias, -1000.0)
    assert effective_receptive_field(model, torch.rand(1, 1, 3, 3), "0")[1, 1] == 2
    assert effective_receptive_field(model, torch.rand(1, 1, 3, 3), "1")[1, 1] == 0


@pytest.mark.parametrize("node", ["layer1.1.add", "layer2.0.relu"])
def test_it_lies_within_the_theoretical_field(node: str) -> None:
    torch.manual_seed(0)
    model = torchvision.models.resnet18()
    mass = effective_receptive_field(model, torch.rand(2, 3, 128, 128), node)
    field = receptive_field(model, (3, 128, 128))[node]
    top, left, bottom, right = field.region(*(n // 2 for n in field.map_size))
    outside = torch.ones_like(mass)
    outside[top:bottom, left:right] = 0
    assert (mass * outside).sum() == 0 < mass.sum()
    assert model.training, "the mode is put back"
    assert all(p.grad is None for p in model.parameters())


def test_bytes_batches_and_means() -> None:
    images = render(6).images
    model = standardized(SmallCNN(), render(20))
    node = "1.features.2.0"
    mass = effective_receptive_field(model, images, node)
    parts = [effective_receptive_field(model, i[None].float() / 255, node) for i in images]
    torch.testing.assert_close(mass, torch.stack(parts).mean(0))
    small = effective_receptive_field(model, images, node, batch_size=4)
    torch.testing.assert_close(mass, small)
    with torch.no_grad():
        torch.testing.assert_close(mass, effective_receptive_field(model, images, node))


def test_errors_say_what_is_wrong() -> None:
    model, images = SmallCNN(), torch.rand(2, 3, 16, 16)
    with pytest.raises(KeyError, match="no node 'conv9'"):
        effective_receptive_field(model, images, "conv9")
    with pytest.raises(ValueError, match=r"'mean' gives \(64,\) an image"):
        effective_receptive_field(model, images, "mean")
    with pytest.raises(ValueError, match=r"shape \(3, 16, 16\)"):
        effective_receptive_field(model, images[0], "features.0.0")
    with pytest.raises(ValueError, match="N ≥ 1"):
        effective_receptive_field(model, images[:0], "features.0.0")
    with pytest.raises(ValueError, match="the model is on meta, the images on cpu"):
        effective_receptive_field(model.to("meta"), images, "features.0.0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")
def test_the_gpu_agrees_with_the_cpu() -> None:
    torch.manual_seed(0)
    model, images = standardized(SmallCNN(), render(20)), render(6).images
    node = "1.features.2.3"
    cpu = effective_receptive_field(model, images, node)
    gpu = effective_receptive_field(model.cuda(), images.cuda(), node)
    assert gpu.is_cuda
    torch.testing.assert_close(gpu.cpu(), cpu, rtol=1e-2, atol=1e-4 * cpu.max().item())
    assert str(receptive_field(model, (3, 32, 32))) == str(
        receptive_field(model.cpu(), (3, 32, 32))
    )


def test_images_go_through_32_at_a_time_and_keep_their_precision() -> None:
    shown: list[int] = []
    model = nn.Conv2d(1, 1, 3).double()
    model.register_forward_pre_hook(lambda _, given: shown.append(len(given[0])))
    images = torch.rand(33, 1, 5, 5, dtype=torch.float64)
    with torch.device("meta"):  # where whatever names no device would be
        found = effective_receptive_field(nn.Sequential(model), images, "0")
    assert found.dtype == torch.float64
    assert found.device == images.device
    assert shown == [32, 1]
