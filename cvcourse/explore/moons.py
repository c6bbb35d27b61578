"""Two moons: a tiny network trained live, with and without the points that have no label."""

from __future__ import annotations

from functools import cache, partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import softplus

from cvcourse.checks import Seed, checked
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.traits import check_integers, check_numbers, trait_errors

POINTS, WAVES, MOVES, DRAWS, MOST = 200, 128, 499, 8, 10
LEFT, TOP, WIDE, TALL = -1.75, 1.75, 4.5, 3.0  # what is drawn of the plane
TONES = ("blue", "orange")
ARMS = {"labels alone": False, "and the others": True}
_PAIR = partial(check_numbers, low=-20, high=20)
_SOME = partial(check_integers, low=0, high=POINTS - 1, meaning="a point")


class World(NamedTuple):
    """What does not change while one plays; what a page gets, it gets to three decimals."""

    places: Tensor  # (200, 2) float64, on the moons
    scatter: Tensor  # (200, 2), of each point about its place, at a width of 1
    moves: Tensor  # (499, 2), standard normal
    frequencies: Tensor  # (128, 2), of the waves
    phases: Tensor  # (128,)
    start: Tensor  # (129,), the weights before training, the bias last
    orders: Tensor  # (16, 20) int64: points to be labelled, first from anywhere, then outside


class Outcome(NamedTuple):
    """What training comes to."""

    weights: Tensor  # (129,) float64, the last one is the bias
    losses: list[float]  # before each step
    accuracy: float  # share of right answers at all points
    labelled: int  # pseudo-labels at the end
    wrong: int  # so many of these are
    conviction: float  # mean confidence in the wrong ones, 0 if there are none


