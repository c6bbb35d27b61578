"""Nearest neighbours in a plane of features: place a query, see who votes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import traitlets

from cvcourse import neighbours
from cvcourse.checks import Numbers, check_integer, check_same_length
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.traits import check_integers, check_numbers, check_rows, trait_errors

_TONES = tuple(still.TONES)
_NUMBERS = partial(check_numbers, low=-1e6, high=1e6)


class NeighbourVote(Explorable):
    """Place a query among stored points; its k nearest vote.

    >>> from cvcourse.explore import NeighbourVote
    >>> points, names = [(0, 0), (1, 0), (5, 5)], ["dog", "cat"]
    >>> NeighbourVote(points, [0, 0, 1], names, query=(0, 1), k=2).prediction
    'dog'

    Args:
        features: (N, 2) float, N from 2 to 2,000; kept to three decimals.
        labels: (N,) int, 0 to len(names) − 1.
        names: of the classes, at most 10.
        query: (x, y); the mean of all points if not given.
        k: neighbours that vote, 1 to 25 and at most n.
        n: how many points are stored, the first ones; all of them if not given.

    Raises:
        TraitError: shapes do not fit each other, or a number is out of range.
    """

    title = "Nearest neighbours"
    _esm = module("neighbours")

    features = traits.rows(_NUMBERS)
    labels = traits.integers(0, 9, "a class")
    names = traits.names()
    query = traits.numbers(-1e6, 1e6, length=2)
    k = traits.integer(1, 25, "neighbours that vote")
    n = traits.integer(1, 2000, "points that are stored")

    def __init__(
        self,
        features: Numbers,
        labels: Numbers,
        names: Sequence[str],
        *,
        query: Sequence[float] | None = None,
        k: int = 5,
        n: int | None = None,
    ) -> None:
        with trait_errors():
            rows = check_rows("features", features, _NUMBERS)
        lengths = sorted({len(row) for row in rows})
        if not 2 <= len(rows) <= 2000 or lengths != [2]:
            raise traitlets.TraitError(
                f"features are {len(rows)} points of {lengths} numbers; expected 2 to 2,000 of 2 — "
                "take fewer points, or reduce them to two dimensions"
            )
        points = np.array(rows).round(3)
        super().__init__(
            features=points.tolist(),
            labels=labels,
            names=names,
            query=points.mean(axis=0).round(3).tolist() if query is None else query,
            k=k,
            n=len(points) if n is None else n,
        )

    @traitlets.validate("features", "labels", "k", "n")
    @trait_errors()
    def _check(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        state = {key: getattr(self, key) for key in ("features", "labels", "k", "n")}
        state[name] = value
        check_same_length(features=state["features"], labels=state["labels"])
        if name == "labels":
            check_integers("labels", value, 0, len(self.names) - 1, "a class")
        check_integer("n", state["n"], 1, len(state["features"]), "points that are stored")
        check_integer("k", state["k"], 1, min(25, state["n"]), "neighbours that vote")
        return value

    @property
    def neighbours(self) -> list[int]:
        """Indices of the k nearest stored points, the closest first."""
        stored = torch.tensor(self.features[: self.n], dtype=torch.float64)
        query = torch.tensor([self.query], dtype=torch.float64)
        return neighbours.nearest(query, stored, self.k)[0].tolist()

    @property
    def prediction(self) -> str:
        """What they vote."""
        nearest = torch.tensor([self.neighbours])
        label = neighbours.vote(torch.tensor(self.labels), nearest, len(self.names))
        return self.names[int(label)]

    def caption(self) -> str:
        """The vote in words."""
        return (
            f"The {self.k} nearest of {self.n:,} stored points to the query vote "
            f"“{self.prediction}”."
        )

    def still(self) -> str:
        """The points by class, the query a cross, lines to its neighbours."""
        points = np.array([*self.features, self.query])
        low, high = points.min(axis=0), points.max(axis=0)
        scale = 0.95 * min(600 / max(high[0] - low[0], 1e-9), 320 / max(high[1] - low[1], 1e-9))
        placed = (points - (low + high) / 2) * (scale, -scale) + (300, 170)
        *stored, (qx, qy) = placed
        parts = [
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" '
            f'fill="{still.tone(_TONES[label % len(_TONES)])}"/>'
            for (x, y), label in zip(stored[: self.n], self.labels[: self.n], strict=True)
        ]
        lines = "".join(f"M{qx:.0f} {qy:.0f}L{x:.0f} {y:.0f}" for x, y in placed[self.neighbours])
        cross = f"M{qx - 9:.0f} {qy:.0f}h18M{qx:.0f} {qy - 9:.0f}v18"
        parts.append(f'<path d="{lines}{cross}" stroke="currentColor" stroke-width="1.5"/>')
        return still.picture(600, 340, self.caption(), *parts)
