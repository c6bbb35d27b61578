"""Knowledge distillation: a student learns what a teacher says (Hinton, Vinyals & Dean 2015).

The teacher stays outside the student: inside, `train()` would wake its dropout and batch norm, and
the optimiser would take its weights along.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cvcourse.checks import Positive, Share, checked
from cvcourse.losses import distillation_loss, knowledge_distillation_loss
from cvcourse.train.look import check_finite, logits_of
from cvcourse.train.step import Batch, Step


@checked
def distillation(
    teacher: nn.Module | Tensor, *, temperature: Positive = 4.0, alpha: Share = 1.0
) -> Step:
    """A step for `fit`: the student follows the teacher, and the labels with weight 1 − alpha.

    A teacher that is a model sees what the student sees, augmentation included. A teacher of other
    classes than the ones wanted can be followed too: give the student a head of the teacher's
    width, distil with alpha = 1, then `replace_head` and train on labels.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import Recipe, fit
    >>> from cvcourse.train.distill import distillation
    >>> train = render(20)
    >>> teacher = standardized(SingleLayer, train).eval()
    >>> step = distillation(teacher, temperature=4.0)
    >>> model = standardized(SingleLayer, train)
    >>> history = fit(model, train, Recipe(epochs=1), step=step)
    >>> 0 <= history[0]["agreement"] <= 1
    True

    Args:
        teacher: in evaluation mode, as `fit` leaves a model. Or its logits for every training image
            in order, (N, n_classes), as `predict(teacher, train.images)` gives them: asked once
            instead of every epoch, right only where `fit` augments nothing.
        temperature: T, above 0, of teacher and student in the teacher's term.
        alpha: weight of the teacher, 0 to 1; at 1 no label is looked at. Otherwise images with
            label −1 count for the teacher's term alone.

    Returns:
        A step whose metric "agreement" is the share of images on which the two name one class.

    Raises:
        ValueError: the teacher is in training mode, now or at a later step; its logits are no
            finite numbers; a number is out of range, or the classes do not match, or there are
            other than N training images (at the first step).
    """
    if isinstance(teacher, nn.Module):
        check_teacher(teacher)
    else:
        if teacher.ndim != 2:
            raise ValueError(f"teacher is {tuple(teacher.shape)}; expected (N, n_classes)")
        check_finite(logits_of(lambda table: table, teacher, who="teacher"), "teacher")

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        if isinstance(teacher, nn.Module):
            target = ask(teacher, batch.images)  # (B, n_classes)
            if batch.n_classes is None or batch.progress == 0:  # once a run: a GPU waits for it
                check_finite(target, "the teacher")
        else:
            target = batch.rows("teacher", teacher)
        wanted = None if alpha == 1 else batch.n_classes  # without labels, as many as the teacher
        logits = logits_of(model, batch.images, wanted)  # (B, n_classes)
        if alpha == 1:
            loss = distillation_loss(logits, target, temperature=temperature)
        else:
            loss = knowledge_distillation_loss(
                logits, target, batch.labels, temperature=temperature, alpha=alpha
            )
        agreement = (logits.argmax(dim=1) == target.argmax(dim=1)).float().mean()
        return loss, {"agreement": agreement}

    return step


@checked
@torch.no_grad()
def ask(teacher: nn.Module, images: Tensor) -> Tensor:
    """A teacher's logits (B, n_classes), without gradient; it is moved to the images' device.

    Raises:
        ValueError: the teacher is in training mode, or cannot take the images.
    """
    check_teacher(teacher)
    if any(p.device != images.device for p in teacher.parameters()):
        teacher.to(images.device)
    return logits_of(teacher, images, who="the teacher")


@checked
def check_teacher(teacher: nn.Module) -> None:
    """Refuse a teacher whose dropout and batch norm are those of training.

    Raises:
        ValueError: a part of the teacher is in training mode.
    """
    if any(module.training for module in teacher.modules()):
        raise ValueError(
            "the teacher is in training mode, so dropout and batch norm would noise what it says; "
            "call teacher.eval(), and keep it outside the student, whose train() would undo that"
        )
