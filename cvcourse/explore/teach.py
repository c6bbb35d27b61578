"""Teach it yourself: a head on a frozen backbone learns in the page from the reader's pictures."""

from __future__ import annotations

from typing import NamedTuple

import torch
import traitlets
from torch import Tensor, nn
from torch.nn.functional import one_hot

from cvcourse.checks import checked
from cvcourse.data import ImageSet
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module, style
from cvcourse.explore.export import export_for_page
from cvcourse.explore.pictures import exact_uri, lossless_uri
from cvcourse.explore.traits import check_integers, trait_errors

SIDE, MOST = 32, 400
TEACHERS, POOL = 6, 20  # of each class: pictures that may have a label, and those without
STEPS, RATE, DECAY, LENGTH = 200, 1.0, 0.01, 3.0  # of the head's training, as in the page


class Round(NamedTuple):
    """The head after a training, and the labels of its own that it had learned from."""

    weights: Tensor  # (D + 1, C) float64, the last row is the bias
    taken: int  # pictures of the pool that it had labelled by itself
    right: int  # so many of these labels are true
    accuracy: float  # share of right answers on the pictures kept for the test


class TeachItYourself(Explorable):
    """Collect pictures of a few classes: a head on a frozen backbone learns them in the page.

    The reader draws, chooses, pastes or drops pictures, or begins with some of `pictures`. The head
    is one softmax layer, trained anew by gradient descent after every change. Then it labels those
    without a label of which it is sure, and learns from them too, round by round. For `pictures`
    the truth is known, so the page counts how many of these labels are right, and what they did to
    the accuracy on pictures that nobody has learned from.

    >>> import torch
    >>> from cvcourse.data import render
    >>> from cvcourse.explore import TeachItYourself
    >>> from cvcourse.models import SmallCNN, standardized
    >>> pictures = render(300).of_classes([3, 7])
    >>> backbone = standardized(SmallCNN, pictures)
    >>> backbone[1].classifier = torch.nn.Identity()
    >>> piece = TeachItYourself(backbone, pictures, threshold=0.6, rounds=2)
    >>> len(piece.teach()), piece.teach()[0].taken
    (3, 0)

    Args:
        backbone: of (B, 3, 32, 32) uint8 to features (B, D); what `export_for_page` can express.
        pictures: (3, 32, 32), of 2 to 4 classes; of each, six that may have a label, twenty
            without one, and the others for the test. At most 400 in all.
        start: the labelled pictures to begin with: "fair", two of each class; "lopsided", six of
            the first and one of each other; "wrong", three of each, one of them called by the next
            class's name.
        threshold: 0.5 to 1, from which on the head's confidence makes a label.
        rounds: so many times it has labelled the pool, 0 to 10.

    Raises:
        TraitError: backbone or pictures are not as above, or a value is out of range.
    """

    title = "Teach it yourself"
    _esm = module("teach", "forward", "bring", "sheet", "head")
    _css = style("teach", "bring", "own_picture")

    network = traitlets.Dict().tag(sync=True)
    names = traits.names()
    strip = traitlets.Unicode().tag(sync=True)
    labels = traits.integers(0, 3, "the true class")
    start = traits.choice("fair", "lopsided", "wrong")
    threshold = traits.number(0.5, 1, "a probability")
    rounds = traits.integer(0, 10, "times that it has labelled pictures")

    @trait_errors()
    @checked
    def __init__(
        self,
        backbone: nn.Module,
        pictures: ImageSet,
        *,
        start: str = "fair",
        threshold: float = 0.8,
        rounds: int = 0,
    ) -> None:
        shape, classes = tuple(pictures.images.shape), pictures.n_classes
        if shape[0] > MOST or shape[1:] != (3, SIDE, SIDE):
            raise ValueError(
                f"pictures have shape {shape}; expected (up to {MOST}, 3, {SIDE}, {SIDE})"
            )
        if not 2 <= classes <= 4:
            raise ValueError(f"pictures have {classes} classes; expected 2 to 4")
        labels = check_integers("labels", pictures.labels, 0, classes - 1, "the true class")
        least = min(labels.count(c) for c in range(classes))
        if least <= TEACHERS + POOL:
            raise ValueError(
                f"a class has {least} pictures; expected more than {TEACHERS + POOL} of each: "
                f"{TEACHERS} to learn from, {POOL} without a label, and some for the test"
            )
        answers = export_for_page(backbone, pictures.images)["golden"]["logits"]
        self.features = torch.tensor(answers, dtype=torch.float64)  # (N, D)
        arrays = pictures.images.permute(0, 2, 3, 1).cpu().numpy()  # (N, 32, 32, 3)
        self._arrays = arrays
        super().__init__(
            network=export_for_page(backbone, pictures.images[:2]),
            names=list(pictures.class_names),
            strip=lossless_uri(arrays.reshape(-1, SIDE, 3)),
            labels=labels,
            start=start,
            threshold=threshold,
            rounds=rounds,
        )

    @property
    def given(self) -> dict[int, int]:
        """Which pictures have a label to begin with, and which one."""
        classes, found = len(self.names), {}
        for c in range(classes):
            own = [i for i, label in enumerate(self.labels) if label == c]
            lopsided = TEACHERS if c == 0 else 1
            count = {"fair": 2, "lopsided": lopsided, "wrong": 3}[self.start]
            found.update(dict.fromkeys(own[:count], c))
            if self.start == "wrong":
                found[own[2]] = (c + 1) % classes
        return found

    def _parts(self) -> tuple[list[int], list[int]]:
        """The pictures without a label, and those for the test."""
        places = [self.labels[:i].count(label) for i, label in enumerate(self.labels)]
        pool = [i for i, place in enumerate(places) if TEACHERS <= place < TEACHERS + POOL]
        return pool, [i for i, place in enumerate(places) if place >= TEACHERS + POOL]

    def _rows(self) -> Tensor:
        """Features as the head sees them, (N, D + 1): from the middle of the given ones; ones."""
        chosen = list(self.given)
        centred = self.features - self.features[chosen].mean(dim=0)
        length = float(centred[chosen].norm(dim=1).mean()) or 1.0
        return torch.cat([centred * LENGTH / length, torch.ones(len(centred), 1)], dim=1)

    def probabilities(self) -> Tensor:
        """What the head says of each picture after the last round, (N, C) float64."""
        return (self._rows() @ self.teach()[-1].weights).softmax(dim=1)

    def teach(self) -> list[Round]:
        """The page's training: from the given labels alone, and once more after each round."""
        truth, rows, classes = torch.tensor(self.labels), self._rows(), len(self.names)
        given, called = (torch.tensor(list(part)) for part in zip(*self.given.items(), strict=True))
        pool, test = (torch.tensor(part) for part in self._parts())
        taken, answers = pool[:0], called[:0]
        found: list[Round] = []
        for n in range(self.rounds + 1):
            if n:
                confidence, said = (rows[pool] @ found[-1].weights).softmax(dim=1).max(dim=1)
                sure = confidence >= self.threshold
                taken, answers = pool[sure], said[sure]
            learned = torch.cat([given, taken])
            weights = _learned(rows[learned], torch.cat([called, answers]), classes)
            right = (rows[test] @ weights).argmax(dim=1) == truth[test]
            true = int((answers == truth[taken]).sum())
            found.append(Round(weights, len(taken), true, float(right.double().mean())))
        return found

    def caption(self) -> str:
        """What the head has learned, and what its own labels did to it."""
        found = self.teach()
        first, last = found[0], found[-1]
        words = (
            f"A head on a frozen backbone has learned {' and '.join(self.names)} from "
            f"{len(self.given)} labelled pictures. It is right on {first.accuracy:.0%} of "
            f"{len(self._parts()[1])} others"
        )
        if self.rounds:
            words += (
                f"; after {self.rounds} rounds with labels of its own, {last.right} of "
                f"{last.taken} right, on {last.accuracy:.0%}"
            )
        return f"{words}. With scripts, this is a sheet to draw on, and it learns what you draw."

    def still(self) -> str:
        """The labelled pictures of each class, and the accuracy after each round."""
        parts, classes = [], len(self.names)
        for c, name in enumerate(self.names):
            parts.append(still.text(0, 22 + 40 * c, name))
            own = [i for i, label in self.given.items() if label == c]
            parts += [
                f'<image href="{exact_uri(self._arrays[i])}" x="{110 + 38 * j}" y="{40 * c}" '
                'width="34" height="34" style="image-rendering: pixelated"/>'
                for j, i in enumerate(own)
            ]
        found = self.teach()
        for n, one in enumerate((found[0], found[-1])[: 1 + (self.rounds > 0)]):
            y = 40 * classes + 8 + 20 * n
            parts += [
                still.text(0, y + 12, "with labels of its own" if n else "given labels alone"),
                still.bar(170, y, 370, 14, one.accuracy, "green" if n else "grey"),
                still.text(600, y + 12, f"{one.accuracy:.2f}", anchor="end"),
            ]
        return still.picture(600, 40 * classes + 50, self.caption(), *parts)


def _learned(rows: Tensor, answers: Tensor, classes: int) -> Tensor:
    """Softmax weights after gradient descent from zero: (N, D + 1), (N,) → (D + 1, C)."""
    weights = torch.zeros(rows.shape[1], classes, dtype=rows.dtype)
    wanted = one_hot(answers, classes).to(rows.dtype)
    for _ in range(STEPS):
        slopes = ((rows @ weights).softmax(dim=1) - wanted) / len(rows)
        weights = weights - RATE * (rows.T @ slopes + DECAY * weights)
    return weights
