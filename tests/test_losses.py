import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import special
from torch import Tensor

from cvcourse.losses import (
    contrastive_loss,
    distillation_loss,
    knowledge_distillation_loss,
    labeled_cross_entropy,
    soft_cross_entropy,
    softmax,
)

B, C = 7, 5
RANDOM = torch.Generator().manual_seed(0)
STUDENT = 3 * torch.randn(B, C, generator=RANDOM, dtype=torch.float64)
TEACHER = 3 * torch.randn(B, C, generator=RANDOM, dtype=torch.float64)
TARGETS = torch.rand(B, C, generator=RANDOM, dtype=torch.float64).log().softmax(dim=1)
LABELS = torch.randint(0, C, (B,), generator=RANDOM)


def kl_by_scipy(student: Tensor, teacher: Tensor, temperature: float) -> float:
    q = special.softmax(student.numpy() / temperature, axis=1)
    p = special.softmax(teacher.numpy() / temperature, axis=1)
    return temperature**2 * special.rel_entr(p, q).sum(axis=1).mean()


@pytest.mark.parametrize("temperature", [0.1, 1.0, 4.0, 100.0])
def test_softmax_is_scipys(temperature: float) -> None:
    expected = special.softmax(STUDENT.numpy() / temperature, axis=1)
    np.testing.assert_allclose(softmax(STUDENT, temperature), expected, rtol=1e-12)


def test_the_notes_numbers_are_those_of_temperature_100() -> None:
    logits = torch.tensor([0.0, 5.0])
    assert softmax(logits).tolist() == pytest.approx([0.0067, 0.9933], abs=5e-5)
    assert softmax(logits, 100.0).tolist() == pytest.approx([0.4875, 0.5125], abs=5e-5)


