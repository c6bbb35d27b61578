"""CutMix: drag a box of one picture over another, see how their labels mix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.pictures import data_uri, photograph
from cvcourse.explore.traits import check_list, trait_errors

SIDE = 224


class CutMixBox(Explorable):
    """Drag the box that CutMix cuts, and see the label that is left.

    CutMix of Yun et al. (2019), "CutMix: Regularization Strategy to Train Strong Classifiers with
    Localizable Features", section 3: a box of √(1 − λ) of each side, anywhere; after clipping at
    the border, λ is computed anew.

    >>> from cvcourse.explore import CutMixBox
    >>> box = CutMixBox(lam=0.75, centre=(112, 0))
    >>> box.box, box.kept
    ((56, 0, 168, 56), 0.875)

    Args:
        lam: λ as drawn, the share that the first picture should keep, 0 to 1.
        centre: (row, column) of the box, 0 to 224.
        pictures: two of (H, W, 3) uint8, drawn at 224 × 224; a cat and a cup if not given.
        names: of their classes.

    Raises:
        TraitError: a number is out of range.
    """

    title = "CutMix"
    _esm = module("cutmix")

    lam = traits.number(0, 1, "a share of the first picture")
    centre = traits.integers(0, SIDE, "row and column", length=2)
    pictures = traits.names(length=2)
    names = traits.names(length=2)

    def __init__(
        self,
        lam: float = 0.6,
        centre: tuple[int, int] = (150, 60),
        *,
        pictures: Sequence[NDArray[np.uint8]] = (),
        names: Sequence[str] = ("cat", "cup"),
    ) -> None:
        with trait_errors():
            uris = [data_uri(picture) for picture in check_list("pictures", pictures)]
        super().__init__(
            lam=lam,
            centre=centre,
            pictures=uris or [photograph("chelsea"), photograph("coffee")],
            names=names,
        )

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Rows top … bottom − 1 and columns left … right − 1 that come from the second picture."""
        half = int(0.5 * np.sqrt(1 - self.lam) * SIDE)
        top, left = (max(0, at - half) for at in self.centre)
        bottom, right = (min(SIDE, at + half) for at in self.centre)
        return top, left, bottom, right

    @property
    def kept(self) -> float:
        """The λ that is left after clipping: the first picture's share of pixels and of label."""
        top, left, bottom, right = self.box
        return 1 - (bottom - top) * (right - left) / SIDE**2

    def caption(self) -> str:
        """The label that goes with the picture."""
        return (
            f"CutMix with λ = {self.lam:.2f} drawn; after clipping the label is {self.kept:.3f} "
            f"{self.names[0]} and {1 - self.kept:.3f} {self.names[1]}."
        )

    def still(self) -> str:
        """The box on the first picture, and the label as bars."""
        top, left, bottom, right = self.box
        parts = [still.frame(40, 4, SIDE, SIDE)]
        parts.append(still.text(48, 24, self.names[0]))
        if self.kept < 1:
            colour = still.tone("orange")
            parts.append(still.frame(40 + left, 4 + top, right - left, bottom - top, colour))
            middle = 40 + (left + right) / 2, 8 + (top + bottom) / 2
            parts.append(still.text(*middle, self.names[1], anchor="middle"))
        for i, (name, share) in enumerate(zip(self.names, (self.kept, 1 - self.kept), strict=True)):
            y = 90 + 30 * i
            parts += [
                still.text(300, y + 12, name),
                still.bar(360, y, 170, 14, share, ("blue", "orange")[i]),
                still.text(600, y + 12, f"{share:.3f}", anchor="end"),
            ]
        return still.picture(600, SIDE + 8, self.caption(), *parts)
