"""Pseudo-labels above a threshold: coverage, purity, and which classes get mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import traitlets
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from cvcourse.checks import Share, check, check_numbers, check_same_length
from cvcourse.explore import still
from cvcourse.explore.base import Explorable, module, trait_errors
from cvcourse.train import pseudo_label


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
        with trait_errors():
            check_numbers("probabilities", p.ravel(), 0, 1 + 1e-6)
            check_numbers("labels", truth, 0, len(names) - 1)
            check_same_length(probabilities=p.tolist(), labels=truth.tolist())
        super().__init__(
            confidences=p.max(axis=1).round(4).tolist(),
            predicted=p.argmax(axis=1).tolist(),
            labels=truth.tolist(),
            names=list(names),
            threshold=threshold,
        )

    @traitlets.validate("threshold")
    @trait_errors()
    def _check_threshold(self, proposal: dict[str, Any]) -> float:
        return check("threshold", proposal["value"], Share)

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
        probabilities, truth = self._probabilities(), torch.tensor(self.labels)
        kept = pseudo_label.coverage(probabilities, threshold)
        return kept, pseudo_label.purity(probabilities, truth, threshold) if kept else None

    def _probabilities(self) -> Tensor:
        """What is known of them, (N, C) float64: each row's largest, and 0 elsewhere."""
        known = torch.zeros(len(self.predicted), len(self.names), dtype=torch.float64)
        largest = torch.tensor(self.confidences, dtype=torch.float64)
        return known.scatter_(1, torch.tensor(self.predicted)[:, None], largest[:, None])

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