def test_soft_cross_entropy_is_numpys_and_torchs() -> None:
    loss = soft_cross_entropy(STUDENT, TARGETS).item()
    by_hand = -(TARGETS.numpy() * special.log_softmax(STUDENT.numpy(), axis=1)).sum(1).mean()
    assert loss == pytest.approx(by_hand, rel=1e-12)
    assert loss == pytest.approx(F.cross_entropy(STUDENT, TARGETS).item(), rel=1e-12)
    one_hot = F.one_hot(LABELS, C).double()
    assert soft_cross_entropy(STUDENT, one_hot) == pytest.approx(
        F.cross_entropy(STUDENT, LABELS).item(), rel=1e-12
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
def test_distillation_is_scipys_kl_summed_over_classes_times_t_squared(temperature: float) -> None:
    loss = distillation_loss(STUDENT, TEACHER, temperature=temperature).item()
    assert loss == pytest.approx(kl_by_scipy(STUDENT, TEACHER, temperature), rel=1e-9)


def test_more_classes_that_nobody_believes_in_change_nothing() -> None:
    """With reduction="mean" the loss would shrink as the classes grow in number."""
    unlikely = torch.full((B, 3 * C), -1e4, dtype=torch.float64)
    wide = distillation_loss(
        torch.cat([STUDENT, unlikely], 1), torch.cat([TEACHER, unlikely], 1), temperature=2.0
    )
    torch.testing.assert_close(wide, distillation_loss(STUDENT, TEACHER, temperature=2.0))


def test_at_a_high_temperature_the_gradient_keeps_its_size() -> None:
    """Hinton et al. 2015, section 2.1: towards (z − v) / N for logits of mean zero."""
    student, teacher = (z - z.mean(dim=1, keepdim=True) for z in (STUDENT, TEACHER))
    student = student.clone().requires_grad_()
    distillation_loss(student, teacher, temperature=1e4).backward()
    expected = (student.detach() - teacher) / C / B
    assert student.grad is not None
    torch.testing.assert_close(student.grad, expected, rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_knowledge_distillation_is_the_weighted_sum(alpha: float) -> None:
    loss = knowledge_distillation_loss(STUDENT, TEACHER, LABELS, temperature=4.0, alpha=alpha)
    hard = -special.log_softmax(STUDENT.numpy(), axis=1)[np.arange(B), LABELS.numpy()].mean()
    expected = alpha * kl_by_scipy(STUDENT, TEACHER, 4.0) + (1 - alpha) * hard
    assert loss.item() == pytest.approx(expected, rel=1e-9)


def test_images_without_a_label_count_for_the_teacher_only() -> None:
    some = LABELS.clone()
    some[3:] = -1
    loss = knowledge_distillation_loss(STUDENT, TEACHER, some, temperature=4.0, alpha=0.25)
    soft = distillation_loss(STUDENT, TEACHER, temperature=4.0)
    hard = F.cross_entropy(STUDENT[:3], LABELS[:3])
    torch.testing.assert_close(loss, 0.25 * soft + 0.75 * hard)
    assert labeled_cross_entropy(STUDENT, torch.full((B,), -1)) == 0


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "soft cross-entropy": lambda s, t: soft_cross_entropy(s, softmax(t)),
    "distillation": lambda s, t: distillation_loss(s, t, temperature=4.0),
    "knowledge distillation": lambda s, t: knowledge_distillation_loss(
        s, t, LABELS, temperature=0.5, alpha=0.5
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_the_numerical_ones(name: str) -> None:
    student = STUDENT.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda s: LOSSES[name](s, TEACHER), student)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_large_logits_give_finite_losses_and_gradients(name: str, dtype: torch.dtype) -> None:
    student = torch.where(STUDENT > 0, 1e4, -1e4).to(dtype).requires_grad_()
    teacher = torch.where(TEACHER > 0, -1e4, 1e4).to(dtype)
    loss = LOSSES[name](student, teacher)
    loss.backward()
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert loss.isfinite()
    assert loss > 1e3
    assert student.grad is not None
    assert student.grad.isfinite().all()
    assert student.grad.dtype == dtype
    assert softmax(student, 1e-3).sum(dim=1).tolist() == pytest.approx([1.0] * B)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_costs_no_more_than_its_rounding(name: str, dtype: torch.dtype) -> None:
    rounded = STUDENT.to(dtype), TEACHER.to(dtype)
    exact = LOSSES[name](rounded[0].double(), rounded[1].double())
    assert LOSSES[name](*rounded).item() == pytest.approx(exact.item(), rel=1e-4)
    targets = softmax(TEACHER).to(dtype)  # soft labels kept in half precision still sum to 1
    expected = soft_cross_entropy(STUDENT, softmax(TEACHER)).item()
    assert soft_cross_entropy(STUDENT, targets).item() == pytest.approx(expected, rel=1e-2)


def test_no_gradient_goes_to_the_teacher() -> None:
    student, teacher = STUDENT.clone().requires_grad_(), TEACHER.clone().requires_grad_()
    distillation_loss(student, teacher, temperature=2.0).backward()
    assert student.grad is not None
    assert teacher.grad is None


def test_agreement_costs_nothing_and_any_difference_something() -> None:
    assert distillation_loss(STUDENT, STUDENT + 3, temperature=2.0).item() == pytest.approx(0)
    assert distillation_loss(STUDENT, TEACHER, temperature=2.0) > 0.1


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_must_be_above_zero(temperature: float) -> None:
    with pytest.raises(ValueError, match=r"temperature is .*expected above 0"):
        softmax(STUDENT, temperature)
    with pytest.raises(ValueError, match="temperature"):
        distillation_loss(STUDENT, TEACHER, temperature=temperature)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_alpha_must_be_a_share(alpha: float) -> None:
    with pytest.raises(ValueError, match=r"alpha is .*expected 0 to 1"):
        knowledge_distillation_loss(STUDENT, TEACHER, LABELS, temperature=1.0, alpha=alpha)


def test_classes_must_match() -> None:
    with pytest.raises(ValueError, match=r"\(7, 5\), teacher logits \(7, 4\)"):
        distillation_loss(STUDENT, TEACHER[:, :4], temperature=1.0)
    with pytest.raises(ValueError, match=r"\(7, 5\), targets \(7, 4\)"):
        soft_cross_entropy(STUDENT, TARGETS[:, :4])
    with pytest.raises(ValueError, match=r"labels \(6,\)"):
        labeled_cross_entropy(STUDENT, LABELS[:6])
    with pytest.raises(ValueError, match=r"our features are \(7, 5\), their features \(6, 5\)"):
        contrastive_loss(STUDENT, TEACHER[:6], temperature=1.0)


@pytest.mark.parametrize("label", [-2, C])
def test_a_label_is_a_class_or_minus_1(label: int) -> None:
    labels = LABELS.clone()
    labels[3] = label
    with pytest.raises(ValueError, match=rf"labels runs from .*expected -1 to {C - 1}"):
        labeled_cross_entropy(STUDENT, labels)


@pytest.mark.parametrize(
    "targets",
    [TARGETS * 1.01, TARGETS * math.nan, TARGETS - 0.2 + 0.2 * C * F.one_hot(LABELS, C), STUDENT],
    ids=["sum 1.01", "NaN", "negative", "logits"],
)
def test_targets_must_be_distributions(targets: Tensor) -> None:
    with pytest.raises(ValueError, match="no distribution"):
        soft_cross_entropy(STUDENT, targets)


def test_an_empty_batch_is_an_error() -> None:
    nothing = torch.empty(0, C)
    for loss in (
        lambda: soft_cross_entropy(nothing, nothing),
        lambda: distillation_loss(nothing, nothing, temperature=1.0),
        lambda: labeled_cross_entropy(nothing, torch.empty(0, dtype=torch.int64)),
    ):
        with pytest.raises(ValueError, match=r"empty batch|B ≥ 1"):
            loss()


def test_integer_targets_are_held_to_their_sum() -> None:
    one_hot = F.one_hot(LABELS, C)
    expected = F.cross_entropy(STUDENT, LABELS).item()
    assert soft_cross_entropy(STUDENT, one_hot).item() == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="distance of a sum from 1 is 1"):
        soft_cross_entropy(STUDENT, one_hot + F.one_hot((LABELS + 1) % C, C))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_targets_may_be_off_by_one_rounding_and_no_more(kind: torch.dtype) -> None:
    step = torch.finfo(kind).eps
    logits = torch.zeros(1, 2)
    soft_cross_entropy(logits, torch.tensor([[1.0, step]], dtype=kind))
    with pytest.raises(ValueError, match="no distribution"):  # in half precision 1.25 steps are 1
        soft_cross_entropy(logits, torch.tensor([[1.0, 1.25 * step]], dtype=kind))


def test_one_label_is_divided_by_one() -> None:
    labels = torch.tensor([-1, -1, 2, -1, -1, -1, -1])
    expected = F.cross_entropy(STUDENT[2:3], labels[2:3]).item()
    assert labeled_cross_entropy(STUDENT, labels).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("masked", ["student", "teacher", "both"])
def test_classes_that_are_ruled_out_give_no_nan(masked: str) -> None:
    """Masked logits are −∞: a class that the teacher rules out, too, costs nothing."""
    student, teacher = torch.tensor([[1.0, 2.0, 0.5]]), torch.tensor([[0.5, 1.0, 2.0]])
    if masked != "student":
        teacher[0, 1] = -math.inf
    if masked != "teacher":
        student[0, 1] = -math.inf
    student.requires_grad_()
    loss = distillation_loss(student, teacher, temperature=2.0)
    soft = soft_cross_entropy(student, softmax(teacher))
    if masked == "student":  # the teacher believes in what the student cannot say
        assert loss == soft == math.inf
        return
    (loss + soft).backward()
    assert math.isfinite(loss.item())
    assert math.isfinite(soft.item())
    assert bool(student.grad.isfinite().all())
    if masked == "both":
        kept = [0, 2]
        expected = distillation_loss(student[:, kept], teacher[:, kept], temperature=2.0)
        torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("b", [2, 3, B])
def test_partners_are_found_among_all_views(b: int) -> None:
    ours, theirs = STUDENT[:b], STUDENT[:b] + 0.3 * TEACHER[:b]
    loss, accuracy = contrastive_loss(ours, theirs, temperature=0.5)
    losses, found = [], []
    views = [*ours.numpy(), *theirs.numpy()]
    for i, view in enumerate(views):
        others = [k for k in range(2 * b) if k != i]
        cosines = [
            view @ views[k] / np.linalg.norm(view) / np.linalg.norm(views[k]) for k in others
        ]
        partner = others.index((i + b) % (2 * b))
        losses.append(-special.log_softmax(np.array(cosines) / 0.5)[partner])
        found.append(np.argmax(cosines) == partner)
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-5)
    assert accuracy.item() == pytest.approx(np.mean(found))


def test_one_image_has_no_other_to_be_told_from() -> None:
    with pytest.raises(ValueError, match="a batch of one image"):
        contrastive_loss(STUDENT[:1], TEACHER[:1], temperature=1.0)
