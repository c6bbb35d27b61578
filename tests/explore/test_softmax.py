import numpy as np
import pytest
import torch
from traitlets import TraitError

from cvcourse.explore import SoftmaxTemperature

NOTES = {"names": ["cow", "dog"], "logits": [0, 5], "temperature": 100}


def summary(tab) -> str:
    return tab.locator(".cvx-summary").inner_text()


def test_the_notes_numbers() -> None:
    piece = SoftmaxTemperature(**NOTES)
    assert piece.probabilities == pytest.approx([0.4875, 0.5125], abs=5e-5)
    piece.temperature = 1
    assert piece.probabilities == pytest.approx([0.0067, 0.9933], abs=5e-5)


def test_javascript_computes_what_torch_does(compute) -> None:
    rng = np.random.default_rng(0)
    states = [
        {
            "logits": rng.uniform(-10, 10, rng.integers(2, 9)).tolist(),
            "temperature": float(10 ** rng.uniform(-2, 3)),
        }
        for _ in range(300)
    ]
    for state, found in zip(states, compute(SoftmaxTemperature, states), strict=True):
        z = torch.tensor(state["logits"], dtype=torch.float64)
        soft, at_one = (z / state["temperature"]).softmax(0), z.softmax(0)
        assert found["probabilities"] == pytest.approx(soft.tolist(), abs=1e-6)
        assert found["at_one"] == pytest.approx(at_one.tolist(), abs=1e-6)
        assert found["entropy"] == pytest.approx(entropy(soft), abs=1e-6)
        assert found["entropy_at_one"] == pytest.approx(entropy(at_one), abs=1e-6)
        assert found["hard"] == (z == z.max()).long().tolist()
        piece = SoftmaxTemperature(**state)
        assert piece.probabilities == pytest.approx(soft.tolist(), abs=1e-12)
        assert piece.entropy == pytest.approx(found["entropy"], abs=1e-6)


def entropy(p: torch.Tensor) -> float:
    return float(torch.distributions.Categorical(probs=p).entropy() / np.log(2))


def test_logits_and_temperature_move_the_bars(show, source: str) -> None:
    tab = show(SoftmaxTemperature(**NOTES), source=source)
    assert "[0.4875, 0.5125]" in summary(tab)
    tab.get_by_label("Logit of cow").press("End")  # 10
    assert "[0.5125, 0.4875]" in summary(tab)
    temperature = tab.get_by_label("Temperature T")
    box = temperature.bounding_box()
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + box["width"] * 0.79, y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 2, y, steps=5)
    tab.mouse.up()
    assert "At T = 0.01 the soft prediction is [1.0000, 0.0000]" in summary(tab)
    assert temperature.get_attribute("aria-valuetext") == "T = 0.01"
    bars = tab.locator(".cvx-class").first.locator("i")
    assert bars.nth(1).bounding_box()["width"] > 50


def test_presets_bring_their_own_classes(show) -> None:
    tab = show(SoftmaxTemperature([1, 2, 3]))
    tab.get_by_role("button", name="Looks like a car").click()
    assert tab.locator("[data-class]").evaluate_all("rows => rows.map(r => r.dataset.class)") == [
        "cow",
        "dog",
        "cat",
        "car",
    ]
    tab.get_by_role("button", name="The notes’ example").click()
    assert "[0.4875, 0.5125]" in summary(tab)


def test_setting_the_probabilities_finds_logits() -> None:
    piece = SoftmaxTemperature([0, 0, 0], temperature=2)
    piece.probabilities = [0.2, 0.3, 0.5]
    assert piece.probabilities == pytest.approx([0.2, 0.3, 0.5])
    assert sum(piece.logits) == pytest.approx(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": [0.0, 11.0]}, r"logits\[1\] is 11.0; expected -10 to 10"),
        ({"logits": [0.0, float("nan")]}, r"logits\[1\] is nan"),
        ({"logits": [0.0, 1.0, 2.0]}, "2 names, 3 logits; expected as many of each"),
        ({"names": ["cow"]}, "names"),
        ({"temperature": 0}, "temperature is 0; expected 0.01 to 1000"),
        ({"probabilities": [0.5, 0.6]}, "add up to 1.1; expected 1"),
        ({"probabilities": [0.0, 1.0]}, r"probabilities\[0\] is 0"),
    ],
)
def test_mistakes_are_named(change: dict, message: str) -> None:
    piece = SoftmaxTemperature(**NOTES)
    (name, value), *_ = change.items()
    with pytest.raises(TraitError, match=message):
        setattr(piece, name, value)
    assert piece.logits == [0, 5]
