"""Functions that are not torch's, under torch's names."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from cvcourse.receptive_field import ELEMENTWISE, UnsupportedOperationError, receptive_field


@torch.fx.wrap
def relu(maps: Tensor) -> Tensor:
    """Not what torch calls so."""
    return F.max_pool2d(maps, 3, 1)


class Mine(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return relu(images)


def test_a_function_of_mine_is_not_taken_for_torchs_of_that_name() -> None:
    with pytest.raises(UnsupportedOperationError, match="operation relu at node 'relu'"):
        receptive_field(Mine(), (3, 8, 8))


def test_but_it_can_be_declared_elementwise() -> None:
    ELEMENTWISE.add(relu)
    try:
        field = receptive_field(Mine(), (3, 8, 8))["relu"]
    finally:
        ELEMENTWISE.remove(relu)
    assert (field.operation, field.size) == ("relu", (1, 1))


def test_pythons_functions_are_known_by_name() -> None:
    class Theirs(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return abs(images)

    assert receptive_field(Theirs(), (3, 8, 8))["abs"].operation == "abs"


def test_torchvisions_functions_are_known_by_name() -> None:
    class Twice(StochasticDepth):
        def forward(self, images: Tensor) -> Tensor:
            return 2 * super().forward(images)

    fields = receptive_field(nn.Sequential(Twice(0.5, "row")), (3, 8, 8))
    assert [field.operation for field in fields.values()] == ["input", "stochastic_depth", "mul"]


def fussy(maps: Tensor) -> Tensor:
    """Cannot be traced, and is not wrapped."""
    return maps if maps.shape[1] == 3 else -maps


class Fussy(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return fussy(images)


def test_what_is_declared_elementwise_is_not_looked_into() -> None:
    with pytest.raises(UnsupportedOperationError, match=r"torch\.fx cannot trace Fussy"):
        receptive_field(Fussy(), (3, 8, 8))
    ELEMENTWISE.add(fussy)
    try:
        assert receptive_field(Fussy(), (3, 8, 8))["fussy"].size == (1, 1)
    finally:
        ELEMENTWISE.remove(fussy)
