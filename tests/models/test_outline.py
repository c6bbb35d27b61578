"""Layer tables and receptive fields of models that keep, share or make tensors as they like."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from cvcourse.models import SmallCNN, layer_table
from cvcourse.models.outline import outlined, step_by_step
from cvcourse.receptive_field import UnsupportedOperationError, receptive_field

SHAPE = (3, 16, 16)
MEAN = torch.full((3, 1, 1), 0.5)


class Kept(nn.Module):
    """A convolution of the images less a mean that is no parameter and no buffer."""

    def __init__(self, mean: Callable[["Kept"], Tensor]) -> None:
        super().__init__()
        self.conv, self.of = nn.Conv2d(3, 4, 3), mean
        self.plain, self.listed, self.named = MEAN.clone(), [MEAN.clone()], {"mean": MEAN.clone()}

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images - self.of(self))


KEPT: list[Callable[[Kept], Tensor]] = [
    lambda module: module.plain,
    lambda module: module.listed[0],
    lambda module: module.named["mean"],
    lambda module: MEAN,
    lambda module: torch.tensor([0.5, 0.5, 0.5]).view(3, 1, 1),
]


@pytest.mark.parametrize("number", range(len(KEPT)))
def test_plain_tensors_are_no_obstacle(number: int) -> None:
    model = Kept(KEPT[number])
    attributes = set(vars(model))
    (row,) = layer_table(model, SHAPE)
    assert (row.parameters, row.multiply_adds) == (112, 4 * 27 * 14 * 14)
    *_, field = receptive_field(model, SHAPE).values()
    assert field.size == (3, 3)
    assert set(vars(model)) == attributes, "nothing is left behind"
    assert model(torch.zeros(1, *SHAPE)).device.type == "cpu"


class Chain(nn.Module):
    """Two convolutions, and what a function does with them first."""

    def __init__(self, tie: Callable[["Chain"], object]) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        tie(self)

    def forward(self, images: Tensor) -> Tensor:
        return self.b(self.a(images))


TIES = {
    "weight": lambda m: setattr(m.b, "weight", m.a.weight),
    "module": lambda m: setattr(m, "b", m.a),
    "weight norm": lambda m: parametrizations.weight_norm(m.b),
    "weight norm, no bias": lambda m: (
        setattr(m.b, "bias", None),
        parametrizations.weight_norm(m.b),
    ),
    "spectral norm": lambda m: parametrizations.spectral_norm(m.b),
    "pruned": lambda m: prune.l1_unstructured(m.b, "weight", amount=0.5),
}


@pytest.mark.parametrize("name", TIES)
def test_every_weight_counts_once(name: str) -> None:
    model = Chain(TIES[name])
    rows = layer_table(model, SHAPE)
    assert [row.kind for row in rows] == ["Conv2d", "Conv2d"]
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in model.parameters())
    assert [row.multiply_adds for row in rows] == [9 * 9 * 256, 9 * 9 * 256]
    *_, field = receptive_field(model, SHAPE).values()
    assert field.size == (5, 5)
    assert parametrize.is_parametrized(model.b) == ("norm" in name)


class Tokens(nn.Module):
    """Patches, a module that mixes them, and a classifier."""

    def __init__(self, mixing: nn.Module, width: int = 8) -> None:
        super().__init__()
        self.patches, self.mixing = nn.Conv2d(3, 8, 4, 4), mixing
        self.classifier = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)  # (B, 16, 8)
        if isinstance(self.mixing, nn.MultiheadAttention):
            tokens = self.mixing(tokens, tokens, tokens)[0]
        else:
            tokens = self.mixing(tokens)
        tokens = tokens[0] if isinstance(tokens, tuple) else tokens
        return self.classifier(tokens.mean(dim=1))


@pytest.mark.parametrize(
    ("mixing", "width", "shape", "multiply_adds"),
    [
        (nn.MultiheadAttention(8, 2, batch_first=True), 8, (16, 8), 4 * 16 * 64 + 2 * 16 * 16 * 8),
        (nn.LSTM(8, 5, batch_first=True), 5, (16, 5), 16 * 4 * 5 * (8 + 5)),
        (nn.GRU(8, 5, batch_first=True, bidirectional=True), 10, (16, 10), 2 * 16 * 3 * 5 * 13),
        (nn.RNN(8, 5, batch_first=True), 5, (16, 5), 16 * 5 * 13),
    ],
    ids=["attention", "LSTM", "GRU", "RNN"],
)
def test_attention_and_recurrent_layers_are_one_layer_each(
    mixing: nn.Module, width: int, shape: tuple[int, ...], multiply_adds: int
) -> None:
    model = Tokens(mixing, width)
    rows = {row.name: row for row in layer_table(model, SHAPE)}
    assert list(rows) == ["patches", "mixing", "classifier"]
    found = rows["mixing"]
    assert (found.kind, found.shape) == (type(mixing).__name__, shape)
    assert found.multiply_adds == multiply_adds
    assert sum(row.parameters for row in rows.values()) == sum(
        p.numel() for p in model.parameters()
    )


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_a_receptive_field_names_what_it_does_not_know(kind: type[nn.Module]) -> None:
    rows = Rows(kind(48, 8, batch_first=True))
    with pytest.raises(
        UnsupportedOperationError, match=f"operation {kind.__name__} at node 'mixing'"
    ):
        receptive_field(rows, SHAPE)


class Rows(nn.Module):
    """Row after row of the image into a recurrent layer."""

    def __init__(self, mixing: nn.Module) -> None:
        super().__init__()
        self.mixing = mixing

    def forward(self, images: Tensor) -> Tensor:
        return self.mixing(images.transpose(1, 2).flatten(2))[0]


class Elsewhere(nn.Module):
    """Uses one layer's weights by a function, and another layer never."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.by_hand, self.never = nn.Conv2d(3, 4, 3), nn.Linear(4, 10), nn.Linear(7, 7)

    def forward(self, images: Tensor) -> Tensor:
        return F.linear(self.conv(images).mean((2, 3)), self.by_hand.weight)


def test_what_comes_after_attention_is_told_too() -> None:
    fields = receptive_field(Tokens(nn.MultiheadAttention(8, 2, batch_first=True)), SHAPE)
    assert list(fields)[-2:] == ["mean", "classifier"]
    assert fields["classifier"].is_global
    assert fields.region("classifier", 0, 0) == (0, 0, 16, 16)


def test_what_no_layer_accounts_for_has_a_line_of_its_own() -> None:
    *_, last = layer_table(Elsewhere(), SHAPE)
    assert (last.kind, last.shape) == ("elsewhere", ())
    assert (last.parameters, last.multiply_adds) == (50 + 56, 40)


def test_images_that_a_model_cannot_take_are_told() -> None:
    for use in (layer_table, receptive_field):
        with pytest.raises(
            ValueError, match=r"the model cannot take images of shape \(4, 16, 16\)"
        ):
            use(SmallCNN(width=4), (4, 16, 16))


def test_what_is_set_for_counting_is_set_back() -> None:
    def settings() -> tuple[bool, bool, bool]:
        return (
            torch.backends.mha.get_fastpath_enabled(),
            torch.backends.mkldnn.enabled,
            torch.backends.cudnn.enabled,
        )

    before = settings()
    with step_by_step():
        assert settings() == (False, False, False)
    assert settings() == before
    with pytest.raises(KeyError), outlined(SmallCNN(width=4), (2, *SHAPE)):
        raise KeyError
    assert settings() == before
