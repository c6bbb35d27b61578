"""Run every notebook as a reader does: with the wheel, and nothing of the repository.

A new environment gets the wheel, what it asks for and what runs a notebook: in the locked versions,
or with `--colab` all that colab.txt lists, so that whatever the wheel would move is an error. Each
notebook runs in an empty folder. No cell may raise, and what is saved must hold every interactive
figure; how many findings come out as in the book is said.

    python tests/wheel/every_notebook.py [--colab] [--opencv 5.0.0.93] [notebooks/…]
"""

from __future__ import annotations

import json
import operator
import re
import sys
import time
import venv
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from bare import NOTEBOOKS, ROOT, away, build, papermill, run

CLAIM = "application/vnd.cvcourse.claim+json"
COLAB = Path(__file__).with_name("colab.txt")


def locked() -> str:
    """The versions in requirements.lock, without their hashes, as constraints."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    return "\n".join(re.findall(r"^([\w.-]+==.+?) \\$", text, re.MULTILINE))


def with_opencv(versions: str, opencv: str) -> str:
    """The same versions, but for OpenCV's distributions."""
    return re.sub(r"^(opencv-[\w-]+)==.*", rf"\1=={opencv}", versions, flags=re.MULTILINE)


def environment(folder: Path, versions: str, *wanted: str) -> Path:
    """A Python that has the wheel, what it needs in these versions, papermill, and more."""
    venv.create(folder / "environment", with_pip=True)
    python = folder / "environment/bin/python"
    wheel = build(folder, python=python)
    (folder / "versions.txt").write_text(versions)
    install = (python, "-m", "pip", "install", "-q", "-c", "versions.txt")
    run(*install, wheel, "papermill", "ipykernel", *wanted, cwd=folder)
    return python


def shown(notebook: Path) -> tuple[int, list[bool | None]]:
    """How many interactive figures the outputs hold, and whether each of their findings holds."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    pages = ["".join(each.get("text/html", ())) for each in data]
    findings = [finding for each in data for finding in each.get(CLAIM, {}).get("findings", ())]
    return sum("data-explorable=" in page for page in pages), [each["holds"] for each in findings]


def try_one(notebook: Path, folder: Path, python: Path) -> tuple[bool, str]:
    """Run one notebook; whether it went well, and what came out."""
    empty = folder / "empty"
    empty.mkdir(parents=True)
    try:
        executed = papermill(notebook, empty, away(), python=python)
    except RuntimeError as error:
        return False, str(error)
    figures, holds = shown(executed)
    stored, held = shown(notebook)
    alike = sum(map(operator.eq, holds, held))
    said = f"{figures} of {stored} figures, {alike} of {len(held)} findings as in the book"
    return figures == stored, said


def main() -> None:
    """Run them all, say how each went, and exit with 1 if one did not."""
    parser = ArgumentParser(description="Run notebooks with nothing but the wheel.")
    parser.add_argument("--colab", action="store_true", help="in the versions that Colab has")
    parser.add_argument("--opencv", help="version of OpenCV, instead of the one that is listed")
    parser.add_argument("notebooks", nargs="*", type=Path, default=NOTEBOOKS)
    asked = parser.parse_args()
    versions = COLAB.read_text("utf-8") if asked.colab else locked()
    if asked.opencv:
        versions = with_opencv(versions, asked.opencv)
    failed = 0
    with TemporaryDirectory() as name:
        folder = Path(name)
        python = environment(folder, versions, *(("-r", "versions.txt") if asked.colab else ()))
        found = run(python, "-c", "import cvcourse; print(cvcourse.__file__)", cwd=folder)
        assert folder in Path(found.strip()).parents, f"another cvcourse: {found}"
        for notebook in asked.notebooks:
            print(f"{notebook.name} …", end=" ", flush=True)
            start = time.perf_counter()
            went_well, said = try_one(notebook.resolve(), folder / notebook.stem, python)
            print(f"{time.perf_counter() - start:.0f} s, {said}", flush=True)
            failed += not went_well
    sys.exit(f"{failed} notebooks failed" if failed else 0)


if __name__ == "__main__":
    main()
