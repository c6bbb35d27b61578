"""The package as its readers get it: a wheel, away from the repository, as on Colab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What a notebook on Colab sees before its first cell.
STARTUP = 'import sys, types\nsys.modules["google.colab"] = types.ModuleType("google.colab")\n'


def setup_cells() -> dict[str, str]:
    """The cell that installs the package: notebook → source."""
    found = {}
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if "setup" in cell["metadata"].get("tags", ()):
                found[path.stem] = "".join(cell["source"])
    return found


def address() -> str:
    """Of the repository, as the setup cells have it."""
    found = re.search(r'"cvcourse @ git\+(https://\S+)"', next(iter(setup_cells().values())))
    assert found, "the setup cell asks pip for no repository"
    return found[1]


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


def as_on_colab(folder: Path) -> dict[str, str]:
    """Variables: kernels take themselves for Colab's, and git finds this commit at its address.

    pip writes down all that it does in `pip.log`, in the same folder.
    """
    startup = folder / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text(STARTUP)
    return {
        "IPYTHONDIR": str(folder / "ipython"),
        "PIP_LOG": str(folder / "pip.log"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{ROOT.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address(),
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
