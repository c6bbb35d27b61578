"""Each rule at one unit, counted by hand on an image of 8 × 8."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import Permute

from cvcourse.receptive_field import Field, receptive_field

Function = Callable[[Tensor], Tensor]


class Apply(nn.Module):
    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        return self.function(images)


def field_of(model: nn.Module | Function, size: tuple[int, int, int] = (4, 8, 8)) -> Field:
    model = model if isinstance(model, nn.Module) else Apply(model)
    *_, field = receptive_field(model, size).values()
    return field


@pytest.mark.parametrize(
    ("model", "map_size", "unit", "region"),
    [
        (nn.LayerNorm(8), (8, 8), (2, 3), (2, 0, 3, 8)),
        (nn.LayerNorm((8, 8)), (8, 8), (2, 3), (0, 0, 8, 8)),
        (nn.Linear(8, 5), (8, None), (2, 0), (2, 0, 3, 8)),
        (nn.PixelUnshuffle(2), (4, 4), (1, 2), (2, 4, 4, 6)),
        (nn.PixelShuffle(2), (16, 16), (3, 9), (1, 4, 2, 5)),
        (lambda x: F.pixel_shuffle(x, 2), (16, 16), (3, 9), (1, 4, 2, 5)),
        (lambda x: F.pixel_shuffle(x, upscale_factor=2), (16, 16), (3, 9), (1, 4, 2, 5)),
        (lambda x: F.pixel_unshuffle(x, downscale_factor=2), (4, 4), (1, 2), (2, 4, 4, 6)),
        (lambda x: x.softmax(2), (8, 8), (2, 3), (0, 3, 8, 4)),
        (lambda x: x.softmax(-1), (8, 8), (2, 3), (2, 0, 3, 8)),
        (lambda x: torch.softmax(x, 1), (8, 8), (2, 3), (2, 3, 3, 4)),
        (nn.Softmax(dim=3), (8, 8), (2, 3), (2, 0, 3, 8)),
        (lambda x: x.mean(1), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.mean(2), (None, 8), (0, 3), (0, 3, 8, 4)),
        (lambda x: x.amax(dim=-1), (8, None), (2, 0), (2, 0, 3, 8)),
        (lambda x: x.sum(dim=(1, 3)), (8, None), (2, 0), (2, 0, 3, 8)),
        (lambda x: x.sum((0, 1)), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x + x.amax((0, 1)), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.amax((0, 1)) + x, (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.sum(), (None, None), (0, 0), (0, 0, 8, 8)),
        (lambda x: x * x.mean(dim=2, keepdim=True), (8, 8), (2, 3), (0, 3, 8, 4)),
        (lambda x: F.pad(x, pad=(2, 0, 1, 0)), (9, 10), (1, 2), (0, 0, 1, 1)),
        (lambda x: F.pad(x, (2, 0)), (8, 10), (1, 2), (1, 0, 2, 1)),
        (lambda x: x[:, :, 1:7:2, 2:], (3, 6), (1, 2), (3, 4, 4, 5)),
        (lambda x: x[..., 2:], (8, 6), (1, 2), (1, 4, 2, 5)),
        (lambda x: x[:1], (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x[:, 1, 1:], (7, 8), (1, 2), (2, 2, 3, 3)),
        (lambda x: x[:, None, :, 3:], (5, 8), (1, 2), (4, 2, 5, 3)),
        (lambda x: x[:, :, None, 1:, :-1], (7, 7), (1, 2), (2, 2, 3, 3)),
        (lambda x: torch.cat([x, x[:, :2]], dim=1), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: torch.cat([x, x]), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: torch.cat([x, x], -3), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.split(2, dim=1)[1], (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.split(2, -3)[1], (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: torch.chunk(x, 2)[0], (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.transpose(1, 2), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.reshape(-1, 2, 2, 8, 8), (8, 8), (2, 3), (2, 3, 3, 4)),
        (lambda x: x.reshape(-1, 4, 64), (None, None), (0, 0), (0, 0, 8, 8)),
        (lambda x: x.unsqueeze(1), (8, 8), (2, 3), (2, 3, 3, 4)),
        (nn.Upsample((2, 2), mode="bilinear", align_corners=True), (2, 2), (1, 0), (7, 0, 8, 1)),
        (nn.Upsample((1, 1), mode="bilinear", align_corners=True), (1, 1), (0, 0), (0, 0, 1, 1)),
        (nn.AdaptiveAvgPool2d((1, 4)), (1, 4), (0, 2), (0, 4, 8, 6)),
        (nn.InstanceNorm2d(4), (8, 8), (2, 3), (0, 0, 8, 8)),
    ],
)
def test_one_unit(
    model: nn.Module | Function,
    map_size: tuple[int | None, int | None],
    unit: tuple[int, int],
    region: tuple[int, int, int, int],
) -> None:
    field = field_of(model)
    assert field.map_size == map_size
    assert field.region(*unit) == region


@pytest.mark.filterwarnings("ignore:The default behavior for interpolate")
def test_a_scale_that_is_recomputed_is_that_of_the_sizes() -> None:
    for mode in ("nearest", "bilinear"):
        again = nn.Upsample(scale_factor=0.7, recompute_scale_factor=True, mode=mode)
        by_size, by_factor = nn.Upsample(size=(5, 5), mode=mode), nn.Upsample(None, 0.7, mode)
        found = [field_of(model).jump for model in (again, by_size, by_factor)]
        assert found[0] == found[1] == (1.6, 1.6)
        assert found[2] == pytest.approx((1 / 0.7, 1 / 0.7))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: F.interpolate(x, (4, 4), mode="bilinear", antialias=True), "antialias=True"),
        (lambda x: torch.cat([x, x], dim=-1), "joins maps along height or width"),
        (lambda x: torch.cat([x, x], 2), "joins maps along height or width"),
        (lambda x: torch.cat([x.transpose(0, 3)] * 2), "joins maps along height or width"),
        (lambda x: x.split(4, 3)[0], "splits a map along height or width"),
        (lambda x: x.transpose(0, 3).split(4)[0], "splits a map along height or width"),
        (lambda x: x.split(4, dim=-2)[0], "splits a map along height or width"),
        (lambda x: x[:, :, :, 0], "picks one row or column"),
        (
            lambda x: F.max_pool2d(x.transpose(1, 2), 2),
            r"last dimensions \(2, 3\); they are \(1, 3\)",
        ),
    ],
)
def test_what_leaves_no_rows_and_columns_is_refused(function: Function, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        field_of(function)


def test_one_row_and_one_column_stay_apart() -> None:
    field = field_of(lambda x: F.adaptive_avg_pool2d(x, 1).view(-1, 4, 1, 1))
    assert [axis.dim for axis in field.axes] == [2, 3]
    assert field.is_global


def test_dimensions_after_one_that_is_gone_move_up() -> None:
    for function, dims in (
        (lambda x: x.mean(1), [1, 2]),
        (lambda x: x.mean(2), [None, 2]),
        (lambda x: x.mean(2, keepdim=True), [None, 3]),
        (lambda x: x.sum((0, 1)), [0, 1]),
        (lambda x: x[:, 1], [1, 2]),
        (lambda x: x.amax((0, 1)) + x, [2, 3]),
        (lambda x: x[:, None], [3, 4]),
        (lambda x: x[:, :, None, 1:], [3, 4]),
        (lambda x: x.unsqueeze(-1), [2, 3]),
        (lambda x: x.transpose(0, 3), [2, 0]),
        (lambda x: x.mean(2).transpose(1, 2), [None, 1]),
        (lambda x: x.mean(2).permute(0, 2, 1), [None, 1]),
        (lambda x: x.mean(2)[:, 1:], [None, 2]),
        (lambda x: x[:, :, :, None, 2:], [2, 4]),
        (Permute([0, 2, 3, 1]), [1, 2]),
    ):
        assert [axis.dim for axis in field_of(function).axes] == dims


class Named:
    """No module; goes along with one."""


class NamedReLU(Named, nn.ReLU):
    pass


class OwnConvolution(nn.Conv2d):
    pass


def test_a_subclass_goes_by_its_parents_rule_under_its_own_name() -> None:
    fields = receptive_field(nn.Sequential(OwnConvolution(4, 4, 3), NamedReLU()), (4, 8, 8))
    told = [(field.name, field.operation, field.size) for field in fields.values()]
    assert told[1:] == [("0", "OwnConvolution", (3, 3)), ("1", "NamedReLU", (3, 3))]


def test_pooling_one_unit_to_one_loses_nothing() -> None:
    field = field_of(nn.Sequential(nn.MaxPool2d(8), nn.AdaptiveAvgPool2d(1)))
    assert (field.size, field.is_global) == ((8, 8), False)
