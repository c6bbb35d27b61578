"""Practice for chapter 14: counting work, reading a curve from the side, a fair gap, a budget.

>>> from cvcourse.practice import label_budget as practice
>>> _ = practice.the_whole_chain.check(2)
✗ Not yet: 2 is too small.
>>> _ = practice.labels_needed.check(...)
… labels_needed: no answer yet. Put yours in place of the dots.
>>> _ = practice.fair_gap.check(...)
… fair_gap: no answer yet. Put yours in place of the dots.
>>> _ = practice.spend.check(...)
… spend: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 4 questions
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from cvcourse.checks import Positive, check_choice, checked
from cvcourse.experiment import interval
from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


def _billions(*, teacher: int = 3, asked: int = 1000, student: int = 3, a_step: int = 52) -> float:
    """What 300,000 multiply-adds a picture come to; counted right, or with one thing wrong."""
    return (teacher * 100 * 20 + asked + student * 100 * a_step) * 300_000 / 1e9


@Number.of(
    hint="Three items: the teacher learns, the teacher is asked, the student learns. Each is a "
    "number of pictures; those to learn from count three times.",
    why="The student takes most of it, for it looks at pictures of both kinds. A method's price is "
    "everything before it as well.",
    tolerance=0.001,
    mistakes={
        "A picture to learn from is one forward and a backward that costs twice that: three.": (
            _billions(teacher=1, student=1)
        ),
        "While it is asked the teacher learns nothing: forward only.": _billions(asked=3000),
        "Somebody has to train the teacher, too.": _billions(teacher=0),
        "The teacher's answers are not free: it looks at each picture once.": _billions(asked=0),
        "The student's steps hold pictures with a label as well.": _billions(a_step=36),
        "The student's steps hold pictures without a label as well.": _billions(a_step=16),
        "The soft answers are kept: each picture is asked about once, not at every step.": (
            _billions(asked=3600)
        ),
        "That is how many pictures; expected billions of multiply-adds.": 22_600,
        "A backward costs twice a forward: to learn from a picture takes three, not two.": (
            _billions(teacher=2, student=2)
        ),
        "The student learns, too, and takes most of it.": _billions(student=0),
        "Right, but as single multiply-adds; expected billions.": _billions() * 1e9,
    },
)
def the_whole_chain() -> float:
    """Billion multiply-adds at 0.3 million a picture: 100 steps of 20; 1,000; 100 of 16 + 36."""
    teacher = 3 * 100 * 20
    asked = 1000
    student = 3 * 100 * (16 + 36)
    return (teacher + asked + student) * 300_000 / 1e9


#: Reached between two points, exactly at a point (and once more after a dip), at once, never.
_CURVES = (
    ((1, 5, 25, 250), (0.24, 0.85, 0.97, 0.98), 0.9),
    ((1, 5, 25, 250), (0.30, 0.90, 0.43, 0.98), 0.9),
    ((2, 10, 100), (0.93, 0.96, 0.98), 0.9),
    ((4, 40, 400), (0.35, 0.62, 0.88), 0.9),
)


def _reading(counts: Sequence[int], curve: Sequence[float], goal: float, **wrong: Any) -> float:
    """Labels at which the curve reaches the goal; read right, or with one thing wrong."""
    places = list(range(len(counts)))
    for i in reversed(places) if wrong.get("last") else places:
        below = i > 0 and curve[i - 1] < goal
        if curve[i] < goal or not (below or i == 0):
            continue
        if i == 0 and not wrong.get("beyond"):
            return counts[0]
        i = max(i, 1)
        share = (goal - curve[i - 1]) / (curve[i] - curve[i - 1])
        if wrong.get("straight"):
            return counts[i - 1] + share * (counts[i] - counts[i - 1])
        return counts[i - 1] * (counts[i] / counts[i - 1]) ** wrong.get("far", float)(share)
    return wrong.get("never", math.inf)


@Function.of(
    hint="Find the first point that is high enough, and the one before it. How far between their "
    "accuracies does the goal lie? Go that far between the logarithms of their labels.",
    why="“As good with 3 labels as with 10” is such a reading. It says more than a gap in "
    "accuracy: labels are what one pays.",
    inputs=lambda generator: _CURVES[generator.initial_seed() % len(_CURVES)],
    mistakes={
        "That is a straight line on an axis of labels; on the logarithmic one equal steps are "
        "equal factors.": partial(_reading, straight=True),
        "That is the first point that was measured and is high enough; the curve gets there "
        "before it.": partial(_reading, far=lambda share: 1),
        "That is the last point that was measured and is too low; the curve gets there after "
        "it.": partial(_reading, far=lambda share: 0),
        "If the last point is too low, the goal was not reached: math.inf. More labels might do, "
        "but nobody has measured them.": lambda counts, curve, goal: _reading(
            counts, curve, goal, never=counts[-1]
        ),
        "You carry the line on to fewer labels than were measured. If the first point reaches the "
        "goal, its labels are the answer.": partial(_reading, beyond=True),
        "A curve can dip and come up again. It is the first time that counts.": (
            partial(_reading, last=True)
        ),
        "The share is counted from the wrong end: at the goal's lower neighbour it is 0.": (
            partial(_reading, far=lambda share: 1 - share)
        ),
        "You take the middle between two points; the goal need not lie half-way.": partial(
            _reading, far=lambda share: 0.5
        ),
    },
)
def labels_needed(counts: Sequence[int], curve: Sequence[float], goal: float) -> float:
    """Labels per class, rising; accuracies there; a goal → labels that reach it, or inf."""
    if curve[0] >= goal:
        return counts[0]
    for i in range(1, len(counts)):
        if curve[i] >= goal:
            share = (goal - curve[i - 1]) / (curve[i] - curve[i - 1])
            return counts[i - 1] * (counts[i] / counts[i - 1]) ** share
    return math.inf


Scores = NDArray[np.float64]


def _scores(generator: torch.Generator) -> tuple[Scores, Scores]:
    """Of 3 to 6 seeds: their luck with the labels is large, and both methods share it."""
    n = 3 + generator.initial_seed() % 4
    luck, own, other = 0.05 * torch.randn(3, n, generator=generator, dtype=torch.float64)
    return (0.85 + luck + own / 5).numpy().round(3), (0.8 + luck + other / 5).numpy().round(3)


def _fair(
    method: Scores,
    base: Scores,
    *,
    factor: Callable[[int], float] = lambda n: stats.t.ppf(0.975, n - 1),
    ddof: int = 1,
    shrink: float = 0.5,
) -> tuple[float, float]:
    """The interval of the gain, right or with one thing wrong."""
    gain, n = method - base, len(base)
    reach = factor(n) * float(gain.std(ddof=ddof)) / n**shrink
    return gain.mean() - reach, gain.mean() + reach


@Function.of(
    hint="First the differences, seed by seed. Then their interval: the chapter has a function for "
    "it, whose result has .low and .high.",
    why="What luck does to both alike drops out, which is why this interval may be narrow while "
    "those of the two methods are wide.",
    inputs=_scores,
    mistakes={
        "You treat the methods as if they had been given different labels. A seed's two numbers "
        "belong together: subtract first.": lambda method, base: stats.ttest_ind(
            method, base
        ).confidence_interval(0.95),
        "These are two intervals, end minus end. Subtract seed by seed, then take one interval.": (
            lambda method, base: np.subtract(_fair(method, 0 * base), _fair(base, 0 * base))
        ),
        "1.96 is for many seeds. With so few the factor is larger: Student's t with n − 1 degrees "
        "of freedom.": partial(_fair, factor=lambda n: 1.959964),
        "Student's t has n − 1 degrees of freedom here, not n.": partial(
            _fair, factor=lambda n: stats.t.ppf(0.975, n)
        ),
        "Of 95 %, half of the rest lies below and half above: 0.975, not 0.95.": partial(
            _fair, factor=lambda n: stats.t.ppf(0.95, n - 1)
        ),
        "The spread of single seeds; expected that of their mean, smaller by √n.": partial(
            _fair, shrink=0
        ),
        "Two standard deviations hold most single seeds; expected where their mean lies. Divide by "
        "√n, and take Student's t for the 2.": partial(_fair, factor=lambda n: 2, shrink=0),
        "Two of NumPy's standard deviations hold most single seeds. Their mean is known better: "
        "ddof=1, divided by √n, times Student's t.": partial(
            _fair, factor=lambda n: 2, shrink=0, ddof=0
        ),
        "Divide the squares by n − 1 (ddof=1): the mean was taken from the same few seeds.": (
            partial(_fair, ddof=0)
        ),
        "The other way round: a gain is method − baseline.": lambda method, base: _fair(
            base, method
        ),
        "That is the lowest and the highest seed; so few seeds know little of what another would "
        "do.": lambda method, base: ((method - base).min(), (method - base).max()),
        "These are quantiles of single seeds; expected where their mean lies.": (
            lambda method, base: np.quantile(method - base, [0.025, 0.975])
        ),
        "That is the middle of the interval and its half; expected its low and its high end.": (
            lambda method, base: ((method - base).mean(), np.ptp(_fair(method, base)) / 2)
        ),
        "That is the method alone; expected what it gains on the baseline.": lambda method, base: (
            _fair(method, 0 * base)
        ),
    },
)
def fair_gap(method: Scores, baseline: Scores) -> tuple[float, float]:
    """Accuracies (n_seeds,) of two methods → low, high of the gain's paired 95 % interval."""
    gain = interval(method - baseline)
    return float(gain.low), float(gain.high)


