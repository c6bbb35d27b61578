"""The training loop: one for everything in the course.

What differs between supervised training, distillation and self-training is a *step*: a function
from the model and a batch to a loss and metrics. Device, precision and processes are Lightning
Fabric's. The images stay on the device as bytes; nothing is loaded while training.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from cvcourse.checks import Count, Seed, checked, recording
from cvcourse.data import ImageSet
from cvcourse.files import check_writable
from cvcourse.progress import progress
from cvcourse.random_state import seeded
from cvcourse.train import checkpoint as checkpoints
from cvcourse.train.capture import Captured
from cvcourse.train.evaluate import evaluate
from cvcourse.train.identity import describe
from cvcourse.train.look import check_labeled, check_same_classes, groups_of, logits_of, look
from cvcourse.train.recipe import Recipe, learning_rates
from cvcourse.train.step import Augment, Batch, Step, augmented, loss_and_metrics, supervised

CHECK_EVERY = 50  #: steps between looks at the loss; on a GPU each look waits for the device


class DivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class History(list[dict[str, float]]):
    """One row an epoch: epoch, learning_rate, loss, the step's metrics, validation_*.

    >>> from cvcourse.train import History
    >>> History([{"epoch": 1, "loss": 2.3}, {"epoch": 2, "loss": 1.9}]).column("loss")
    [2.3, 1.9]
    """

    interrupted: bool = False  #: whether Ctrl-C ended the run early, see `fit(keep_interrupted=…)`

    @checked
    def column(self, name: str) -> list[float]:
        """One quantity over the epochs.

        Raises:
            KeyError: nobody measured it.
        """
        if self and name not in self[0]:
            raise KeyError(f"no column {name!r}; there are {', '.join(self[0])}")
        return [row[name] for row in self]


@checked
def fit(
    model: nn.Module,
    train: ImageSet,
    recipe: Recipe | None = None,
    *,
    validation: ImageSet | None = None,
    step: Step = supervised,
    augment: Augment | None = None,
    parameters: list[dict[str, Any]] | None = None,
    seed: Seed = 0,
    fabric: Fabric | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: Count | None = None,
    keep_interrupted: bool = False,
) -> History:
    """Train `model` in place.

    On the CPU the same seed, model and thread count give the same weights, bit for bit, whether the
    run went through or was killed and taken up again. The global random states (dropout draws from
    torch's) are seeded inside and put back afterwards.

    >>> from cvcourse.data import render
    >>> from cvcourse.models import SingleLayer, standardized
    >>> from cvcourse.train import Recipe, fit
    >>> train = render(20)
    >>> model = standardized(SingleLayer, train)
    >>> history = fit(model, train, Recipe(epochs=2, batch_size=10))
    >>> [row["epoch"] for row in history]
    [1.0, 2.0]
    >>> sorted(history[-1])
    ['accuracy', 'epoch', 'learning_rate', 'loss']

    Args:
        model: maps (B, C, H, W) uint8 to what the step expects; see `standardized`.
        train: the training images.
        recipe: the numbers; `Recipe()` when left out.
        validation: measured after every epoch.
        step: (model, batch) → (loss, metrics). The default is supervised training.
        augment: (images, generator) → images, on the device.
        parameters: optimiser groups; every parameter that requires a gradient when left out.
        seed: of the order of the images, the augmentation and dropout.
        fabric: where to run, launched; when left out, one CUDA device, or the CPU where there is
            none (an Apple GPU has to be asked for). With several processes each takes an equal part
            of every batch, and batch norm sees its own part only.
        checkpoint: a file to write the run's state to after every epoch, and on Ctrl-C. If it
            exists, the run goes on from there; if it holds the end of the run, nothing is trained.
        checkpoint_every: steps between checkpoints, in addition.
        keep_interrupted: on Ctrl-C, return with what was learned so far (the history says
            `interrupted`) instead of raising KeyboardInterrupt.

    Returns:
        The history; the model is left on the device, in evaluation mode.

    Raises:
        TypeError: an argument, or what the step or the augmentation returns, is of another kind.
        ValueError: an empty training or validation set; images that the model cannot take, labels
            or outputs that do not fit the classes, nothing to train, foreign parameters; patience
            without a validation set, another precision of the fabric than of the recipe, or a
            batch that the processes cannot share equally.
        OSError: the checkpoint cannot be written; found out before anything is trained.
        CheckpointError: the checkpoint is damaged, or of another run: another value of anything
            that is given here.
        KeyboardInterrupt: Ctrl-C; the checkpoint is written first.
        DivergedError: the loss became infinite or NaN.
        torch.OutOfMemoryError: with the batch size and what to try.
    """
    recipe = recipe or Recipe()
    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    fabric = fabric or Fabric(accelerator=accelerator, devices=1, precision=recipe.precision)
    _check(train, recipe, validation, fabric)
    groups = groups_of(model, parameters)
    run = Run(model, train, recipe, validation, step, augment, groups, seed, fabric)
    if checkpoint is not None:
        run.checkpoint = check_writable(checkpoint)
        run.checkpoint_every = checkpoint_every or run.steps_per_epoch
        run.identity = {
            "recipe": describe(recipe),
            "seed": seed,
            "train": describe(train),
            "validation": describe(validation),
            "step": describe(step),
            "augment": describe(augment),
            "model": describe(model),
            "parameters": describe(parameters and groups),
            "device": fabric.device.type,
            "processes": fabric.world_size,
        }
    with (
        seeded(seed + fabric.global_rank),
        progress(total=run.total_steps, quiet=not fabric.is_global_zero) as bar,
    ):
        run.look()
        checkpoints.resume(run)
        try:
            run.advance(bar)
        except KeyboardInterrupt:
            if not keep_interrupted:
                raise
            run.history.interrupted = True
        except torch.OutOfMemoryError as error:
            raise torch.OutOfMemoryError(
                f"out of memory at batch_size={recipe.batch_size}; try half of it, or "
                "precision='bf16-mixed'"
            ) from error
    return run.finish()


def _check(train: ImageSet, recipe: Recipe, validation: ImageSet | None, fabric: Fabric) -> None:
    if not len(train):
        raise ValueError("the training set is empty; give fit at least one image as `train`")
    if validation is not None:
        if not len(validation):
            raise ValueError("the validation set is empty; give an image, or no `validation`")
        check_labeled("validation", validation)
        check_same_classes("validation", validation, "train", train)
    elif recipe.patience is not None:
        raise ValueError("Recipe.patience needs a validation set; pass validation=…")
    on_cpu = fabric.device.type == "cpu"  # where Fabric has no 16-mixed
    precision, wanted = fabric.strategy.precision.precision, recipe.precision
    if precision != ("bf16-mixed" if wanted == "16-mixed" and on_cpu else wanted):
        raise ValueError(
            f"the fabric's precision is {precision!r}, the recipe's {wanted!r}; give both the same"
        )
    batch_size, world = min(recipe.batch_size, len(train)), fabric.world_size
    if batch_size % world:
        raise ValueError(
            f"a batch of {batch_size} cannot be shared equally by {world} processes; choose a "
            f"batch_size that {world} divides"
        )


class Run:
    """The state of a training run: all that changes from step to step. See `fit`."""

    def __init__(
        self,
        model: nn.Module,
        train: ImageSet,
        recipe: Recipe,
        validation: ImageSet | None,
        step: Step,
        augment: Augment | None,
        groups: list[dict[str, Any]],
        seed: int,
        fabric: Fabric,
    ) -> None:
        device = fabric.device
        self.fabric, self.recipe, self.seed = fabric, recipe, seed
        self.step, self.augment = step, augment
        self.train = train.to(device)
        self.validation = validation.to(device) if validation is not None else None
        self.unlabeled = int((train.labels < 0).sum())
        self.batch_size = min(recipe.batch_size, len(train))
        self.steps_per_epoch = len(train) // self.batch_size
        self.total_steps = recipe.epochs * self.steps_per_epoch

        self.model = model.to(device)
        if any(isinstance(module, nn.Conv2d) for module in model.modules()):
            # NHWC in memory, which the maps then follow: half again as fast on a CPU.
            model.to(memory_format=torch.channels_last)
        optimizer = recipe.build_optimizer(groups)
        runnable = cast(nn.Module, torch.compile(model)) if recipe.compile else model
        self.wrapped, self.optimizer = fabric.setup(runnable, optimizer)
        self.scheduler = recipe.build_scheduler(optimizer, self.total_steps)
        self.average: AveragedModel | None = None
        if recipe.ema_decay:
            self.average = AveragedModel(model, multi_avg_fn=self.blend, use_buffers=True)
            self.average.n_averaged = self.average.n_averaged.cpu()  # it asks every time if it is 0

        self.generator = torch.Generator(device).manual_seed(seed + fabric.global_rank)
        self.captured: Captured | None = None
        if recipe.capture and device.type == "cuda":
            self.captured = Captured(self.descend, self.optimizer, self.generator)
        self.done = 0  # steps behind us
        self.sums: dict[str, Tensor] = {}  # of the loss and metrics over this epoch
        self.recent: list[tuple[float, Tensor]] = []  # rate and loss of steps not yet looked at
        self.history = History()
        self.best: tuple[float, dict[str, Tensor]] | None = None  # validation accuracy, weights
        self.checkpoint: Path | None = None
        self.checkpoint_every = self.steps_per_epoch
        self.identity: dict[str, Any] = {}  # what makes another run the same one

    def look(self) -> None:
        """Send two images of each set through the model, before anything is trained."""
        spare = torch.Generator(self.train.device)  # the run's own draws nothing here
        look(self.model, augmented(self.augment, self.train.images[:2], spare))
        if self.validation is not None:
            ask = partial(logits_of, n_classes=self.validation.n_classes)
            look(self.model, self.validation.images, ask)

    def advance(self, bar: tqdm) -> None:
        """Train from wherever the run stands to its end."""
        bar.update(self.done)
        with _between_steps(self.fabric.world_size) as interrupted:
            while self.done < self.total_steps and not self.out_of_patience():
                epoch, first = divmod(self.done, self.steps_per_epoch)
                self.wrapped.train()
                for indices in self.batches(epoch, first):
                    self.add(self.optimize(indices))
                    self.done += 1
                    bar.update()
                    last, stop = self.done % self.steps_per_epoch == 0, interrupted()
                    saving = last or stop or self.done % self.checkpoint_every == 0
                    if saving or self.done % CHECK_EVERY == 0:
                        self.check_finite()
                    if last:
                        self.end_epoch(epoch, bar)
                    if saving:
                        checkpoints.save(self)
                    if stop:
                        raise KeyboardInterrupt

    def batches(self, epoch: int, first: int) -> Iterator[Tensor]:
        """The images' numbers in this process's share of the batches, from that numbered `first`.

        Each epoch has an order of its own; images left over at its end wait for another.
        """
        order = torch.Generator().manual_seed(hash((self.seed, epoch)))
        drawn = torch.randperm(len(self.train), generator=order).to(self.train.device)
        rank, world = self.fabric.global_rank, self.fabric.world_size
        for whole in drawn.split(self.batch_size)[first : self.steps_per_epoch]:
            yield whole[rank::world]

    def batch(self, indices: Tensor) -> Batch:
        """What a step is given of the images of these numbers."""
        return Batch(
            augmented(self.augment, self.train.images[indices], self.generator),
            self.train.labels[indices],
            indices,
            self.generator,
            progress=None if recording(indices) else self.done / self.total_steps,
            n_images=len(self.train),
            n_classes=self.train.n_classes,
            unlabeled=self.unlabeled,
        )

    def optimize(self, indices: Tensor) -> dict[str, Tensor]:
        """One step on the images of these numbers; the loss and the metrics on the way."""
        metrics = (self.captured or self.descend)(indices)
        self.recent.append((learning_rates(self.optimizer)[0], metrics["loss"]))
        self.scheduler.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return metrics

    def descend(self, indices: Tensor) -> dict[str, Tensor]:
        """What of a step can be recorded and played: from the images' numbers to new weights."""
        loss, metrics = loss_and_metrics(self.step(self.wrapped, self.batch(indices)))
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        if self.recipe.clip_norm is not None:
            self.fabric.clip_gradients(
                self.wrapped,
                self.optimizer,
                max_norm=self.recipe.clip_norm,
                error_if_nonfinite=False,  # check_finite says more
            )
        self.optimizer.step()
        return metrics

    def blend(self, averages: Any, values: Any, count: object) -> None:
        """Move the average towards the weights; while few steps are behind it, by more.

        So a run that is short beside the average's memory does not end near where it began.
        """
        decay = min(self.recipe.ema_decay or 0.0, (1 + self.done) / (10 + self.done))
        get_ema_multi_avg_fn(decay)(averages, values, count)

    def add(self, metrics: dict[str, Tensor]) -> None:
        """Add a step's metrics to the epoch's sums; they stay on the device."""
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def check_finite(self) -> None:
        """Stop a run that has diverged, and say where."""
        rates, losses = zip(*self.recent, strict=True)
        self.recent = []
        numbers = torch.stack(losses).isfinite().tolist()
        if not all(numbers):
            first = numbers.index(False)
            raise DivergedError(
                f"the loss became {losses[first].item()} at step "
                f"{self.done - len(numbers) + first + 1} of {self.total_steps}, at learning rate "
                f"{rates[first]:.3g}; try a lower learning_rate or clip_norm=1.0"
            )

    def end_epoch(self, epoch: int, bar: tqdm) -> None:
        """Write the epoch's row of history, and remember the weights if they are the best."""
        row = {"epoch": float(epoch + 1), "learning_rate": learning_rates(self.optimizer)[0]}
        for name, total in self.sums.items():
            mean = self.fabric.all_reduce(total / self.steps_per_epoch, reduce_op="mean")
            row[name] = cast(Tensor, mean).item()
        self.sums = {}
        if self.validation is not None:
            self.agree()
            measured = evaluate(self.current(), self.validation)
            row |= {f"validation_{name}": value for name, value in measured.items()}
        self.history.append(row)
        shown = {k: f"{v:.3g}" for k, v in row.items() if k.endswith(("loss", "accuracy"))}
        bar.set_postfix(shown, refresh=False)
        if self.recipe.patience and (not self.best or row["validation_accuracy"] > self.best[0]):
            weights = {k: v.detach().clone() for k, v in self.current().state_dict().items()}
            self.best = (row["validation_accuracy"], weights)

    def agree(self) -> None:
        """Give every process the first one's buffers: batch norm averages over a process's images.

        Otherwise each would measure a model of its own, and stop when its own patience ends.
        """
        if self.fabric.world_size > 1:
            for buffer in self.current().buffers():
                torch.distributed.broadcast(buffer, src=0)

    def out_of_patience(self) -> bool:
        """Whether too many epochs have passed since the best one."""
        if not self.recipe.patience or not self.history:
            return False
        scores = self.history.column("validation_accuracy")
        return len(scores) - 1 - scores.index(max(scores)) >= self.recipe.patience

    def current(self) -> nn.Module:
        """The model as it would be handed over now: the averaged one where there is one."""
        return self.model if self.average is None else self.average.module

    def finish(self) -> History:
        """Leave the weights to keep in the caller's model."""
        if self.best is not None:
            self.model.load_state_dict(self.best[1])
        elif self.average is not None and self.done:
            self.model.load_state_dict(self.average.module.state_dict())
        self.model.eval()
        return self.history


@contextmanager
def _between_steps(processes: int) -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C wait for the end of a step, where a run can be put down; a second one does not.

    Several processes would not stop after the same step, so there it does not wait.
    """
    pressed: list[int] = []

    def note(number: int, frame: object) -> None:
        pressed.append(number)
        if len(pressed) > 1:
            raise KeyboardInterrupt

    ours = (
        processes == 1
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
