"""Pseudo-labels above a threshold: coverage, purity, and which classes get mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from cvcourse.checks import Numbers, check_probabilities, check_same_length
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.traits import (
    check_integers,
    check_names,
    check_numbers,
    check_rows,
    trait_errors,
)


class PseudoLabelThreshold(Explorable):
    """Slide the threshold on a teacher's confidence, see what the student would learn from.

    >>> from cvcourse.explore import PseudoLabelThreshold
    >>> said = [[0.95, 0.05], [0.4, 0.6]]
    >>> print(PseudoLabelThreshold(said, [0, 0], ["dog", "cat"]).caption())
    Pseudo-labels of at least 0.900: coverage 0.500, purity 1.000.

    Args:
        probabilities: (N, C) float, the teacher's softmax outputs on unlabelled pictures, N at
            most 4,000; confidences are kept to four decimals.
        labels: (N,) int, the truth, which in practice nobody knows.
        names: of the C classes, at most 12.
        threshold: 0 to 1; pictures of at least this confidence are kept.

    Raises:
        TraitError: shapes do not fit each other, or a number is out of range.
    """

    title = "Threshold of the pseudo-labels"
    _esm = module("threshold")

    confidences = traits.numbers(0, 1.001)
    predicted = traits.integers(0, 11, "a class")
    labels = traits.integers(0, 11, "a class")
    names = traits.names()
    threshold = traits.number(0, 1, "a probability")

    @trait_errors()
    def __init__(
        self,
        probabilities: Numbers,
        labels: Numbers,
        names: Sequence[str],
        *,
        threshold: float = 0.9,
    ) -> None:
        names = check_names("names", names)
        numbers = partial(check_numbers, low=0, high=1.001)
        rows = check_rows("probabilities", probabilities, numbers)
        lengths = sorted({len(row) for row in rows})
        if not 1 <= len(rows) <= 4000 or lengths != [len(names)] or len(names) > 12:
            raise ValueError(
                f"probabilities are {len(rows)} rows of {lengths} numbers, and there are "
                f"{len(names)} names; expected 1 to 4,000 rows, a number for each of at most 12 "
                "names"
            )
        p = np.array(rows)  # (N, C)
        check_probabilities("probabilities", torch.from_numpy(p))
        truth = check_integers("labels", labels, 0, len(names) - 1, "a class")
        check_same_length(probabilities=rows, labels=truth)
        super().__init__(
            confidences=p.max(axis=1).round(4).tolist(),
            predicted=p.argmax(axis=1).tolist(),
            labels=truth,
            names=names,
            threshold=threshold,
        )

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which pictures the student gets, (N,)."""
        return np.array(self.confidences) >= self.threshold

    @property
    def coverage(self) -> float:
        """The share of pictures that are kept."""
        return self._shares(self.threshold)[0]

    @property
    def purity(self) -> float | None:
        """The share of right labels among those kept; None if there are none."""
        return self._shares(self.threshold)[1]

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(C, C) numbers of kept pictures: rows are the truth, columns the pseudo-label."""
        counts = np.zeros((len(self.names),) * 2, np.int64)
        pairs = np.array(self.labels)[self.kept], np.array(self.predicted)[self.kept]
        np.add.at(counts, pairs, 1)
        return counts

    def _shares(self, threshold: float) -> tuple[float, float | None]:
        """Coverage and purity; nothing has no purity."""
        kept = np.array(self.confidences) >= threshold
        right = np.equal(self.predicted, self.labels)
        return float(kept.mean()), float(right[kept].mean()) if kept.any() else None

    def caption(self) -> str:
        """Coverage and purity at the threshold."""
        purity = "–" if self.purity is None else f"{self.purity:.3f}"
        return (
            f"Pseudo-labels of at least {self.threshold:.3f}: coverage {self.coverage:.3f}, purity "
            f"{purity}."
        )

    def still(self) -> str:
        """Coverage and purity at a few thresholds."""
        rows = {}
        for at in (0.0, 0.5, 0.8, 0.9, 0.95, 0.99):
            coverage, purity = self._shares(at)
            rows[f"at {at:g}"] = (coverage, purity or 0.0)
        title = "sky blue: coverage, green: purity"
        return still.paired_bars(title, rows, ("sky", "green"), self.caption())