COUNTS = (1, 5, 25, 250)
#: What the chapter measured, at COUNTS labels for each of the five classes.
MEASURED = {
    "labels only": (0.26, 0.69, 0.97, 1.00),
    "+ augmentation": (0.31, 0.87, 0.98, 0.98),
    "+ augmentation, 3 times as long": (0.38, 0.92, 0.99, 1.00),
    "transfer": (0.87, 0.98, 0.99, 0.99),
    "pseudo-labels": (0.24, 0.87, 0.98, 0.99),
    "FixMatch": (0.22, 0.96, 0.99, 1.00),
    "Noisy Student": (0.27, 0.92, 0.99, 0.99),
    "transfer + self-training": (0.91, 0.99, 0.99, 0.99),
}
#: How many times the multiply-adds of “labels only” each took.
WORK = dict(zip(MEASURED, (1.0, 1.0, 3.0, 5.0, 4.3, 6.0, 8.2, 8.6), strict=True))
#: Budget and price of a backbone, both in labels.
WALLETS = (
    (100, 40),
    (100, 90),
    (10, 90),
    (25, 10),
    (30, 20),
    (35, 10),
    (10, 5),
    (60, 60),
    (1250, 300),
)


@checked
def estimate(method: str, labels: Positive) -> float:
    """A method's accuracy with so many labels per class, between the chapter's points."""
    check_choice("method", method, tuple(MEASURED))
    return float(np.interp(math.log(labels), np.log(COUNTS), MEASURED[method]))


