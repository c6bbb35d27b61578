"""How to train: the numbers of a run, and the optimiser and schedule they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from cvcourse.checks import (
    Checked,
    Count,
    NotNegative,
    Positive,
    check_fields,
    check_number,
    checked,
)

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
SHORTEST_CYCLE = 4  #: steps; in fewer there is no room to rise and fall
Optimizers = Literal["adamw", "sgd"]
Schedule = Literal["one-cycle", "cosine"]
Decay = Annotated[float, partial(check_number, low=0, high=1 - 1e-12, above=True)]


@dataclass(frozen=True, kw_only=True)
class Recipe(Checked):
    """The numbers of one training run.

    >>> from cvcourse.train import Recipe
    >>> Recipe(epochs=5, optimizer="sgd", learning_rate=0.1).schedule
    'one-cycle'
    >>> Recipe.for_steps(300, n_images=1000).epochs
    43

    Attributes:
        epochs: passes over the training set.
        batch_size: images a step, over all processes together.
        optimizer: AdamW (Loshchilov & Hutter 2019) or SGD with Nesterov momentum 0.9.
        learning_rate: its highest value.
        schedule: "one-cycle" rises to it over the first 30 % of the steps and falls to zero (Smith
            & Topin 2018), which takes four steps at least: fewer fall only; "cosine" falls from it
            to zero (Loshchilov & Hutter 2017).
        weight_decay: decoupled (AdamW) or L2 (SGD).
        clip_norm: the gradient is scaled down to this norm where it is longer; None: never.
        ema_decay: end with a moving average of the weights, of this decay; None: with the last.
            After t steps the decay is at most (1 + t) / (10 + t), so that short runs have one, too.
        patience: stop after so many epochs without a better validation accuracy, and go back to the
            best weights; None: run to the end.
        precision: Fabric's name of the arithmetic.
        compile: run the model through torch.compile.
        capture: on a CUDA GPU, record a step once and play it from then on, as a graph: for small
            networks, whose time goes into starting kernels. A step that asks for `batch.progress`,
            for a number on the GPU, or for images elsewhere cannot be recorded, and says so;
            "16-mixed" cannot. What checks the numbers of labels and targets looks at the first
            steps only.

    Raises:
        TypeError: a number is none (a text of YAML 1.1, such as "3e-3", is a text).
        ValueError: a number is out of its range, or a word is not one of the choices.
    """

    epochs: Count = 10
    batch_size: Count = 128
    optimizer: Optimizers = "adamw"
    learning_rate: Positive = 3e-3
    schedule: Schedule = "one-cycle"
    weight_decay: NotNegative = 1e-2
    clip_norm: Positive | None = None
    ema_decay: Decay | None = None
    patience: Count | None = None
    precision: Precision = "32-true"
    compile: bool = False
    capture: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        if self.capture and self.precision == "16-mixed":
            raise ValueError(
                'capture with precision "16-mixed", whose scale changes from step to step; take '
                '"bf16-mixed"'
            )

    @classmethod
    @checked
    def for_steps(
        cls, steps: Count, n_images: Count, *, batch_size: Count = 128, **numbers: Any
    ) -> Recipe:
        """As many epochs, at least one, as come closest to `steps` steps on `n_images` images.

        With fewer images than `batch_size`, each step takes them all. So trainings of the same
        number of steps can be compared, however many pictures they have.

        Raises:
            TypeError: steps, n_images or batch_size is no integer.
            ValueError: one of them is below 1, or another number is out of its range.
        """
        batch_size = min(batch_size, n_images)
        epochs = max(1, round(steps / (n_images // batch_size)))
        return cls(epochs=epochs, batch_size=batch_size, **numbers)

    @checked
    def build_optimizer(self, groups: list[dict[str, Any]]) -> Optimizer:
        """The optimiser over parameter groups; a group's own "lr" is kept.

        Raises:
            ValueError: a group has a setting that is out of range or not known, or all rates are 0.
        """
        settings: dict[str, Any] = {"lr": self.learning_rate, "weight_decay": self.weight_decay}
        if self.optimizer == "adamw":
            optimizer: Optimizer = AdamW(groups, **settings, fused=True)
        else:
            optimizer = SGD(groups, **settings, momentum=0.9, nesterov=True, fused=True)
        if not any(group["lr"] for group in optimizer.param_groups):
            raise ValueError("the lr of every parameter group is 0; give one above 0")
        for group in optimizer.param_groups:
            check_number("lr of a group", group["lr"], 0)
            check_number("weight_decay of a group", group["weight_decay"], 0)
            unknown = group.keys() - optimizer.defaults.keys() - {"params", "param_names"}
            if unknown:
                raise ValueError(
                    f"a parameter group has {', '.join(unknown)}; expected settings of "
                    f"{self.optimizer}: {', '.join(optimizer.defaults)}"
                )
        return optimizer

    @checked
    def build_scheduler(self, optimizer: Optimizer, total_steps: Count) -> LRScheduler:
        """The learning rate's course over `total_steps` steps, each group around its own rate."""
        if self.schedule == "cosine" or total_steps < SHORTEST_CYCLE:
            return CosineAnnealingLR(optimizer, T_max=total_steps)
        return OneCycleLR(
            optimizer,
            max_lr=[group["lr"] for group in optimizer.param_groups],
            total_steps=total_steps,
            cycle_momentum=False,
        )


@checked
def learning_rates(optimizer: Optimizer) -> list[float]:
    """The learning rate of each parameter group, now."""
    return [float(group["lr"]) for group in optimizer.param_groups]
