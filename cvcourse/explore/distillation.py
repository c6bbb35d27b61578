"""The distillation loss: two terms, their sum, and what it asks of every student logit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import traitlets
from torch import Tensor

from cvcourse.checks import check_integer, check_same_length
from cvcourse.explore import still, traits
from cvcourse.explore.base import Explorable, module
from cvcourse.explore.traits import trait_errors
from cvcourse.losses import (
    distillation_loss,
    knowledge_distillation_loss,
    labeled_cross_entropy,
    softmax,
)


class DistillationLoss(Explorable):
    """Drag the logits of a teacher and a student, T and α; see both terms and the gradient.

    The loss is α · T² · KL(teacher ‖ student, both softened by T) + (1 − α) · cross-entropy of the
    student at T = 1 with the true class. T² keeps the soft term's gradients at the size of the
    hard one's (Hinton, Vinyals & Dean 2015, section 2).

    >>> from cvcourse.explore import DistillationLoss
    >>> piece = DistillationLoss(alpha=1.0)
    >>> piece.loss == piece.soft, len(piece.gradient)
    (True, 4)

    Args:
        teacher: logits, one a class, −10 to 10, for 2 to 10 classes.
        student: logits likewise.
        label: index of the true class.
        temperature: 1 to 100.
        alpha: weight of the soft term, 0 to 1.
        names: of the classes.

    Raises:
        TraitError: something is out of range, or the lists differ in length.
    """

    title = "Distillation loss"
    _esm = module("distillation")

    names = traits.names()
    teacher = traits.numbers(-10, 10)
    student = traits.numbers(-10, 10)
    label = traits.integer(0, 9, "the true class")
    temperature = traits.number(1, 100, "the temperature T")
    alpha = traits.number(0, 1, "weight of the soft term")

    def __init__(
        self,
        teacher: Sequence[float] = (-2.0, 4.0, 2.5, -4.0),
        student: Sequence[float] = (0.0, 1.0, -1.0, 0.5),
        label: int = 1,
        *,
        temperature: float = 4.0,
        alpha: float = 0.7,
        names: Sequence[str] = ("cow", "dog", "cat", "car"),
    ) -> None:
        super().__init__(
            teacher=teacher,
            student=student,
            label=label,
            temperature=temperature,
            alpha=alpha,
            names=names,
        )

    @traitlets.validate("names", "teacher", "student", "label")
    @trait_errors()
    def _check_classes(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "label":
            return check_integer("label", value, 0, len(self.names) - 1, "the true class")
        lists = {key: getattr(self, key) for key in ("names", "teacher", "student")}
        check_same_length(**{**lists, name: value})
        check_integer(f"the length of {name}", len(value), 2, 10, "classes")
        return value

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the student and the teacher, (1, C) float64 each, and the label, (1,)."""
        student, teacher = (
            torch.tensor([logits], dtype=torch.float64) for logits in (self.student, self.teacher)
        )
        return student, teacher, torch.tensor([self.label])

    @property
    def soft(self) -> float:
        """T² · KL(teacher ‖ student) at temperature T, in nats."""
        student, teacher, _ = self._batch()
        return distillation_loss(student, teacher, temperature=self.temperature).item()

    @property
    def hard(self) -> float:
        """Cross-entropy of the student with the true class at T = 1, in nats."""
        student, _, label = self._batch()
        return labeled_cross_entropy(student, label).item()

    @property
    def loss(self) -> float:
        """α · soft + (1 − α) · hard."""
        return self._loss(*self._batch()).item()

    @property
    def gradient(self) -> list[float]:
        """Of the loss on each student logit, by autograd."""
        student, teacher, label = self._batch()
        student.requires_grad_()
        (gradient,) = torch.autograd.grad(self._loss(student, teacher, label), student)
        return gradient[0].tolist()

    def _loss(self, student: Tensor, teacher: Tensor, label: Tensor) -> Tensor:
        return knowledge_distillation_loss(
            student, teacher, label, temperature=self.temperature, alpha=self.alpha
        )

    def caption(self) -> str:
        """Both terms, the total and the gradients in numbers."""
        gradients = ", ".join(
            f"{name} {g:+.3f}" for name, g in zip(self.names, self.gradient, strict=True)
        )
        return (
            f"T = {self.temperature:g}, α = {self.alpha:g}: soft term {self.soft:.4f}, hard term "
            f"{self.hard:.4f}, total {self.loss:.4f}. Gradient on the student: {gradients}."
        )

    def still(self) -> str:
        """A pair of bars a class: the teacher's and the student's softmax at T."""
        logits = torch.tensor([self.teacher, self.student], dtype=torch.float64)
        shares = softmax(logits, self.temperature).T.tolist()
        title = f"softmax at T = {self.temperature:g}; purple: teacher, blue: student"
        rows = {
            f"{name}{' (true)' if i == self.label else ''}": row
            for i, (name, row) in enumerate(zip(self.names, shares, strict=True))
        }
        return still.paired_bars(title, rows, ("purple", "blue"), self.caption())
