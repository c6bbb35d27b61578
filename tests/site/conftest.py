"""The built book, and tiny books of one extension each."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sphinx.testing.util import SphinxTestApp

ROOT = Path(__file__).parents[2]
JUPYTER_BOOK = Path(sys.executable).with_name("jupyter-book")
sys.path.insert(0, str(ROOT / "book" / "_ext"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built book."""
    out = tmp_path_factory.mktemp("book")
    options = ["-n", "-W", "--keep-going", "-q", "--path-output", str(out)]
    command = [str(JUPYTER_BOOK), "build", str(ROOT), *options]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return out / "_build" / "html"


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., tuple[Path, str]]:
    """Builds a tiny book of settings and texts: where its pages are, and the warnings."""

    def build_one(settings: str, **texts: str) -> tuple[Path, str]:
        settings += f"\nimport sys; sys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
        (tmp_path / "conf.py").write_text(settings, "utf-8")
        for name, text in texts.items():
            (tmp_path / f"{name}.md").write_text(text, "utf-8")
        app = SphinxTestApp("html", tmp_path)
        try:
            app.build()
            return Path(app.outdir), app.warning.getvalue()
        finally:
            app.cleanup()

    return build_one
