"""Every record is listed, made by one command from a notebook alone, and knows its code."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def record() -> ModuleType:
    """notebooks/record.py, which is a script."""
    spec = importlib.util.spec_from_file_location("record", ROOT / "notebooks/record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_record_is_listed_and_every_listed_one_can_be_made(record: ModuleType) -> None:
    listed = record.read_list()
    made = {path.stem for path in record.RESULTS.glob("*.json")}
    assert made <= set(listed)
    for name, entry in listed.items():
        notebook = nbformat.read(record.FOLDER / f"{entry['notebook']}.ipynb", as_version=4)
        unknown = entry["parameters"].keys() - record.parameters_of(notebook).keys()
        assert unknown == set(), name
        assert "record_path" not in entry["parameters"]


PARAMETERS = 'seeds = 2\nsteps = 1\ncounts = (1, 5)\nrecord_path = ""'
EXPERIMENT = """
import os
from pathlib import Path
from cvcourse.experiment import claim, more, repeat, save_record

def learn(seed):
    if seed == 1 and os.environ.get("CUT_OFF"):
        raise ZeroDivisionError
    assert counts == (1, 5)  # papermill would hand over a text
    Path(os.environ["RAN"], f"seed {seed}").open("a").write("x")
    return {"gain": steps + seed / 10}

results = repeat(learn, seeds)
claim("gain", "confirmed", {"it is": more(results["gain"])},
      effect={"gain": results.interval("gain")}, short="it is")
save_record(record_path, {"learn": results}, axis=[1, 2])
"""


@pytest.fixture
def bench(record: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with one small notebook and one record of it."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "ran").mkdir()
    cells = [
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell(EXPERIMENT),
    ]
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(
        new_notebook(cells=cells, metadata=python), tmp_path / "notebooks/00_small.ipynb"
    )
    (tmp_path / "notebooks/records.yml").write_text(
        "small-longer:\n  notebook: 00_small\n  purpose: to try\n  parameters: {steps: 7}\n"
    )
    places = {"FOLDER": "notebooks", "LIST": "notebooks/records.yml", "RESULTS": "results"}
    for name, place in {**places, "ROOT": ".", "WORK": "work"}.items():
        monkeypatch.setattr(record, name, tmp_path / place)
    monkeypatch.setenv("RAN", str(tmp_path / "ran"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # so that the seeds come one after another
    monkeypatch.delenv(record.KEEP, raising=False)
    return record


def test_a_record_holds_results_claims_settings_and_code(bench: ModuleType) -> None:
    entry = bench.read_list()["small-longer"]
    assert bench.state("small-longer", entry) == "not made yet"
    made = json.loads(bench.make("small-longer").read_text())
    assert made["notebook"] == "00_small"
    assert made["purpose"] == "to try"
    assert made["settings"] == {"seeds": 2, "steps": 7, "counts": [1, 5], "axis": [1, 2]}
    assert made["results"]["learn"]["values"]["gain"] == [7.0, 7.1]
    (claim,) = made["claims"]
    assert claim["effect"][0]["estimate"] == 7.05
    assert claim["findings"][0]["holds"] is True
    assert list(made["code"]) == ["notebooks/00_small.ipynb"]
    assert bench.state("small-longer", entry).endswith("up to date")


def test_a_record_that_was_cut_off_goes_on_from_the_last_seed(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUT_OFF", "1")
    with pytest.raises(Exception, match="ZeroDivisionError"):
        bench.make("small-longer")
    assert not (bench.RESULTS / "small-longer.json").exists()
    monkeypatch.delenv("CUT_OFF")
    bench.make("small-longer")
    ran = {path.name: path.read_text() for path in Path(os.environ["RAN"]).iterdir()}
    assert ran == {"seed 0": "x", "seed 1": "x"}, "each seed once, over both runs"


def test_a_record_knows_when_its_code_or_its_parameters_have_changed(bench: ModuleType) -> None:
    bench.make("small-longer")
    path = bench.FOLDER / "00_small.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source = "# The same.\n" + EXPERIMENT
    nbformat.write(notebook, path)
    entry = bench.read_list()["small-longer"]
    assert bench.state("small-longer", entry).endswith("up to date")
    notebook.cells[1].source = EXPERIMENT.replace("seed / 10", "seed / 9")
    nbformat.write(notebook, path)
    told = bench.state("small-longer", entry)
    assert told.endswith("older than notebooks/00_small.ipynb")
    changed = entry | {"parameters": {"steps": 8}}
    told = bench.state("small-longer", changed)
    assert told == "made with other parameters: steps"


def test_what_cannot_be_made_is_named(bench: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"no record 'large'.* there are small-longer"):
        bench.make("large")
    bench.LIST.write_text(bench.LIST.read_text().replace("steps: 7", "stepps: 7"))
    with pytest.raises(SystemExit, match=r"00_small\.ipynb has no parameter stepps"):
        bench.make("small-longer")
    bench.LIST.write_text("small-longer: {notebook: 00_small}\n")
    with pytest.raises(ValueError, match=r"has budget, notebook; expected budget, notebook"):
        bench.read_list()


def test_code_is_followed_through_the_package(record: ModuleType) -> None:
    code = record.code_of(ROOT / "notebooks/03_one_layer.ipynb")
    assert {"notebooks/03_one_layer.ipynb", "cvcourse/train/fit.py"} <= set(code)
    assert {"cvcourse/random_state.py", "cvcourse/data/shapes.py"} <= set(code), "at second hand"
    assert not any("practice" in name for name in code)
    shown = ("cvcourse/plot", "cvcourse/explore", "cvcourse/experiment/tables", "cvcourse/parallel")
    assert not any(name.startswith(shown) for name in code), "no number is theirs"


def test_a_checksum_is_the_same_in_every_python(record: ModuleType) -> None:
    """Their syntax trees differ: 3.12 gave functions type parameters, and 3.13 prints less."""
    source = (
        "def f(x, *, y=''):\n    return ', '.join(f'{x}{f\"{y:>{x}}\"}' for x in y)  # joined\n"
    )
    assert record.checksum(source) == "d08c9ae85144"
    assert record.checksum(source.replace("y=''", "y='a'")) != record.checksum(source)
    assert record.checksum("a = ['', 'b']") != record.checksum("a = ['b']"), "only an f-string's"


def test_words_that_follow_the_numbers_are_no_part_of_a_checksum(record: ModuleType) -> None:
    said = "claim('dry', {'it is': more(x)}, short='it is dry')"
    assert record.checksum(said) == record.checksum(said.replace("it is dry", "dry, at last"))
    assert record.checksum(said) != record.checksum(said.replace("more", "less"))


def test_every_trained_claim_was_also_trained_for_longer(record: ModuleType) -> None:
    """So that the ledger can say whether more training turns it.

    Chapter 0's claim is about one run.
    """
    made = [json.loads(path.read_text("utf-8")) for path in record.RESULTS.glob("*.json")]
    longer = {one["id"] for run in made if run.get("budget", 1) > 1 for one in run["claims"]}
    trained = {
        one["id"]
        for path in sorted(record.FOLDER.glob("[0-9]*.ipynb"))
        for one in record.claims_in(path)
        if any(found.get("seeds") for found in one["findings"])
    }
    assert len(trained) > 30
    assert trained - longer == {"one-run"}
