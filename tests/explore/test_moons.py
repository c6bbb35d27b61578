"""Two moons: the page's training against Python's, and Python's against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from cvcourse.explore import TwoMoons

NEARLY = 1e-6  # the same arithmetic in another order; 300 steps of AdamW

SETTINGS = [
    {},
    {"per_class": 1, "draw": 7, "labels": "outside", "width": 0.3},
    {"per_class": 10, "way": "pseudo-labels", "threshold": 0.5},
    {"draw": 3, "labels": "outside", "way": "pseudo-labels", "threshold": 0.5, "seed": 5},
    {"per_class": 3, "width": 0.0, "threshold": 1.0},
]


def with_autograd(moons: TwoMoons, others: bool) -> tuple[torch.Tensor, list[float]]:
    """The same training by PyTorch's gradients and optimiser."""
    truth, known = moons.truth, moons.known
    weights = torch.tensor(moons.start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.AdamW([weights], lr=moons.rate)
    losses = []
    for step in range(1, moons.steps + 1):
        answers = moons.waves(moons.points)[known] @ weights
        loss = binary_cross_entropy_with_logits(answers, truth[known])
        if others:
            easy, hard = (moons.waves(view) @ weights for view in moons.views(step))
            p = easy.sigmoid().detach()
            sure = torch.maximum(p, 1 - p) >= moons.threshold
            each = binary_cross_entropy_with_logits(hard, p.round(), reduction="none")
            loss = loss + (each * sure).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights.detach(), losses


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_browser_trains_as_python_and_as_pytorch(settings: dict, compute) -> None:
    moons = TwoMoons(**settings)
    (found,) = compute(TwoMoons, [moons.state()])
    for others, one in zip((False, True), found, strict=True):
        python = moons.train(others=others)
        weights, losses = with_autograd(moons, others)
        assert len(one["losses"]) == len(losses) == 300
        assert one["losses"] == pytest.approx(python.losses, abs=NEARLY)
        assert one["losses"] == pytest.approx(losses, abs=NEARLY)
        assert one["weights"] == pytest.approx(python.weights.tolist(), abs=NEARLY)
        assert one["weights"] == pytest.approx(weights.tolist(), abs=NEARLY)
        assert one["accuracy"] == pytest.approx(python.accuracy, abs=1e-12)
        assert (one["labelled"], one["wrong"]) == (python.labelled, python.wrong)


def test_another_move_is_noticed(compute) -> None:
    """The negative control of the test above."""
    moons = TwoMoons()
    state = moons.state()
    state["moves"][100][0] += 0.01
    ((_, both),) = compute(TwoMoons, [state])
    assert both["weights"] != pytest.approx(moons.train(others=True).weights.tolist(), abs=NEARLY)
