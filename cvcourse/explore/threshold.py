"""Pseudo-labels above a threshold: coverage, purity, and which classes get mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from cvcourse.explore import check, still
from cvcourse.explore.base import Explorable, module


class PseudoLabelThreshold(Explorable):
    """Slide the threshold on a teacher's confidence, see what the student would learn from.

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

    confidences = traitlets.List(traitlets.Float()).tag(sync=True)
    predicted = traitlets.List(traitlets.Int()).tag(sync=True)
    labels = traitlets.List(traitlets.Int()).tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    threshold = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        probabilities: ArrayLike,
        labels: ArrayLike,
        names: Sequence[str],
        *,
        threshold: float = 0.9,
    ) -> None:
        p, truth = np.asarray(probabilities, np.float64), np.asarray(labels)
        if p.ndim != 2 or not 1 <= len(p) <= 4000 or p.shape[1] != len(names) or len(names) > 12:
            raise traitlets.TraitError(
                f"probabilities have shape {p.shape} and there are {len(names)} names; expected "
                "(N, C) for C names, N at most 4,000 and C at most 12"
            )
        check.numbers("probabilities", p.ravel(), 0, 1 + 1e-6)
        check.numbers("labels", truth, 0, len(names) - 1)
        check.same_length(probabilities=p.tolist(), labels=truth.tolist())
        super().__init__(
            confidences=p.max(axis=1).round(4).tolist(),
            predicted=p.argmax(axis=1).tolist(),
            labels=truth.tolist(),
            names=list(names),
            threshold=threshold,
        )

    @traitlets.validate("threshold")
    def _check_threshold(self, proposal: dict[str, Any]) -> float:
        return check.number("threshold", proposal["value"], 0, 1)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which pictures the student gets, (N,)."""
        return np.array(self.confidences) >= self.threshold

    @property
    def coverage(self) -> float:
        """The share of pictures that are kept."""
        return float(self.kept.mean())

    @property
    def purity(self) -> float | None:
        """The share of right labels among those kept; None if there are none."""
        right = np.equal(self.predicted, self.labels)[self.kept]
        return float(right.mean()) if len(right) else None

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(C, C) numbers of kept pictures: rows are the truth, columns the pseudo-label."""
        counts = np.zeros((len(self.names),) * 2, np.int64)
        pairs = np.array(self.labels)[self.kept], np.array(self.predicted)[self.kept]
        np.add.at(counts, pairs, 1)
        return counts

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
        confidences = np.array(self.confidences)
        right = np.equal(self.predicted, self.labels)
        for at in (0.0, 0.5, 0.8, 0.9, 0.95, 0.99):
            kept = confidences >= at
            rows[f"at {at:g}"] = (
                float(kept.mean()),
                float(right[kept].mean()) if kept.any() else 0.0,
            )
        title = "sky blue: coverage, green: purity"
        return still.paired_bars(title, rows, ("sky", "green"), self.caption())
