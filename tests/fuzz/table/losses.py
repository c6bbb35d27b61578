"""`losses`, `neighbours`, `random_state`, and what a teacher says."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch

from cvcourse import losses, random_state
from cvcourse.train import (
    evaluating,
)
from fuzz.arrays import floats, images, indices
from fuzz.kinds import (
    ANY,
    FINE,
    SPREADS,
    WRONG,
    Trial,
    number,
    seed,
    whole,
)
from fuzz.objects import answering, images_of, mapping, model, targets
from fuzz.rows import Row, row
from fuzz.table.shared import TIED
from fuzz.things import (
    CLASSES,
    N,
    labels,
    net,
    normal,
    pictures,
    random,
    unlabeled,
)


def logits(*tied: int) -> Any:
    """(B, n_classes) for a formula, which may pass NaN on; −∞ where a target wants it is ∞."""
    formula = {"infinite": SPREADS, "nan": SPREADS}
    return (
        floats(lambda: normal(N, CLASSES), tied=tied, **formula)
        .but(
            Trial("huge", lambda: 1e4 * normal(N, CLASSES), FINE),
        )
        .named("logits")
    )


def masked(some: torch.Tensor) -> torch.Tensor:
    """The last class is impossible."""
    some[:, -1] = -math.inf
    return some


def any_classes(**settings: Any) -> Any:
    """A model with any number of outputs."""
    few = Trial("too few outputs", lambda: net(2), FINE)
    return answering(**settings).but(few, Trial("too many outputs", lambda: net(5), FINE))


def loss_rows() -> list[Row]:
    """`losses`, `neighbours`."""
    above = number(2.0, 0, above=True)
    truth_ = indices(labels, CLASSES - 1, -1, tied=(0,))
    one = floats(lambda: normal(N, CLASSES), ndim=False, empty=ANY, infinite=ANY, nan=SPREADS)
    one = one.but(Trial("with inf", lambda: normal(N, CLASSES) + math.inf, SPREADS)).named("logits")
    apart = one.but(drop=["with −inf"])
    teacher = logits(0, 1).but(Trial("with −inf", lambda: masked(normal(N, CLASSES)), FINE))
    half = [masked(normal(N, CLASSES)), masked(normal(N, CLASSES, seed=1))]
    return [
        row("losses.softmax", logits=one, temperature=above),
        row("losses.log_softmax", logits=apart, temperature=above),
        row("losses.soft_cross_entropy", logits=logits(0, 1), targets=targets(N, CLASSES)),
        row(
            "losses.distillation_loss",
            student_logits=logits(0, 1),
            teacher_logits=teacher,
            temperature=above,
        ),
        row(
            "losses.knowledge_distillation_loss",
            student_logits=logits(0, 1),
            teacher_logits=teacher,
            labels=truth_,
            temperature=above,
            alpha=number(0.5, 0, 1),
        ),
        row(
            "losses.contrastive_loss",
            ours=logits(0, 1),
            theirs=logits(0, 1),
            temperature=above,
        ),
        row("losses.labeled_cross_entropy", logits=logits(0), labels=truth_),
        row(
            "losses.distillation_loss of a class that is masked",
            partial(losses.distillation_loss, *half),
            temperature=above,
        ),
        row(
            "losses.soft_cross_entropy of a class that is masked",
            partial(losses.soft_cross_entropy, half[0], half[1].softmax(1)),
        ),
        row(
            "neighbours.nearest",
            queries=floats(lambda: random(4, 5), tied=(1,), empty=FINE),
            stored=floats(lambda: random(9, 5, seed=1), tied=(1,)),
            k=whole(2, 1, 9),
            chunk=whole(3, 1),
        ),
        row(
            "neighbours.vote",
            labels=indices(lambda: labels(9), CLASSES - 1),
            neighbours=indices(lambda: torch.tensor([[0, 1, 8], [3, 3, 2]]), 8, empty=FINE),
            n_classes=whole(3, 3).named("classes"),
        ),
    ]


def measuring_rows() -> list[Row]:
    """Teachers' answers, pseudo-labels, accuracies."""
    p, share = targets(N, CLASSES), number(0.5, 0, 1)
    batches = (
        images(pictures, floats=FINE)
        .but(drop=["int64", "bool", "int8", "two channels", "five channels", "half"])
        .but(Trial("empty", lambda: pictures()[:0], WRONG))
    )
    few = whole(4, 1)
    return [
        row("train.predict", model=any_classes(), images=batches, batch_size=few),
        row("train.accuracy", model=answering(), image_set=images_of(other_classes=WRONG)),
        row("train.evaluate", model=answering(), image_set=images_of(other_classes=WRONG)),
        row("train.evaluating", lambda model: evaluating(model).__enter__(), model=model()),
        row(
            "train.pseudo_label.teacher_probabilities",
            teacher=any_classes(training=WRONG),
            images=batches,
        ),
        row(
            "train.pseudo_label.pseudo_labels",
            unlabeled=images_of(unlabeled, no_labels=FINE, other_classes=WRONG),
            probabilities=p,
            threshold=number(0.25, 0, 1).but(drop=["highest"]),
            per_class=whole(2, 1).optional(),
        ),
        row(
            "train.pseudo_label.coverage",
            probabilities=targets(N, CLASSES).but(drop=TIED),
            threshold=share,
        ),
        row(
            "train.pseudo_label.purity",
            probabilities=p,
            truth=indices(labels, CLASSES - 1, tied=(0,)),
            threshold=number(0.25, 0, 1).but(drop=["highest"]),
        ),
        row("random_state.seeded", lambda seed: random_draw(seed), seed=seed()),
        row("random_state.set_random_states", states=mapping(random_state.get_random_states)),
        row("random_state.get_random_states", lambda: type(random_state.get_random_states())),
    ]


def random_draw(seed: Any) -> Any:
    with random_state.seeded(seed):
        return torch.rand(3)


def rows() -> list[Row]:
    return [*loss_rows(), *measuring_rows()]
