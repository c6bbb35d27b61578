"""The training loop: one for everything in the course.

What differs between supervised training, distillation and self-training is a *step*: a function
from the model and a batch to a loss and metrics. Device, precision and processes are Lightning
Fabric's. The images stay on the device as bytes; nothing is loaded while training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from cvcourse.data import ImageSet
from cvcourse.train.evaluate import evaluate
from cvcourse.train.optim import Recipe, learning_rates

CHECK_EVERY = 50  #: steps between looks at the loss; on a GPU each look waits for the device


@dataclass
class Batch:
    """What a step is given.

    Attributes:
        images: (B, C, H, W) uint8, or what the augmentation made of them.
        labels: (B,) int64.
        indices: (B,) int64, where these images stand in the training set.
        generator: on the images' device, for every random choice of a step.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    generator: torch.Generator


Step = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]
Augment = Callable[[Tensor, torch.Generator], Tensor]


class DivergedError(RuntimeError):
    """The loss is no longer a finite number."""


def supervised(
    model: nn.Module, batch: Batch, *, label_smoothing: float = 0.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """The plain step: cross-entropy on the labels, in nats."""
    logits = model(batch.images)  # (B, n_classes)
    loss = F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
    return loss, {"accuracy": (logits.argmax(dim=1) == batch.labels).float().mean()}


class History(list[dict[str, float]]):
    """One row an epoch: epoch, learning_rate, loss, the step's metrics, validation_*."""

    interrupted: bool = False  #: whether Ctrl-C ended the run early

    def column(self, name: str) -> list[float]:
        """One quantity over the epochs."""
        return [row[name] for row in self]


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
) -> History:
    """Train `model` in place.

    On the CPU the same seed, model and thread count give the same weights, bit for bit. Torch's
    global random state (dropout draws from it) is seeded inside and put back afterwards.

    Args:
        model: maps (B, C, H, W) uint8 to what the step expects; see `standardized`.
        train: the training images.
        recipe: the numbers; `Recipe()` when left out.
        validation: measured after every epoch.
        step: (model, batch) → (loss, metrics). The default is supervised training.
        augment: (images, generator) → images, on the device.
        parameters: optimiser groups; every parameter that requires a gradient when left out.
        seed: of the order of the images, the augmentation and dropout.
        fabric: where to run; one device, a GPU where there is one, when left out.

    Returns:
        The history; the model is left on the device, in evaluation mode.

    Raises:
        ValueError: an empty training set, or patience without a validation set.
        DivergedError: the loss became infinite or NaN.
        torch.OutOfMemoryError: with the batch size and what to try.
    """
    run = _Run(
        model, train, recipe or Recipe(), validation, step, augment, parameters, seed, fabric
    )
    with torch.random.fork_rng(), tqdm(total=run.total_steps, delay=2, leave=False) as bar:
        torch.manual_seed(seed)
        try:
            for epoch in range(run.recipe.epochs):
                run.train_epoch(epoch, bar)
                if run.should_stop():
                    break
        except KeyboardInterrupt:
            run.history.interrupted = True
        except torch.OutOfMemoryError as error:
            raise torch.OutOfMemoryError(
                f"out of memory at batch_size={run.recipe.batch_size}; try half of it, or "
                "precision='bf16-mixed'"
            ) from error
    run.finish()
    return run.history


