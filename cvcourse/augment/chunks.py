"""A batch in the making: a few images at a time, in memory that is used again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: Pixels worked on at once. On a CPU their floats stay in its cache; on a GPU memory is the bound.
CHUNK = {"cpu": 1 << 16, "gpu": 1 << 26}


def by_chunks(
    images: Tensor,
    dtype: torch.dtype,
    operation: Callable[[slice, Tensor], Tensor],
    out: Tensor,
    *,
    offset: float = 0.0,
) -> Tensor:
    """Fill `out` with what an operation makes of a few images at a time.

    All turns share their memory: a CPU takes longer to get new memory from the system than to fill
    it.

    Args:
        images: (B, C, H, W) uint8.
        dtype: as what the operation wants the images.
        operation: from a slice of the batch, and a copy of these images to overwrite, to levels:
            floats, which are rounded to the nearest of 0 to 255, or int16, whose low bytes count,
            or uint8.
        out: (B, C, h, w) uint8.
        offset: is added to floats first.

    Returns:
        `out`.
    """
    pixels = CHUNK["cpu" if images.device.type == "cpu" else "gpu"]
    n = max(1, pixels // (out.shape[2] * out.shape[3]))
    if len(images) <= n:  # a small batch, whose time goes into the number of calls
        levels = operation(slice(0, len(images)), images.to(dtype, copy=True))
        if levels.is_floating_point():
            levels = levels.add_(offset + 0.5).clamp_(0, 255)
        return out.copy_(levels)
    copies = torch.empty(n, *images.shape[1:], dtype=dtype, device=images.device)
    whole = torch.empty(n, *out.shape[1:], dtype=torch.int16, device=images.device)
    for start in range(0, len(images), n):
        some = slice(start, min(start + n, len(images)))
        b = some.stop - some.start
        levels = operation(some, copies[:b].copy_(images[some]))
        if levels.is_floating_point():  # to bytes by way of int16: three times as fast
            levels = whole[:b].copy_(levels.add_(offset + 0.5)).clamp_(0, 255)
        out[some] = levels
    return out
