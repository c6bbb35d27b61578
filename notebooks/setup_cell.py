"""The first cell of every notebook: it installs the release that it belongs to.

A copy that somebody saved goes on with the package it was written for. Which
release that is, and where it lies, stands in CITATION.cff.

    python notebooks/setup_cell.py  # after a new version there
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).parents[1]
SOURCE = """\
from importlib.util import find_spec

if not find_spec("cvcourse"):  # on Colab, Kaggle and the like
    %pip install -q "cvcourse @ git+{address}@v{version}\""""


def setup_cell() -> str:
    """The cell's source."""
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    return SOURCE.format(
        address=about["repository-code"], version=about["version"]
    )


def write(path: Path) -> None:
    """Put the cell into a notebook, and change nothing else."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "setup" in cell.metadata.get("tags", ()):
            cell.source = setup_cell()
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        write(path)