class _Run:
    """The state of one training run: all that changes from step to step."""

    def __init__(
        self,
        model: nn.Module,
        train: ImageSet,
        recipe: Recipe,
        validation: ImageSet | None,
        step: Step,
        augment: Augment | None,
        parameters: list[dict[str, Any]] | None,
        seed: int,
        fabric: Fabric | None,
    ) -> None:
        if not len(train):
            raise ValueError("the training set is empty; give fit at least one image")
        if recipe.patience is not None and validation is None:
            raise ValueError("Recipe.patience needs a validation set; pass validation=…")
        self.fabric = fabric or Fabric(devices=1, precision=recipe.precision)
        self.recipe, self.step, self.augment, self.seed = recipe, step, augment, seed
        self.model, device = model.to(self.fabric.device), self.fabric.device
        self.train = train.to(device)
        self.validation = validation.to(device) if validation else None
        self.batch_size = min(recipe.batch_size, len(train))
        self.steps_per_epoch = len(train) // self.batch_size
        self.total_steps = recipe.epochs * self.steps_per_epoch
        groups = parameters or [{"params": [p for p in model.parameters() if p.requires_grad]}]
        if recipe.channels_last:
            model.to(memory_format=torch.channels_last)
        optimizer: Optimizer = recipe.build_optimizer(groups)
        runnable = cast(nn.Module, torch.compile(model)) if recipe.compile else model
        self.wrapped, self.optimizer = self.fabric.setup(runnable, optimizer)
        self.scheduler: LRScheduler = recipe.build_scheduler(optimizer, self.total_steps)
        self.average = (
            AveragedModel(
                model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
            )
            if recipe.ema_decay
            else None
        )
        self.generator = torch.Generator(device).manual_seed(seed)
        self.history = History()
        self.best: tuple[float, dict[str, Tensor]] | None = None

    def train_epoch(self, epoch: int, bar: tqdm) -> None:
        """Every image once, in an order of this epoch's own; then one row of history."""
        self.wrapped.train()
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(self.batches(epoch), start=1):
            loss, metrics = self.optimize(batch)
            for name, value in {"loss": loss, **metrics}.items():
                sums[name] = sums.get(name, 0) + value.detach()
            if number % CHECK_EVERY == 0 or number == self.steps_per_epoch:
                self.check_finite(sums["loss"], epoch * self.steps_per_epoch + number)
            bar.update()
        row = {"epoch": float(epoch + 1), "learning_rate": learning_rates(self.optimizer)[0]}
        row |= {name: (total / self.steps_per_epoch).item() for name, total in sums.items()}
        if self.validation is not None:
            measured = evaluate(self.current(), self.validation)
            row |= {f"validation_{name}": value for name, value in measured.items()}
        self.history.append(row)
        bar.set_postfix(
            {k: f"{v:.3g}" for k, v in row.items() if k.endswith(("loss", "accuracy"))},
            refresh=False,
        )

    def batches(self, epoch: int) -> Iterator[Batch]:
        """This process's share of each batch; images left over at an epoch's end wait a turn."""
        order = torch.randperm(
            len(self.train), generator=torch.Generator().manual_seed(hash((self.seed, epoch)))
        )
        rank, world = self.fabric.global_rank, self.fabric.world_size
        for start in range(0, self.steps_per_epoch * self.batch_size, self.batch_size):
            indices = order[start + rank : start + self.batch_size : world].to(self.train.device)
            images = self.train.images[indices]
            if self.augment is not None:
                images = self.augment(images, self.generator)
            if self.recipe.channels_last:
                images = images.contiguous(memory_format=torch.channels_last)
            yield Batch(images, self.train.labels[indices], indices, self.generator)

    def optimize(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """One step down the gradient."""
        loss, metrics = self.step(self.wrapped, batch)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        if self.recipe.clip_norm is not None:
            self.fabric.clip_gradients(
                self.wrapped,
                self.optimizer,
                max_norm=self.recipe.clip_norm,
                error_if_nonfinite=False,
            )
        self.optimizer.step()
        self.scheduler.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return loss, metrics

    def check_finite(self, total: Tensor, step: int) -> None:
        """Stop a run that has diverged, and say where."""
        if not math.isfinite(total.item()):
            rate = learning_rates(self.optimizer)[0]
            raise DivergedError(
                f"the loss became {total.item()} within the {CHECK_EVERY} steps before step {step} "
                f"of {self.total_steps}, at learning rate {rate:.3g}; try a lower learning_rate or "
                "clip_norm=1.0"
            )

    def current(self) -> nn.Module:
        """The model as it would be handed over now: the averaged one where there is one."""
        return self.model if self.average is None else self.average.module

    def should_stop(self) -> bool:
        """Whether patience has run out; remembers the best weights on the way."""
        if self.recipe.patience is None:
            return False
        scores = self.history.column("validation_accuracy")
        if self.best is None or scores[-1] > self.best[0]:
            weights = {k: v.detach().clone() for k, v in self.current().state_dict().items()}
            self.best = (scores[-1], weights)
        return len(scores) - 1 - scores.index(max(scores)) >= self.recipe.patience

    def finish(self) -> None:
        """Leave the weights to keep in the caller's model."""
        if self.best is not None:
            self.model.load_state_dict(self.best[1])
        elif self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
        self.model.eval()
