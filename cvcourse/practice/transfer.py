"""Practice for chapter 10: what a head costs, what storing saves, what moves, and two rates.

>>> from cvcourse.practice import transfer as practice
>>> _ = practice.new_head.check(4096 * 20)
✗ The biases are missing.
>>> _ = practice.stored_once.check(80)
✗ Nearly: the head must still run in each of the 80 epochs.
>>> _ = practice.running_mean.check(lambda running, maps, momentum: maps.mean(dim=(0, 2, 3)))
✗ That is the mean of this batch alone; the running one remembers.
>>> _ = practice.two_groups.check(...)
… two_groups: no answer yet. Put yours in place of the dots.
>>> practice.quiz
a quiz of 3 questions
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cvcourse.practice.function import Function
from cvcourse.practice.number import Number
from cvcourse.practice.project import Project
from cvcourse.practice.quiz import Question, Quiz, Right, Wrong


@Number.of(
    hint="One weight for each feature and each class, and one bias for each class.",
    why="All that learns is this layer: few parameters, on features that were learned elsewhere.",
    mistakes={
        "The biases are missing.": 4096 * 20,
        "VGG's old head had 1,000 classes; the new one has 20.": 4096 * 1000 + 1000,
        "One bias for each class, not one in all.": 4096 * 20 + 1,
        "That is one template. Each of the 20 classes has its own.": 4096,
        "A layer has one bias for each output, and none for its inputs.": 4096 * 21,
        "The backbone is frozen: its weights do not learn.": 138_357_544 - 4_097_000 + 81_940,
    },
)
def new_head() -> int:
    """Parameters that learn, if a layer to 20 classes is put on 4,096 frozen features."""
    return 4096 * 20 + 20


@Number.of(
    hint="For each picture: 80 times backbone and head, against once the backbone and 80 times the "
    "head.",
    why="Close to the number of epochs, as long as the head is cheap. And it is exact, not an "
    "approximation: a frozen backbone always gives the same features.",
    tolerance=0.01,
    mistakes={
        "Nearly: the head must still run in each of the 80 epochs.": 80,
        "The features must be computed once, and that is most of what remains.": 1000,
        "The other way round: how many times fewer.": (700 + 80 * 0.7) / (80 * 700.7),
    },
)
def stored_once() -> float:
    """How many times fewer multiply-adds: backbone 700 k, head 0.7 k, 80 epochs, forward only."""
    backbone, head, epochs = 700, 0.7, 80
    every_time = epochs * (backbone + head)
    stored = backbone + epochs * head
    return every_time / stored


def _maps(generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    running = torch.randn(4, generator=generator)
    return running, torch.randn(6, 4, 3, 5, generator=generator), 0.1


def _moved(running: Tensor, now: Tensor, keep: float) -> Tensor:
    return keep * running + (1 - keep) * now


@Function.of(
    hint="The mean of each map over pictures and positions: maps.mean(dim=(0, 2, 3)). The momentum "
    "is the share of the new.",
    why="No gradient occurs in it: that is why requires_grad=False does not hold it still.",
    inputs=_maps,
    mistakes={
        "The other way round: in nn.BatchNorm2d the momentum is the share of the new, and in an "
        "optimiser that of the old.": lambda running, maps, momentum: _moved(
            running, maps.mean(dim=(0, 2, 3)), momentum
        ),
        "That is the mean of this batch alone; the running one remembers.": (
            lambda running, maps, momentum: maps.mean(dim=(0, 2, 3))
        ),
        "One mean for all maps; expected one for each.": lambda running, maps, momentum: _moved(
            running, maps.mean(), 1 - momentum
        ),
        "Added up instead of mixed: the old must shrink as the new comes in.": (
            lambda running, maps, momentum: running + momentum * maps.mean(dim=(0, 2, 3))
        ),
        "That is the sum over pictures and positions; expected their mean.": (
            lambda running, maps, momentum: _moved(running, maps.sum(dim=(0, 2, 3)), 1 - momentum)
        ),
        "That is the variance of the maps; expected their mean.": lambda running, maps, momentum: (
            _moved(running, maps.var(dim=(0, 2, 3)), 1 - momentum)
        ),
        "That is the sum over pictures; expected the mean over pictures and positions.": (
            lambda running, maps, momentum: _moved(
                running, maps.mean(dim=(2, 3)).sum(dim=0), 1 - momentum
            )
        ),
        "It has not moved; in training mode it does.": lambda running, maps, momentum: running,
    },
)
def running_mean(running: Tensor, maps: Tensor, momentum: float) -> Tensor:
    """Batch norm's running mean (C,) after it has seen maps (B, C, H, W) in training mode."""
    return (1 - momentum) * running + momentum * maps.mean(dim=(0, 2, 3))


