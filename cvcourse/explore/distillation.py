"""The distillation loss: two terms, their sum, and what it asks of every student logit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
import traitlets
from torch import Tensor

from cvcourse.explore import check, still
from cvcourse.explore.base import Explorable, module


class DistillationLoss(Explorable):
    """Drag the logits of a teacher and a student, T and α; see both terms and the gradient.

    The loss is α · T² · KL(teacher ‖ student, both softened by T) + (1 − α) · cross-entropy of the
    student at T = 1 with the true class. T² keeps the soft term's gradients at the size of the
    hard one's (Hinton, Vinyals & Dean 2015, section 2).

    Args:
        teacher: logits, one a class, −10 to 10, for 2 to 8 classes.
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

    names = traitlets.List(traitlets.Unicode(), minlen=2, maxlen=8).tag(sync=True)
    teacher = traitlets.List(traitlets.Float(), minlen=2, maxlen=8).tag(sync=True)
    student = traitlets.List(traitlets.Float(), minlen=2, maxlen=8).tag(sync=True)
    label = traitlets.Int().tag(sync=True)
    temperature = traitlets.Float().tag(sync=True)
    alpha = traitlets.Float().tag(sync=True)

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
            teacher=list(map(float, teacher)),
            student=list(map(float, student)),
            label=label,
            temperature=temperature,
            alpha=alpha,
            names=list(names),
        )

    @traitlets.validate("names", "teacher", "student", "label")
    def _check_classes(self, proposal: dict[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name in ("teacher", "student"):
            value = check.numbers(name, value, -10, 10)
        lists = {key: getattr(self, key) for key in ("names", "teacher", "student")}
        if name == "label":
            check.number("label", value, 0, len(self.names) - 1)
        else:
            check.same_length(**{**lists, name: value})
        return value

    @traitlets.validate("temperature")
    def _check_temperature(self, proposal: dict[str, Any]) -> float:
        return check.number("temperature", proposal["value"], 1, 100)

    @traitlets.validate("alpha")
    def _check_alpha(self, proposal: dict[str, Any]) -> float:
        return check.number("alpha", proposal["value"], 0, 1)

    def _terms(self, student: Tensor) -> tuple[Tensor, Tensor]:
        """T² · KL and the cross-entropy, for (C,) student logits."""
        teacher = torch.tensor(self.teacher, dtype=torch.float64)
        log_p, log_q = (F.log_softmax(z / self.temperature, dim=0) for z in (teacher, student))
        kl = F.kl_div(log_q, log_p, reduction="sum", log_target=True)
        return self.temperature**2 * kl, F.cross_entropy(student, torch.tensor(self.label))

    def _student(self) -> Tensor:
        return torch.tensor(self.student, dtype=torch.float64, requires_grad=True)

    @property
    def soft(self) -> float:
        """T² · KL(teacher ‖ student) at temperature T, in nats."""
        return self._terms(self._student())[0].item()

    @property
    def hard(self) -> float:
        """Cross-entropy of the student with the true class at T = 1, in nats."""
        return self._terms(self._student())[1].item()

    @property
    def loss(self) -> float:
        """α · soft + (1 − α) · hard."""
        return self.alpha * self.soft + (1 - self.alpha) * self.hard

    @property
    def gradient(self) -> list[float]:
        """Of the loss on each student logit, by autograd."""
        student = self._student()
        soft, hard = self._terms(student)
        (gradient,) = torch.autograd.grad(self.alpha * soft + (1 - self.alpha) * hard, student)
        return gradient.tolist()

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
        shares = (logits / self.temperature).softmax(dim=1).T.tolist()
        title = f"softmax at T = {self.temperature:g}; purple: teacher, blue: student"
        rows = {
            f"{name}{' (true)' if i == self.label else ''}": row
            for i, (name, row) in enumerate(zip(self.names, shares, strict=True))
        }
        return still.paired_bars(title, rows, ("purple", "blue"), self.caption())
