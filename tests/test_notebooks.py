"""What every notebook must be, beside running: nbval checks that."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in PATHS if path.name[:2].isdigit()]
ledger = {entry["id"]: entry for entry in yaml.safe_load((ROOT / "book/claims.yml").read_text())}


def code_cells(path: Path) -> list[NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def printed(cell: NotebookNode) -> str:
    return "".join(out.text for out in cell.outputs if out.output_type == "stream")


def claims_of(cell: NotebookNode) -> list[tuple[str, str]]:
    """(id, verdict) of each call of claim(…)."""
    source = re.sub(r"%pip .*", "pass", cell.source)
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        tuple(ast.literal_eval(argument) for argument in call.args[:2])
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "claim"
    ]


def test_there_are_notebooks() -> None:
    assert CHAPTERS


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_every_cell_was_run_in_order_and_kept_no_noise(path: Path) -> None:
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        streams = [output.name for output in cell.outputs if output.output_type == "stream"]
        assert len(streams) == len(set(streams)), "cut into pieces, elsewhere at every run"
        assert set(cell.metadata) <= {"tags", "mystnb"}
    assert "widgets" not in nbformat.read(path, as_version=4).metadata
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_the_first_cells_set_up_and_take_parameters(path: Path) -> None:
    first, second = code_cells(path)[:2]
    assert "google.colab" in first.source
    assert not first.outputs
    assert tags(second) == ["parameters"]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_every_figure_says_in_words_what_it_shows(path: Path) -> None:
    for cell in code_cells(path):
        draws = any("image/png" in output.get("data", {}) for output in cell.outputs)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert not draws or len(alt) > 60, cell.source


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_a_claim_is_always_compared(path: Path) -> None:
    for cell in code_cells(path):
        if claims_of(cell):
            assert not tags(cell), "nothing may keep nbval from comparing a claim"


def test_every_claim_cell_stands_in_the_ledger_and_the_other_way_round() -> None:
    made = {}
    for path in CHAPTERS:
        for cell in code_cells(path):
            for id, verdict in claims_of(cell):
                assert f"claim {id}: {verdict}\n" in printed(cell), f"{id} was not reproduced"
                made[id] = (path.stem, verdict)
    written = {
        id: (entry["notebook"], entry["verdict"])
        for id, entry in ledger.items()
        if entry.get("notebook") and entry["verdict"] != "not yet tested"
    }
    assert made == written


def cut_down(path: Path, folder: Path) -> Path:
    """The cells of chapter 3 that count parameters, with what they need: a few seconds' work."""
    notebook = nbformat.read(path, as_version=4)
    tagged = {"setup", "parameters"}
    starts = ("import time", "def changed(", "models = {", "def costs(")
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and (tagged & set(tags(cell)) or cell.source.startswith(starts))
    ]
    assert len(notebook.cells) == len(tagged) + len(starts)
    nbformat.write(notebook, folder / "short.ipynb")
    return folder / "short.ipynb"


@pytest.mark.parametrize("broken", [False, True], ids=["intact", "broken"])
def test_nbval_notices_a_broken_package(tmp_path: Path, broken: bool) -> None:
    """The negative control: one number changed in a copy of the package turns a notebook red."""
    shutil.copytree(ROOT / "cvcourse", tmp_path / "cvcourse")
    module = tmp_path / "cvcourse/models/small_cnn.py"
    source = module.read_text()
    if broken:
        module.write_text(re.sub(r"width: int = 16", "width: int = 17", source))
        assert module.read_text() != source
    short = cut_down(ROOT / "notebooks/03_one_layer.ipynb", tmp_path)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(tmp_path)),
            *("--nbval", "--nbval-current-env", str(short)),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == (1 if broken else 0), run.stdout[-3000:]
    if broken:
        assert "24,346" in run.stdout, "the count that no longer holds is shown"


def test_verdict_tables_state_the_ledgers_claims() -> None:
    """The reader should not have to look a claim's name up to know what was tested."""
    rows = {}
    for path in CHAPTERS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                rows |= {
                    id: (statement, verdict)
                    for id, statement, verdict in re.findall(
                        r"^\| \*\*([a-z0-9-]+)\*\*: (.+?) \| ([a-z ]+) \|", cell.source, re.M
                    )
                }
    assert rows == {
        id: (entry["statement"].strip(), entry["verdict"])
        for id, entry in ledger.items()
        if entry.get("notebook")
    }


def test_every_figure_has_a_caption_and_a_name_of_its_own() -> None:
    names = []
    for path in PATHS:
        for cell in code_cells(path):
            if any("image/png" in output.get("data", {}) for output in cell.outputs):
                figure = cell.metadata.mystnb.get("figure", {})
                assert len(figure.get("caption", "")) > 40, f"{path.stem} {cell.id}"
                names.append(figure.get("name"))
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"fig-[a-z0-9-]+", name) for name in names)
