"""The steps of `train`: what they refuse may show at their first batch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import nn

from cvcourse.augment import CutMix
from cvcourse.models.heads import ClassificationHead, MultiHead, classification_loss
from fuzz.arrays import floats, images
from fuzz.kinds import (
    ANY,
    FINE,
    SPREADS,
    WRONG,
    Kind,
    Trial,
    function,
    number,
    numbers,
    thing,
    whole,
)
from fuzz.objects import answering, augment, generator, images_of, mapping, model, targets
from fuzz.rows import Row, row
from fuzz.table.losses import masked
from fuzz.things import (
    CLASSES,
    N,
    Scaled,
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
    table = floats(lambda: normal(N, CLASSES), tied=(1,), nan=SPREADS, infinite=SPREADS).but(
        Trial("with −inf", lambda: masked(normal(N, CLASSES)), FINE),
        Trial("dimension 0 shorter", lambda: normal(2, CLASSES), WRONG),
        Trial("strided", lambda: normal(N, CLASSES).T.contiguous().T, FINE),
        Trial("with a gradient", lambda: normal(N, CLASSES).requires_grad_(), FINE),
        drop=["its class", "float64", "int64", "bool", "array", "nested list", "list of tensors"],
    )
    teachers = passing(answering(training=WRONG)).named("teacher", "logits")
    tables = teachers.but(*(replace(t, label=f"table: {t.label}") for t in table.trials))
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
                "*model": passing(answering()),
                "*batch": batch_kind(),
                "label_smoothing": number(0.125, 0, 1),
            },
        ),
        row(
            "train.distill.distillation",
            teacher=tables,
            temperature=number(4.0, 0, above=True),
            alpha=share,
            look=step_of,
        ),
        row(
            "train.distill.ask",
            teacher=model(training=WRONG),
            images=images(pictures, empty=ANY).but(
                drop=["floats", "half", "int8", "bool", "NaN floats"]
            ),
        ),
        row("train.distill.check_teacher", teacher=model(training=WRONG)),
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
        row(
            "train.contrast.contrastive",
            views=augment(optional=False),
            temperature=number(4.0, 0, above=True),
            look=step_of,
        ),
        row("train.mix.mixed", mix=mixing, look=step_of),
        row(
            "train.multi_head.multi_head_step",
            train=images_of(other_classes=ANY, no_labels=FINE),
            losses=head_losses,
            look=lambda step: step(heads(), batch()),
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
            n=whole(3, 1),
            generator=generator(),
        ),
    ]


def passing(kind: Kind) -> Kind:
    """Of a model that a step asks: a NaN goes into the loss, where `fit` finds it."""
    nan = {"answers NaN", "answers inf", "a weight is NaN"}
    loud = [replace(t, expect=SPREADS) for t in kind.trials if t.label in nan]
    return kind.but(*loud, Trial("too many outputs", lambda: net(CLASSES + 2), ANY))


def ramp() -> Any:
    return numbers((0.25, 0.75), 0, 1).but(Trial("backwards", lambda: (0.75, 0.25), WRONG))


def heads() -> nn.Module:
    """One backbone and one head, on bytes."""
    return MultiHead(Scaled(), {"class": ClassificationHead(3, CLASSES)})


def batch_kind() -> Any:
    """What `fit` gives a step."""

    def changed(**fields: Any) -> Any:
        return lambda: replace(batch(), **fields)

    return thing(batch, "images", "labels", "batch").but(
        Trial("labels too high", changed(labels=labels() + 5), WRONG),
        Trial("labels of −1", changed(labels=labels() * 0 - 1), WRONG),
        Trial("fewer labels", changed(labels=labels()[:-1]), WRONG),
        Trial("float labels", changed(labels=labels().float()), WRONG),
        Trial("no pictures", changed(images=pictures()[:0], labels=labels()[:0]), SPREADS),
    )
