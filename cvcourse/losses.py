"""Losses for targets that are more than a class: soft labels, and what a teacher says.

All logits are (B, n_classes). Half precision is raised to float32 first, so that logits of ±10⁴ at
any sensible temperature give finite losses and gradients; float64 stays float64.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from cvcourse.checks import Positive, Share, check_labels, check_probabilities, checked


@checked
def softmax(logits: Tensor, temperature: Positive = 1.0) -> Tensor:
    """Probabilities at a temperature: exp(z / T), made to sum to 1 (Hinton et al. 2015, eq. 1).

    T = 1 is the plain softmax; a higher T is flatter, a lower one closer to all on one class.

    >>> import torch
    >>> from cvcourse.losses import softmax
    >>> logits = torch.tensor([0.0, 5.0])
    >>> softmax(logits).round(decimals=3)
    tensor([0.0070, 0.9930])
    >>> softmax(logits, temperature=5.0).round(decimals=3)
    tensor([0.2690, 0.7310])

    Args:
        logits: (…, n_classes) float.
        temperature: T, above 0.

    Returns:
        (…, n_classes), float32 or float64.

    Raises:
        ValueError: the temperature is not a number above 0.
    """
    return log_softmax(logits, temperature).exp()


@checked
def log_softmax(logits: Tensor, temperature: Positive = 1.0) -> Tensor:
    """The logarithm of `softmax`, exact where the probability itself would round to 0.

    >>> import torch
    >>> from cvcourse.losses import log_softmax
    >>> log_softmax(torch.tensor([0.0, 1000.0]))
    tensor([-1000.,     0.])

    Args:
        logits: (…, n_classes) float.
        temperature: T, above 0.

    Returns:
        (…, n_classes), float32 or float64, each ≤ 0.

    Raises:
        ValueError: the temperature is not a number above 0.
    """
    if not logits.ndim:
        raise ValueError("logits are a single number; expected (…, n_classes)")
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return F.log_softmax(logits / temperature, dim=-1)


@checked
def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of soft labels, in nats: −Σ_c target_c log softmax(logits)_c, batch mean.

    >>> import torch
    >>> from cvcourse.losses import soft_cross_entropy
    >>> f"{soft_cross_entropy(torch.zeros(1, 2), torch.tensor([[0.3, 0.7]])):.3f}"  # log 2
    '0.693'

    Args:
        logits: (B, n_classes) float.
        targets: (B, n_classes) float, each row ≥ 0 and with sum 1. (Looking at them makes a GPU
            wait; it is a matter of microseconds.)

    Returns:
        A scalar ≥ 0; the least it can be is the mean entropy of the targets.

    Raises:
        ValueError: the shapes differ, the batch is empty, or a row of targets is no distribution.
    """
    _check_pair("logits", logits, "targets", targets)
    check_probabilities("targets", targets)
    return -_weighted(targets, log_softmax(logits)).sum(dim=1).mean()


@checked
def distillation_loss(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: Positive
) -> Tensor:
    """T² · KL(teacher ‖ student), both softened at T, in nats, batch mean (Hinton et al. 2015).

    The gradient of the KL at a logit is (q − p) / T, and q − p itself shrinks as 1 / T: the factor
    T² keeps the gradient's size when T changes (section 2 there). The mean is over the images only;
    torch's own reduction="mean" would divide by the number of classes as well.

    >>> import torch
    >>> from cvcourse.losses import distillation_loss
    >>> student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    >>> f"{distillation_loss(student, teacher, temperature=4.0):.3f}"
    '1.775'

    Args:
        student_logits: (B, n_classes) float.
        teacher_logits: (B, n_classes) float; no gradient goes this way.
        temperature: T, above 0.

    Returns:
        A scalar ≥ 0; 0 where the two agree at T.

    Raises:
        ValueError: the shapes differ, the batch is empty, or the temperature is not above 0.
    """
    _check_pair("student logits", student_logits, "teacher logits", teacher_logits)
    student = log_softmax(student_logits, temperature)  # (B, n_classes)
    teacher = log_softmax(teacher_logits.detach(), temperature)  # (B, n_classes)
    shares = teacher.exp()
    divergence = (_weighted(shares, teacher) - _weighted(shares, student)).sum(dim=1).mean()
    return temperature**2 * divergence


