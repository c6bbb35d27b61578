"""Do the findings repeat? Each chapter again, on three other sets of seeds.

A finding repeats if it holds, does not, or is open, as in the stored run. What
has run is kept, so that a run which was cut off goes on; delete the table to
start anew.

    python notebooks/fresh_seeds.py
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from cvcourse.experiment import as_seeds, hardware
from cvcourse.files import write_file

from record import FOLDER, ROOT, claims_in, parameters_of

TABLE = ROOT / "benchmarks" / "results" / "fresh_seeds.json"
FIRST = (1000, 2000, 3000)  #: the first seed of each set

Found = dict[str, dict[str, Any]]


def findings(claims: list[dict[str, Any]]) -> Found:
    """All findings, by claim and words."""
    return {
        f"{claim['id']}: {finding['what']}": finding
        for claim in claims
        for finding in claim["findings"]
    }


def again(notebook: Path, first: int) -> Found:
    """What a notebook finds on as many seeds as it has, from this one on."""
    written = parameters_of(nbformat.read(notebook, as_version=4))
    parameters = {
        name: list(range(first, first + len(as_seeds(value))))
        for name, value in written.items()
        if name.startswith("seeds")
    }
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, "run.ipynb")
        papermill.execute_notebook(
            notebook,
            run,
            parameters,
            kernel_name="python3",
            cwd=folder,
            progress_bar=False,
        )
        return findings(claims_in(run))


def compared(stored: Found, fresh: Found) -> dict[str, Any]:
    """How many findings, how many measured, and each that has changed."""
    missing = stored.keys() ^ fresh.keys()
    if missing:
        raise ValueError(f"only one of two runs finds {sorted(missing)}")
    return {
        "findings": len(stored),
        "measured": sum("seeds" in finding for finding in stored.values()),
        "changed": {
            what: [finding["holds"], fresh[what]["holds"]]
            for what, finding in stored.items()
            if finding["holds"] != fresh[what]["holds"]
        },
    }


def main() -> None:
    """Run what has not run yet, and print what has changed."""
    table: dict[str, Any] = {}
    if TABLE.exists():
        table = json.loads(TABLE.read_text("utf-8"))
    sets = table.setdefault("sets", {str(first): {} for first in FIRST})
    for first, chapters in sets.items():
        for notebook in sorted(FOLDER.glob("[0-9]*.ipynb")):
            if notebook.stem in chapters:
                continue
            chapters[notebook.stem] = result = compared(
                findings(claims_in(notebook)), again(notebook, int(first))
            )
            print(f"{notebook.stem} from seed {first}: {result}", flush=True)
            table["date"] = datetime.now(UTC).date().isoformat()
            table["hardware"] = hardware()
            text = json.dumps(table, indent=1, ensure_ascii=False) + "\n"
            write_file(TABLE, text.encode())


if __name__ == "__main__":
    main()
