"""`fit` and what goes with it: recipes, rounds, weights on disk, transfer."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any, get_args

import torch
from lightning_fabric import Fabric
from torch import nn

from cvcourse.models import SingleLayer
from cvcourse.train import (
    History,
    fit,
    pseudo_label,
    save_weights,
    supervised,
    transfer,
)
from cvcourse.train import recipe as recipes
from fuzz.kinds import (
    ANY,
    FINE,
    WRONG,
    Trial,
    choice,
    function,
    number,
    seed,
    thing,
    truth,
    whole,
)
from fuzz.objects import answering, augment, generator, images_of, model, path
from fuzz.rows import Row, row
from fuzz.things import (
    CLASSES,
    image_set,
    labels,
    net,
    pictures,
    recipe,
    unlabeled,
)


def words(literal: Any) -> Any:
    """The choices of a Literal."""
    return get_args(getattr(literal, "__value__", literal))


def recipe_rows() -> list[Row]:
    """`Recipe`, and what it builds."""
    groups = [{"params": [nn.Parameter(torch.zeros(3))]}]
    fields = {
        "epochs": whole(2, 1),
        "batch_size": whole(4, 1),
        "optimizer": choice("adamw", words(recipes.Optimizers)),
        "learning_rate": number(0.5, 0, above=True),
        "schedule": choice("cosine", words(recipes.Schedule)),
        "weight_decay": number(0.125, 0),
        "clip_norm": number(0.5, 0, above=True).optional(),
        "ema_decay": number(0.5, 0, 1).but(drop=["highest", "lowest"]).optional(),
        "patience": whole(2, 1).optional(),
        "precision": choice("32-true", words(recipes.Precision)),
        "compile": truth(False),
        "capture": truth(False),
    }
    steps = {"steps": whole(6, 1), "n_images": whole(12, 1), "batch_size": whole(4, 1)}
    optimizer = thing(lambda: recipe().build_optimizer([dict(groups[0])]), "Optimizer")
    return [
        row("train.Recipe", **fields),
        row("train.Recipe.for_steps", **steps, learning_rate=number(0.5, 0, above=True)),
        row(
            "train.Recipe.build_optimizer",
            lambda groups: type(recipe().build_optimizer(groups)),
            groups=thing(lambda: [dict(groups[0])], "params", "groups"),
        ),
        row(
            "train.Recipe.build_scheduler",
            lambda **kw: recipe().build_scheduler(**kw),
            optimizer=optimizer,
            total_steps=whole(9, 1),
            look=type,
        ),
        row(
            "train.Batch",
            images=thing(pictures, "images"),
            labels=thing(labels, "labels"),
            indices=thing(labels, "indices", drop=["NaN tensor"]),
            generator=generator(),
            progress=number(0.5, 0, 1).optional(),
            look=lambda some: supervised(net(), some),
        ),
    ]


def fit_rows() -> list[Row]:
    """`fit`, `fitted`, `noisy_student`, weights on disk, transfer."""
    train = images_of(other_classes=ANY).but(
        Trial("more classes", lambda: image_set(n_classes=CLASSES + 1), WRONG)
    )
    settings = thing(recipe, "Recipe").but(Trial("a dict", lambda: {"epochs": 1}, WRONG))
    steps = function(
        lambda: supervised,
        wrong=[
            lambda model, batch: model(batch.images).sum(),
            lambda model, batch: (model(batch.images), {}),
            lambda model, batch: (torch.tensor(1.0), {}),
            lambda model, batch: (model(batch.images).sum() * math.nan, {}),
            lambda model, batch: (model(batch.images).sum(), None),
            lambda model, batch: (model(batch.images).sum(), {"a": torch.ones(3)}),
            lambda model, batch: (model(batch.images).sum(), {"a": "fuzz"}),
            lambda model, batch: (1.0, {}),
        ],
    ).named("step", "loss", "metrics", "metric")
    groups = function(lambda: None)
    assert groups
    common = {"step": steps, "augment": augment(), "seed": seed()}
    file = path(lambda: str(Path(tempfile.mkdtemp()) / "run.ckpt"))
    rates = {"backbone_rate": number(0.25, 0, above=True), "head_rate": number(0.5, 0, above=True)}
    makes = (
        function(lambda: SingleLayer)
        .but(
            Trial("class", lambda: nn.Linear, WRONG),
            Trial("a built one", net, ANY),
            Trial("→ object", lambda: lambda **_: object(), WRONG),
        )
        .named("model")
    )
    students = function(
        lambda: lambda number: net(), wrong=[lambda: net(), lambda number: net(5)]
    ).named("student", "model")
    asks = function(
        lambda: pseudo_label.teacher_probabilities,
        wrong=[lambda t, i: t(i), lambda t, i: torch.rand(2, 3)],
    ).named("probabilities", "ask")
    return [
        row(
            "train.fit",
            lambda **kw: _fit(**kw),
            model=answering(),
            train=train,
            recipe=settings.optional(),
            validation=images_of(other_classes=ANY).optional(),
            parameters=_groups(),
            fabric=thing(lambda: Fabric(accelerator="cpu", devices=1), "Fabric").optional(),
            checkpoint=file.optional(),
            checkpoint_every=whole(1, 1).optional(),
            keep_interrupted=truth(False),
            **common,
        ),
        row(
            "train.fitted",
            make=makes,
            train=images_of(),
            recipe=settings,
            look=lambda m: m(pictures()),
            **common,
        ),
        row(
            "train.noisy_student.noisy_student",
            teacher=answering(training=WRONG),
            new_student=students,
            labeled=images_of(other_classes=WRONG),
            unlabeled=images_of(unlabeled, no_labels=FINE, other_classes=WRONG),
            validation=images_of(other_classes=WRONG).optional(),
            recipe=settings,
            rounds=whole(1, 1),
            augment=augment(),
            threshold=number(0.25, 0, 1).but(drop=["highest"]),
            per_class=whole(2, 1).optional(),
            soft=truth(True),
            batch_size=whole(4, 1),
            ask=asks,
            seed=seed(),
            look=lambda both: both[1],
        ),
        row(
            "train.History.column",
            History([{"epoch": 1.0}]).column,
            name=choice("epoch", ["epoch"]),
        ),
        row(
            "train.noisy_student.Round",
            number=whole(1, 1),
            coverage=number(0.5, 0, 1),
            teacher_accuracy=number(0.5, 0, 1).optional(),
            student_accuracy=number(0.5, 0, 1).optional(),
            accepted=truth(True),
        ),
        row("train.save_weights", model=model(), path=file),
        row(
            "train.load_weights",
            model=model().but(
                Trial("another shape", lambda: net(4), WRONG), drop=["with tied modules"]
            ),
            path=saved(),
        ),
        row("train.transfer.freeze", backbone=model()),
        row("train.transfer.unfreeze", backbone=model()),
        row(
            "train.transfer.replace_head",
            model=model().but(Trial("no layer", lambda: nn.Sequential(nn.ReLU()), WRONG)),
            n_classes=whole(4, 1),
            look=lambda head: head.weight.shape,
        ),
        row(
            "train.transfer.two_learning_rates",
            _two_rates,
            model=thing(net, "model", "head"),
            head=thing(lambda: "layer", "model", "head", drop=["its class"]).but(
                Trial("another", lambda: nn.Linear(3, 3), WRONG)
            ),
            **rates,
            look=lambda groups: [g["lr"] for g in groups],
        ),
    ]


def _two_rates(model: Any, head: Any, **rates: Any) -> Any:
    if head == "layer":
        head = model[1].classifier if isinstance(model, nn.Sequential) else nn.Linear(3, 3)
    return transfer.two_learning_rates(model, head, **rates)


def _groups() -> Any:
    other = nn.Parameter(torch.zeros(3))
    return thing(lambda: None, "parameters", "params", "lr", drop=["None", "its class"]).but(
        Trial("another model's", lambda: [{"params": [other]}], WRONG),
        Trial("no groups", list, WRONG),
        Trial("an empty group", lambda: [{"params": []}], WRONG),
        Trial("no params", lambda: [{"lr": 0.5}], WRONG),
        Trial("texts", lambda: [{"params": ["fuzz"]}], WRONG),
        Trial("a list of it", lambda: [None], WRONG),
        Trial("a negative rate", lambda: [{"params": [other], "lr": -1.0}], WRONG),
        Trial("a rate of NaN", lambda: [{"params": [other], "lr": math.nan}], WRONG),
        Trial("a rate as text", lambda: [{"params": [other], "lr": "3e-3"}], WRONG),
        Trial("[]", list, WRONG),
    )


def _fit(**given: Any) -> Any:
    history = fit(**given)
    return [
        {k: v for k, v in epoch.items() if not k.endswith("seconds")} for epoch in history
    ], given["model"](pictures())


def saved() -> Any:
    """A file that `save_weights` wrote."""

    def plain() -> str:
        file = Path(tempfile.mkdtemp()) / "weights.safetensors"
        save_weights(net(), file)
        return str(file)

    return path(plain, missing=WRONG).but(
        Trial("text", lambda: "fuzz", WRONG), Trial("a source file", lambda: __file__, WRONG)
    )


def rows() -> list[Row]:
    return [*recipe_rows(), *fit_rows()]
