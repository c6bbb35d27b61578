"""One training run from its first step to its last, and how it is put down and taken up again."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from cvcourse.data import ImageSet
from cvcourse.random_state import get_random_states, set_random_states
from cvcourse.train.checkpoint import load_checkpoint, save_checkpoint
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
        generator: on the images' device, for every random choice of a step. Its state is part of
            the checkpoint; a step that draws from other images (see `pseudo_label`) draws with it.
        progress: how much of the run lies behind, from 0 to 1, for whatever a step ramps up.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    generator: torch.Generator
    progress: float = 0.0


Step = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]
Augment = Callable[[Tensor, torch.Generator], Tensor]


class DivergedError(RuntimeError):
    """The loss is no longer a finite number."""


class History(list[dict[str, float]]):
    """One row an epoch: epoch, learning_rate, loss, the step's metrics, validation_*."""

    interrupted: bool = False  #: whether Ctrl-C ended the run early

    def column(self, name: str) -> list[float]:
        """One quantity over the epochs."""
        return [row[name] for row in self]


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
        parameters: list[dict[str, Any]] | None,
        seed: int,
        fabric: Fabric,
    ) -> None:
        device = fabric.device
        self.fabric, self.recipe, self.seed = fabric, recipe, seed
        self.step, self.augment = step, augment
        self.train = train.to(device)
        self.validation = validation.to(device) if validation else None
        self.batch_size = min(recipe.batch_size, len(train))
        self.steps_per_epoch = len(train) // self.batch_size
        self.total_steps = recipe.epochs * self.steps_per_epoch

        self.model = model.to(device)
        if any(isinstance(module, nn.Conv2d) for module in model.modules()):
            # NHWC in memory, which the maps then follow: half again as fast on a CPU.
            model.to(memory_format=torch.channels_last)
        groups = parameters or [{"params": [p for p in model.parameters() if p.requires_grad]}]
        optimizer = recipe.build_optimizer(groups)
        runnable = cast(nn.Module, torch.compile(model)) if recipe.compile else model
        self.wrapped, self.optimizer = fabric.setup(runnable, optimizer)
        self.scheduler = recipe.build_scheduler(optimizer, self.total_steps)
        self.average: AveragedModel | None = None
        if recipe.ema_decay:
            averaging = get_ema_multi_avg_fn(recipe.ema_decay)
            self.average = AveragedModel(model, multi_avg_fn=averaging, use_buffers=True)

        self.generator = torch.Generator(device).manual_seed(seed + fabric.global_rank)
        self.done = 0  # steps behind us
        self.sums: dict[str, Tensor] = {}  # of the loss and metrics over this epoch
        self.history = History()
        self.best: tuple[float, dict[str, Tensor]] | None = None  # validation accuracy, weights
        self.checkpoint: Path | None = None
        self.checkpoint_every = self.steps_per_epoch

    def advance(self, bar: tqdm) -> None:
        """Train from wherever the run stands to its end."""
        bar.update(self.done)
        while self.done < self.total_steps and not self.out_of_patience():
            epoch, first = divmod(self.done, self.steps_per_epoch)
            self.wrapped.train()
            for batch in self.batches(epoch, first):
                self.add(self.optimize(batch))
                self.done += 1
                bar.update()
                last = self.done % self.steps_per_epoch == 0
                if last or self.done % CHECK_EVERY == 0:
                    self.check_finite()
                if last:
                    self.end_epoch(epoch, bar)
                if self.done % self.checkpoint_every == 0 or last:
                    self.save()

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """This process's share of the epoch's batches, from the one numbered `first`.

        Each epoch has an order of its own; images left over at its end wait for another.
        """
        order = torch.Generator().manual_seed(hash((self.seed, epoch)))
        batches = torch.randperm(len(self.train), generator=order).split(self.batch_size)
        rank, world = self.fabric.global_rank, self.fabric.world_size
        for whole in batches[first : self.steps_per_epoch]:
            indices = whole[rank::world].to(self.train.device)
            images = self.train.images[indices]
            if self.augment is not None:
                images = self.augment(images, self.generator)
            progress = self.done / self.total_steps
            yield Batch(images, self.train.labels[indices], indices, self.generator, progress)

    def optimize(self, batch: Batch) -> dict[str, Tensor]:
        """One step down the gradient; the loss and the metrics on the way."""
        loss, metrics = self.step(self.wrapped, batch)
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
        self.scheduler.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return {"loss": loss, **metrics}

    def add(self, metrics: dict[str, Tensor]) -> None:
        """Add a step's metrics to the epoch's sums; they stay on the device."""
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value.detach()

    def check_finite(self) -> None:
        """Stop a run that has diverged, and say where."""
        total = self.sums["loss"].item()
        if not math.isfinite(total):
            since = (self.done - 1) // CHECK_EVERY * CHECK_EVERY
            rate = learning_rates(self.optimizer)[0]
            raise DivergedError(
                f"the loss became {total} between steps {since} and {self.done} of "
                f"{self.total_steps}, at learning rate {rate:.3g}; try a lower learning_rate or "
                "clip_norm=1.0"
            )

    def end_epoch(self, epoch: int, bar: tqdm) -> None:
        """Write the epoch's row of history, and remember the weights if they are the best."""
        row = {"epoch": float(epoch + 1), "learning_rate": learning_rates(self.optimizer)[0]}
        for name, total in self.sums.items():
            mean = self.fabric.all_reduce(total / self.steps_per_epoch, reduce_op="mean")
            row[name] = cast(Tensor, mean).item()
        self.sums = {}
        if self.validation is not None:
            measured = evaluate(self.current(), self.validation)
            row |= {f"validation_{name}": value for name, value in measured.items()}
        self.history.append(row)
        shown = {k: f"{v:.3g}" for k, v in row.items() if k.endswith(("loss", "accuracy"))}
        bar.set_postfix(shown, refresh=False)
        if self.recipe.patience and (not self.best or row["validation_accuracy"] > self.best[0]):
            weights = {k: v.detach().clone() for k, v in self.current().state_dict().items()}
            self.best = (row["validation_accuracy"], weights)

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

    # Down and up again.

    def identity(self) -> dict[str, Any]:
        """What makes another run the same one."""
        shapes = {name: list(value.shape) for name, value in self.model.state_dict().items()}
        pixels, labels = _checksum(self.train.images), _checksum(self.train.labels)
        return {
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "data": f"{len(self.train)} images, checksum {pixels:08x}-{labels:08x}",
            "model": f"{len(shapes)} tensors, checksum {zlib.crc32(repr(shapes).encode()):08x}",
            "processes": self.fabric.world_size,
        }

    def save(self) -> None:
        """Write everything down, random states of every process included."""
        if self.checkpoint is None:
            return
        randoms: list[Any] = [None] * self.fabric.world_size
        own = {"global": get_random_states(), "own": self.generator.get_state()}
        if self.fabric.world_size > 1:
            torch.distributed.all_gather_object(randoms, own)
        else:
            randoms = [own]
        if self.fabric.is_global_zero:
            state = {
                "model": self.model.state_dict(),
                "average": self.average.state_dict() if self.average is not None else None,
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.scheduler.state_dict(),
                "precision": self.fabric.strategy.precision.state_dict(),
                "randoms": randoms,
                "done": self.done,
                "sums": self.sums,
                "history": list(self.history),
                "best": self.best,
            }
            save_checkpoint(self.checkpoint, self.identity(), state)

    def resume(self) -> None:
        """Take the run up where its checkpoint put it down, if there is one."""
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        state = load_checkpoint(self.checkpoint, self.identity())
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        randoms = state["randoms"][self.fabric.global_rank]
        set_random_states(randoms["global"])
        self.generator.set_state(randoms["own"])
        self.done = state["done"]
        self.sums = {name: total.to(self.fabric.device) for name, total in state["sums"].items()}
        self.history = History(state["history"])
        self.best = state["best"] and tuple(state["best"])


def _checksum(tensor: Tensor) -> int:
    return zlib.crc32(tensor.cpu().contiguous().numpy().data)
