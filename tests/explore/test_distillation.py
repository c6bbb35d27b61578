import numpy as np
import pytest
import torch
import torch.nn.functional as F
from traitlets import TraitError

from cvcourse.explore import DistillationLoss


def random_state(rng: np.random.Generator) -> dict:
    n = int(rng.integers(2, 9))
    return {
        "teacher": rng.uniform(-10, 10, n).tolist(),
        "student": rng.uniform(-10, 10, n).tolist(),
        "label": int(rng.integers(n)),
        "temperature": float(10 ** rng.uniform(0, 2)),
        "alpha": float(rng.uniform()),
        "names": [f"class {i}" for i in range(n)],
    }


def test_browser_agrees_with_autograd(compute) -> None:
    rng = np.random.default_rng(0)
    states = [random_state(rng) for _ in range(300)]
    for state, found in zip(states, compute(DistillationLoss, states), strict=True):
        teacher = torch.tensor([state["teacher"]], dtype=torch.float64)
        student = torch.tensor([state["student"]], dtype=torch.float64, requires_grad=True)
        temperature, alpha = state["temperature"], state["alpha"]
        log_q, p = (student / temperature).log_softmax(1), (teacher / temperature).softmax(1)
        soft = temperature**2 * F.kl_div(log_q, p, reduction="batchmean")
        hard = F.cross_entropy(student, torch.tensor([state["label"]]))
        total = alpha * soft + (1 - alpha) * hard
        total.backward()
        assert found["soft"] == pytest.approx(soft.item(), abs=1e-6)
        assert found["hard"] == pytest.approx(hard.item(), abs=1e-6)
        assert found["total"] == pytest.approx(total.item(), abs=1e-6)
        assert found["gradient"] == pytest.approx(student.grad[0].tolist(), abs=1e-6)
        assert found["p"] == pytest.approx(p[0].tolist(), abs=1e-6)
        assert found["q"] == pytest.approx(log_q[0].exp().tolist(), abs=1e-6)
        piece = DistillationLoss(**state)
        assert [piece.soft, piece.hard, piece.loss] == pytest.approx(
            [found["soft"], found["hard"], found["total"]], abs=1e-6
        )
        assert piece.gradient == pytest.approx(found["gradient"], abs=1e-6)


def test_a_student_like_its_teacher_has_no_soft_term() -> None:
    piece = DistillationLoss([1, 2, 3], [2, 3, 4], 0, alpha=1, names=["a", "b", "c"])
    assert piece.soft == pytest.approx(0, abs=1e-12)
    assert piece.gradient == pytest.approx([0, 0, 0], abs=1e-12)


def test_everything_can_be_moved(show, source: str) -> None:
    tab = show(DistillationLoss(), source=source)
    summary = tab.locator(".cvx-summary")
    alpha = tab.get_by_label("Weight α of the soft term")
    box = alpha.bounding_box()
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + box["width"] * 0.68, y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 1, y, steps=4)
    tab.mouse.up()
    assert "With α = 1.00 the total is 3.9996" in summary.inner_text()
    tab.get_by_role("button", name="copies the teacher").click()
    assert "the total is 0.0000" in summary.inner_text()
    assert "hardly anything is left to learn" in summary.inner_text()
    alpha.press("Home")
    tab.get_by_label("True class: cow").check()
    assert "cross-entropy with “cow” is 6.2037" in summary.inner_text()
    tab.get_by_label("Logit of cow, student").press("End")
    assert "cross-entropy with “cow” is 0.0030" in summary.inner_text()
    tab.get_by_label("Temperature T").press("End")
    assert "at T = 100" in summary.inner_text()


def test_steps_downhill_lower_the_loss(show) -> None:
    tab = show(DistillationLoss())
    step = tab.get_by_role("button", name="one step downhill")
    totals = []
    for _ in range(30):
        totals.append(float(tab.locator(".cvx-terms b").nth(2).inner_text()))
        step.click()
    assert totals[0] == pytest.approx(DistillationLoss().loss, abs=1e-4)
    assert totals[-1] < 0.25 * totals[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teacher": [1.0, 2.0]}, "4 names, 2 teacher, 4 student"),
        ({"student": [0, 0, 0, 20]}, r"student\[3\] is 20"),
        ({"label": 4}, "label is 4; expected 0 to 3"),
        ({"temperature": 0.5}, "temperature is 0.5; expected 1 to 100"),
        ({"alpha": 1.5}, "alpha is 1.5; expected 0 to 1"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        DistillationLoss(**settings)
