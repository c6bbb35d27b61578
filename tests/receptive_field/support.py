"""What a unit really depends on, by the gradient: nothing in common with the package's arithmetic.

With positive weights nothing cancels, and average instead of max pooling lets every pixel through;
then the gradient is zero exactly where the unit does not depend on a pixel.
"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvcourse.receptive_field import Region


def positive(model: nn.Module, seed: int = 0) -> nn.Module:
    """Random positive weights that neither grow nor fade, in float64; evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    model = model.to_empty(device="cpu").double().eval()
    for name, tensor in model.state_dict().items():
        if tensor.ndim > 1:  # a layer's weights: their sum over the inputs is about 1
            tensor.uniform_(0.5, 1.5, generator=generator).div_(tensor[0].numel())
        else:
            tensor.fill_(0.0 if name.endswith(("mean", "bias")) else 1.0)
    return model


def average_for_max(patch: pytest.MonkeyPatch) -> None:
    """F.max_pool2d, which nn.MaxPool2d calls too, becomes an average."""

    def pool(
        images: Tensor,
        kernel_size: int,
        stride: int | None = None,
        padding: int = 0,
        dilation: int = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Tensor:
        assert dilation == 1
        return F.avg_pool2d(images, kernel_size, stride, padding, ceil_mode)

    patch.setattr(F, "max_pool2d", pool)


def support(maps: Tensor, image: Tensor, y: int, x: int) -> Region:
    """The smallest rectangle that holds the pixels with a gradient of the unit in row y, column x.

    Args:
        maps: (1, channels, h, w), or (1, channels) for all there is.
        image: (1, C, H, W) that the maps were computed from.
        y: row.
        x: column.
    """
    unit = maps[0, :, y, x] if maps.ndim == 4 else maps[0]
    (gradient,) = torch.autograd.grad(unit.sum(), image, retain_graph=True)
    seen = gradient[0].abs().sum(dim=0) > 0  # (H, W)
    rows, columns = seen.any(dim=1).nonzero().flatten(), seen.any(dim=0).nonzero().flatten()
    if not len(rows):
        return Region(0, 0, 0, 0)
    return Region(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
