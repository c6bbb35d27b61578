"""Whether what the chapters find repeats on seeds that nobody had looked at before."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[1]
EXPERIMENT = """
from cvcourse.experiment import claim, less, more, repeat
found = repeat(lambda seed: {"number": seed}, seeds)["number"]
findings = {"above -9": more(found, than=-9), "under 1,000": less(found, than=1e3)}
claim("number", "confirmed", findings, effect={"number": found}, short="it is")
"""


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """notebooks/fresh_seeds.py, which is a script, with one small notebook that has been run."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # three numbers need no processes
    monkeypatch.syspath_prepend(str(ROOT / "notebooks"))
    monkeypatch.delitem(sys.modules, "record", raising=False)
    spec = importlib.util.spec_from_file_location("fresh", ROOT / "notebooks/fresh_seeds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parameters = new_code_cell("seeds = 3", metadata={"tags": ["parameters"]})
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=[parameters, new_code_cell(EXPERIMENT)], metadata=python)
    nbformat.write(notebook, tmp_path / "00_small.ipynb")
    papermill.execute_notebook(tmp_path / "00_small.ipynb", tmp_path / "00_small.ipynb")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "TABLE", tmp_path / "table.json")
    monkeypatch.setattr(module, "FIRST", (5, 2000))
    return module


def test_a_finding_that_is_not_as_it_was_is_named_and_nothing_is_run_twice(
    fresh: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh.main()
    sets = json.loads(fresh.TABLE.read_text("utf-8"))["sets"]
    counted = {"findings": 2, "measured": 2}
    assert sets["5"]["00_small"] == {**counted, "changed": {}}
    turned = {"number: under 1,000": [True, False]}
    assert sets["2000"]["00_small"] == {**counted, "changed": turned}
    assert "00_small from seed 2000" in capsys.readouterr().out
    fresh.main()
    assert capsys.readouterr().out == ""


def test_findings_of_only_one_run_are_an_error(fresh: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"only one of two runs finds \['a: it is'\]"):
        fresh.compared({"a: it is": {"holds": True}}, {})


def test_the_ledger_says_how_often_the_findings_of_today_repeat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "notebooks"))
    from record import claims_in

    table = json.loads((ROOT / "benchmarks/results/fresh_seeds.json").read_text("utf-8"))
    runs = list(table["sets"].values())
    shown = {
        path.stem: sum(len(claim["findings"]) for claim in claims_in(path))
        for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    }
    for run in runs:
        assert {name: one["findings"] for name, one in run.items()} == shown
    turns = [[turn for one in run.values() for turn in one["changed"].values()] for run in runs]
    same = [sum(shown.values()) - len(each) for each in turns]
    opened = [each.count([True, None]) for each in turns]
    settled = [each.count([None, True]) for each in turns]
    for each, *parts in zip(turns, opened, settled, strict=True):
        assert len(each) == sum(parts), "one turned round"
    told = " ".join((ROOT / "book/claims.md").read_text("utf-8").split())
    for numbers, words in (
        (same, "came out as in the chapters"),
        (opened, "that hold there were open"),
        (settled, "that are open there held. None turned round"),
    ):
        assert "{}, {} and {}".format(*numbers) + f" {words}" in told
    assert f"Of {sum(shown.values())} findings, {same[0]}" in told
