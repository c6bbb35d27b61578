"""RandAugment, step by step: what each drawn operation does at a strength."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from cvcourse.checks import check_integer
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.pictures import check_picture, data_uri
from cvcourse.explore.traits import check_list, check_names, check_rows, trait_errors


class RandAugmentSteps(Explorable):
    """Choose N and M, draw operations, see the picture after each of them.

    RandAugment of Cubuk et al. (2020), "RandAugment: Practical Automated Data Augmentation with a
    Reduced Search Space": N operations drawn at random, all of strength M. The pictures were made
    beforehand.

    >>> import numpy as np
    >>> from cvcourse.explore import RandAugmentSteps
    >>> original = np.zeros((8, 8, 3), np.uint8)
    >>> pictures = np.zeros((1, 1, 2, 8, 8, 3), np.uint8)  # 1 draw, 1 strength, 2 operations
    >>> print(RandAugmentSteps(original, pictures, [["rotate", "solarize"]], [9]).caption())
    RandAugment with N = 2, M = 9: rotate, then solarize.

    Args:
        original: (H, W, 3) uint8 with H = W.
        pictures: (D, L, N, H, W, 3) uint8: after 1 to N operations of D draws at L strengths.
        operations: D draws of N names.
        strengths: L numbers.
        n: how many operations to begin with, 0 to N.

    Raises:
        TraitError: shapes do not fit each other, a number is out of range, or the pictures would
            make the page too heavy.
    """

    title = "RandAugment, step by step"
    _esm = module("randaugment")

    operations = traits.rows(check_names)
    strengths = traits.numbers(-1e6, 1e6)
    mosaic = traitlets.Unicode().tag(sync=True)
    original = traitlets.Unicode().tag(sync=True)
    side = traitlets.Int().tag(sync=True)
    draw = traits.integer(0, 10_000, "one of the draws")
    level = traits.integer(0, 10_000, "one of the strengths")
    n = traits.integer(0, 100, "operations in turn")

    @trait_errors()
    def __init__(
        self,
        original: NDArray[np.uint8],
        pictures: NDArray[np.uint8],
        operations: Sequence[Sequence[str]],
        strengths: Sequence[float],
        *,
        n: int = 2,
    ) -> None:
        check_picture("original", original, 0, 0, 3)
        check_picture("original", original, len(original), len(original), 3)
        draws = check_rows("operations", operations, check_names)
        strengths = check_list("strengths", strengths)
        if len({len(names) for names in draws}) != 1 or not strengths:
            raise ValueError(
                f"there are {len(strengths)} strengths and draws of {[len(n) for n in draws]} "
                "operations; expected at least one strength, and draws of one length"
            )
        side, steps = len(original), len(draws[0])
        check_picture("pictures", pictures, len(draws), len(strengths), steps, side, side, 3)
        rows = pictures.reshape(-1, steps, side, side, 3).transpose(0, 2, 1, 3, 4)
        mosaic = data_uri(rows.reshape(-1, steps * side, 3), quality=75)
        if len(mosaic) > 120_000:
            raise ValueError(
                f"the pictures take {len(mosaic):,} characters; expected at most 120,000 — give "
                "fewer draws or strengths, or smaller pictures"
            )
        super().__init__(
            operations=draws,
            strengths=strengths,
            mosaic=mosaic,
            original=data_uri(original, quality=75),
            side=side,
            level=len(strengths) // 2,
            n=n,
        )

    @traitlets.validate("draw", "level", "n")
    @trait_errors()
    def _check(self, proposal: dict[str, Any]) -> int:
        name = proposal["trait"].name
        highest, meaning = {
            "draw": (len(self.operations) - 1, "one of the draws"),
            "level": (len(self.strengths) - 1, "one of the strengths"),
            "n": (len(self.operations[0]), "operations in turn"),
        }[name]
        return check_integer(name, proposal["value"], 0, highest, meaning)

    def caption(self) -> str:
        """The operations and their strength."""
        steps = ", then ".join(self.operations[self.draw][: self.n]) or "nothing happens"
        return f"RandAugment with N = {self.n}, M = {self.strengths[self.level]:g}: {steps}."

    def still(self) -> str:
        """The original, and the names of the operations."""
        parts = [f'<image href="{escape(self.original)}" width="120" height="120"/>']
        for i, name in enumerate(self.operations[self.draw][: self.n]):
            parts.append(still.text(150, 40 + 26 * i, f"{i + 1}. {name}"))
        return still.picture(600, 124, self.caption(), *parts)
