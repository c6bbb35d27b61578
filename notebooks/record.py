"""Make the records: runs of a notebook with more seeds, pictures or steps.

`records.yml` lists them. A run that was cut off goes on from the last seed that
was finished, as long as the code is the same.

    python notebooks/record.py 03_one_layer-shapes   # make one
    python notebooks/record.py                       # which are out of date
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import yaml
from cvcourse.experiment.claims import MIME
from cvcourse.files import write_file
from cvcourse.parallel import KEEP
from nbformat import NotebookNode

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
LIST = FOLDER / "records.yml"
RESULTS = ROOT / "cvcourse" / "results"
WORK = ROOT / ".records"  # not in _build, which `make book` clears
ENTRIES = {"notebook", "purpose", "parameters", "budget"}
#: What only draws, or says where and how far: no number is theirs.
SHOWN = re.compile(
    r"cvcourse/(fonts|parallel|progress|experiment/tables|(plot|explore)/\w+)\.py"
)


def read_list() -> dict[str, dict[str, Any]]:
    """Name → notebook, purpose, budget (1 by default) and parameters."""
    written: dict[str, dict[str, Any]] = yaml.safe_load(LIST.read_text("utf-8"))
    listed = {name: {"budget": 1, **entry} for name, entry in written.items()}
    for name, entry in listed.items():
        if entry.keys() != ENTRIES:
            raise ValueError(
                f"record {name} in {LIST.name} has {', '.join(entry)}; "
                f"expected {', '.join(sorted(ENTRIES))}"
            )
    return listed


def parameters_of(notebook: NotebookNode) -> dict[str, Any]:
    """The names and values in a notebook's parameters cell."""
    cell = next(
        cell
        for cell in notebook.cells
        if "parameters" in cell.metadata.get("tags", ())
    )
    return {
        line.targets[0].id: ast.literal_eval(line.value)
        for line in ast.parse(cell.source).body
        if isinstance(line, ast.Assign)
        and isinstance(line.targets[0], ast.Name)
    }


def code_of(path: Path) -> dict[str, str]:
    """What a notebook's results come from: file → checksum.

    Its own cells, and each module of the package that it imports, or that one
    of these imports; what only draws, runs seeds side by side, or shows records
    is left out.
    """
    notebook = nbformat.read(path, as_version=4)
    cells = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code"
        and "practice" not in cell.source
        and "load_records(" not in cell.source
        and not {"parameters", "setup"} & set(cell.metadata.get("tags", ()))
    ]
    source = "\n".join(cells)
    found = {path.relative_to(ROOT).as_posix(): checksum(source)}
    waiting = list(imported(source))
    while waiting:
        module = waiting.pop()
        name = module.relative_to(ROOT).as_posix()
        if name not in found and not SHOWN.fullmatch(name):
            found[name] = checksum(module.read_text("utf-8"))
            waiting += imported(module.read_text("utf-8"))
    return dict(sorted(found.items()))


def imported(source: str) -> Iterator[Path]:
    """The files of the package that a piece of Python imports."""
    tree = ast.parse(re.sub(r"%pip .*", "pass", source))
    for line in ast.walk(tree):
        if isinstance(line, ast.ImportFrom) and line.module:
            names = [line.module]
            names += [f"{line.module}.{name.name}" for name in line.names]
        elif isinstance(line, ast.Import):
            names = [name.name for name in line.names]
        else:
            continue
        for name in names:
            place = ROOT / name.replace(".", "/")
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if name.startswith("cvcourse") and file.is_file():
                    yield file


def checksum(source: str) -> str:
    """Of a piece of Python, less its comments, docstrings and layout.

    What a claim is `short` for is left out: words that follow the numbers.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords[:] = [k for k in node.keywords if k.arg != "short"]
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [line for line in body if not is_text(line)]
    return digest(told(tree))


def told(node: Any) -> str:
    """A syntax tree in words that are the same in every Python.

    Fields that are empty are left out: newer ones have some that older ones
    have not, and `ast.dump` writes them down or not, as its Python does.
    """
    if isinstance(node, list):
        return f"[{', '.join(told(part) for part in node)}]"
    if isinstance(node, ast.JoinedStr):
        # 3.12 ends some f-strings with an empty text of its own.
        parts = [n for n in node.values if getattr(n, "value", None) != ""]
        return f"JoinedStr({told(parts)})"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = (
        f"{name}={told(value)}"
        for name, value in ast.iter_fields(node)
        if value is not None and value != []
    )
    return f"{type(node).__name__}({', '.join(fields)})"


def is_text(line: ast.AST) -> bool:
    """Whether a line is a text and nothing else, as docstrings are."""
    return (
        isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    )


def digest(text: str) -> str:
    """Twelve hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def make(name: str) -> Path:
    """Run a record's notebook, and write down what came out."""
    listed = read_list()
    if name not in listed:
        raise SystemExit(
            f"error: no record {name!r} in {LIST.name}; there are "
            f"{', '.join(listed)}"
        )
    entry = listed[name]
    path = FOLDER / f"{entry['notebook']}.ipynb"
    settings = parameters_of(nbformat.read(path, as_version=4))
    unknown = entry["parameters"].keys() - settings.keys()
    if unknown:
        raise SystemExit(
            f"error: {path.name} has no parameter {', '.join(sorted(unknown))}"
        )
    settings |= entry["parameters"]
    del settings["record_path"]
    code = code_of(path)
    run = digest(json.dumps([code, settings], sort_keys=True))
    folder = WORK / name / run
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[KEEP] = str(folder / "seeds")
    try:
        papermill.execute_notebook(
            path,
            folder / "run.ipynb",
            {
                **entry["parameters"],
                "record_path": str(folder / "results.json"),
            },
            kernel_name="python3",
            cwd=folder,
        )
    finally:
        del os.environ[KEEP]
    left = json.loads((folder / "results.json").read_text("utf-8"))
    record = {
        "notebook": entry["notebook"],
        "purpose": entry["purpose"],
        "budget": entry["budget"],
        **left,
        "settings": {**settings, **left["settings"]},
        "claims": claims_in(folder / "run.ipynb"),
        "code": code,
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_file(RESULTS / f"{name}.json", text.encode())
    return RESULTS / f"{name}.json"


def claims_in(path: Path) -> list[dict[str, Any]]:
    """The data of the claims that a notebook's cells have shown."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = (out for cell in cells for out in cell.get("outputs", ()))
    bundles = (out.get("data", {}).get(MIME) for out in outputs)
    return [bundle for bundle in bundles if bundle]


def state(name: str, entry: dict[str, Any]) -> str:
    """Whether a record is as its code and its parameters are today."""
    file = RESULTS / f"{name}.json"
    if not file.exists():
        return "not made yet"
    record = json.loads(file.read_text("utf-8"))
    differing = [
        key
        for key, value in entry["parameters"].items()
        if record["settings"].get(key) != value
    ]
    if differing:
        return f"made with other parameters: {', '.join(differing)}"
    if "code" not in record:
        return f"{record['date']}, before records kept the code they come from"
    now = code_of(FOLDER / f"{entry['notebook']}.ipynb")
    changed = [file for file in now if now[file] != record["code"].get(file)]
    if changed:
        return f"{record['date']}, older than {', '.join(changed)}"
    return f"{record['date']}, up to date"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{make(name).relative_to(ROOT)} is made")
    if not sys.argv[1:]:
        for name, entry in read_list().items():
            print(f"{name}: {state(name, entry)}")
