"""How to train: the numbers of a run, and the optimiser and schedule they stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from cvcourse.data.checks import check_integer

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The numbers of one training run.

    Attributes:
        epochs: passes over the training set.
        batch_size: images a step, over all processes together.
        optimizer: AdamW (Loshchilov & Hutter 2019) or SGD with Nesterov momentum 0.9.
        learning_rate: its highest value.
        schedule: "one-cycle" rises to it over the first 30 % of the steps and falls to zero (Smith
            & Topin 2018); "cosine" falls from it to zero (Loshchilov & Hutter 2017).
        weight_decay: decoupled (AdamW) or L2 (SGD).
        clip_norm: the gradient is scaled down to this norm where it is longer; None: never.
        ema_decay: end with a moving average of the weights, of this decay; None: with the last.
        patience: stop after so many epochs without a better validation accuracy, and go back to the
            best weights; None: run to the end.
        precision: Fabric's name of the arithmetic.
        compile: run the model through torch.compile.

    Raises:
        ValueError: a number is out of its range.
    """

    epochs: int = 10
    batch_size: int = 128
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 3e-3
    schedule: Literal["one-cycle", "cosine"] = "one-cycle"
    weight_decay: float = 1e-2
    clip_norm: float | None = None
    ema_decay: float | None = None
    patience: int | None = None
    precision: Precision = "32-true"
    compile: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            value = getattr(self, name)
            if name == "patience" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"Recipe.{name} is {value!r}; expected an integer of at least 1")
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"Recipe.{name} is {value!r}; expected a number above 0")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"Recipe.weight_decay is {self.weight_decay!r}; expected at least 0")
        if self.ema_decay is not None and not 0 < self.ema_decay < 1:
            raise ValueError(f"Recipe.ema_decay is {self.ema_decay!r}; expected between 0 and 1")

    @classmethod
    def for_steps(
        cls, steps: int, n_images: int, *, batch_size: int = 128, **numbers: Any
    ) -> Recipe:
        """As many epochs, at least one, as come closest to `steps` steps on `n_images` images.

        With fewer images than `batch_size`, each step takes them all. So trainings of the same
        number of steps can be compared, however many pictures they have.

        Raises:
            TypeError: steps, n_images or batch_size is no integer.
            ValueError: one of them is below 1, or another number is out of its range.
        """
        check_integer("steps", steps, 1, None, "how many to train")
        check_integer("n_images", n_images, 1, None, "images to train on")
        check_integer("batch_size", batch_size, 1, None, "images a step")
        batch_size = min(batch_size, n_images)
        epochs = max(1, round(steps / (n_images // batch_size)))
        return cls(epochs=epochs, batch_size=batch_size, **numbers)

    def build_optimizer(self, groups: list[dict[str, Any]]) -> Optimizer:
        """The optimiser over parameter groups; a group's own "lr" is kept."""
        if self.optimizer == "adamw":
            return AdamW(groups, lr=self.learning_rate, weight_decay=self.weight_decay, fused=True)
        return SGD(
            groups,
            lr=self.learning_rate,
            momentum=0.9,
            nesterov=True,
            weight_decay=self.weight_decay,
            fused=True,
        )

    def build_scheduler(self, optimizer: Optimizer, total_steps: int) -> LRScheduler:
        """The learning rate's course over `total_steps` steps, each group around its own rate."""
        if self.schedule == "cosine":
            return CosineAnnealingLR(optimizer, T_max=total_steps)
        return OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=total_steps,
            cycle_momentum=False,
        )


def learning_rates(optimizer: Optimizer) -> list[float]:
    """The learning rate of each parameter group, now."""
    return [float(torch.as_tensor(group["lr"])) for group in optimizer.param_groups]
