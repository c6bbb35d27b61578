"""Two moons: the page's training against Python's, and Python's against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from traitlets import TraitError

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
        assert one["conviction"] == pytest.approx(python.conviction, abs=NEARLY)


def test_another_move_is_noticed(compute) -> None:
    """The negative control of the test above."""
    moons = TwoMoons()
    state = moons.state()
    state["moves"][100][0] += 0.01
    ((_, both),) = compute(TwoMoons, [state])
    assert both["weights"] != pytest.approx(moons.train(others=True).weights.tolist(), abs=NEARLY)


PRESETS = {
    "It helps": {},
    "It talks itself into an error": SETTINGS[3] | {"seed": 0},
    "The moons overlap": {"width": 0.3},
}
DONE = "document.querySelector('.cvx-summary').textContent.includes('After 300 of 300')"
BY_HAND = "window.requestAnimationFrame = (act) => { window.frame = act; return 1; }"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_trains_to_what_python_has(name: str, show, source: str) -> None:
    tab = show(TwoMoons(per_class=2, draw=6), source=source)
    tab.get_by_role("button", name=name).click()
    tab.wait_for_function(DONE)
    moons = TwoMoons(**PRESETS[name])
    alone, both = (moons.train(others=others) for others in (False, True))
    assert tab.locator(".cvx-summary").inner_text() == (
        f"After 300 of 300 steps, labels alone are right at {100 * alone.accuracy:.1f} % of the "
        f"points, with {moons.way} it is {100 * both.accuracy:.1f} %: "
        f"{100 * abs(both.accuracy - alone.accuracy):.1f} points "
        f"{'less' if both.accuracy < alone.accuracy else 'more'}. "
        f"Of {both.labelled} pseudo-labels, {both.wrong} are wrong"
    ) + (
        f"; in these its confidence is {100 * both.conviction:.1f} % on average." * (both.wrong > 0)
        or "."
    )
    bars = tab.locator(".cvx-bar span").all_inner_texts()
    assert bars == [f"{alone.accuracy:.3f}", f"{both.accuracy:.3f}"]


def test_it_trains_in_small_slices_and_stops(show) -> None:
    tab = show(TwoMoons())
    summary = tab.locator(".cvx-summary")
    tab.evaluate(BY_HAND)
    tab.get_by_role("button", name="train", exact=True).click()
    assert summary.inner_text() == "Not trained yet: 10 of 200 points have a label."
    tab.evaluate("frame()")  # steps
    assert summary.inner_text().startswith("Not trained yet")
    tab.evaluate("frame()")  # and a picture
    assert summary.inner_text().startswith(tuple(f"After {n} of 300" for n in (1, 2, 3, 4)))
    before = tab.locator("svg[role=img] path").evaluate_all("all => all.map(p => p.outerHTML)")
    tab.evaluate("for (let n = 0; n < 60; n += 1) frame()")
    after = tab.locator("svg[role=img] path").evaluate_all("all => all.map(p => p.outerHTML)")
    assert after != before, "the boundary moves"
    tab.get_by_role("button", name="from the start").click()
    assert summary.inner_text().startswith("Not trained yet")
    assert tab.get_by_role("button", name="train", exact=True).get_attribute("aria-pressed") == (
        "false"
    )


def test_where_motion_is_unwanted_only_the_end_is_shown(show) -> None:
    tab = show(TwoMoons(), reduced_motion="reduce")
    tab.evaluate(BY_HAND)
    tab.get_by_role("button", name="train", exact=True).click()
    seen = tab.evaluate("""() => {
        const seen = new Set();
        while (window.frame) {
            const act = window.frame;
            window.frame = undefined;
            act();
            seen.add(document.querySelector(".cvx-summary").textContent.slice(0, 17));
        }
        return [...seen];
    }""")
    assert seen == ["Not trained yet: ", "After 300 of 300 "]


def test_a_change_starts_anew(show) -> None:
    tab = show(TwoMoons())
    summary = tab.locator(".cvx-summary")
    tab.get_by_role("button", name="train", exact=True).click()
    tab.wait_for_function("document.querySelector('.cvx-summary').textContent.includes('After')")
    tab.get_by_label("Labels per moon").press("ArrowRight")
    assert summary.inner_text() == "Not trained yet: 12 of 200 points have a label."
    tab.get_by_label("Threshold").press("Home")
    assert tab.locator("output").last.inner_text() == "none"
    for name in ("pseudo-labels", "outside"):
        button = tab.get_by_role("button", name=name)
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
    assert summary.inner_text().startswith("Not trained yet")


def test_what_the_chapter_says_of_the_presets_holds() -> None:
    alone, both = (TwoMoons().train(others=others) for others in (False, True))
    assert both.accuracy > alone.accuracy + 0.05
    deceived = TwoMoons(**PRESETS["It talks itself into an error"])
    alone, both = (deceived.train(others=others) for others in (False, True))
    assert both.labelled == 200, "every answer counts"
    assert both.wrong > 50
    assert both.conviction > 0.95
    assert both.accuracy < alone.accuracy


class After50(TwoMoons):
    steps = 50


def test_without_a_threshold_no_wrong_answer_of_step_50_is_put_right() -> None:
    for draw in range(8):
        settings = PRESETS["It talks itself into an error"] | {"draw": draw}
        wrong = []
        for moons in (After50(**settings), TwoMoons(**settings)):
            answers = moons.waves(moons.points) @ moons.train(others=True).weights > 0
            wrong.append(answers != moons.truth.bool())
        assert wrong[0].sum() > 10
        assert wrong[1][wrong[0]].all()


def test_labels_lie_where_they_are_said_to() -> None:
    for draw in range(8):
        anywhere = TwoMoons(draw=draw, per_class=10)
        assert len(set(anywhere.known)) == 20
        assert sum(i % 2 for i in anywhere.known) == 10
        outside = TwoMoons(draw=draw, per_class=10, labels="outside", width=0.0)
        x = outside.points[outside.known, 0]
        upper = outside.truth[outside.known] == 0
        assert (x[upper] < 0.05).all()
        assert (x[~upper] > 0.95).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"per_class": 0}, "per_class is 0; expected 1 to 10"),
        ({"draw": 8}, "draw is 8; expected 0 to 7"),
        ({"labels": "inside"}, "labels is 'inside'"),
        ({"width": 0.5}, "width is 0.5; expected 0 to 0.4"),
        ({"way": "none"}, "way is 'none'"),
        ({"threshold": 0.4}, "threshold is 0.4; expected 0.5 to 1"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_mistakes_are_named(settings: dict, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        TwoMoons(**settings)
