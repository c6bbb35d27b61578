"""Run notebooks, and compare what they show with what they hold: without nbval.

The tests do this with nbval, whose last release is of 2024. Should a newer
pytest leave it behind, this stands in for it: nbclient, which Jupyter itself
runs notebooks with, and the same rules as in conftest.py and the cells' tags.

    python notebooks/compare.py [notebooks/03_one_layer.ipynb …]
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from cvcourse.experiment.claims import MIME
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from execute import WIDGET_VIEW, named, run

# Pictures, numbers of widgets and last digits differ between machines.
NOT_COMPARED = {"image/png", "image/jpeg", WIDGET_VIEW, MIME}


def shown(cell: NotebookNode) -> dict[str, str]:
    """What a cell shows, all of one kind together: kind → text."""
    kinds: dict[str, list[str]] = {}
    for output in cell.outputs:
        if output.output_type == "stream":
            if output.name == "stdout":
                kinds.setdefault("stdout", []).append(output.text)
            continue
        for kind, text in output.get("data", {}).items():
            if kind not in NOT_COMPARED:
                kinds.setdefault(kind, []).append(str(text))
    return {kind: "".join(texts) for kind, texts in kinds.items()}


def differences(held: NotebookNode, now: NotebookNode) -> Iterator[str]:
    """Each cell and kind of output that is not what it was, line by line."""
    for old, new in zip(held.cells, now.cells, strict=True):
        tags = old.metadata.get("tags", ())
        if old.cell_type != "code" or "nbval-ignore-output" in tags:
            continue
        before, after = shown(old), shown(new)
        for kind in sorted(before.keys() | after.keys()):
            lines = difflib.unified_diff(
                before.get(kind, "").splitlines(),
                after.get(kind, "").splitlines(),
                "held",
                "now",
                lineterm="",
                n=0,
            )
            if text := "\n".join(lines):
                yield f"cell {old.id}, {kind}:\n{text}"


def compare(path: Path) -> list[str]:
    """What is wrong with a notebook."""
    try:
        return list(differences(nbformat.read(path, as_version=4), run(path)))
    except CellExecutionError as error:
        return [str(error)]


if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars are nothing to compare
    failed = False
    for path in named(sys.argv[1:]):
        wrong = compare(path)
        print(f"{path.name}: {'differs' if wrong else 'as it was'}")
        print(*wrong, sep="\n", end="\n" if wrong else "", flush=True)
        failed |= bool(wrong)
    sys.exit(failed)