def _optimise(learner: Callable[..., Any]) -> dict[str, Any]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    return {"groups": learner(model, model[-1], 0.1), "model": model, "head": model[-1]}


def _rates(out: dict[str, Any]) -> dict[int, list[float]]:
    """Each parameter's learning rates, by its id."""
    rates: dict[int, list[float]] = {id(parameter): [] for parameter in out["model"].parameters()}
    for group in out["groups"]:
        for parameter in group["params"]:
            rates[id(parameter)].append(float(group["lr"]))
    return rates


def _of_head(out: dict[str, Any]) -> set[int]:
    return {id(parameter) for parameter in out["head"].parameters()}


@Project.of(
    hint="Two dictionaries, each with params and lr. All parameters of the model that are not the "
    "head's are the backbone's: compare them with `is`, or by id(…).",
    why="torch.optim.SGD(groups, lr=…) takes it as it is. The low rate is a brake: good while "
    "labels are few.",
    run=_optimise,
    called_with="a network, its last layer, and 0.1",
    requirements={
        'Return a list of groups for an optimiser: [{"params": …, "lr": …}, …].': lambda out: (
            isinstance(out["groups"], list) and all(isinstance(g, dict) for g in out["groups"])
        ),
        "Each group needs params, a list of parameters, and its own lr.": lambda out: all(
            isinstance(g["params"], list) and "lr" in g for g in out["groups"]
        ),
        "Some parameters are in no group: they would never learn.": lambda out: all(
            len(found) > 0 for found in _rates(out).values()
        ),
        "Some parameters are in two groups. The model's parameters include those of its head.": (
            lambda out: all(len(found) == 1 for found in _rates(out).values())
        ),
        "The head must learn at the full rate.": lambda out: all(
            abs(_rates(out)[one][0] - 0.1) < 1e-9 for one in _of_head(out)
        ),
        "The backbone must learn at a tenth of the rate.": lambda out: all(
            abs(found[0] - 0.01) < 1e-9
            for one, found in _rates(out).items()
            if one not in _of_head(out)
        ),
    },
)
def two_groups(model: nn.Module, head: nn.Module, rate: float) -> list[dict[str, Any]]:
    """A network, its last layer, a rate → groups; the backbone gets a tenth of the rate."""
    of_head = {id(parameter) for parameter in head.parameters()}
    backbone = [parameter for parameter in model.parameters() if id(parameter) not in of_head]
    return [
        {"params": backbone, "lr": rate / 10},
        {"params": list(head.parameters()), "lr": rate},
    ]


quiz = Quiz(
    Question(
        "Why does a frozen backbone do so well with five labels per class?",
        Wrong(
            "Because few parameters are learned.",
            "The untrained backbone learns as few, and stays far behind.",
        ),
        Right(
            "Because its features are good; that they hardly move probably helps, too.",
            "Few parameters are no help by themselves.",
        ),
        Wrong("Because it needs fewer steps.", "All arms took the same number of steps."),
    ),
    Question(
        "With a hundred labels per class, which of the pre-trained arms was ahead?",
        Wrong("The frozen one.", "It leads with very few labels, and is overtaken."),
        Wrong("None; scratch was.", "It only drew level with the frozen one."),
        Right(
            "One rate for everything.",
            "The low rate is a brake, and in the way once there are labels enough.",
        ),
    ),
    Question(
        "`requires_grad=False` on every weight. What can still change in the backbone?",
        Right(
            "Batch norm's running statistics.",
            "They are collected in training mode, without any gradient.",
        ),
        Wrong("Nothing.", "The old task lost points, and not one weight had been trained."),
        Wrong("The weights, by momentum.", "Without a gradient an optimiser leaves them alone."),
    ),
)
"""The questions that end the chapter."""
