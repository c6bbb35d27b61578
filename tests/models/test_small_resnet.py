import pytest
import torch

from cvcourse.models import SmallResNet
from cvcourse.models.small_resnet import ResidualBlock


def test_parameters_by_hand() -> None:
    def convolution(inputs: int, outputs: int, kernel: int) -> int:
        return inputs * outputs * kernel**2 + 2 * outputs  # and its batch norm

    branches = sum(
        convolution(i, o, 3) + convolution(o, o, 3) for i, o in [(16, 16), (16, 32), (32, 64)]
    )
    shortcuts = convolution(16, 32, 1) + convolution(32, 64, 1)
    expected = convolution(3, 16, 3) + branches + shortcuts + 64 * 10 + 10
    assert sum(p.numel() for p in SmallResNet().parameters()) == expected == 78_042


@pytest.mark.parametrize("size", [4, 17, 32])
def test_it_takes_any_size(size: int) -> None:
    model = SmallResNet(n_classes=3, channels=1, width=4, blocks=2)
    assert model(torch.zeros(2, 1, size, size)).shape == (2, 3)


def test_blocks_are_left_out_more_often_with_depth() -> None:
    blocks = SmallResNet(blocks=2, stochastic_depth=0.3).features
    assert [block.drop.p for block in blocks] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.25, 0.3])


def test_in_training_a_branch_is_left_out_or_made_up_for_image_by_image() -> None:
    torch.manual_seed(0)
    block, maps = ResidualBlock(4, 4, drop=0.25).train(), torch.rand(400, 4, 4, 4)
    block.branch.eval()
    out, branch = block(maps), block.branch(maps)
    gone = (out == maps).flatten(1).all(dim=1)  # (B,)
    assert 0.15 < gone.float().mean() < 0.35
    torch.testing.assert_close(out[~gone], (maps + branch / 0.75).relu()[~gone])


def test_in_evaluation_nothing_is_random() -> None:
    torch.manual_seed(0)
    model, images = SmallResNet(width=4, dropout=0.5, stochastic_depth=0.5), torch.rand(8, 3, 8, 8)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_the_shortcut_is_the_papers_convolution_with_stride_2() -> None:
    torch.manual_seed(0)
    block, maps = ResidualBlock(4, 8, drop=0.0).eval(), torch.rand(2, 4, 6, 6)
    pool, convolution, norm = block.shortcut
    expected = norm(torch.nn.functional.conv2d(maps, convolution.weight, stride=2))
    torch.testing.assert_close(norm(convolution(pool(maps))), expected)


def test_no_gradient_is_left_to_a_strided_convolution_of_one_pixel() -> None:
    """It corrupts memory on some processors, see `ResidualBlock`: a crash here would be silent."""
    for module in SmallResNet(blocks=2).modules():
        if isinstance(module, torch.nn.Conv2d):
            assert (module.kernel_size, module.stride) != ((1, 1), (2, 2))
