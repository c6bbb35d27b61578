"""Affine and perspective maps of a photograph, by its corners."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.pictures import data_uri, photograph
from cvcourse.explore.traits import check_numbers, trait_errors

SIDE = 100.0
_SQUARE = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]])


class CornerMap(Explorable):
    """Drag three corners of a photograph (affine) or four (perspective), see the matrix.

    >>> from cvcourse.explore import CornerMap
    >>> CornerMap().matrix.round(2).tolist()
    [[0.9, -0.3, 20.0], [0.0, 0.7, 15.0], [0.0, 0.0, 1.0]]

    Args:
        corners: where the corners of the 100 × 100 square go: top left, top right, bottom right,
            bottom left, as (x, y) from −150 to 250; y points down.
        mode: "affine" or "perspective".
        picture: (H, W, 3) uint8; a cat if not given.

    Raises:
        TraitError: the corners are out of range, not convex, nearly on a line; or affine, and not
            a parallelogram.
    """

    title = "Affine and perspective"
    _esm = module("warp")

    mode = traits.choice("affine", "perspective")
    corners = traits.rows(partial(check_numbers, low=-150, high=250))
    picture = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        corners: Sequence[Sequence[float]] = ((20, 15), (110, 15), (80, 85), (-10, 85)),
        mode: str = "affine",
        *,
        picture: NDArray[np.uint8] | None = None,
    ) -> None:
        with trait_errors():
            uri = photograph("chelsea") if picture is None else data_uri(picture)
        super().__init__(corners=corners, mode=mode, picture=uri)

    @traitlets.validate("corners", "mode")
    def _check(self, proposal: dict[str, Any]) -> Any:
        state = {"corners": self.corners, "mode": self.mode}
        state[proposal["trait"].name] = proposal["value"]
        corners, mode = state["corners"], state["mode"]
        if [len(corner) for corner in corners] != [2] * 4:
            raise traitlets.TraitError(f"corners are {corners}; expected 4, each (x, y)")
        edges = np.roll(corners, -1, axis=0) - np.array(corners)
        turns = np.linalg.det(np.stack([edges, np.roll(edges, -1, axis=0)], axis=1))  # (4,)
        if not (turns.max() < -200 or turns.min() > 200):
            raise traitlets.TraitError(
                f"corners are {corners}; expected the corners of a convex shape, in order around it"
            )
        if mode == "affine" and np.abs(edges[0] + edges[2]).max() > 1e-6:
            raise traitlets.TraitError(
                f"corners are {corners}, no parallelogram; an affine map gives nothing else — use "
                'mode "perspective"'
            )
        return proposal["value"]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (3, 3) matrix from the square to the corners, its last entry 1.

        The eight unknowns follow from the eight coordinates: x' (g x + h y + 1) = a x + b y + c,
        and the same for y' (Hartley & Zisserman 2004, "Multiple View Geometry", section 4.1).
        """
        rows, right = [], []
        for (x, y), (u, v) in zip(_SQUARE, self.corners, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
            right += [u, v]
        return np.append(np.linalg.solve(np.array(rows), right), 1).reshape(3, 3)

    def caption(self) -> str:
        """The matrix in numbers."""
        rows = "; ".join(" ".join(f"{entry:.4g}" for entry in row) for row in self.matrix.round(6))
        return f"{self.mode.capitalize()} map of a square of 100 units; matrix [{rows}]."

    def still(self) -> str:
        """The square's grid of 4 × 4 after the map."""
        ticks = np.linspace(0, SIDE, 5)
        lines = []
        for at in ticks:
            for ends in ([[at, 0], [at, SIDE]], [[0, at], [SIDE, at]]):
                placed = np.column_stack([ends, np.ones(2)]) @ self.matrix.T
                (x1, y1), (x2, y2) = 2 * (placed[:, :2] / placed[:, 2:] + 25)
                lines.append(f"M{x1 + 150:.1f} {y1:.1f}L{x2 + 150:.1f} {y2:.1f}")
        path = f'<path d="{"".join(lines)}" fill="none" stroke="{still.tone("blue")}"/>'
        return still.picture(600, 300, self.caption(), path)
