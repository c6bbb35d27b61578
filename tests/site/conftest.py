"""The built book, made once for all the tests that look at it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from pages import ROOT

JUPYTER_BOOK = Path(sys.executable).with_name("jupyter-book")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built book; of several workers, the first builds it for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    options = ["-n", "-W", "--keep-going", "-q", "--path-output", str(folder / "book")]
    command = [str(JUPYTER_BOOK), "build", str(ROOT), *options]
    with FileLock(folder / "book.lock"):
        if not (folder / "book.done").exists():
            run = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
            assert run.returncode == 0, run.stdout + run.stderr
            (folder / "book.done").touch()
    return folder / "book" / "_build" / "html"
