"""Every operation by itself, at every position, against the gradient and against counting."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support import average_for_max, positive, support
from torch import Tensor, nn

from cvcourse.receptive_field import (
    ELEMENTWISE,
    UnsupportedOperationError,
    receptive_field,
)
from cvcourse.receptive_field.axis import LONGEST_PERIOD, Span
from cvcourse.receptive_field.windows import adaptive_pooling, convolution


def conv(*settings: int, **more: object) -> nn.Conv2d:
    return nn.Conv2d(*settings, **more)  # type: ignore[arg-type]


class Apply(nn.Module):
    """3×3 convolutions before and after a function of the maps."""

    def __init__(self, function: object, before: int = 4, after: int = 4) -> None:
        super().__init__()
        self.function = function
        self.first, self.last = conv(3, before, 3, padding=1), conv(after, 2, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.function(self.first(images)))  # type: ignore[operator]


class FeaturePyramid(nn.Module):
    """A deep, coarse map enlarged and added to a shallow, fine one."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = conv(3, 4, 3, stride=2, padding=1)
        self.coarse = conv(4, 4, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        fine = self.fine(images)
        coarse = self.coarse(fine)
        return fine + F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")


class Excite(nn.Module):
    """A gate computed from the mean over all positions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = conv(3, 4, 3), nn.Linear(4, 4)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.conv(images)
        return maps * self.gate(maps.mean((2, 3))).sigmoid()[:, :, None, None]


class ChannelsLast(nn.Module):
    """Normalisation and a layer over the channels, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.layer = conv(3, 4, 3, stride=2), nn.LayerNorm(4), nn.Linear(4, 4)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.layer(self.norm(self.conv(images).permute(0, 2, 3, 1)))
        return maps.transpose(-1, 1).transpose(2, 3)


def shuffle(maps: Tensor) -> Tensor:
    """Channels in another order, as in ShuffleNet."""
    b, c, h, w = maps.size()
    parts = maps.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w).chunk(2, dim=1)
    return torch.cat([parts[1], parts[0]], dim=1)


def focus(maps: Tensor) -> Tensor:
    """Every other pixel, as channels."""
    return torch.cat([maps[..., ::2, ::2], maps[:, :, 1::2, 1::2]], dim=1)


def crop(maps: Tensor) -> Tensor:
    """Without a border, by slices and by an index and back."""
    return maps[:, :, 2:-1, 3:] + maps[:, 0].unsqueeze(1)[:, :, 2:-1, 3:]


