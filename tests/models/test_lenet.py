import pytest
import torch
from torch import nn

from cvcourse.models import LeNet5, layer_table


def test_parameters_of_each_layer_by_hand() -> None:
    by_hand = {
        "features.0": 6 * (5 * 5 + 1),  # C1
        "features.3": 16 * (6 * 5 * 5 + 1),  # C3
        "features.6": 120 * (16 * 5 * 5 + 1),  # C5
        "classifier.0": 84 * (120 + 1),  # F6
        "classifier.2": 10 * (84 + 1),
    }
    rows = layer_table(LeNet5(), (1, 32, 32))
    assert {row.name: row.parameters for row in rows if row.parameters} == by_hand
    assert sum(by_hand.values()) == 61_706


def test_the_original_differs_as_its_docstring_says() -> None:
    seen_by_c3 = 6 * [3] + 6 * [4] + 3 * [4] + [6]  # maps of S2, table I of the paper
    trained = {
        "C1": 6 * 26,
        "S2": 6 * 2,
        "C3": sum(25 * maps + 1 for maps in seen_by_c3),
        "S4": 16 * 2,
        "C5": 120 * 401,
        "F6": 84 * 121,
    }
    assert sum(trained.values()) == 60_000
    assert trained["C3"] == 1_516
    assert 61_706 - (2_416 - 1_516) + 12 + 32 - 850 == 60_000


def test_the_fifth_convolution_is_fully_connected() -> None:
    model, maps = LeNet5(), torch.randn(3, 16, 5, 5)
    conv = model.features[6]
    assert isinstance(conv, nn.Conv2d)
    layer = nn.functional.linear(maps.flatten(1), conv.weight.flatten(1), conv.bias)
    torch.testing.assert_close(conv(maps).flatten(1), layer, atol=1e-5, rtol=1e-5)


def test_it_takes_32_by_32_and_says_so() -> None:
    assert LeNet5(n_classes=4, channels=3)(torch.zeros(2, 3, 32, 32)).shape == (2, 4)
    with pytest.raises(ValueError, match=r"28 × 28 pixels; expected 32 × 32 — pad"):
        LeNet5()(torch.zeros(1, 1, 28, 28))
