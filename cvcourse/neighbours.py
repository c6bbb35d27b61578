"""Nearest neighbours by brute force: compare every query with everything that is stored.

Cover & Hart (1967), "Nearest neighbor pattern classification".
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def nearest(queries: Tensor, stored: Tensor, k: int = 1, *, chunk: int = 256) -> Tensor:
    """The k stored vectors closest to each query, in Euclidean distance.

    |q − s|² = |q|² − 2 q·s + |s|², and |q|² does not change who is closest: one matrix product does
    nearly all of the work, D multiply-adds for each pair.

    Args:
        queries: (Q, D) float.
        stored: (N, D) float, on the same device.
        k: how many, 1 to N.
        chunk: queries at a time, so that memory stays at chunk · N numbers.

    Returns:
        (Q, k) int64 indices into `stored`, the closest first.

    Raises:
        ValueError: shapes do not fit each other, or k is out of range.
    """
    if queries.ndim != 2 or stored.ndim != 2 or queries.shape[1] != stored.shape[1]:
        raise ValueError(
            f"queries have shape {tuple(queries.shape)} and stored {tuple(stored.shape)}; expected "
            "(Q, D) and (N, D) — flatten images first, images.flatten(1).float()"
        )
    if not 1 <= k <= len(stored):
        raise ValueError(f"k is {k}; expected 1 to {len(stored)}, the number of stored vectors")
    squares = stored.square().sum(dim=1)  # (N,)
    found = [
        torch.addmm(squares, some, stored.T, alpha=-2).topk(k, largest=False).indices
        for some in queries.split(chunk)
    ]
    return torch.cat(found)


def vote(labels: Tensor, neighbours: Tensor, n_classes: int) -> Tensor:
    """The most frequent label among each query's neighbours; the smallest one where votes tie.

    Args:
        labels: (N,) int64 of the stored vectors.
        neighbours: (Q, k) int64 from `nearest`.
        n_classes: how many labels there are.

    Returns:
        (Q,) int64.
    """
    votes = F.one_hot(labels[neighbours], n_classes).sum(dim=1)  # (Q, n_classes)
    return votes.argmax(dim=1)