MODELS = {
    "1×1": conv(3, 2, 1),
    "dilation": nn.Sequential(conv(3, 4, 3, dilation=2, padding=2), conv(4, 2, 3, dilation=3)),
    "groups": nn.Sequential(conv(3, 6, 3, groups=3, padding=1), conv(6, 2, 3, groups=2, stride=2)),
    "1×5 and 4×1": nn.Sequential(conv(3, 4, (1, 5), padding=(0, 2)), conv(4, 2, (4, 1), stride=3)),
    "same, even kernel": nn.Sequential(
        conv(3, 4, 4, padding="same"), conv(4, 2, 2, padding="same")
    ),
    "more padding than kernel": nn.Sequential(conv(3, 4, 1, padding=2), conv(4, 2, 3, padding=1)),
    "gaps": nn.Sequential(conv(3, 4, 2, stride=4), conv(4, 2, 3, padding=1)),
    "reflect": nn.Sequential(conv(3, 4, 3, padding=2, padding_mode="reflect"), conv(4, 2, 3)),
    "circular": conv(3, 2, 3, padding=1, padding_mode="circular"),
    "replicate": nn.Sequential(conv(3, 4, 3, padding=2, padding_mode="replicate"), conv(4, 2, 2)),
    "pools": nn.Sequential(nn.MaxPool2d(3, 2, 1), conv(3, 2, 2), nn.AvgPool2d(2, ceil_mode=True)),
    "dilated then pooled": Apply(nn.Sequential(conv(4, 4, 3, dilation=2), nn.MaxPool2d(2))),
    "transposed": Apply(nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1)),
    "transposed, padded": Apply(nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1)),
    "transposed, with gaps": Apply(nn.ConvTranspose2d(4, 4, 2, stride=3)),
    "transposed, dilated": nn.ConvTranspose2d(3, 2, 2, stride=2, dilation=2, groups=1),
    "autoencoder": nn.Sequential(conv(3, 4, 3, stride=2), nn.ConvTranspose2d(4, 2, 3, stride=2)),
    "adaptive, 13 to 5": Apply(nn.AdaptiveAvgPool2d(5)),
    "adaptive, to more": Apply(nn.AdaptiveAvgPool2d((20, 13))),
    "global": Apply(nn.AdaptiveAvgPool2d(1)),
    "nearest ×2": Apply(nn.Upsample(scale_factor=2)),
    "nearest to 7": Apply(nn.Upsample(size=(7, 30))),
    "nearest-exact": Apply(nn.Upsample(size=(7, 17), mode="nearest-exact")),
    "bilinear ×2": Apply(nn.Upsample(scale_factor=2, mode="bilinear")),
    "bilinear ×1.5": Apply(nn.Upsample(scale_factor=1.5, mode="bilinear")),
    "bilinear to 5": Apply(nn.UpsamplingBilinear2d(size=5)),
    "bicubic": nn.Upsample(size=(19, 8), mode="bicubic"),
    "area": Apply(lambda maps: F.interpolate(maps, size=(6, 5), mode="area")),
    "pixel shuffle": Apply(nn.PixelShuffle(2), after=1),
    "pixel unshuffle": Apply(nn.Sequential(nn.AvgPool2d(1), nn.PixelUnshuffle(13)), after=4 * 169),
    "zero pad": Apply(nn.ZeroPad2d((3, 1, 2, 0))),
    "reflection pad": Apply(nn.ReflectionPad2d((4, 0, 3, 2))),
    "replication pad": Apply(lambda maps: F.pad(maps, (2, 2, 3, 1), mode="replicate")),
    "cropping pad": Apply(lambda maps: F.pad(maps, (-2, 1, -1, -3))),
    "pyramid": FeaturePyramid(),
    "excite": Excite(),
    "channels last": ChannelsLast(),
    "group norm": Apply(nn.GroupNorm(2, 4)),
    "shuffle": Apply(shuffle),
    "focus": Apply(lambda maps: focus(maps[:, :, :12, :12]), after=8),
    "crop": Apply(crop),
    "row means": Apply(lambda maps: maps * maps.mean(3, keepdim=True)),
    "softmax over rows": Apply(lambda maps: torch.softmax(maps, dim=2)),
    "residual": nn.Sequential(FeaturePyramid(), nn.ReLU(inplace=True), nn.BatchNorm2d(4)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("image_size", [(13, 13), (14, 17)], ids=str)
def test_every_unit_at_every_position(
    name: str, image_size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "pixel unshuffle" and image_size != (13, 13):
        pytest.skip("13 divides no other side")
    average_for_max(monkeypatch)
    model = positive(MODELS[name])
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, *image_size, generator=generator, dtype=torch.float64)
    image.requires_grad_()
    maps = model(image)
    *_, field = receptive_field(model, (3, *image_size)).values()
    assert field.map_size == maps.shape[2:]
    for y in range(maps.shape[2]):
        for x in {0, 1, maps.shape[3] // 2, maps.shape[3] - 1} & set(range(maps.shape[3])):
            assert field.region(y, x) == support(maps, image, y, x), (y, x)


@pytest.mark.parametrize(("kernel", "pool"), [(3, 2), (5, 2), (5, 3), (1, 4), (7, 7)])
def test_convolution_then_pooling_sees_p_plus_k_minus_1(kernel: int, pool: int) -> None:
    model = nn.Sequential(conv(3, 4, kernel), nn.MaxPool2d(pool))
    field = receptive_field(model, (3, 40, 40))["1"]
    assert field.size == (pool + kernel - 1,) * 2
    assert field.jump == (pool, pool)


def test_the_recurrence() -> None:
    layers = [(7, 2, 3, 1), (3, 1, 2, 2), (2, 2, 0, 1), (5, 3, 1, 1), (3, 1, 3, 3)]
    model = nn.Sequential(*(conv(3, 3, k, s, p, d) for k, s, p, d in layers))
    fields = receptive_field(model, (3, 150, 150))
    size, jump, start = 1, 1, 0.0
    for number, (k, s, p, d) in enumerate(layers):
        size += (k - 1) * d * jump
        start += ((k - 1) * d / 2 - p) * jump
        jump *= s
        field = fields[str(number)]
        assert (field.size, field.jump, field.start) == ((size,) * 2, (jump,) * 2, (start,) * 2)


def test_three_threes_see_what_one_seven_sees() -> None:
    stack = nn.Sequential(*(conv(8, 8, 3, bias=False) for _ in range(3)))
    single = conv(8, 8, 7, bias=False)
    fields = [receptive_field(model, (8, 20, 20)) for model in (stack, nn.Sequential(single))]
    assert fields[0]["2"].size == fields[1]["0"].size == (7, 7)
    counts = [sum(p.numel() for p in model.parameters()) for model in (stack, single)]
    assert counts == [27 * 64, 49 * 64]


def test_fields_of_units_between_pixels() -> None:
    field = receptive_field(nn.Upsample(scale_factor=2, mode="bilinear"), (3, 8, 8))["0"]
    assert field.jump == (0.5, 0.5)
    assert field.size == (2, 2), "the most that a unit sees"
    assert field.region(1, 2, clipped=False) == (0, 0, 2, 2)
    assert field.region(0, 0, clipped=False) == (-1, -1, 1, 1)
    assert field.region(0, 0) == (0, 0, 1, 1)


def test_branches_out_of_step_have_regions_but_no_size() -> None:
    class Branches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, :, :6, :6] + F.max_pool2d(x, 2)

    field = receptive_field(Branches(), (3, 12, 12))["add"]
    assert field.size is field.jump is field.start is field.padding is None
    assert field.region(5, 1) == (5, 1, 12, 4)


def test_nothing_of_the_model_changes() -> None:
    model = nn.Sequential(conv(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    receptive_field(model, (3, 8, 8))
    assert [module.training for module in model] == [True, False, True]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(not value.is_meta for value in model.state_dict().values())


def test_the_table_and_the_ends_of_the_map() -> None:
    fields = receptive_field(nn.Sequential(conv(3, 4, (3, 5)), nn.Flatten()), (3, 8, 8))
    assert list(fields) == ["input", "0", "1"]
    assert str(fields).splitlines()[2].split() == ["0", "Conv2d", "6×4", "3×5", "1", "1×2"]
    assert str(fields).splitlines()[3].split()[:4] == ["1", "Flatten", "–", "global"]
    with pytest.raises(IndexError, match="6 × 4 units"):
        fields.region("0", 2, 4)
    with pytest.raises(IndexError, match="no unit -1"):
        fields.region("0", -1, 0)
    with pytest.raises(KeyError, match=r"no node 'conv1'; the last ones are input, 0, 1"):
        fields["conv1"]


def test_an_unknown_operation_is_named_with_what_to_do() -> None:
    with pytest.raises(
        UnsupportedOperationError,
        match=r"operation cumsum at node 'cumsum'.*\(B, 4, 8, 8\).*ELEMENTWISE",
    ):
        receptive_field(Apply(lambda maps: torch.cumsum(maps, 3)), (3, 8, 8))
    with pytest.raises(UnsupportedOperationError, match=r"operation Unfold at node '1'"):
        receptive_field(nn.Sequential(conv(3, 4, 3), nn.Unfold(3)), (3, 8, 8))
    with pytest.raises(ValueError, match=r"expected \(channels, height, width\)"):
        receptive_field(conv(3, 4, 3), (8, 8))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("function", "channels"),
    [
        (lambda maps: torch.cat([maps, maps], dim=2), 4),
        (lambda maps: maps.chunk(2, dim=3)[0], 4),
        (lambda maps: maps[:, :, 0].unsqueeze(1), 1),
    ],
    ids=["cat", "chunk", "one row"],
)
def test_what_mixes_up_rows_and_columns_is_refused(function: object, channels: int) -> None:
    with pytest.raises(ValueError, match=r"height or width|one row or column"):
        receptive_field(Apply(function, after=channels), (3, 8, 8))


class Undecided(nn.Module):
    """Decides by a shape, which cannot be traced; but leaves every position to itself."""

    def forward(self, images: Tensor) -> Tensor:
        return images if images.shape[1] == 4 else -images


def test_what_cannot_be_traced_can_be_declared_elementwise() -> None:
    model = nn.Sequential(conv(3, 4, 3), Undecided(), conv(4, 4, 3))
    with pytest.raises(UnsupportedOperationError, match=r"cannot trace Sequential.*ELEMENTWISE"):
        receptive_field(model, (3, 8, 8))
    ELEMENTWISE.add(Undecided)
    try:
        assert receptive_field(model, (3, 8, 8))["2"].size == (5, 5)
    finally:
        ELEMENTWISE.remove(Undecided)


def test_a_subclass_that_computes_something_else_is_looked_into() -> None:
    class Wide(nn.ReLU):
        def forward(self, input: Tensor) -> Tensor:
            return F.max_pool2d(input, 3, 1)

    class Same(nn.Conv2d):
        pass

    fields = receptive_field(nn.Sequential(Wide(), Same(3, 4, 5)), (3, 12, 12))
    assert fields["1"].size == (7, 7)


def test_a_span_that_would_repeat_too_late_is_given_up() -> None:
    units = np.arange(LONGEST_PERIOD)
    span = Span(units, units, LONGEST_PERIOD)
    assert span.through(convolution(3)) is not None
    assert span.through(adaptive_pooling(3, 2)) is None
    assert span.union(Span(np.arange(3), np.arange(3), 3)) is None
    assert span.union(Span(np.arange(1), np.arange(1), 1)) is not None
    assert span.union(Span(np.arange(1), np.arange(1), 2)) is None, "out of step"
