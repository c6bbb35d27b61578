"""The package as its readers get it: a wheel, away from the repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def setup_cells() -> dict[str, str]:
    """The cell that installs the package: notebook → source."""
    found = {}
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if "setup" in cell["metadata"].get("tags", ()):
                found[path.stem] = "".join(cell["source"])
    return found


def release() -> tuple[str, str]:
    """What the setup cells ask pip for: the repository's address, and a tag."""
    found = re.search(r'"cvcourse @ git\+(https://\S+)@(v\S+)"', next(iter(setup_cells().values())))
    assert found, "the setup cell asks pip for no release of the repository"
    return found[1], found[2]


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command, and give what it printed.

    Raises:
        RuntimeError: it failed; the end of what it printed.
    """
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def build(folder: Path, *options: str, python: str | Path = sys.executable) -> Path:
    """The package's wheel, made in a folder."""
    run(python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, *options, ROOT, cwd=ROOT)
    (wheel,) = folder.glob("cvcourse-*.whl")
    return wheel


def away(**variables: str | Path) -> dict[str, str]:
    """This environment without the ways in which Python finds a repository, and with more."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    more = {name: str(value) for name, value in variables.items()}
    return kept | {"PYTHONNOUSERSITE": "1", "TQDM_DISABLE": "1"} | more


def published(folder: Path) -> dict[str, str]:
    """Variables with which git finds this commit at the book's address, tagged as its release."""
    address, tag = release()
    copy = folder / "published.git"
    run("git", "clone", "--quiet", "--bare", ROOT, copy, cwd=folder)
    run("git", "tag", "--force", tag, cwd=copy)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{copy.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }


def papermill(
    notebook: Path, cwd: Path, env: dict[str, str], *options: str, python: str | Path
) -> Path:
    """Run a notebook in a folder; its executed copy, beside the folder.

    Raises:
        RuntimeError: a cell raised.
    """
    executed = cwd.with_suffix(".ipynb")
    run(
        *(python, "-m", "papermill", "--no-progress-bar", "--cwd", cwd, *options),
        *(notebook, executed),
        cwd=cwd,
        env=env,
    )
    return executed
