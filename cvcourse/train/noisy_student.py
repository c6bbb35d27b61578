"""Noisy Student: self-training in rounds, with a student that is noised (Xie et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn

from cvcourse.checks import Checked, Count, Seed, Share, checked
from cvcourse.data import ImageSet
from cvcourse.progress import progress
from cvcourse.random_state import seeded
from cvcourse.train.checkpoint import load_checkpoint, save_checkpoint
from cvcourse.train.evaluate import accuracy
from cvcourse.train.fit import fit
from cvcourse.train.identity import describe
from cvcourse.train.look import check_labeled, check_same_classes
from cvcourse.train.pseudo_label import (
    coverage,
    pseudo_labels,
    self_training,
    teacher_probabilities,
)
from cvcourse.train.recipe import Recipe
from cvcourse.train.step import Augment


@dataclass(frozen=True)
class Round(Checked):
    """What one round came to.

    Attributes:
        number: from 1.
        coverage: share of the images without a label that reached the threshold.
        teacher_accuracy: of the round's teacher on the validation set, 0 to 1; None: there is none.
        student_accuracy: of its student, likewise.
        accepted: whether the student became the next round's teacher.
    """

    number: Count
    coverage: Share
    teacher_accuracy: Share | None
    student_accuracy: Share | None
    accepted: bool


@checked
def noisy_student(
    teacher: nn.Module,
    new_student: Callable[[int], nn.Module],
    labeled: ImageSet,
    unlabeled: ImageSet,
    validation: ImageSet | None,
    recipe: Recipe,
    *,
    rounds: Count = 3,
    augment: Augment | None = None,
    threshold: Share = 0.0,
    per_class: Count | None = None,
    soft: bool = True,
    batch_size: Count = 64,
    ask: Callable[[nn.Module, Tensor], Tensor] = teacher_probabilities,
    seed: Seed = 0,
    fabric: Fabric | None = None,
    directory: str | Path | None = None,
) -> tuple[nn.Module, list[Round]]:
    """Teacher → pseudo-labels → noised student → the student is the next teacher, if it is better.

    The teacher labels clean images in evaluation mode; only the student is noised: by `augment`,
    and by whatever dropout and stochastic depth it was built with.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import Recipe
    >>> from cvcourse.train.noisy_student import noisy_student
    >>> images = render(60)
    >>> labeled, unlabeled, validation = images[:20], images[20:40], images[40:]
    >>> teacher = standardized(SingleLayer, labeled).eval()
    >>> new_student = lambda number: standardized(SingleLayer, labeled)
    >>> sets = (labeled, unlabeled, validation)
    >>> best, made = noisy_student(teacher, new_student, *sets, Recipe(epochs=1), rounds=2)
    >>> [one.number for one in made], made[0].coverage
    ([1, 2], 1.0)

    Args:
        teacher: trained on `labeled`, in evaluation mode.
        new_student: round (from 1) → an untrained student, as large as the teacher or larger. It is
            called with the random states seeded.
        labeled: images with labels.
        unlabeled: images whose labels are not looked at.
        validation: decides, after every round, whether the student becomes the teacher; None: it
            does, as in the paper.
        recipe: of each student's training; an epoch is a pass over the pseudo-labelled images.
        rounds: how many, at least 1.
        augment: the student's input noise.
        threshold: the least probability of a pseudo-label to be used, 0 to 1.
        per_class: balance the pseudo-classes at so many images each; see `pseudo_labels`.
        soft: train on the teacher's probabilities; otherwise on its classes.
        batch_size: labelled images a step, beside the recipe's pseudo-labelled ones.
        ask: (teacher, images) → (N, n_classes) probabilities. Another than the default is for
            experiments such as a noised teacher.
        seed: of all randomness.
        fabric: see `fit`.
        directory: to write checkpoints to, one a round. A run that was killed, in a round or
            between two, goes on from there to the same end, or to more rounds.

    Returns:
        The last teacher, and what each round came to.

    Raises:
        ValueError: the teacher is in training mode, no pseudo-label reaches the threshold, there
            are no images without a label, the sets' classes differ, or rounds is below 1.
        CheckpointError: a file in the directory is from another run.
    """
    check_same_classes("unlabeled", unlabeled, "labeled", labeled)
    if validation is not None:
        check_same_classes("validation", validation, "labeled", labeled)
        check_labeled("validation", validation)
    if directory is not None:
        _belongs(
            Path(directory) / "rounds.ckpt",
            teacher=teacher,
            new_student=new_student,
            labeled=labeled,
            unlabeled=unlabeled,
            validation=validation,
            recipe=recipe,
            augment=augment,
            threshold=threshold,
            per_class=per_class,
            soft=soft,
            batch_size=batch_size,
            ask=ask,
            seed=seed,
        )
    best, made = _score(teacher, validation), []
    for number in progress(range(1, rounds + 1), desc="rounds"):
        own_seed = 1000 * seed + number
        probabilities = ask(teacher, unlabeled.images)  # (N, n_classes)
        train, soft_labels = pseudo_labels(
            unlabeled, probabilities, threshold=threshold, per_class=per_class
        )
        with seeded(own_seed):
            student = new_student(number)
        fit(
            student,
            train,
            recipe,
            validation=validation if recipe.patience else None,
            step=self_training(
                labeled, soft_labels if soft else None, batch_size=batch_size, augment=augment
            ),
            seed=own_seed,
            fabric=fabric,
            checkpoint=None if directory is None else Path(directory) / f"round_{number}.ckpt",
        )
        score = _score(student, validation)
        accepted = best is None or score is None or score > best
        made.append(Round(number, coverage(probabilities, threshold), best, score, accepted))
        if accepted:
            teacher, best = student, score
    return teacher, made


def _score(model: nn.Module, validation: ImageSet | None) -> float | None:
    return None if validation is None else accuracy(model, validation)


def _belongs(path: Path, **given: Any) -> None:
    """Refuse a directory of other rounds; mark a new one as that of these."""
    identity = {name: describe(value) for name, value in given.items()}
    if path.exists():
        load_checkpoint(path, identity)
    else:
        save_checkpoint(path, identity, {})
