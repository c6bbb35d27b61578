"""Run every notebook as a reader on Colab does: the wheel, and nothing of the repository.

A new environment gets the wheel, what it asks for (in the locked versions) and what runs a
notebook. Each notebook runs in an empty folder, with two seeds: what counts is that no cell
raises, not that a claim is reproduced. Its setup cell takes Colab's branch, and pip runs.

    python tests/wheel/every_notebook.py [notebooks/03_one_layer.ipynb …]
"""

from __future__ import annotations

import json
import re
import sys
import time
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

from bare import NOTEBOOKS, ROOT, address, as_on_colab, away, build, papermill, run


def locked() -> str:
    """The versions in requirements.lock, without their hashes, as constraints."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    return "\n".join(re.findall(r"^([\w.-]+==.+?) \\$", text, re.MULTILINE))


def environment(folder: Path) -> Path:
    """A Python that has the wheel, what it needs, and papermill."""
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment/bin/python"
    wheel = build(folder, python=python)
    (folder / "locked.txt").write_text(locked())
    wanted = (wheel, "papermill", "ipykernel")
    install = (python, "-m", "pip", "install", "-q", "-c", folder / "locked.txt", *wanted)
    run(*install, cwd=folder)
    return python


def setup_complaint(executed: Path, log: str) -> str:
    """What is wrong with how the setup cell installed the package; "" if nothing is."""
    if f"git+{address()}" not in log or "Running command git clone" not in log:
        return "the setup cell did not have pip fetch the repository"
    cells = json.loads(executed.read_text("utf-8"))["cells"]
    setup = next(cell for cell in cells if "setup" in cell["metadata"].get("tags", ()))
    said = "".join(text for output in setup["outputs"] for text in output.get("text", ()))
    return f"pip said: {said}" if "ERROR" in said else ""


def try_one(notebook: Path, folder: Path, python: Path) -> str:
    """Run one notebook; what went wrong, "" if nothing did."""
    empty = folder / "empty"
    empty.mkdir(parents=True)
    colab = as_on_colab(folder)
    few = ("-p", "seeds", "2") if re.search(r'"seeds = \d', notebook.read_text("utf-8")) else ()
    try:
        executed = papermill(notebook, empty, away(**colab), *few, python=python)
    except RuntimeError as error:
        return str(error)
    return setup_complaint(executed, Path(colab["PIP_LOG"]).read_text("utf-8"))


def main() -> None:
    """Run them all, say how each went, and exit with 1 if one did not."""
    failed = 0
    with TemporaryDirectory() as name:
        folder = Path(name)
        python = environment(folder)
        found = run(python, "-c", "import cvcourse; print(cvcourse.__file__)", cwd=folder)
        assert folder in Path(found.strip()).parents, f"another cvcourse: {found}"
        for notebook in [Path(name).resolve() for name in sys.argv[1:]] or NOTEBOOKS:
            print(f"{notebook.name} …", end=" ", flush=True)
            start = time.perf_counter()
            complaint = try_one(notebook, folder / notebook.stem, python)
            print(f"{time.perf_counter() - start:.0f} s {complaint}".rstrip(), flush=True)
            failed += bool(complaint)
    sys.exit(f"{failed} notebooks failed" if failed else 0)


if __name__ == "__main__":
    main()
