"""The built book, made once for all the tests that look at it, and tiny books of one extension."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from pages import ROOT
from sphinx.testing.util import SphinxTestApp

JUPYTER_BOOK = Path(sys.executable).with_name("jupyter-book")
sys.path.insert(0, str(ROOT / "book" / "_ext"))


@pytest.fixture(scope="session")
def by_jupyter_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book as `jupyter-book build` makes it; of several workers, the first does so for all."""
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


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Path:
    """The folder of the built book: CVCOURSE_SITE, as `make test` sets it, or Jupyter Book's."""
    if "CVCOURSE_SITE" in os.environ:
        return Path(os.environ["CVCOURSE_SITE"]).resolve()
    return request.getfixturevalue("by_jupyter_book")


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., tuple[Path, str]]:
    """Builds a tiny book of settings and texts: where its pages are, and the warnings."""

    def build_one(settings: str, builder: str = "html", **texts: str) -> tuple[Path, str]:
        settings += f"\nimport sys; sys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
        (tmp_path / "conf.py").write_text(settings, "utf-8")
        for name, text in texts.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / f"{name}.md").write_text(text, "utf-8")
        app = SphinxTestApp(builder, tmp_path)
        try:
            app.build()
            return Path(app.outdir), app.warning.getvalue()
        finally:
            app.cleanup()

    return build_one
