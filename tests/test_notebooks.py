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
from scipy import stats

from cvcourse.experiment.claims import MARKS, MIME

FIGURE = "application/vnd.cvcourse.figure+json"
ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in PATHS if path.name[:2].isdigit()]
ledger = {entry["id"]: entry for entry in yaml.safe_load((ROOT / "book/claims.yml").read_text())}


def code_cells(path: Path) -> list[NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def claims_of(cell: NotebookNode) -> list[dict]:
    """The data of the claims that a cell has shown."""
    return [out.data[MIME] for out in cell.outputs if MIME in out.get("data", {})]


def calls(cell: NotebookNode, name: str) -> list[ast.Call]:
    """The calls of a function in a cell."""
    source = re.sub(r"%pip .*", "pass", cell.source)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [node for node in nodes if isinstance(node.func, ast.Name) and node.func.id == name]


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
    assert path.stat().st_size < 1_700_000


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_the_first_cells_set_up_and_take_parameters(path: Path) -> None:
    first, second = code_cells(path)[:2]
    assert tags(first) == ["setup", "hide-input"]
    assert not first.outputs
    assert tags(second) == ["parameters", "hide-input"]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_code_that_teaches_nothing_is_folded(path: Path) -> None:
    """Set-up, parameters, imports, claims and records; and what is longer than a screen."""
    before = ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "remove-input" not in tags(cell):
            around = any(calls(cell, name) for name in ("claim", "verdicts", "save_record"))
            begins = {"setup", "parameters"} & set(tags(cell))
            length = len(cell.source.splitlines())
            wall = length > 40 or ("**Predict.**" in before and length > 15)
            practice = ".check(" in cell.source
            if not practice:
                folded = "hide-input" in tags(cell)
                assert folded or not (around or begins or wall), cell.source
        before = cell.source


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_every_figure_says_in_words_what_it_shows(path: Path) -> None:
    for cell in code_cells(path):
        draws = any("image/png" in output.get("data", {}) for output in cell.outputs)
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert not draws or len(alt) > 60, cell.source


def test_a_cell_with_a_figure_shows_nothing_else() -> None:
    """The page makes a figure of whatever comes first: of a table above it, once."""
    for path in PATHS:
        for cell in code_cells(path):
            if "figure" in cell.metadata.get("mystnb", {}):
                shown = [output for output in cell.outputs if "data" in output]
                assert len(shown) == 1, (path.stem, cell.id)


def test_every_figure_but_one_is_also_drawn_for_a_phone() -> None:
    """That one is small enough."""
    drawn = {
        cell.metadata.mystnb.figure.name: output.metadata.get(FIGURE, {})
        for path in PATHS
        for cell in code_cells(path)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    }
    assert {n for n, versions in drawn.items() if "narrow.svg" not in versions} == {"fig-alike"}


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_a_claim_is_always_compared(path: Path) -> None:
    for cell in code_cells(path):
        if calls(cell, "claim") or calls(cell, "verdicts"):
            assert tags(cell) == ["hide-input"], "nothing may keep nbval from comparing a claim"


def test_every_claim_is_settled_by_one_cell_and_held_there() -> None:
    made = [claim for path in CHAPTERS for cell in code_cells(path) for claim in claims_of(cell)]
    assert sorted(claim["id"] for claim in made) == sorted(ledger)
    assert [claim["id"] for claim in made if not claim["reproduced"]] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_claims_text_is_its_data(path: Path) -> None:
    for cell in code_cells(path):
        for output in cell.outputs:
            if MIME in output.get("data", {}):
                data, text = output.data[MIME], output.data["text/plain"]
                marks = [MARKS[finding["holds"]] for finding in data["findings"]]
                assert text.splitlines()[0] == f"claim {data['id']}: {data['verdict']}"
                assert [line.split()[0] for line in text.splitlines()[1:]] == marks


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_ends_with_the_verdicts_on_all_its_claims(path: Path) -> None:
    made = [claim["id"] for cell in code_cells(path) for claim in claims_of(cell)]
    (cell,) = (cell for cell in code_cells(path) if calls(cell, "verdicts"))
    (output,) = cell.outputs
    shown = re.findall(r'<th scope="row">([\w-]+)</th>', output.data["text/html"])
    assert sorted(shown) == sorted(made)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_no_finding_is_judged_by_a_mean(path: Path) -> None:
    """A finding that chance has a part in is `more`, `less` or `same`, never `….mean() > 0.1`."""
    for cell in code_cells(path):
        for call in calls(cell, "claim"):
            for finding in ast.walk(call.args[2]):
                if isinstance(finding, ast.Compare):
                    assert "mean" not in ast.unparse(finding)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_what_corrects_a_statement_could_have_confirmed_it(path: Path) -> None:
    """With a margin above zero, a gain as small as a paper's own would pass as no gain."""
    for made in (made for cell in code_cells(path) for made in claims_of(cell)):
        if made["verdict"] == "corrected":
            for found in made["findings"]:
                gains = found.get("rule") == "less than" and found["bound"] > 0
                assert not gains, f"{made['id']}: {found['what']}"


def test_what_chapter_0_says_of_a_few_seeds_and_of_many_findings_is_so() -> None:
    cells = nbformat.read(CHAPTERS[0], as_version=4).cells
    text = next(cell.source for cell in cells if "What a few seeds can show" in cell.source)
    rows = re.findall(r"^\| (\d+) \| ± ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    assert [int(n) for n, _, _ in rows] == [4, 8, 12, 48]
    for seeds, reaches, effect in ((int(n), float(a), float(b)) for n, a, b in rows):
        t = stats.t.ppf(0.975, seeds - 1)
        assert reaches == pytest.approx(t / seeds**0.5, abs=0.05)
        found = stats.nct.sf(t, seeds - 1, effect * seeds**0.5)
        assert found == pytest.approx(0.8, abs=0.03)
    made = [claim for path in CHAPTERS for cell in code_cells(path) for claim in claims_of(cell)]
    measured = sum(bool(found.get("seeds")) for claim in made for found in claim["findings"])
    said = re.search(r"judge about (\d+) of them by an interval", text)
    assert said
    assert int(said[1]) == pytest.approx(measured, rel=0.06)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_parameter_is_a_plain_value_on_a_line_of_its_own(path: Path) -> None:
    """So that records can set each of them; the last is where a record goes."""
    lines = ast.parse(code_cells(path)[1].source).body
    names = [line.targets[0].id for line in lines]
    values = [ast.literal_eval(line.value) for line in lines]
    assert dict(zip(names, values, strict=True))["record_path"] == ""
    assert {"seeds", "record_path"} <= set(names)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_where_a_record_goes_is_tried_before_the_work(path: Path) -> None:
    cells = code_cells(path)
    assert any(calls(cell, "save_record") for cell in cells)
    (call,) = calls(cells[2], "check_record_path")
    assert ast.unparse(call) == "check_record_path(record_path)"


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


NBVAL = ("-m", "pytest", "-c", "/dev/null", "--nbval", "--nbval-current-env")
WAYS = {"nbval": NBVAL, "without nbval": (str(ROOT / "notebooks/compare.py"),)}


@pytest.mark.parametrize("broken", [False, True], ids=["intact", "broken"])
@pytest.mark.parametrize("way", WAYS)
def test_a_broken_package_is_noticed(tmp_path: Path, way: str, broken: bool) -> None:
    """The negative control: one number changed in a copy of the package turns a notebook red."""
    shutil.copytree(ROOT / "cvcourse", tmp_path / "cvcourse")
    module = tmp_path / "cvcourse/models/small_cnn.py"
    source = module.read_text()
    if broken:
        module.write_text(source.replace("width: Count = 16", "width: Count = 17"))
        assert module.read_text() != source
    short = cut_down(ROOT / "notebooks/03_one_layer.ipynb", tmp_path)
    run = subprocess.run(
        [sys.executable, *WAYS[way], str(short)],
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


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_the_number_of_a_figure_can_stand_for_the_words_of_a_link_to_it(path: Path) -> None:
    """On the page it does: "the figure below" and "(as above)" read well then; a verb does not."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = re.findall(r"\(?\[[^\]]+\]\(#(?:fig|eq)-[a-z0-9-]+\)\)?", text)
    assert [link for link in links if not re.match(r"\(?\[([Tt]he|[Oo]ur) |\(.*\)\)$", link)] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_no_table_shows_markdown(path: Path) -> None:
    """Nobody would make italics of it there."""
    outputs = [output for cell in code_cells(path) for output in cell.outputs]
    html = [output.get("data", {}).get("text/html", "") for output in outputs]
    cells = [cell for text in html for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", text)]
    assert [cell for cell in cells if re.search(r"\*\w.*\w\*|\[.*\]\(", cell)] == []
