"""`make new-chapter` gives a chapter that passes the tests as it is, tried in a copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_ext"))
from ledger_data import bundles, effects, read_claims

ROOT = Path(__file__).parents[1]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, with the package of this checkout."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script and the tests of its result need, with a new chapter."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("book", "notebooks", "tests"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("_toc.yml", "pyproject.toml", "conftest.py", "CITATION.cff"):
        shutil.copy(ROOT / name, folder / name)
    made = run(folder, "notebooks/new_chapter.py", "99_a_trial")
    assert made.returncode == 0, made.stderr
    return folder


def test_the_skeleton_passes_the_tests_of_notebooks_and_summaries(copy: Path) -> None:
    tests = ("tests/test_notebooks.py", "tests/test_summaries.py")
    options = ("-o", "addopts=", "-q", "-k", "a_trial or ledger or order")
    checked = run(copy, "-m", "pytest", *options, *tests)
    assert checked.returncode == 0, checked.stdout[-3000:]
    assert "99_a_trial" in run(copy, "-m", "pytest", *options, "--co", *tests).stdout


def test_the_skeleton_runs_again_with_the_same_outputs(copy: Path) -> None:
    options = ("-o", "addopts=", "--nbval", "--nbval-current-env")
    checked = run(copy, "-m", "pytest", *options, "notebooks/99_a_trial.ipynb")
    assert checked.returncode == 0, checked.stdout[-3000:]


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_skeleton_is_linted_and_formatted(copy: Path, check: list[str]) -> None:
    linted = run(copy, "-m", "ruff", *check, "notebooks/99_a_trial.ipynb")
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_chapter_stands_last_among_the_chapters(copy: Path) -> None:
    contents = yaml.safe_load((copy / "_toc.yml").read_text("utf-8"))
    chapters = next(part for part in contents["parts"] if part.get("caption") == "Chapters")
    names = [entry["file"] for entry in chapters["chapters"]]
    *numbered, own_picture = names  # which has no number, and stays behind them
    assert (numbered[-1], own_picture) == ("notebooks/99_a_trial", "notebooks/own_picture")
    assert numbered == sorted(numbered)


def test_the_home_page_and_the_ledger_have_it(copy: Path) -> None:
    home = (copy / "book/index.md").read_text("utf-8")
    assert re.findall(r"^\d\d_\w+(?=: )", home, re.MULTILINE)[-1] == "99_a_trial"
    claims, faults = read_claims((copy / "book/claims.yml").read_text("utf-8"))
    assert faults == []
    (made,) = bundles((copy / "notebooks/99_a_trial.ipynb").read_text("utf-8"))
    assert made["id"] == claims[-1].id
    _, gained = effects(made)
    assert re.fullmatch(r"gained with 400: \+0\.\d+ \[.+, .+\]", gained)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("shortcuts", "like 15_shortcuts"), ("03_again", "choose another")],
)
def test_a_bad_name_is_refused_and_nothing_written(copy: Path, name: str, remedy: str) -> None:
    before = (copy / "_toc.yml").read_bytes()
    refused = run(copy, "notebooks/new_chapter.py", name)
    assert refused.returncode == 1
    assert remedy in refused.stderr
    assert not (copy / f"notebooks/{name}.ipynb").exists()
    assert (copy / "_toc.yml").read_bytes() == before
