"""What a run cannot tell stays unknown, whatever is made of it: a dash, and the reason."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cvcourse import plot
from cvcourse.experiment import (
    Finding,
    Unknown,
    claim,
    interval,
    less,
    load_record,
    more,
    proportion,
    repeat,
    same,
    save_record,
    table,
    verdicts,
)

NO_LEAD = Unknown("no lead")
SEEDS = np.array([0.1, 0.2])


@pytest.mark.parametrize(
    "made",
    [
        *(SEEDS - NO_LEAD, NO_LEAD - SEEDS, SEEDS + NO_LEAD, NO_LEAD + 1, 2 * NO_LEAD),
        *(NO_LEAD * 2, NO_LEAD / 2, SEEDS / NO_LEAD, -NO_LEAD, NO_LEAD[:, 3], 1 - NO_LEAD),
        *(interval(NO_LEAD), proportion(NO_LEAD), NO_LEAD - NO_LEAD),
    ],
)
def test_whatever_is_made_of_it_is_unknown(made: Any) -> None:
    assert made is NO_LEAD
    assert f"{made:+.2f}" == "–"


def test_its_numbers_are_nan() -> None:
    made = Unknown("no lead")
    assert np.isnan([made.mean, made.low, made.high]).all()
    assert np.isnan(made.reach).all()


@pytest.mark.parametrize(
    ("judge", "rule"),
    [
        (more, ("more than", 0.3)),
        (less, ("less than", 0.5)),
        (same, ("within", 0.1)),
    ],
)
def test_a_finding_on_it_keeps_its_rule_and_the_reason(
    judge: Callable[[Unknown, float], Finding], rule: tuple[str, float]
) -> None:
    judged = judge(NO_LEAD, rule[1])
    assert judged.holds is None
    data = judged.as_data()
    assert data["why"] == "no lead"
    assert (data["rule"], data["bound"]) == rule
    assert "estimate" not in data
    json.dumps(data, allow_nan=False)


def made(capsys: pytest.CaptureFixture[str], **findings: Any) -> tuple[Any, str]:
    effect = {"lead": (NO_LEAD, ".0%"), "gain": interval(SEEDS)}
    settled = claim("lead", "confirmed", findings, effect=effect, short="it leads")
    capsys.readouterr()
    verdicts(settled)
    return settled, capsys.readouterr().out.splitlines()[1]


def test_a_claim_on_it_has_a_dash_for_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    settled, row = made(capsys, up=more(NO_LEAD), sure=True, never=Unknown("two classes"))
    assert str(settled).splitlines() == [
        "claim lead: – (no lead; two classes)",
        "  – up",
        "  ✓ sure",
        "  – never",
    ]
    assert row.split(maxsplit=2) == ["lead", "–", "no lead; two classes"]
    assert settled.as_data()["effect"][0] == {"what": "lead", "text": "– (no lead)"}


def test_what_failed_failed(capsys: pytest.CaptureFixture[str]) -> None:
    settled, row = made(capsys, up=more(NO_LEAD), sure=False)
    assert str(settled).splitlines()[0] == "claim lead: NOT REPRODUCED in this run"
    assert "not reproduced" in row


def test_nothing_but_open_findings_is_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    settled, row = made(capsys, up=more([0.5, -0.5]), down=less([0.5, -0.5]))
    assert str(settled).startswith("claim lead: – (all of it is open")
    assert "it leads" not in row
    settled, row = made(capsys, up=more([0.5, -0.5]), sure=True)
    assert str(settled).startswith("claim lead: confirmed\n")
    assert row.endswith("it leads")


def test_a_dash_is_plain_where_a_terminal_has_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = claim("lead", "confirmed", {"α": NO_LEAD}, effect={"lead": NO_LEAD}, short="s")
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert str(settled).splitlines() == ["claim lead: - (no lead)", "  - ?"]


def one_seed_cannot(seed: int) -> dict[str, Any]:
    return {"lead": NO_LEAD if seed else [0.5, 0.6], "gain": seed}


def test_an_arm_that_one_seed_cannot_tell_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = repeat(one_seed_cannot, 2)
    assert list(results.values) == ["lead", "gain"]
    assert results.interval("lead").why == results.difference("lead", "gain").why == "no lead"
    assert results["gain"].tolist() == [0, 1]
    table(["arm", "lead"], {"CNN": [results.proportion("lead")]})
    assert capsys.readouterr().out.split() == ["arm", "lead", "CNN", "–"]

    save_record(tmp_path / "run.json", {"main": results})
    kept = json.loads((tmp_path / "run.json").read_text())["results"]["main"]["values"]
    assert kept == {"gain": [0, 1]}


def test_a_record_tells_it_by_a_dash(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settled, _ = made(capsys, up=more(NO_LEAD))
    save_record(tmp_path / "run.json", {})
    fields = json.loads((tmp_path / "run.json").read_text())
    fields |= {"notebook": "n", "purpose": "p", "claims": [settled.as_data()]}
    (tmp_path / "run.json").write_text(json.dumps(fields))
    said = load_record(tmp_path / "run.json").findings().splitlines()
    assert said[1:] == ["  lead – (no lead)", "  gain 0.15 [-0.49, 0.79]", "    – up"]


def test_it_is_drawn_as_nothing() -> None:
    fig, ax = plt.subplots()
    plot.band(ax, [1, 2, 3], NO_LEAD, "CNN")
    plot.whiskers(ax, [0, 1], [NO_LEAD, interval(SEEDS)])
    assert np.isnan(ax.lines[0].get_ydata()).all()
    assert ax.get_legend_handles_labels()[1] == ["CNN"]
    plt.close(fig)
