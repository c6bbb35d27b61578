"""Functions and methods see what the module of the same settings sees, however they are called."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.receptive_field import Field, receptive_field

SIZE = (3, 11, 13)


class By(nn.Module):
    """A function of the images and of weights (4, 3, 3, 5), behind a strided convolution."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.weight = nn.Conv2d(3, 3, 2), nn.Parameter(torch.zeros(4, 3, 3, 5))
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        return self.function(self.first(images), self.weight)


def last(model: nn.Module) -> Field:
    *_, field = receptive_field(model, SIZE).values()
    return field


def told(field: Field) -> tuple:
    spans = [
        (a.dim, a.low.tolist(), a.high.tolist(), a.span and (a.span.low.tolist(), a.span.step))
        for a in field.axes
    ]
    return field.map_size, field.size, field.jump, field.start, spans


def conv(**settings: object) -> nn.Module:
    return nn.Conv2d(3, 4, (3, 5), **settings)  # type: ignore[arg-type]


def transposed(**settings: object) -> nn.Module:
    return nn.ConvTranspose2d(4, 3, (3, 5), **settings)  # type: ignore[arg-type]


PAIRS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], nn.Module]] = {
    "conv": (lambda x, w: F.conv2d(x, w), conv()),
    "conv, by position": (
        lambda x, w: F.conv2d(x, w, None, (2, 3), (1, 2), (3, 1)),
        conv(stride=(2, 3), padding=(1, 2), dilation=(3, 1)),
    ),
    "conv, by name": (
        lambda x, w: F.conv2d(x, w, stride=2, padding=(2, 0), dilation=(1, 2)),
        conv(stride=2, padding=(2, 0), dilation=(1, 2)),
    ),
    "conv, same": (lambda x, w: F.conv2d(x, w, padding="same"), conv(padding="same")),
    "conv, valid": (lambda x, w: F.conv2d(x, w, padding="valid"), conv(padding="valid")),
    "max": (lambda x, w: F.max_pool2d(x, 3), nn.MaxPool2d(3)),
    "max, by position": (
        lambda x, w: F.max_pool2d(x, (3, 2), (2, 1), (1, 1), (1, 2)),
        nn.MaxPool2d((3, 2), (2, 1), (1, 1), (1, 2)),
    ),
    "max, by name": (
        lambda x, w: F.max_pool2d(x, kernel_size=3, stride=2, padding=1, dilation=2),
        nn.MaxPool2d(3, 2, 1, 2),
    ),
    "average": (lambda x, w: F.avg_pool2d(x, 2), nn.AvgPool2d(2)),
    "average, by position": (lambda x, w: F.avg_pool2d(x, 3, 2, 1), nn.AvgPool2d(3, 2, 1)),
    "adaptive": (lambda x, w: F.adaptive_avg_pool2d(x, (4, 1)), nn.AdaptiveAvgPool2d((4, 1))),
    "softmax": (lambda x, w: F.softmax(x, 2), nn.Softmax(2)),
    "softmax, over channels": (lambda x, w: x.softmax(dim=1), nn.Softmax(1)),
    "shuffle": (
        lambda x, w: F.pixel_unshuffle(x[:, :, :, :10], 2),
        nn.Sequential(nn.ZeroPad2d((0, -2, 0, 0)), nn.PixelUnshuffle(2)),
    ),
    "pad": (lambda x, w: F.pad(x, (1, 0, 2, 0)), nn.ZeroPad2d((1, 0, 2, 0))),
    "pad, one axis": (lambda x, w: F.pad(x, [1, 2]), nn.ZeroPad2d((1, 2, 0, 0))),
    "pad, circular": (
        lambda x, w: F.pad(x, (1, 2, 3, 0), mode="circular"),
        nn.CircularPad2d((1, 2, 3, 0)),
    ),
    "pad, replicate": (
        lambda x, w: F.pad(x, (1, 2, 3, 0), "replicate"),
        nn.ReplicationPad2d((1, 2, 3, 0)),
    ),
    "pad, reflect": (
        lambda x, w: F.pad(x, (1, 2, 3, 0), mode="reflect"),
        nn.ReflectionPad2d((1, 2, 3, 0)),
    ),
    "nearest": (
        lambda x, w: F.interpolate(x, scale_factor=2),
        nn.Upsample(scale_factor=2, mode="nearest"),
    ),
    "nearest, to a size": (lambda x, w: F.interpolate(x, (7, 9)), nn.Upsample((7, 9))),
    "bilinear, by position": (
        lambda x, w: F.interpolate(x, None, (2, 1.5), "bilinear", False),
        nn.Upsample(scale_factor=(2, 1.5), mode="bilinear"),
    ),
    "bilinear, corners": (
        lambda x, w: F.interpolate(x, (19, 23), mode="bilinear", align_corners=True),
        nn.Upsample((19, 23), mode="bilinear", align_corners=True),
    ),
    "recomputed": (
        lambda x, w: F.interpolate(x, scale_factor=0.7, recompute_scale_factor=True),
        nn.Upsample(scale_factor=0.7, recompute_scale_factor=True),
    ),
    "flatten": (lambda x, w: torch.flatten(x, 1), nn.Flatten()),
    "layer norm": (lambda x, w: F.layer_norm(x, (12,)), nn.LayerNorm(12)),
    "group norm": (lambda x, w: F.group_norm(x, 1), nn.GroupNorm(1, 3)),
    "linear": (lambda x, w: F.linear(x, w[0, 0, 0, 0].expand(2, 12)), nn.Linear(12, 2)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.filterwarnings("ignore:The default behavior for interpolate")
@pytest.mark.parametrize("name", PAIRS)
def test_a_function_sees_what_the_module_sees(name: str) -> None:
    function, module = PAIRS[name]
    assert told(last(By(function))) == told(last(nn.Sequential(nn.Conv2d(3, 3, 2), module)))


def test_a_transposed_convolution_by_its_function() -> None:
    weight = torch.zeros(3, 4, 3, 5)

    class Function(By):
        def forward(self, images: Tensor) -> Tensor:
            return F.conv_transpose2d(
                self.first(images), self.kernel, None, (2, 1), (1, 2), (1, 0), 1, (2, 3)
            )

    model = Function(lambda x, w: x)
    model.kernel = nn.Parameter(weight)
    module = nn.ConvTranspose2d(
        3, 4, (3, 5), stride=(2, 1), padding=(1, 2), output_padding=(1, 0), dilation=(2, 3)
    )
    assert told(last(model)) == told(last(nn.Sequential(nn.Conv2d(3, 3, 2), module)))

    class Plain(Function):
        def forward(self, images: Tensor) -> Tensor:
            return F.conv_transpose2d(self.first(images), self.kernel)

    plain = Plain(lambda x, w: x)
    plain.kernel = nn.Parameter(weight)
    module = nn.ConvTranspose2d(3, 4, (3, 5))
    assert told(last(plain)) == told(last(nn.Sequential(nn.Conv2d(3, 3, 2), module)))


@pytest.mark.parametrize(
    "permuted",
    [
        lambda x: x.permute(0, 3, 1, 2),
        lambda x: x.permute((0, 3, 1, 2)),
        lambda x: x.permute(0, -1, -3, -2),
        lambda x: torch.permute(x, (0, 3, 1, 2)),
        lambda x: torch.permute(x, dims=(0, 3, 1, 2)),
        lambda x: x.transpose(1, 3).transpose(dim0=3, dim1=2),
        lambda x: torch.transpose(torch.transpose(x, 2, 3), 1, 2),
    ],
)
def test_dimensions_in_another_order(permuted: Callable[[Tensor], Tensor]) -> None:
    field = last(By(lambda x, w: permuted(x)))
    assert [axis.dim for axis in field.axes] == [3, 1]
    assert field.map_size == (10, 12)
    assert field.size == (2, 2)


def test_one_part_is_a_list_of_parts_too() -> None:
    field = last(By(lambda x, w: x.chunk(1, dim=1)[0] + x.split(3, 1)[0]))
    assert field.size == (2, 2)


def test_what_does_not_depend_on_the_image_is_passed_over() -> None:
    def standardized(images: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(images, weight - weight.mean()).permute(0, 2, 3, 1)

    fields = receptive_field(By(standardized), SIZE)
    assert list(fields) == ["images", "first", "conv2d", "permute"]
    assert [field.operation for field in fields.values()] == [
        "input",
        "Conv2d",
        "conv2d",
        "permute",
    ]
    assert fields.image_size == (11, 13)


def test_a_unit_of_a_map_of_two_and_any_unit_of_none() -> None:
    fields = receptive_field(nn.Sequential(nn.MaxPool2d(4), nn.Flatten()), (3, 8, 8))
    assert fields.region("0", 1, 0) == (4, 0, 8, 4)
    assert fields.region("1", 7, 9) == (0, 0, 8, 8)


def test_a_region_is_clipped_unless_it_is_not_to_be() -> None:
    fields = receptive_field(nn.Conv2d(3, 3, 5, padding=2), (3, 8, 8))
    assert fields.region("0", 0, 7) == fields["0"].region(0, 7) == (0, 5, 3, 8)
    assert fields.region("0", 0, 7, clipped=False) == (-2, 5, 3, 10)
    assert fields["0"].region(0, 7, clipped=False) == (-2, 5, 3, 10)


def test_the_table_to_the_letter() -> None:
    text = str(receptive_field(nn.Sequential(nn.Conv2d(3, 4, (3, 5), 2), nn.Flatten()), (3, 8, 8)))
    columns = (32, 20, 10, 12, 10, 12)
    rows = (
        ("node", "operation", "map", "size", "jump", "start"),
        ("input", "input", "8", "1", "1", "0"),
        ("0", "Conv2d", "3×2", "3×5", "2", "1×2"),
        ("1", "Flatten", "–", "global", "global", "global"),
    )
    for line, row in zip(text.split("\n"), rows, strict=True):
        cells = zip(row, columns, strict=True)
        left = (f"{cell:<{n}}" if i < 2 else f"{cell:>{n}}" for i, (cell, n) in enumerate(cells))
        assert line == "".join(left)


def test_the_last_six_nodes_are_named() -> None:
    fields = receptive_field(nn.Sequential(*(nn.ReLU() for _ in range(8))), (3, 4, 4))
    with pytest.raises(KeyError, match=r"the last ones are 2, 3, 4, 5, 6, 7; list"):
        fields["8"]


def test_numbers_of_a_field_are_plain() -> None:
    field = last(nn.Conv2d(3, 3, 3, 2, 1))
    assert (field.padding, field.start, field.jump) == ((1, 1), (0.0, 0.0), (2.0, 2.0))
    assert {type(n) for n in (*field.size, *field.padding)} == {int}
    assert not isinstance(field.region(0, 0).top, np.integer)


def test_same_and_valid_are_paddings() -> None:
    same, valid = (
        receptive_field(conv(padding=how, dilation=(1, 2)), SIZE)["0"] for how in ("same", "valid")
    )
    assert (same.padding, same.map_size, same.start) == ((1, 4), (11, 13), (0.0, 0.0))
    assert (valid.padding, valid.map_size, valid.start) == ((0, 0), (9, 5), (1.0, 4.0))


def test_a_unit_that_sees_nothing_has_no_centre_and_says_so() -> None:
    fields = receptive_field(nn.ConvTranspose2d(3, 4, 1, stride=3, padding=1), (3, 8, 8))
    field = fields["0"]
    assert (field.start, field.padding) == (None, None)
    assert not field.is_global
    assert field.region(0, 0) == (0, 0, 0, 0), "empty"
    assert field.region(2, 2) == (1, 1, 2, 2)
    assert str(fields).splitlines()[-1].split()[-2:] == ["0.333333", "nothing"]


@pytest.mark.parametrize(
    "size", [224, (3, 32), (3, 0, 32), (3, 32.0, 32), "abc", None, (3, True, 3)]
)
def test_the_size_of_the_input_is_channels_height_and_width(size: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"input_size.*\(channels, height, width\)"):
        receptive_field(nn.Conv2d(3, 4, 3), size)  # type: ignore[arg-type]
