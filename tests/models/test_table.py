import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cvcourse.models import (
    AlexNet,
    LeNet5,
    SmallCNN,
    TwoPathAlexNet,
    format_table,
    layer_table,
    multiply_adds,
)


def by_formula(layer: nn.Module, shape: tuple[int, ...]) -> int:
    """Multiply-adds of one layer, from its own numbers."""
    outputs = torch.Size(shape).numel()
    if isinstance(layer, nn.Conv2d):
        return outputs * layer.in_channels // layer.groups * layer.kernel_size[0] ** 2
    return outputs * layer.in_features if isinstance(layer, nn.Linear) else 0


@pytest.mark.parametrize(
    ("make", "shape"),
    [(LeNet5, (1, 32, 32)), (SmallCNN, (3, 32, 32)), (AlexNet, (3, 224, 224)),
     (TwoPathAlexNet, (3, 224, 224))],
    ids=lambda x: getattr(x, "__name__", ""),
)  # fmt: skip
def test_multiply_adds_agree_with_the_formula_and_with_torch(
    make: type[nn.Module], shape: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        model = make().eval()
    rows = layer_table(model, shape)
    layers = dict(model.named_modules())
    for row in rows:
        assert row.multiply_adds == by_formula(layers[row.name], row.shape), row
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *shape, device="meta"))
    assert 2 * sum(row.multiply_adds for row in rows) == counter.get_total_flops()
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in model.parameters())


def test_the_model_is_left_alone() -> None:
    model = SmallCNN()
    model.features[0].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layer_table(model, (3, 32, 32))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training
    assert not model.features[0].training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(p.requires_grad and p.device.type == "cpu" for p in model.parameters())


def test_batch_norm_over_a_single_number_is_no_obstacle() -> None:
    rows = layer_table(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), (3,))
    assert [row.parameters for row in rows] == [8, 4]


def test_a_shared_layer_has_two_lines_and_counts_once() -> None:
    layer = nn.Linear(5, 5)
    rows = layer_table(nn.Sequential(layer, nn.ReLU(), layer), (5,))
    assert [(row.kind, row.parameters, row.multiply_adds) for row in rows] == [
        ("Linear", 30, 25),
        ("ReLU", 0, 0),
        ("Linear", 0, 25),
    ]


def test_a_module_with_parameters_of_its_own_is_one_layer() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.scale = nn.Linear(4, 3), nn.Parameter(torch.ones(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.scale * self.inner(x)

    rows = layer_table(nn.Sequential(Scaled()), (4,))
    assert [(r.name, r.shape, r.parameters, r.multiply_adds) for r in rows] == [("0", (3,), 18, 12)]


def test_the_printed_table_ends_with_totals() -> None:
    lines = format_table(layer_table(LeNet5(), (1, 32, 32))).splitlines()
    first = ["features.0", "Conv2d", "6", "×", "28", "×", "28", "156", "117,600"]
    assert lines[1].split() == first
    assert lines[-1].split() == ["total", "61,706", "416,520"]
    assert len({len(line) for line in lines}) == 1


def test_multiply_adds_of_a_model_a_product_and_a_gradient() -> None:
    image = torch.zeros(1, 3, 32, 32)
    rows = layer_table(SmallCNN(), (3, 32, 32))
    assert multiply_adds(SmallCNN(), image) == sum(row.multiply_adds for row in rows)
    assert multiply_adds(torch.matmul, torch.zeros(4, 5), torch.zeros(5, 6)) == 4 * 5 * 6
    layer = nn.Linear(10, 3)

    def learn(inputs: torch.Tensor) -> None:
        layer(inputs).sum().backward()

    assert multiply_adds(learn, torch.zeros(2, 10)) == 2 * (2 * 10 * 3)  # forward, and weights
    with torch.device("meta"):
        assert multiply_adds(AlexNet(), torch.zeros(1, 3, 224, 224)) == 714_188_480
