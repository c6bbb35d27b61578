import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))
from trained_out import plateau, printed, small_figure, trained_out

ROOT = Path(__file__).parents[2]


def run(
    estimate: float,
    *,
    holds: bool | None = True,
    budget: float = 1,
    dataset: str = "shapes",
    reach: float = 0.1,
) -> dict[str, Any]:
    """What a run says of a claim with one effect, and one finding beside an exact one."""
    ends = {"estimate": estimate, "low": estimate - reach, "high": estimate + reach, "seeds": 4}
    return {
        "budget": budget,
        "dataset": dataset,
        "effect": [
            {"what": "parameters", "estimate": 7, "format": ","},
            {"what": "before", "format": ".2f", "estimate": 0.5, "low": 0.4, "high": 0.6},
            {"what": "gain", "format": "+.2f", **ends},
        ],
        "findings": [
            {"what": "counted", "holds": True, "rule": "exact", "bound": None},
            {"what": "it gains", "holds": holds, "rule": "more than", "bound": 0.0, **ends},
        ],
    }


@pytest.mark.parametrize(("holds", "word"), [(True, "yes"), (False, "turns"), (None, "open")])
def test_the_longest_training_decides_on_the_direction(holds: bool | None, word: str) -> None:
    records = [run(0.3, holds=holds, budget=16), run(0.3, holds=not holds, budget=4)]
    trained = trained_out(run(0.3), records)
    assert trained is not None
    assert trained["direction"] == word
    assert [point["budget"] for point in trained["points"]] == [1, 4, 16]
    assert trained["what"] == "gain"


@pytest.mark.parametrize(
    ("holds", "word"), [([True], "same"), ([True, False], "other"), ([None, True], "open")]
)
def test_photographs_have_a_word_of_their_own(holds: list[bool | None], word: str) -> None:
    real = [run(0.9, holds=h, dataset="cifar10-jpeg", budget=64) for h in holds]
    trained = trained_out(run(0.3), [run(0.3, budget=4), *real])
    assert trained is not None
    assert trained["photographs"] == word
    assert trained["direction"] == "yes"
    assert [point["budget"] for point in trained["points"]] == [1, 4]
    without = trained_out(run(0.3), [run(0.3, budget=4)])
    assert without is not None
    assert without["photographs"] == "not measured"


@pytest.mark.parametrize(
    ("estimates", "reached"),
    [([0.3, 0.31, 0.32], 1), ([0.3, 0.5, 0.52], 4), ([0.3, 0.5, 0.7], None), ([0.3, 0.5, 0.3], 4)],
)
def test_an_effect_has_its_plateau_where_it_stays_in_the_interval(
    estimates: list[float], reached: float | None
) -> None:
    budgets = (1, 4, 16)
    reach = {1: 0.05, 4: 0.25 if estimates[-1] == 0.3 else 0.05, 16: 0.05}
    points = [
        {"budget": b, "estimate": e, "low": e - reach[b], "high": e + reach[b]}
        for b, e in zip(budgets, estimates, strict=True)
    ]
    assert plateau(points) == reached


def test_a_finding_that_names_the_chapters_steps_is_not_asked_for_in_longer_runs() -> None:
    live, longer = run(0.3), run(0.3, budget=4)
    for made, steps, holds in ((live, 12, True), (longer, 48, False)):
        early = made["findings"][1] | {"what": f"after {steps} steps it loses", "holds": holds}
        made["findings"].append(early)
    trained = trained_out(live, [longer])
    assert trained is not None
    assert trained["direction"] == "yes"


def test_runs_that_found_nothing_in_the_same_words_say_nothing() -> None:
    """The oldest runs judged by means, in words of their own: "same" was said of their silence."""
    other, photographs = run(0.3, budget=4), run(0.3, dataset="cifar10-jpeg")
    for made in (other, photographs):
        made["findings"][1]["what"] = "it gains on average"
    trained = trained_out(run(0.3), [other, photographs])
    assert trained is not None
    assert (trained["direction"], trained["photographs"]) == ("open", "not measured")


def test_what_is_counted_or_was_not_trained_for_longer_has_no_words() -> None:
    counted = run(0.3)
    counted["findings"] = counted["findings"][:1]
    assert trained_out(counted, [run(0.3, budget=4)]) is None
    assert trained_out(run(0.3), [run(0.3, budget=0.5), run(0.3)]) is None
    assert trained_out({}, []) is None


@pytest.mark.parametrize(
    ("number", "form", "text"),
    [(-0.021, "+.2f", "−0.02"), (2.9e32, ".1e", "2.9 · 10³²"), (2e-7, ".0e", "2 · 10⁻⁷")],
)
def test_a_number_is_printed_as_in_books(number: float, form: str, text: str) -> None:
    assert printed(number, form) == text


def test_the_small_figure_says_what_it_shows() -> None:
    trained = trained_out(run(0.3), [run(-0.2, budget=4)])
    assert trained is not None
    figure = small_figure(trained)
    assert "<title>gain, against the training: ×1: +0.30; ×4: −0.20</title>" in figure
    assert figure.count("<circle") == 2


def test_records_say_the_budget_that_the_list_gives_them() -> None:
    listed = yaml.safe_load((ROOT / "notebooks/records.yml").read_text("utf-8"))
    for path in (ROOT / "cvcourse/results").glob("*.json"):
        made = json.loads(path.read_text("utf-8"))
        assert made.get("budget", 1) == listed[path.stem].get("budget", 1), path.stem
