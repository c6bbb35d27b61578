"""cvcourse.train, losses, neighbours, random_state: training and what it is made of."""

from __future__ import annotations

import math
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch
import torch.nn.functional as F
from arrays import bools, floats, images, indices
from kinds import (
    ANY,
    FINE,
    SAME,
    SPREADS,
    WRONG,
    Trial,
    choice,
    function,
    generator,
    mapping,
    number,
    numbers,
    path,
    seed,
    thing,
    truth,
    whole,
)
from lightning_fabric import Fabric
from objects import answering, augment, images_of, model, targets
from rows import Row, row
from things import (
    CLASSES,
    N,
    Answers,
    batch,
    image_set,
    labels,
    net,
    normal,
    pictures,
    probabilities,
    random,
    recipe,
    unlabeled,
)
from torch import nn

from cvcourse import losses, neighbours, random_state
from cvcourse.augment import CutMix
from cvcourse.models import SingleLayer
from cvcourse.models.heads import ClassificationHead, MultiHead, classification_loss
from cvcourse.train import (
    Batch,
    Recipe,
    accuracy,
    evaluate,
    evaluating,
    fit,
    fitted,
    load_weights,
    predict,
    save_weights,
    supervised,
)
from cvcourse.train import distill, multi_head, pseudo_label, transfer
from cvcourse.train import recipe as recipes
from cvcourse.train.fixmatch import fixmatch
from cvcourse.train.mix import mixed
from cvcourse.train.noisy_student import noisy_student


def logits(*tied: int) -> Any:
    """(B, n_classes) for a formula, which may pass NaN on; −∞ where a target wants it is ∞."""
    formula = {"infinite": SPREADS, "nan": SPREADS}
    return floats(lambda: normal(N, CLASSES), tied=tied, **formula).but(
        Trial("huge", lambda: 1e4 * normal(N, CLASSES), FINE),
    ).named("logits")


def masked(some: torch.Tensor) -> torch.Tensor:
    """The last class is impossible."""
    some[:, -1] = -math.inf
    return some


def loss_rows() -> list[Row]:
    """`losses`, `neighbours`."""
    above = number(2.0, 0, above=True)
    truth_ = indices(labels, CLASSES - 1, -1, tied=(0,))
    one = floats(lambda: normal(N, CLASSES), ndim=False, empty=ANY, infinite=ANY, nan=SPREADS)
    one = one.but(Trial("with inf", lambda: normal(N, CLASSES) + math.inf, SPREADS)).named("logits")
    apart = one.but(drop=["with −inf"])
    half = [masked(normal(N, CLASSES)), masked(normal(N, CLASSES, seed=1))]
    return [
        row("losses.softmax", losses.softmax, logits=one, temperature=above),
        row("losses.log_softmax", losses.log_softmax, logits=apart, temperature=above),
        row("losses.soft_cross_entropy", losses.soft_cross_entropy, logits=logits(0, 1), targets=targets(N, CLASSES)),
        row("losses.distillation_loss", losses.distillation_loss, student_logits=logits(0, 1), teacher_logits=logits(0, 1), temperature=above),
        row("losses.knowledge_distillation_loss", losses.knowledge_distillation_loss, student_logits=logits(0, 1), teacher_logits=logits(0, 1), labels=truth_, temperature=above, alpha=number(0.5, 0, 1)),
        row("losses.labeled_cross_entropy", losses.labeled_cross_entropy, logits=logits(0), labels=truth_),
        row("losses.distillation_loss of a class that is masked", partial(losses.distillation_loss, *half), temperature=above),
        row("losses.soft_cross_entropy of a class that is masked", partial(losses.soft_cross_entropy, half[0], half[1].softmax(1))),
        row("nearest", neighbours.nearest, queries=floats(lambda: random(4, 5), tied=(1,), empty=FINE), stored=floats(lambda: random(9, 5, seed=1), tied=(1,)), k=whole(2, 1, 9), chunk=whole(3, 1)),
        row("vote", neighbours.vote, labels=indices(lambda: labels(9), CLASSES - 1), neighbours=indices(lambda: torch.tensor([[0, 1, 8], [3, 3, 2]]), 8, empty=FINE), n_classes=whole(3, 3)),
    ]


def step_of(step: Any) -> Any:
    """What a step makes of a batch."""
    loss, metrics = step(net(train=True), batch())
    return loss, metrics


