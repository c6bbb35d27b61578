"""Mutation testing of the parts that the numbers rest on: `make mutants`.

Each mutant meets its module's own tests (`PARTS`), on a copy of the package; nothing in the working
tree is changed but the report. What is known already is kept in `.venv/mutants.json`, so a run that
was cut off goes on, and after a change only the mutants of changed files are tried again.

    python tests/mutants/run.py                  # all, and tests/mutants/results.md
    python tests/mutants/run.py losses train/fit # these parts only
    python tests/mutants/run.py --anew           # forget what is known
    python tests/mutants/run.py --report         # write the report from what is known
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from report import write

if sys.version_info < (3, 12):
    sys.exit("make mutants wants Python 3.12 or later: it watches lines by sys.monitoring")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: a process that forks has one thread
ROOT = Path(__file__).parents[2]
STATE = ROOT / ".venv/mutants.json"
HERE = Path(__file__).parent

_TRAIN = [
    f"tests/train/test_{name}.py"
    for name in ("fit", "run", "recipe", "average", "look", "returned", "two_steps")
]
#: Part → its tests. A part is a module or a package of cvcourse.
PARTS: dict[str, list[str]] = {
    "losses": [
        "tests/test_losses.py",
        *(f"tests/train/test_{name}.py" for name in ("papers", "look", "devices")),
    ],
    "experiment": ["tests/experiment"],
    "augment/mix": [
        *(f"tests/augment/test_{name}.py" for name in ("mix", "doors")),
        *(f"tests/train/test_{name}.py" for name in ("mixed", "look", "returned")),
    ],
    "receptive_field": ["tests/receptive_field"],
    "train/step": [*_TRAIN, "tests/train/test_devices.py"],
    "train/mix": [
        "tests/train/test_mixed.py",
        "tests/train/test_look.py",
        "tests/train/test_returned.py",
    ],
    "train/multi_head": [
        "tests/models/test_heads.py",
        "tests/train/test_look.py",
        "tests/train/test_returned.py",
    ],
    "train/evaluate": [
        f"tests/train/test_{name}.py" for name in ("evaluate", "devices", "look", "returned")
    ],
    "train/distill": [
        f"tests/train/test_{name}.py" for name in ("distill", "devices", "look", "returned")
    ],
    "train/transfer": ["tests/train/test_transfer.py"],
    "train/weights": ["tests/train/test_weights.py", "tests/train/test_other_weights.py"],
    "train/recipe": _TRAIN,
    "train/identity": [
        f"tests/train/test_{name}.py" for name in ("identity", "descriptions", "resume")
    ],
    "train/checkpoint": [
        f"tests/train/test_{name}.py"
        for name in ("resume", "checkpoint", "damage", "two_steps", "processes")
    ],
    "train/fixmatch": [
        f"tests/train/test_{name}.py" for name in ("fixmatch", "exact_steps", "papers", "returned")
    ],
    "train/pseudo_label": [
        f"tests/train/test_{name}.py"
        for name in ("pseudo_label", "exact_steps", "papers", "look", "returned")
    ],
    "train/noisy_student": ["tests/train/test_noisy_student.py", "tests/train/test_rounds.py"],
    "train/fit": [
        *_TRAIN,
        *(f"tests/train/test_{name}.py" for name in ("resume", "devices", "processes")),
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--anew", action="store_true", help="try every mutant again")
    parser.add_argument("--report", action="store_true", help="only write the report")
    asked = parser.parse_args()
    parts = asked.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    failed = []
    for part in [] if asked.report else parts:
        alone = get_context("spawn").Process(target=_run_alone, args=(part, asked.anew))
        alone.start()  # with torch, and the part's tests, to itself
        alone.join()
        if alone.exitcode:
            failed.append(part)
    write(PARTS, load(), HERE / "results.md")
    if failed:
        sys.exit(f"could not be tried: {', '.join(failed)}")


def load() -> dict[str, Any]:
    return json.loads(STATE.read_text("utf-8")) if STATE.is_file() else {}


def _run_alone(part: str, anew: bool) -> None:
    code = 1
    try:
        run(part, anew)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)  # at once: some libraries complain at length about how Python ends here


def run(part: str, anew: bool) -> None:
    from mutations import mutants

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        for name in ("cvcourse", "tests", "conftest.py", "pyproject.toml"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        sources = {
            str(path.relative_to(folder)): path.read_text("utf-8")
            for path in sources_of(part, folder)
        }
        tests = _checksum(*(f.read_text("utf-8") for f in _files(folder, PARTS[part])))
        known = {} if anew else load().get(part, {})
        new: dict[str, Any] = {"seconds": known.get("seconds", 0.0), "mutants": {}}
        todo = []
        for file, source in sources.items():
            for mutant in mutants(file, source):
                before = known.get("mutants", {}).get(mutant.key)
                if before and _holds(before, _checksum(mutant.around), tests):
                    new["mutants"][mutant.key] = before
                else:
                    todo.append(mutant)
                    new["mutants"][mutant.key] = {
                        "file": mutant.file,
                        "function": mutant.function,
                        "line": mutant.lines[0],
                        "was": mutant.was,
                        "becomes": mutant.becomes,
                        "around": _checksum(mutant.around),
                        "tests": tests,
                        "verdict": None,
                    }
        print(f"{part}: {len(new['mutants'])} mutants, {len(todo)} to try", flush=True)
        if todo:
            _try(part, folder, todo, new)
        store(part, new)


def _holds(before: dict[str, Any], around: str, tests: str) -> bool:
    """Whether a verdict still is one; a survivor is tried again when its tests have changed."""
    if before["verdict"] is None or before.get("around") != around:
        return False
    return bool(before["verdict"]) or before["tests"] == tests


def sources_of(part: str, root: Path) -> list[Path]:
    path = root / "cvcourse" / part
    return sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _files(root: Path, names: list[str]) -> list[Path]:
    return sorted(
        f for name in names for f in [root / name, *(root / name).glob("*.py")] if f.is_file()
    )


def _checksum(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def store(part: str, new: dict[str, Any] | list[str]) -> None:
    whole = load() | {part: new}
    partial = STATE.with_suffix(".part")
    partial.write_text(json.dumps(whole, indent=1, ensure_ascii=False), "utf-8")
    partial.replace(STATE)


def _try(part: str, folder: Path, todo: list[Any], new: dict[str, Any]) -> None:
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    import pytest
    from session import Session

    def work(session: Session) -> None:
        store("slow", sorted(session.slow))
        start = last = time.monotonic()
        spent = new["seconds"]
        for number, mutant in enumerate(todo, 1):
            verdict = session.verdict(mutant)
            new["mutants"][mutant.key]["verdict"] = verdict
            new["seconds"] = spent + time.monotonic() - start
            if not verdict:
                print(f"  lives: {mutant.function}: {mutant.was}  →  {mutant.becomes}", flush=True)
            if time.monotonic() - last > 20:
                print(f"  {number} of {len(todo)}, {time.monotonic() - start:.0f} s", flush=True)
                store(part, new)
                last = time.monotonic()

    files = {mutant.file for mutant in todo}
    options = [
        "-q",
        "-s",
        "--tb=native",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:nbval",
    ]
    options += ["-o", "tmp_path_retention_policy=none", f"--basetemp={folder / 'tmp'}"]
    session = Session(folder, files, set(load().get("slow", [])), work)
    code = pytest.main([*options, *PARTS[part]], plugins=[session])
    if code == pytest.ExitCode.INTERNAL_ERROR:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