@checked
def knowledge_distillation_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: Positive,
    alpha: Share,
) -> Tensor:
    """α · `distillation_loss` at T + (1 − α) · cross-entropy of the labels at T = 1.

    >>> import torch
    >>> from cvcourse.losses import knowledge_distillation_loss
    >>> same, label = torch.zeros(1, 2), torch.tensor([1])  # they agree; the label's log 2 is left
    >>> f"{knowledge_distillation_loss(same, same, label, temperature=4.0, alpha=0.5):.3f}"
    '0.347'

    Args:
        student_logits: (B, n_classes) float.
        teacher_logits: (B, n_classes) float.
        labels: (B,) int64; an image with label −1 counts for the first term only.
        temperature: T, above 0.
        alpha: weight of the teacher, 0 to 1.

    Returns:
        A scalar ≥ 0, in nats.

    Raises:
        ValueError: as `distillation_loss`; or alpha is not from 0 to 1, or the labels do not fit.
    """
    soft = distillation_loss(student_logits, teacher_logits, temperature=temperature)
    return alpha * soft + (1 - alpha) * labeled_cross_entropy(student_logits, labels)


@checked
def contrastive_loss(
    ours: Tensor, theirs: Tensor, *, temperature: Positive
) -> tuple[Tensor, Tensor]:
    """NT-Xent, in nats: find each view's partner among all views (Chen et al. 2020, eq. 1).

    The cross-entropy of a softmax over the 2B − 1 other views, whose logits are cosines / T.

    >>> import torch
    >>> from cvcourse.losses import contrastive_loss
    >>> views = torch.eye(2)
    >>> loss, accuracy = contrastive_loss(views, views, temperature=1.0)
    >>> f"{loss:.3f}", accuracy.item()  # log(e + 2) − 1
    ('0.551', 1.0)

    Args:
        ours: (B, n_features) float: of one view of each image.
        theirs: (B, n_features) float: of another view of each, in the same order.
        temperature: T, above 0.

    Returns:
        The loss, a scalar ≥ 0; and the share of views whose likest other is their partner.

    Raises:
        TypeError: an argument is not what its annotation says.
        ValueError: the shapes differ, there is one image only, or the temperature is not above 0.
    """
    _check_pair("our features", ours, "their features", theirs)
    b = len(ours)
    if b < 2:
        raise ValueError("a batch of one image has none to tell it from; expected at least 2")
    views = F.normalize(torch.cat([ours, theirs]).float(), dim=1)  # (2B, n_features)
    likeness = (views @ views.T).fill_diagonal_(-math.inf)  # (2B, 2B), cosines
    partner = torch.arange(2 * b, device=views.device).roll(b)  # (2B,)
    accuracy = (likeness.argmax(dim=1) == partner).float().mean()
    return F.nll_loss(log_softmax(likeness, temperature), partner), accuracy


@checked
def labeled_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in nats, the mean over the images that have a label; 0 if none has one.

    >>> import torch
    >>> from cvcourse.losses import labeled_cross_entropy
    >>> f"{labeled_cross_entropy(torch.zeros(2, 2), torch.tensor([1, -1])):.3f}"
    '0.693'

    Args:
        logits: (B, n_classes) float.
        labels: (B,) int64; −1: no label.

    Raises:
        ValueError: the batch is empty, or the labels do not fit the logits.
    """
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
        raise ValueError(
            f"logits are {tuple(logits.shape)}, labels {tuple(labels.shape)}; expected "
            "(B, n_classes) and (B,) with B ≥ 1"
        )
    check_labels("labels", labels, len(logits), logits.shape[1], low=-1)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    total = F.cross_entropy(logits, labels, ignore_index=-1, reduction="sum")
    return total / (labels >= 0).sum().clamp(min=1)


def _weighted(shares: Tensor, log_probabilities: Tensor) -> Tensor:
    """Their product, (B, n_classes): 0 where the share is, even of an impossible class's −∞."""
    return shares * log_probabilities.masked_fill(shares == 0, 0.0)


def _check_pair(name: str, logits: Tensor, other_name: str, other: Tensor) -> None:
    if logits.ndim != 2 or logits.shape != other.shape:
        raise ValueError(
            f"{name} are {tuple(logits.shape)}, {other_name} {tuple(other.shape)}; expected the "
            "same (B, n_classes) — a teacher of other classes teaches a student whose head has its "
            "width (cvcourse.train.transfer.replace_head)"
        )
    if not len(logits):
        raise ValueError(f"{name} are of an empty batch; a mean over no images means nothing")