def _price(method: str, labels: int, backbone: int) -> int:
    return 5 * labels + (backbone if method.startswith("transfer") else 0)


def _affordable(budget: int, backbone: int) -> dict[str, float]:
    """What each method that can be paid for reaches with all the labels that are left."""
    labels = {name: (budget - _price(name, 0, backbone)) // 5 for name in MEASURED}
    return {name: estimate(name, n) for name, n in labels.items() if n >= 1}


Wallet = tuple[int, int]
Bought = list[tuple[Wallet, tuple[str, int]]]


def _shop(learner: Callable[..., Any]) -> Bought:
    return [(wallet, learner(*wallet, dict(WORK), estimate)) for wallet in WALLETS]


def _lost(wallet: Wallet, choice: tuple[str, int]) -> float:
    """How far a choice stays behind the best that its money buys."""
    return max(_affordable(*wallet).values()) - estimate(*choice)


def _least_work(wallet: Wallet) -> float:
    """Of those that are clearly good enough; on the border either choice is right."""
    reached = _affordable(*wallet)
    enough = max(reached.values()) - 0.02 + 1e-6
    return min(WORK[name] for name, accuracy in reached.items() if accuracy > enough)


@Project.of(
    hint="For each method: what is left for labels once its backbone is paid, and how accurate is "
    "it with them? Then: which come close to the best, and which of these takes the least work?",
    why="No method is best for every purse. With little money and a cheap backbone it is transfer, "
    "with a little more and a costly one FixMatch; then longer training does, and with much, "
    "plain labels.",
    run=_shop,
    called_with="budgets of 10 to 1,250 labels, some too small for a backbone, and what the "
    "chapter measured",
    requirements={
        "Return the method's name and its labels per class, a whole number, as in: "
        "return name, labels.": (
            lambda bought: all(
                name in MEASURED and isinstance(labels, Integral) for _, (name, labels) in bought
            )
        ),
        "Every method needs at least one label a class.": lambda bought: all(
            labels >= 1 for _, (_, labels) in bought
        ),
        "You bought more labels than the budget pays for. There are five classes: one label a "
        "class costs five.": lambda bought: all(
            5 * labels <= budget for (budget, _), (_, labels) in bought
        ),
        "The labels are paid for, and the backbone is not. Both methods whose names begin with "
        "“transfer” need one.": lambda bought: all(
            _price(name, labels, backbone) <= budget
            for (budget, backbone), (name, labels) in bought
        ),
        "One of your choices is over two points behind what the same money buys. Compare all "
        "methods that can be paid for, each with the labels left to it.": lambda bought: all(
            _lost(*one) <= 0.02 + 1e-6 for one in bought
        ),
        "Accurate enough, but one of your choices works harder than it must: another method "
        "within two points of the best does with fewer multiply-adds.": lambda bought: all(
            WORK[name] <= _least_work(wallet) for wallet, (name, _) in bought
        ),
    },
)
def spend(
    budget: int, backbone: int, work: Mapping[str, float], estimate: Callable[[str, int], float]
) -> tuple[str, int]:
    """Budget, price of a backbone, work of each method, accuracy(method, labels) → what to buy."""
    labels = {
        name: (budget - (backbone if name.startswith("transfer") else 0)) // 5 for name in work
    }
    reached = {name: estimate(name, n) for name, n in labels.items() if n >= 1}
    enough = max(reached.values()) - 0.02
    name = min((one for one in reached if reached[one] >= enough), key=lambda one: work[one])
    return name, labels[name]


quiz = Quiz(
    Question(
        "One label per class, 1,245 pictures without one, no backbone from elsewhere. What decides "
        "how far one gets?",
        Wrong(
            "How many pictures the method uses.",
            "FixMatch uses them all. In views that keep the colours it ended near chance.",
        ),
        Right(
            "What the views hide.",
            "In views without colour FixMatch, its classes aligned, is right on 94 %, and even "
            "labels alone on 76 %.",
        ),
        Wrong(
            "Nothing: with so few labels all methods guess.",
            "Even in views that keep the colours labels alone are right on 32 %, where guessing "
            "gets 20. In views without colour they are right on 76 %.",
        ),
    ),
    Question(
        "Suppose four other seeds put Noisy Student seven points above augmentation, with a paired "
        "interval that holds zero. What may one say of them?",
        Wrong("It helps, by seven points.", "Seven is the mean of four seeds; they disagree."),
        Right(
            "On these four seeds it did, on average; whether it does is open.",
            "More seeds would tell. The fair report is the mean with its interval.",
        ),
        Wrong("It does not help.", "The interval holds zero, and fourteen points as well."),
    ),
    Question(
        "What makes the methods of one seed more alike than those of different seeds?",
        Right(
            "They have the same labelled pictures.",
            "All methods of a seed share that luck, so differences are taken seed by seed.",
        ),
        Wrong("They have the same tuning.", "So have the methods of all other seeds."),
        Wrong(
            "Nothing: they are trained one by one.",
            "They are, but on the same few pictures, and judged by the same test.",
        ),
    ),
    Question(
        "The transferred model beats yours with the same 25 labels and the same steps. What did "
        "the comparison leave out?",
        Wrong("Nothing: labels and steps are equal.", "Only those that were counted."),
        Right(
            "What went into the backbone.",
            "1,250 labels of other classes, and the multiply-adds that learning them took.",
        ),
        Wrong("The size of the network.", "All methods here train the same one."),
    ),
)
"""The questions that end the chapter."""
