"""Noisy Student: step through the rounds, see labels being corrected, and broken."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import traitlets
from numpy.typing import NDArray

from cvcourse.checks import Numbers, check_integer, checked
from cvcourse.data import ImageSet
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.pictures import data_uri
from cvcourse.explore.traits import check_integers, check_rows, trait_errors

TILE, COLUMNS = 32, 8
_CLASSES = partial(check_integers, low=0, high=10_000, meaning="a class")


class NoisyStudentRounds(Explorable):
    """Step through rounds of Noisy Student; each round's labels next to the truth.

    Xie et al. (2020), "Self-training with Noisy Student improves ImageNet classification": every
    student becomes the teacher of the next.

    >>> from cvcourse.data import render
    >>> from cvcourse.explore import NoisyStudentRounds
    >>> pictures = render(4)
    >>> truth = pictures.labels.tolist()
    >>> NoisyStudentRounds([[0, 0, 0, 0], truth], pictures, shown=4).accuracies[-1]
    1.0

    Args:
        rounds: (R, N) int, the labels that the teacher and then each student gives to N unlabelled
            pictures; R from 2 to 12, N at most 4,000.
        pictures: the N pictures with their true labels, (3, 32, 32); the first ones are shown.
        shown: how many, 1 to 32.
        round: which one to begin with, 0 is the teacher.

    Raises:
        TraitError: shapes do not fit each other, or a number is out of range.
    """

    title = "Noisy Student, round by round"
    _esm = module("noisy")

    rounds = traits.rows(_CLASSES)
    labels = traits.integers(0, 10_000, "a class")
    names = traits.names()
    mosaic = traitlets.Unicode().tag(sync=True)
    shown = traits.integer(1, 32, "pictures that are shown")
    round = traits.integer(0, 11, "one of the rounds, 0 the teacher")

    @trait_errors()
    @checked
    def __init__(
        self, rounds: Numbers, pictures: ImageSet, *, shown: int = 16, round: int = 0
    ) -> None:
        shape, classes = tuple(pictures.images.shape), len(pictures.class_names)
        guesses = check_rows("rounds", rounds, partial(_CLASSES, high=classes - 1))
        lengths = sorted({len(row) for row in guesses})
        if not 2 <= len(guesses) <= 12 or lengths != [shape[0]]:
            raise ValueError(
                f"there are {len(guesses)} rounds of {lengths} labels and {shape[0]} pictures; "
                "expected 2 to 12 rounds, with a label for each picture"
            )
        if shape[0] > 4000 or shape[1:] != (3, TILE, TILE):
            raise ValueError(
                f"pictures have shape {shape}; expected (N, 3, {TILE}, {TILE}), N at most 4,000"
            )
        shown = check_integer("shown", shown, 1, min(32, shape[0]), "pictures that are shown")
        super().__init__(
            rounds=guesses,
            labels=_CLASSES("labels", pictures.labels, high=classes - 1),
            names=list(pictures.class_names),
            mosaic=data_uri(_mosaic(pictures, shown), quality=90),
            shown=shown,
            round=round,
        )

    @traitlets.validate("round")
    @trait_errors()
    def _check_round(self, proposal: dict[str, Any]) -> int:
        return check_integer(
            "round", proposal["value"], 0, len(self.rounds) - 1, "one of the rounds, 0 the teacher"
        )

    @property
    def accuracies(self) -> list[float]:
        """The share of right labels in each round."""
        return np.equal(self.rounds, self.labels).mean(axis=1).tolist()

    @property
    def corrected(self) -> int:
        """Labels that were wrong in the round before and are right now."""
        now, before = self._right()
        return int((now & ~before).sum())

    @property
    def broken(self) -> int:
        """Labels that were right in the round before and are wrong now."""
        now, before = self._right()
        return int((before & ~now).sum())

    def _right(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        right = np.equal(self.rounds, self.labels)
        return right[self.round], right[max(0, self.round - 1)]

    def caption(self) -> str:
        """The accuracies of all rounds."""
        told = ", ".join(f"{accuracy:.3f}" for accuracy in self.accuracies)
        return f"Share of right labels, round by round from the teacher on: {told}."

    def still(self) -> str:
        """A bar a round."""
        parts = []
        for i, accuracy in enumerate(self.accuracies):
            name = f"student {i}" if i else "teacher"
            parts += [
                still.text(0, 24 + 26 * i, name),
                still.bar(100, 12 + 26 * i, 430, 14, accuracy, "green"),
                still.text(600, 24 + 26 * i, f"{accuracy:.3f}", anchor="end"),
            ]
        return still.picture(600, 12 + 26 * len(self.rounds), self.caption(), *parts)


def _mosaic(pictures: ImageSet, shown: int) -> NDArray[np.uint8]:
    """The first pictures in rows of eight, (rows · 32, 256, 3)."""
    rows = -(-shown // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, TILE, TILE, 3), np.uint8)
    tiles[:shown] = pictures.images[:shown].permute(0, 2, 3, 1).cpu().numpy()
    grid = tiles.reshape(rows, COLUMNS, TILE, TILE, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * TILE, COLUMNS * TILE, 3)
