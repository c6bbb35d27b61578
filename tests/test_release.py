"""A release: a small one is put together, and what is wrong with one is told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

pytest.importorskip("playwright.sync_api", reason="no Playwright")
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "book")]
import release  # noqa: E402

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "cvcourse"
version = "1.2.3"
requires-python = ">=3.11"
"""
PAGE = '<a href="book/page.html#a">on</a> <script src="_static/a.js"></script>'


def notebook(tag: str) -> str:
    source = f'%pip install "cvcourse @ git+https://example.org@{tag}"'
    return json.dumps({"cells": [{"metadata": {"tags": ["setup"]}, "source": [source]}]})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that a release is made of, as small as can be."""
    monkeypatch.setattr(release, "faults", lambda path: [])  # of the EPUB, which is none
    files = {
        "CITATION.cff": "version: 1.2.3\n",
        "pyproject.toml": PROJECT,
        "cvcourse/__init__.py": "",
        "notebooks/00_a.ipynb": notebook("v1.2.3"),
        "notebooks/at_scale.ipynb": json.dumps({"cells": []}),
        "_build/html/index.html": PAGE,
        "_build/html/book/page.html": '<a href="https://example.org">away</a><img src="../a.png">',
        "_build/html/_static/a.js": "",
        "_build/html/_static/macros.html": '<script src="{{ pathto() }}"></script>',  # a template
        "_build/html/a.png": "",
        "_build/html/claims.json": '{"claims": [1]}',
        "_build/epub/book.epub": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_a_release_holds_every_part_and_their_sums(project: Path) -> None:
    folder = project / "dist"
    version = release.agreed(project)
    found = {path.name for path in release.gather(project, folder, version)}
    wheel = "cvcourse-1.2.3-py3-none-any.whl"
    stem = "cvcourse-1.2.3"
    assert found == {wheel, f"{stem}-site.zip", f"{stem}.epub", "claims.json", "CITATION.cff"}
    site = ZipFile(folder / f"{stem}-site.zip").namelist()
    assert f"{stem}-site/index.html" in site
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: sha256((folder / name).read_bytes()).hexdigest() for name in found}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CITATION.cff", "version: 1.2.4\n"),
        ("pyproject.toml", PROJECT.replace("1.2.3", "1.3.0")),
        ("notebooks/00_a.ipynb", notebook("v1.2.2")),
        ("notebooks/00_a.ipynb", notebook("main")),
    ],
)
def test_versions_that_differ_are_refused_with_their_places(
    name: str, text: str, project: Path
) -> None:
    (project / name).write_text(text, "utf-8")
    with pytest.raises(SystemExit, match="not the same everywhere") as refusal:
        release.agreed(project)
    for place in ("CITATION.cff: ", "pyproject.toml: ", "notebooks/00_a.ipynb: "):
        assert place in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("_build/html/index.html", lambda text: text + "<a href='b.html'>b</a>", "b.html leads no"),
        ("_build/html/index.html", lambda text: text + "<a href='/a.png'>b</a>", "/a.png leads no"),
        ("_build/html/index.html", lambda text: text + "<img src='//a.org/b'>", "loads //a.org/b"),
        (
            "_build/html/index.html",
            lambda text: text.replace("src", 'type="module" src'),
            "loads a module",
        ),
        ("_build/html/claims.json", lambda text: '{"claims": []}', "has no claim"),
        ("pyproject.toml", lambda text: text.replace("1.2.3", "1.2.4"), "not of version 1.2.3"),
    ],
)
def test_a_part_with_a_fault_is_refused(
    name: str, change: Callable[[str], str], said: str, project: Path
) -> None:
    path = project / name
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(SystemExit, match=said):
        release.gather(project, project / "dist", "1.2.3")


def test_the_books_own_version_is_the_same_everywhere() -> None:
    assert len(release.versions(ROOT)) > 15
    release.agreed(ROOT)