class TwoMoons(Explorable):
    """Train on a few labelled points of two moons, and on the others by the model's own answers.

    The model is one layer of fixed waves and one that learns. Two of it are trained from the same
    start, one with the labels alone. To the other's loss the other points add cross-entropy with
    the model's own answer, where that is sure enough: of the very same point (Lee 2013,
    "Pseudo-Label"), or of the point moved a little, for the point moved much (Sohn et al. 2020,
    "FixMatch"). Points, weights and every move come from Python; the page trains by the same
    arithmetic.

    >>> from cvcourse.explore import TwoMoons
    >>> moons = TwoMoons(per_class=5, way="two views", threshold=0.95)
    >>> moons.train(others=True).accuracy > moons.train(others=False).accuracy
    True

    Args:
        per_class: labelled points of each moon, 1 to 10.
        draw: which of eight draws of labelled points, 0 to 7.
        labels: where they were drawn, "anywhere" or "outside": from each moon's outer half only.
        width: standard deviation of the points about their moon, 0 to 0.4.
        way: "pseudo-labels" or "two views".
        threshold: 0.5 to 1, from which confidence on an answer becomes a label; 0.5 is none.
        seed: of points, weights and moves, 0 or more.

    Raises:
        TraitError: a number is out of range, or a word is none of these.
    """

    title = "Two moons, trained live"
    _esm = module("moons")
    steps, rate, easy, hard = 300, 0.05, 0.05, 0.2  # of training; AdamW's; moved a little, much

    places = traits.rows(_PAIR)
    scatter = traits.rows(_PAIR)
    moves = traits.rows(_PAIR)
    frequencies = traits.rows(_PAIR)
    phases = traits.numbers(0, 7)
    start = traits.numbers(-1, 1)
    orders = traits.rows(_SOME)
    per_class = traits.integer(1, MOST, "labelled points of each moon")
    draw = traits.integer(0, DRAWS - 1, "one of the draws")
    labels = traits.choice("anywhere", "outside")
    width = traits.number(0, 0.4, "a standard deviation")
    way = traits.choice("pseudo-labels", "two views")
    threshold = traits.number(0.5, 1, "a probability")

    @trait_errors()
    @checked
    def __init__(
        self,
        *,
        per_class: int = 5,
        draw: int = 0,
        labels: str = "anywhere",
        width: float = 0.08,
        way: str = "two views",
        threshold: float = 0.95,
        seed: Seed = 0,
    ) -> None:
        self.world = _world(seed)
        self._trained: dict[Any, Outcome] = {}
        super().__init__(
            **{name: value.tolist() for name, value in self.world._asdict().items()},
            per_class=per_class,
            draw=draw,
            labels=labels,
            width=width,
            way=way,
            threshold=threshold,
        )

    @property
    def points(self) -> Tensor:
        """(200, 2) float64; even ones lie on the upper moon."""
        return self.world.places + self.width * self.world.scatter

    @property
    def truth(self) -> Tensor:
        """(200,) float64, 0 for the upper moon and 1 for the lower."""
        return torch.arange(POINTS, dtype=torch.float64) % 2

    @property
    def known(self) -> list[int]:
        """Which points have a label, as many of each moon."""
        row = self.draw + DRAWS * (self.labels == "outside")
        return self.orders[row][: 2 * self.per_class]

    def waves(self, points: Tensor) -> Tensor:
        """(N, 2) → (N, 129): cosines in fixed directions, and ones for the bias."""
        cosines = (points @ self.world.frequencies.T + self.world.phases).cos()
        ones = torch.ones(len(points), 1, dtype=points.dtype)
        return torch.cat([cosines * (2 / WAVES) ** 0.5, ones], dim=1)

    def views(self, step: int) -> tuple[Tensor, Tensor]:
        """Each point twice, (200, 2): as it makes a label at this step, and as it learns one."""
        points, moves, i = self.points, self.world.moves, torch.arange(POINTS)
        if self.way == "pseudo-labels":
            return points, points
        little, much = moves[(7 * i + 101 * step + 250) % MOVES], moves[(i + 31 * step) % MOVES]
        return points + self.easy * little, points + self.hard * much

    def train(self, *, others: bool) -> Outcome:
        """The page's training, with the gradient worked out by hand.

        Args:
            others: also learn from the points that have no label.
        """
        chosen = (others, self.way, self.threshold, self.width, *self.known)
        if chosen not in self._trained:  # a page asks several times
            self._trained[chosen] = self._train(others)
        return self._trained[chosen]

    def _train(self, others: bool) -> Outcome:
        truth, known, weights = self.truth, self.known, self.world.start
        clean, losses = self.waves(self.points), []
        mean = square = torch.zeros_like(weights)  # AdamW's averages
        for step in range(1, self.steps + 1):
            loss, gradient = _loss(clean[known], weights, truth[known], torch.ones(len(known)))
            if others:
                easy, hard = clean, clean
                if self.way == "two views":
                    easy, hard = (self.waves(view) for view in self.views(step))
                more, along = _loss(hard, weights, *self._said(easy @ weights))
                loss, gradient = loss + more, gradient + along
            losses.append(loss)
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            size = (square / (1 - 0.999**step)).sqrt() + 1e-8
            move = mean / (1 - 0.9**step) / size
            weights = weights * (1 - 0.01 * self.rate) - self.rate * move
        said, sure = self._said(clean @ weights)
        wrong = said != truth
        errors = (clean @ weights)[sure & wrong].abs().sigmoid()
        return Outcome(
            weights,
            losses,
            accuracy=1 - float(wrong.double().mean()),
            labelled=int(sure.sum()),
            wrong=len(errors),
            conviction=float(errors.mean()) if len(errors) else 0.0,
        )

    def _said(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Answers, 0 or 1, and whether they are sure enough."""
        p = logits.sigmoid()
        return (p > 0.5).double(), torch.maximum(p, 1 - p) >= self.threshold

    def caption(self) -> str:
        """What both arms come to."""
        alone, both = (self.train(others=others) for others in ARMS.values())
        return (
            f"{2 * self.per_class} of {POINTS} points on two moons have a label. After "
            f"{self.steps} steps, labels alone are right at {alone.accuracy:.1%} of the points; "
            f"with {self.way}, at threshold {self.threshold:.2f}, {both.accuracy:.1%}, and "
            f"{both.wrong} of {both.labelled} pseudo-labels are wrong."
        )

    def still(self) -> str:
        """Both arms after training: the points, and the regions of the two answers."""
        parts = [self._panel(308 * i, *arm) for i, arm in enumerate(ARMS.items())]
        return still.picture(600, 220, self.caption(), *parts)

    def _panel(self, x0: float, name: str, others: bool) -> str:
        """One arm, 292 × 195 units under its name; labelled points are large."""
        weights, unit = self.train(others=others).weights, 292 / WIDE
        across, down = (torch.arange(0.5, n, dtype=torch.float64) / 8 for n in (8 * WIDE, 8 * TALL))
        spots = torch.cartesian_prod(TOP - down, LEFT + across).flip(1)  # cells of an eighth
        lower = (self.waves(spots) @ weights > 0).reshape(len(down), len(across))
        parts, side = [still.text(x0, 14, name)], unit / 8
        for row, answers in enumerate(lower.tolist()):
            column = 0
            for answer, run in groupby(answers):
                n = len(list(run))
                parts.append(
                    f'<rect x="{x0 + side * column:.1f}" y="{24 + side * row:.1f}" '
                    f'width="{side * n:.1f}" height="{side:.1f}" '
                    f'fill="{still.tone(TONES[answer])}" fill-opacity="0.2" '
                    'shape-rendering="crispEdges"/>'
                )
                column += n
        known = set(self.known)
        for i, (x, y) in enumerate(self.points.tolist()):
            parts.append(
                f'<circle cx="{x0 + unit * (x - LEFT):.1f}" cy="{24 + unit * (TOP - y):.1f}" '
                f'r="{5 if i in known else 2}" fill="{still.tone(TONES[i % 2])}"/>'
            )
        return "".join(parts)


@cache
def _world(seed: int) -> World:
    """The same for the same seed, everywhere."""
    rng = np.random.default_rng(seed)
    along = np.repeat(np.linspace(0, np.pi, POINTS // 2), 2)  # each moon, from inside to outside
    upper = np.stack([np.cos(along), np.sin(along)], axis=1)
    bound, half = (WAVES + 1) ** -0.5, POINTS // 2

    def rounded(numbers: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(numbers.round(3))

    return World(
        places=rounded(np.where(np.arange(POINTS)[:, None] % 2, (1, 0.5) - upper, upper)),
        scatter=rounded(rng.normal(size=(POINTS, 2))),
        moves=rounded(rng.normal(size=(MOVES, 2))),
        frequencies=rounded(2.5 * rng.normal(size=(WAVES, 2))),
        phases=rounded(2 * np.pi * rng.random(WAVES)),
        start=rounded(rng.uniform(-bound, bound, WAVES + 1)),
        orders=torch.tensor(
            [
                (2 * rng.permutation(np.arange(first, half))[:MOST, None] + (0, 1)).ravel().tolist()
                for first in (0, half // 2)
                for _ in range(DRAWS)
            ]
        ),
    )


def _loss(waves: Tensor, weights: Tensor, answers: Tensor, counted: Tensor) -> tuple[float, Tensor]:
    """Cross-entropy over N points, of which some are counted, and its gradient in the weights.

    Args:
        waves: (N, 129).
        weights: (129,).
        answers: (N,), 0 or 1.
        counted: (N,), 1 or True where a point counts; the sum is divided by N all the same.
    """
    logits = waves @ weights
    each = softplus(logits) - answers * logits
    slopes = (logits.sigmoid() - answers) * counted / len(answers)
    return float((each * counted).mean()), waves.T @ slopes
