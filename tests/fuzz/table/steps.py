"""The steps of `train`: what they refuse may show at their first batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from cvcourse.augment import CutMix
from cvcourse.models.heads import ClassificationHead, MultiHead, classification_loss
from fuzz.arrays import bools, floats, images, indices
from fuzz.kinds import (
    ANY,
    FINE,
    SAME,
    WRONG,
    Trial,
    function,
    number,
    numbers,
    thing,
    whole,
)
from fuzz.objects import answering, augment, generator, images_of, mapping, model, targets
from fuzz.rows import Row, row
from fuzz.table.losses import logits
from fuzz.things import (
    CLASSES,
    N,
    batch,
    image_set,
    labels,
    net,
    normal,
    pictures,
    probabilities,
)


def step_of(step: Any) -> Any:
    """What a step makes of a batch."""
    loss, metrics = step(net(train=True), batch())
    return loss, metrics


def rows() -> list[Row]:
    """Steps: what they refuse may show at their first batch."""
    share, weight = number(0.5, 0, 1), number(0.5, 0)
    few = images_of(lambda: image_set(4), other_classes=WRONG)
    table = floats(lambda: normal(N, CLASSES), tied=(1,)).but(
        Trial("its class", lambda: nn.Linear, WRONG),
        Trial("dimension 0 shorter", lambda: normal(2, CLASSES), WRONG),
    )
    from fuzz.kinds import Kind

    both = Kind(
        net,
        (
            *answering(training=WRONG).trials,
            *(
                Trial(f"table: {t.label}", t.make, t.expect if t.expect is not SAME else FINE)
                for t in table.trials
                if t.label
                not in (
                    "float64",
                    "int64",
                    "bool",
                    "array",
                    "nested list",
                    "list of tensors",
                    "sparse",
                )
            ),
        ),
        ("teacher", "logits", "table"),
    )
    mixing = function(lambda: CutMix(), wrong=[lambda i, g: i, lambda i: i]).but(
        Trial("class", lambda: CutMix, WRONG)
    )
    head_losses = mapping(lambda: {"class": classification_loss}).but(
        Trial("no such head", lambda: {"box": classification_loss}, WRONG)
    )
    return [
        row(
            "train.supervised",
            **{
                "*model": answering(),
                "*batch": batch_kind(),
                "label_smoothing": number(0.125, 0, 1),
            },
        ),
        row(
            "train.distill.distillation",
            teacher=both,
            temperature=number(4.0, 0, above=True),
            alpha=share,
            look=step_of,
        ),
        row(
            "train.distill.ask",
            teacher=model(training=WRONG),
            images=images(pictures).but(drop=["floats", "half", "int8", "bool"]),
        ),
        row("train.distill.check_teacher", teacher=model(training=WRONG)),
        row(
            "train.distill.rows",
            table=floats(lambda: normal(N, CLASSES), ndim=False).but(
                drop=["0-d", "with NaN", "with inf", "with −inf", "complex"]
            ),
            indices=indices(lambda: torch.tensor([0, 2]), N - 1, ndim=False, empty=FINE).but(
                drop=["0-d", "too low"]
            ),
        ),
        row(
            "train.pseudo_label.self_training",
            labeled=few,
            soft_labels=targets(N, CLASSES)
            .but(Trial("dimension 0 longer", lambda: probabilities(9), ANY))
            .optional(),
            batch_size=whole(4, 1),
            weight=weight,
            augment=augment(),
            look=step_of,
        ),
        row(
            "train.pseudo_label.pseudo_labeling",
            labeled=few,
            batch_size=whole(4, 1),
            threshold=share,
            weight=weight,
            ramp_up=ramp(),
            augment=augment(),
            look=step_of,
        ),
        row(
            "train.fixmatch.fixmatch",
            labeled=few,
            weak=augment(optional=False),
            strong=augment(optional=False),
            batch_size=whole(4, 1),
            threshold=share,
            weight=weight,
            look=step_of,
        ),
        row("train.mix.mixed", mix=mixing, look=step_of),
        row(
            "train.multi_head.multi_head_step",
            train=images_of(other_classes=ANY),
            losses=head_losses,
            look=lambda step: step(heads(), batch()),
        ),
        row(
            "train.pseudo_label.sure_cross_entropy",
            logits=logits(0),
            labels=indices(labels, CLASSES - 1, tied=(0,)),
            sure=bools(lambda: labels() > 0, tied=(0,)),
        ),
        row(
            "train.pseudo_label.linear_ramp",
            progress=number(0.5),
            start=number(0.25, 0, 0.75),
            end=number(0.75, 0.25, 1),
        ),
        row(
            "train.pseudo_label.draw",
            labeled=images_of(no_labels=FINE),
            n=whole(3, 0),
            generator=generator(),
        ),
        row("train.pseudo_label.check_labeled", labeled=images_of()),
        row(
            "train.pseudo_label.check_classes",
            logits=floats(lambda: normal(N, CLASSES), tied=(1,), empty=ANY).but(
                drop=["with NaN", "with inf", "with −inf", "complex", "on meta", "int64", "bool"]
            ),
            labeled=images_of(other_classes=WRONG, no_labels=ANY, empty=ANY),
        ),
    ]


def ramp() -> Any:
    return numbers((0.25, 0.75), 0, 1).but(Trial("backwards", lambda: (0.75, 0.25), WRONG))


def heads() -> nn.Module:
    """One backbone and one head, on bytes."""
    from fuzz.things import Scaled

    return MultiHead(Scaled(), {"class": ClassificationHead(3, CLASSES)})


def batch_kind() -> Any:
    """What `fit` gives a step."""
    from dataclasses import replace

    def changed(**fields: Any) -> Any:
        return lambda: replace(batch(), **fields)

    return thing(batch, "images", "labels", "batch").but(
        Trial("labels too high", changed(labels=labels() + 5), WRONG),
        Trial("labels of −1", changed(labels=labels() * 0 - 1), WRONG),
        Trial("fewer labels", changed(labels=labels()[:-1]), WRONG),
        Trial("float labels", changed(labels=labels().float()), WRONG),
        Trial("no labels", changed(labels=None), WRONG),
        Trial("no pictures", changed(images=pictures()[:0], labels=labels()[:0]), WRONG),
    )
