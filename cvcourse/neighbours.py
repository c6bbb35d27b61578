"""Nearest neighbours by brute force: compare every query with everything that is stored.

Cover & Hart (1967), "Nearest neighbor pattern classification".
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.checks import Count, check_integer, check_labels, checked

SPARE = 8  #: how many more candidates than asked for are compared exactly


@checked
def nearest(queries: Tensor, stored: Tensor, k: int = 1, *, chunk: Count = 256) -> Tensor:
    """The k stored vectors closest to each query, in Euclidean distance.

    |q − s|² = |q|² − 2 q·s + |s|², and |q|² does not change who is closest: one matrix product does
    nearly all of the work, D multiply-adds for each pair. It rounds, so a few more than k are taken
    from it, and their distances computed as they are written; all of a query's, where rounding
    could have left out a closer one. Of equally close ones the first comes first.

    >>> import torch
    >>> from cvcourse.neighbours import nearest
    >>> stored = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    >>> nearest(torch.tensor([[0.9, 0.0]]), stored, k=2).tolist()
    [[1, 0]]

    Args:
        queries: (Q, D) float; half precision is raised to float32.
        stored: (N, D) float, on the same device.
        k: how many, 1 to N.
        chunk: queries at a time, so that memory stays at chunk · N numbers.

    Returns:
        (Q, k) int64 indices into `stored`, the closest first.

    Raises:
        ValueError: shapes do not fit each other, k is out of range, or a number is not finite.
    """
    if queries.ndim != 2 or stored.ndim != 2 or queries.shape[1] != stored.shape[1]:
        raise ValueError(
            f"queries have shape {tuple(queries.shape)} and stored {tuple(stored.shape)}; expected "
            "(Q, D) and (N, D) — flatten images first, images.flatten(1).float()"
        )
    check_integer("k", k, 1, len(stored), "the number of stored vectors")
    for name, vectors in (("queries", queries), ("stored", stored)):
        if not bool(vectors.isfinite().all()):
            raise ValueError(f"{name} hold NaN or infinity; expected finite numbers")
    dtype = torch.promote_types(torch.promote_types(queries.dtype, stored.dtype), torch.float32)
    queries, stored = queries.to(dtype), stored.to(dtype)
    # What all vectors share would drown their differences: a sum of squares has seven digits.
    centre = stored.mean(dim=0)
    scale = (stored - centre).abs().max().clamp(min=torch.finfo(dtype).tiny)
    moved = (stored - centre) / scale  # (N, D)
    squares = moved.square().sum(dim=1)  # (N,)
    rounding = torch.finfo(dtype).eps * math.sqrt(stored.shape[1])
    found = []
    for some in queries.split(chunk):
        here = (some - centre) / scale
        rough = torch.addmm(squares, here, moved.T, alpha=-2)  # (chunk, N)
        most, likely = rough.topk(min(k + SPARE, len(stored)), largest=False)
        likely = likely.sort(dim=1).values
        # One at a time, so that memory stays small: (chunk, D) each.
        columns = [_squared(some, stored[of], scale) for of in likely.unbind(1)]
        exact, order = torch.stack(columns, dim=1).sort(dim=1, stable=True)
        closest = likely.gather(1, order[:, :k])
        if likely.shape[1] < len(stored):
            own = here.square().sum(dim=1)
            margin = most[:, -1] + own - exact[:, k - 1]  # to all that was left out
            for row in (margin <= rounding * (own + squares.max())).nonzero():
                parts = [_squared(some[row], part, scale) for part in stored.split(chunk)]
                closest[row] = torch.cat(parts).argsort(stable=True)[:k]
        found.append(closest)
    return torch.cat(found)


def _squared(queries: Tensor, stored: Tensor, scale: Tensor) -> Tensor:
    return ((queries.double() - stored.double()) / scale).square().sum(dim=1)


@checked
def vote(labels: Tensor, neighbours: Tensor, n_classes: Count) -> Tensor:
    """The most frequent label among each query's neighbours; the smallest one where votes tie.

    >>> import torch
    >>> from cvcourse.neighbours import vote
    >>> vote(torch.tensor([0, 1, 1]), torch.tensor([[0, 1, 2]]), n_classes=2).tolist()
    [1]

    Args:
        labels: (N,) int64 of the stored vectors.
        neighbours: (Q, k) int64 from `nearest`.
        n_classes: how many labels there are.

    Returns:
        (Q,) int64.

    Raises:
        ValueError: a label is not below n_classes, there is no such neighbour, or none at all.
    """
    check_labels("labels", labels, labels.shape[:1].numel(), n_classes)
    if neighbours.ndim != 2 or not neighbours.shape[1]:
        raise ValueError(f"neighbours are {tuple(neighbours.shape)}; expected (Q, k) with k ≥ 1")
    check_labels("neighbours", neighbours.flatten(), neighbours.numel(), len(labels))
    votes = F.one_hot(labels[neighbours], n_classes).sum(dim=1)  # (Q, n_classes)
    return votes.argmax(dim=1)