def step_rows() -> list[Row]:
    """Steps: what they refuse may show at their first batch."""
    share, weight = number(0.5, 0, 1), number(0.5, 0)
    few = images_of(lambda: image_set(4), other_classes=WRONG)
    table = floats(lambda: normal(N, CLASSES), tied=(1,)).but(
        Trial("its class", lambda: nn.Linear, WRONG), Trial("dimension 0 shorter", lambda: normal(2, CLASSES), WRONG)
    )
    from kinds import Kind

    both = Kind(net, (*answering(training=WRONG).trials, *(Trial(f"table: {t.label}", t.make, t.expect if t.expect is not SAME else FINE) for t in table.trials if t.label not in ("float64", "int64", "bool", "array", "nested list", "list of tensors", "sparse"))), ("teacher", "logits", "table"))
    mixing = function(lambda: CutMix(), wrong=[lambda i, g: i, lambda i: i]).but(Trial("class", lambda: CutMix, WRONG))
    head_losses = mapping(lambda: {"class": classification_loss}).but(Trial("no such head", lambda: {"box": classification_loss}, WRONG))
    return [
        row("supervised", supervised, **{"*model": answering(), "*batch": batch_kind(), "label_smoothing": number(0.125, 0, 1)}),
        row("distillation", distill.distillation, teacher=both, temperature=number(4.0, 0, above=True), alpha=share, look=step_of),
        row("distill.ask", distill.ask, teacher=model(training=WRONG), images=images(pictures).but(drop=["floats", "half", "int8", "bool"])),
        row("distill.check_teacher", distill.check_teacher, teacher=model(training=WRONG)),
        row("distill.rows", distill.rows, table=floats(lambda: normal(N, CLASSES), ndim=False).but(drop=["0-d", "with NaN", "with inf", "with −inf", "complex"]), indices=indices(lambda: torch.tensor([0, 2]), N - 1, ndim=False, empty=FINE).but(drop=["0-d", "too low"])),
        row("self_training", pseudo_label.self_training, labeled=few, soft_labels=targets(N, CLASSES).but(Trial("dimension 0 longer", lambda: probabilities(9), ANY)).optional(), batch_size=whole(4, 1), weight=weight, augment=augment(), look=step_of),
        row("pseudo_labeling", pseudo_label.pseudo_labeling, labeled=few, batch_size=whole(4, 1), threshold=share, weight=weight, ramp_up=ramp(), augment=augment(), look=step_of),
        row("fixmatch", fixmatch, labeled=few, weak=augment(optional=False), strong=augment(optional=False), batch_size=whole(4, 1), threshold=share, weight=weight, look=step_of),
        row("mixed", mixed, mix=mixing, look=step_of),
        row("multi_head_step", multi_head.multi_head_step, train=images_of(other_classes=ANY), losses=head_losses, look=lambda step: step(heads(), batch())),
        row("sure_cross_entropy", pseudo_label.sure_cross_entropy, logits=logits(0), labels=indices(labels, CLASSES - 1, tied=(0,)), sure=bools(lambda: labels() > 0, tied=(0,))),
        row("linear_ramp", pseudo_label.linear_ramp, progress=number(0.5), start=number(0.25, 0, 0.75), end=number(0.75, 0.25, 1)),
        row("draw", pseudo_label.draw, labeled=images_of(no_labels=FINE), n=whole(3, 0), generator=generator()),
        row("check_labeled", pseudo_label.check_labeled, labeled=images_of()),
        row("check_classes", pseudo_label.check_classes, logits=floats(lambda: normal(N, CLASSES), tied=(1,), empty=ANY).but(drop=["with NaN", "with inf", "with −inf", "complex", "on meta", "int64", "bool"]), labeled=images_of(other_classes=WRONG, no_labels=ANY, empty=ANY)),
    ]


def ramp() -> Any:
    return numbers((0.25, 0.75), 0, 1).but(Trial("backwards", lambda: (0.75, 0.25), WRONG))


def heads() -> nn.Module:
    """One backbone and one head, on bytes."""
    from things import Scaled

    return MultiHead(Scaled(), {"class": ClassificationHead(3, CLASSES)})


def any_classes(**settings: Any) -> Any:
    """A model with any number of outputs."""
    few = Trial("too few outputs", lambda: net(2), FINE)
    return answering(**settings).but(few, Trial("too many outputs", lambda: net(5), FINE))


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


def measuring_rows() -> list[Row]:
    """Teachers' answers, pseudo-labels, accuracies."""
    p, share = targets(N, CLASSES), number(0.5, 0, 1)
    batches = images(pictures, floats=FINE).but(drop=["int64", "bool", "int8", "two channels", "five channels", "half"]).but(Trial("empty", lambda: pictures()[:0], WRONG))
    few = whole(4, 1)
    return [
        row("predict", predict, model=any_classes(), images=batches, batch_size=few),
        row("accuracy", accuracy, model=answering(), image_set=images_of()),
        row("evaluate", evaluate, model=answering(), image_set=images_of()),
        row("evaluating", lambda model: evaluating(model).__enter__(), model=model()),
        row("teacher_probabilities", pseudo_label.teacher_probabilities, teacher=any_classes(training=WRONG), images=batches),
        row("pseudo_labels", pseudo_label.pseudo_labels, unlabeled=images_of(unlabeled, no_labels=FINE, other_classes=WRONG), probabilities=p, threshold=number(0.25, 0, 1).but(drop=["highest"]), per_class=whole(2, 1).optional()),
        row("coverage", pseudo_label.coverage, probabilities=targets(N, CLASSES).but(drop=["dimension 0 longer", "dimension 0 shorter", "dimension 1 longer", "dimension 1 shorter"]), threshold=share),
        row("purity", pseudo_label.purity, probabilities=p, truth=indices(labels, CLASSES - 1, tied=(0,)), threshold=number(0.25, 0, 1).but(drop=["highest"])),
        row("pseudo_label.check_threshold", pseudo_label.check_threshold, threshold=share),
        row("seeded", lambda seed: random_draw(seed), seed=seed()),
        row("set_random_states", random_state.set_random_states, states=mapping(random_state.get_random_states)),
        row("get_random_states", lambda: type(random_state.get_random_states())),
    ]


