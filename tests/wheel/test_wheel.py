"""What stands in the wheel, and that it is enough; `make wheel` runs every notebook from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from bare import ROOT, away, build, papermill, published, release, run, setup_cells

IMPORT_ALL = """
import importlib, pkgutil
import cvcourse
for module in pkgutil.walk_packages(cvcourse.__path__, "cvcourse."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(cvcourse.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), "--no-build-isolation", "--no-index")


@pytest.fixture(scope="module")
def overlay(wheel: Path) -> Path:
    """The wheel in a folder of its own, which goes before what else is installed here."""
    folder = wheel.with_name("overlay")
    install = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index")
    run(*install, "--target", folder, wheel, cwd=wheel.parent)
    return folder


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "cvcourse").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert names == files
    assert {Path(name).suffix for name in names} >= {".py", ".js", ".css", ".json", ".jpg", ".png"}


def test_every_module_is_imported_from_an_empty_folder(overlay: Path, tmp_path: Path) -> None:
    env = away() | {"PYTHONPATH": str(overlay)}
    found = run(sys.executable, "-W", "error", "-c", IMPORT_ALL, cwd=tmp_path, env=env)
    assert Path(found.strip()) == overlay / "cvcourse/__init__.py"
    assert list(tmp_path.iterdir()) == [], "importing writes nothing"


def test_a_notebook_runs_from_the_wheel_in_an_empty_folder(overlay: Path, tmp_path: Path) -> None:
    """This one reads records, which are data of the package."""
    empty = tmp_path / "empty"
    empty.mkdir()
    env = away() | {"PYTHONPATH": str(overlay)}
    papermill(ROOT / "notebooks/at_scale.ipynb", empty, env, python=sys.executable)
    assert list(empty.iterdir()) == []


def test_a_notebook_that_raises_is_reported(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [cell | {"source": "1 / 0"}], "metadata": kernel}
    (tmp_path / "wrong.ipynb").write_text(
        json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5})
    )
    (tmp_path / "empty").mkdir()
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        papermill(tmp_path / "wrong.ipynb", tmp_path / "empty", away(), python=sys.executable)


def test_every_notebook_installs_the_release_that_it_belongs_to() -> None:
    cells = setup_cells()
    assert len(cells) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    (cell,) = set(cells.values())
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert release() == (about["repository-code"], f"v{about['version']}"), (
        "run notebooks/setup_cell.py"
    )
    assert max(map(len, cell.splitlines())) <= 80


# A place where nothing is found of the package.
WITHOUT = """
import sys
from pathlib import Path
sys.path[:] = [entry for entry in sys.path if not Path(entry, "cvcourse").is_dir()]
"""


def run_setup_cell(folder: Path, before: str = "", after: str = "", **variables: str | Path) -> str:
    """What IPython prints; pip builds with what is here, and asks no index."""
    (folder / "cell.ipy").write_text(before + next(iter(setup_cells().values())) + after)
    env = away(
        PIP_NO_INDEX="1",
        PIP_NO_BUILD_ISOLATION="0",  # pip reads it the other way round
        IPYTHONDIR=folder / "ipython",
        **published(folder),
        **variables,
    )
    return run(sys.executable, "-m", "IPython", "--no-banner", "cell.ipy", cwd=folder, env=env)


def test_the_setup_cell_would_install_this_release_and_move_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    run_setup_cell(tmp_path, WITHOUT, PIP_DRY_RUN="1", PIP_REPORT=report)
    (found,) = json.loads(report.read_text("utf-8"))["install"]
    address, tag = release()
    assert found["metadata"]["name"] == "cvcourse"
    assert found["metadata"]["version"] == tag.removeprefix("v")
    assert found["download_info"]["url"] == address
    assert found["download_info"]["vcs_info"]["requested_revision"] == tag
    commit = run("git", "rev-parse", "HEAD", cwd=ROOT).strip()
    assert found["download_info"]["vcs_info"]["commit_id"] == commit


def test_what_the_setup_cell_installs_is_found_by_the_next_cell(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    before = f"{WITHOUT}\nsys.path.insert(0, {str(target)!r})\n"
    after = "\nimport cvcourse; print(cvcourse.__file__)\n"
    said = run_setup_cell(tmp_path, before, after, PIP_TARGET=target, PIP_NO_DEPS="1")
    assert said.splitlines()[-1] == str(target / "cvcourse/__init__.py")


def test_the_setup_cell_leaves_alone_what_is_there(tmp_path: Path) -> None:
    run_setup_cell(tmp_path, PIP_LOG=tmp_path / "pip.log")
    assert not (tmp_path / "pip.log").exists()
