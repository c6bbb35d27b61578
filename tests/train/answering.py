"""Small sets and models whose answers a test decides."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cvcourse.data import render
from cvcourse.models import SingleLayer, standardized
from cvcourse.train import Recipe

TRAIN, LABELED = render(40, seed=0, size=8), render(10, seed=1, size=8)
RECIPE = Recipe(epochs=1, batch_size=20)


def new_model(**settings: Any) -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(SingleLayer, TRAIN, **settings)


class Answers(nn.Module):
    """A layer on the pixels, and what a function makes of its answers."""

    def __init__(self, of: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.of = nn.Linear(192, 10), of

    def forward(self, images: Tensor) -> Any:
        return self.of(self.layer(images.float().flatten(1) / 255))
