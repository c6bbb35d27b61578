"""Pooling with holes: which pixels can be the maximum, found by raising one at a time."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.receptive_field import Region, receptive_field


class ByFunction(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return F.max_pool2d(images, (2, 3), 1, 1, (3, 2))


POOLS = {
    "module": nn.MaxPool2d(3, stride=2, padding=1, dilation=2),
    "its stride is the kernel": nn.MaxPool2d(3, dilation=2),
    "two dilations": nn.MaxPool2d((2, 3), 1, 1, (3, 2)),
    "function": ByFunction(),
}


@pytest.mark.parametrize("name", POOLS)
def test_a_pooling_with_dilation_sees_its_holes_through(name: str) -> None:
    pool, height, width = POOLS[name], 11, 12
    hot = torch.eye(height * width).view(-1, 1, height, width)  # an image for each pixel
    answers = pool(hot)[:, 0] > 0  # (pixels, h, w)
    *_, field = receptive_field(pool, (1, height, width)).values()
    assert field.map_size == answers.shape[1:]
    for y in range(answers.shape[1]):
        for x in range(answers.shape[2]):
            rows, columns = answers[:, y, x].view(height, width).nonzero().T
            seen = Region(
                int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1
            )
            assert field.region(y, x) == seen, (y, x)


def test_its_size_counts_the_holes() -> None:
    field = receptive_field(nn.MaxPool2d((2, 3), 1, 1, (3, 2)), (1, 11, 12))["0"]
    assert field.size == (4, 5)
    assert field.padding == (1, 1)
