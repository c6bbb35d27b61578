"""What stands in the wheel, and that it is enough; `make wheel` runs every notebook from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from bare import ROOT, STARTUP, address, as_on_colab, away, build, papermill, run, setup_cells

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


def test_every_notebook_has_the_same_setup_cell_with_the_address_of_the_book() -> None:
    cells = setup_cells()
    assert len(cells) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert len(set(cells.values())) == 1
    assert (
        address() == yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]["url"]
    )


def test_on_colab_the_setup_cell_has_pip_install_this_package_and_move_nothing(
    tmp_path: Path,
) -> None:
    """pip itself runs, and reports what it would install; git finds this commit at the address."""
    cell = next(iter(setup_cells().values()))
    env = away(
        **as_on_colab(tmp_path),
        PIP_DRY_RUN="1",
        PIP_REPORT=tmp_path / "report.json",
        PIP_NO_INDEX="1",
        PIP_NO_BUILD_ISOLATION="0",  # pip reads it the other way round: build with what is here
    )
    (tmp_path / "cell.ipy").write_text(STARTUP + cell)
    run(sys.executable, "-m", "IPython", "--no-banner", "cell.ipy", cwd=tmp_path, env=env)
    (found,) = json.loads((tmp_path / "report.json").read_text("utf-8"))["install"]
    assert found["metadata"]["name"] == "cvcourse"
    assert found["download_info"]["url"] == address()
    commit = run("git", "rev-parse", "HEAD", cwd=ROOT).strip()
    assert found["download_info"]["vcs_info"]["commit_id"] == commit


def test_elsewhere_the_setup_cell_leaves_the_environment_alone(tmp_path: Path) -> None:
    (tmp_path / "cell.ipy").write_text(next(iter(setup_cells().values())))
    env = away(PIP_LOG=tmp_path / "pip.log", IPYTHONDIR=tmp_path / "ipython")
    run(sys.executable, "-m", "IPython", "--no-banner", "cell.ipy", cwd=tmp_path, env=env)
    assert not (tmp_path / "pip.log").exists()