def random_draw(seed: Any) -> Any:
    with random_state.seeded(seed):
        return torch.rand(3)


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
    }
    steps = {"steps": whole(6, 1), "n_images": whole(12, 1), "batch_size": whole(4, 1)}
    optimizer = thing(lambda: recipe().build_optimizer([dict(groups[0])]), "Optimizer")
    return [
        row("Recipe", Recipe, **fields),
        row("Recipe.for_steps", Recipe.for_steps, **steps, learning_rate=number(0.5, 0, above=True)),
        row("Recipe.build_optimizer", lambda groups: type(recipe().build_optimizer(groups)), groups=thing(lambda: [dict(groups[0])], "params", "groups")),
        row("Recipe.build_scheduler", lambda **kw: recipe().build_scheduler(**kw), optimizer=optimizer, total_steps=whole(9, 1), look=type),
        row("Batch", Batch, images=thing(pictures, "images"), labels=thing(labels, "labels"), indices=thing(labels, "indices"), generator=generator(), progress=number(0.5, 0, 1), look=lambda some: supervised(net(), some)),
    ]


def fit_rows() -> list[Row]:
    """`fit`, `fitted`, `noisy_student`, weights on disk, transfer."""
    train = images_of(other_classes=ANY).but(Trial("more classes", lambda: image_set(n_classes=CLASSES + 1), WRONG))
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
            lambda model, batch: (model(batch.images).sum(), {"a": torch.tensor(math.nan)}),
            lambda model, batch: (1.0, {}),
        ],
    ).named("step", "loss", "metrics", "metric")
    groups = function(lambda: None)
    assert groups
    common = {"step": steps, "augment": augment(), "seed": seed()}
    file = path(lambda: str(Path(tempfile.mkdtemp()) / "run.ckpt"))
    rates = {"backbone_rate": number(0.25, 0, above=True), "head_rate": number(0.5, 0, above=True)}
    makes = function(lambda: SingleLayer).but(Trial("class", lambda: nn.Linear, WRONG), Trial("a built one", net, WRONG), Trial("→ object", lambda: lambda **_: object(), WRONG)).named("model")
    students = function(lambda: lambda number: net(), wrong=[lambda: net(), lambda number: net(5)]).named("student", "model")
    asks = function(lambda: pseudo_label.teacher_probabilities, wrong=[lambda t, i: t(i), lambda t, i: torch.rand(2, 3)]).named("probabilities", "ask")
    return [
        row("fit", lambda **kw: _fit(**kw), model=answering(), train=train, recipe=settings.optional(), validation=images_of(other_classes=ANY).optional(), parameters=_groups(), fabric=thing(lambda: Fabric(accelerator="cpu", devices=1), "Fabric").optional(), checkpoint=file.optional(), checkpoint_every=whole(1, 1).optional(), keep_interrupted=truth(False), **common),
        row("fitted", fitted, make=makes, train=train, recipe=settings, look=lambda m: m(pictures()), **common),
        row("noisy_student", noisy_student, teacher=answering(training=WRONG), new_student=students, labeled=images_of(other_classes=WRONG), unlabeled=images_of(unlabeled, no_labels=FINE, other_classes=WRONG), validation=images_of(other_classes=WRONG), recipe=settings, rounds=whole(1, 1), augment=augment(), threshold=number(0.25, 0, 1).but(drop=["highest"]), per_class=whole(2, 1).optional(), soft=truth(True), batch_size=whole(4, 1), ask=asks, seed=seed(), look=lambda both: both[1]),
        row("save_weights", save_weights, model=model(), path=file),
        row("load_weights", load_weights, model=model().but(Trial("another shape", lambda: net(4), WRONG)), path=saved()),
        row("freeze", transfer.freeze, backbone=model()),
        row("unfreeze", transfer.unfreeze, backbone=model()),
        row("replace_head", transfer.replace_head, model=model().but(Trial("no layer", lambda: nn.Sequential(nn.ReLU()), WRONG)), n_classes=whole(4, 1), look=lambda head: head.weight.shape),
        row("two_learning_rates", _two_rates, model=thing(net, "model", "head"), head=thing(lambda: "layer", "model", "head", drop=["its class"]).but(Trial("another", lambda: nn.Linear(3, 3), WRONG)), **rates, look=lambda groups: [g["lr"] for g in groups]),
    ]


def _two_rates(model: Any, head: Any, **rates: Any) -> Any:
    head = model[1].classifier if head == "layer" else head
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
    return [{k: v for k, v in epoch.items() if not k.endswith("seconds")} for epoch in history], given["model"](pictures())


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
    return [*loss_rows(), *step_rows(), *measuring_rows(), *recipe_rows(), *fit_rows()]


_ = (F, Answers)
