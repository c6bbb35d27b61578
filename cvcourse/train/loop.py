"""The training loop: one for everything in the course.

What differs between supervised training, distillation and self-training is a *step*: a function
from the model and a batch to a loss and metrics. Device, precision and processes are Lightning
Fabric's. The images stay on the device as bytes; nothing is loaded while training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from cvcourse.data import ImageSet
from cvcourse.progress import progress
from cvcourse.random_state import seeded
from cvcourse.train.optim import Recipe
from cvcourse.train.run import Augment, Batch, History, Run, Step


def supervised(
    model: nn.Module, batch: Batch, *, label_smoothing: float = 0.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """The plain step: cross-entropy on the labels, in nats."""
    logits = model(batch.images)  # (B, n_classes)
    loss = F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
    return loss, {"accuracy": (logits.argmax(dim=1) == batch.labels).float().mean()}


def fit(
    model: nn.Module,
    train: ImageSet,
    recipe: Recipe | None = None,
    *,
    validation: ImageSet | None = None,
    step: Step = supervised,
    augment: Augment | None = None,
    parameters: list[dict[str, Any]] | None = None,
    seed: int = 0,
    fabric: Fabric | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
) -> History:
    """Train `model` in place.

    On the CPU the same seed, model and thread count give the same weights, bit for bit, whether the
    run went through or was killed and taken up again. The global random states (dropout draws from
    torch's) are seeded inside and put back afterwards.

    Args:
        model: maps (B, C, H, W) uint8 to what the step expects; see `standardized`.
        train: the training images.
        recipe: the numbers; `Recipe()` when left out.
        validation: measured after every epoch.
        step: (model, batch) → (loss, metrics). The default is supervised training.
        augment: (images, generator) → images, on the device.
        parameters: optimiser groups; every parameter that requires a gradient when left out.
        seed: of the order of the images, the augmentation and dropout.
        fabric: where to run, launched; one device, a GPU where there is one, when left out. With
            several processes each takes an equal part of every batch, and batch norm sees its own
            part only.
        checkpoint: a file to write the run's state to after every epoch. If it exists, the run goes
            on from there; if it holds the end of the run, nothing is trained.
        checkpoint_every: steps between checkpoints, in addition.

    Returns:
        The history; the model is left on the device, in evaluation mode.

    Raises:
        ValueError: an empty training set, patience without a validation set, or a batch that the
            processes cannot share equally.
        CheckpointError: the checkpoint is damaged, or of another run.
        DivergedError: the loss became infinite or NaN.
        torch.OutOfMemoryError: with the batch size and what to try.
    """
    recipe = recipe or Recipe()
    fabric = fabric or Fabric(devices=1, precision=recipe.precision)
    _check(train, recipe, validation, fabric, checkpoint_every)
    run = Run(model, train, recipe, validation, step, augment, parameters, seed, fabric)
    if checkpoint is not None:
        run.checkpoint = Path(checkpoint)
        run.checkpoint_every = checkpoint_every or run.steps_per_epoch
    with (
        seeded(seed + fabric.global_rank),
        progress(total=run.total_steps, quiet=not fabric.is_global_zero) as bar,
    ):
        run.resume()
        try:
            run.advance(bar)
        except KeyboardInterrupt:
            run.history.interrupted = True
        except torch.OutOfMemoryError as error:
            raise torch.OutOfMemoryError(
                f"out of memory at batch_size={recipe.batch_size}; try half of it, or "
                "precision='bf16-mixed'"
            ) from error
    return run.finish()


def _check(
    train: ImageSet,
    recipe: Recipe,
    validation: ImageSet | None,
    fabric: Fabric,
    checkpoint_every: int | None,
) -> None:
    if not len(train):
        raise ValueError("the training set is empty; give fit at least one image")
    if recipe.patience is not None and validation is None:
        raise ValueError("Recipe.patience needs a validation set; pass validation=…")
    batch_size, world = min(recipe.batch_size, len(train)), fabric.world_size
    if batch_size % world:
        raise ValueError(
            f"a batch of {batch_size} cannot be shared equally by {world} processes; choose a "
            f"batch_size that {world} divides"
        )
    if checkpoint_every is not None and checkpoint_every < 1:
        raise ValueError(f"checkpoint_every is {checkpoint_every}; expected at least 1 step")
