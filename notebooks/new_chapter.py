"""Start a chapter: a skeleton that runs, and passes the tests as it is.

It writes the notebook with its outputs, its places in the table of contents and
on the home page, and stubs for its claim in the ledger and for its summary.

    python notebooks/new_chapter.py 15_shortcuts
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from execute import execute
from setup_cell import setup_cell

ROOT = Path(__file__).parents[1]

OPENING = """\
# {title}

One paragraph: the question, and why the reader should care.

In this chapter you will

- see one thing;
- predict another, and measure it over several seeds.

**Time** 15 minutes to read, under a minute to run on two CPU cores. \
**Before you start** you should have read \
[One layer, and why cropping breaks it](03_one_layer.ipynb)."""

PARAMETERS = """\
dataset = "shapes"
seeds = 3  # how many, or a list of them; every experiment is run once a seed
few = 100
many = 400
n_test = 500
epochs = 5
record_path = ""  # where to write the results down, if anywhere"""

IMPORTS = """\
import torch
from cvcourse.data import load
from cvcourse.experiment import (
    check_record_path,
    claim,
    more,
    repeat,
    save_record,
    table,
    verdicts,
)
from cvcourse.models import SingleLayer, standardized
from cvcourse.train import Recipe, accuracy, fit

check_record_path(record_path)  # before the work"""

FOLDED = "hide-input"  # the page shows the first line; a click, the rest

QUESTION = """\
## Do more pictures help?

What is claimed, in one sentence, and what would have to happen if it were true.

> **Predict.** How much better is one layer with four times the pictures?"""

EXPERIMENT = """\
def learn(seed):
    \"\"\"Accuracy on new pictures, after few and after many.\"\"\"
    test = load(dataset, "test", n=n_test, seed=seed)
    outcome = {}
    for n in (few, many):
        train = load(dataset, "train", n=n, seed=seed)
        torch.manual_seed(seed)
        model = standardized(SingleLayer, train)
        fit(model, train, Recipe(epochs=epochs, learning_rate=1e-3), seed=seed)
        outcome[f"{n} pictures"] = accuracy(model, test)
    return outcome


results = repeat(learn, seeds)
gain = results.difference(f"{many} pictures", f"{few} pictures")"""

NUMBERS = """\
table(
    ["accuracy after", ""],
    {arm: [results.proportion(arm)] for arm in results.values},
)
print(f"the difference, seed by seed: {gain:+.2f}")"""

VERDICT = """\
made = claim(
    "{claim}",
    "confirmed",
    {{"four times the pictures help": more(gain)}},
    effect={{
        "accuracy with few": results.proportion(f"{{few}} pictures"),
        f"gained with {{many}}": (gain, "+.2f"),
    }},
    short="what is left",
)"""

RECORD = """\
save_record(record_path, {"learn": results})"""

CLOSING = """\
## Try it yourself

1. **Predict a number.** Something that can be worked out on paper first.
2. **Change one thing.** A parameter, a model, a kind of picture.
3. **A small project.** Something that the chapter did not settle."""

LEDGER = """
- id: {claim}
  statement: What is claimed, right or wrong.
  notes: []
"""

SUMMARY = """
## [{title}](../notebooks/{name}.ipynb)

**Question.** What the chapter asks.

**Answer.** What came out, and within which limits.

```{{measured}} {name}
```
"""


def skeleton(name: str, title: str, claim: str) -> NotebookNode:
    """The notebook, not yet run."""
    cells = [
        new_markdown_cell(OPENING.format(title=title)),
        new_code_cell(setup_cell(), metadata={"tags": ["setup", FOLDED]}),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters", FOLDED]}),
        new_code_cell(IMPORTS, metadata={"tags": [FOLDED]}),
        new_markdown_cell(QUESTION),
        new_code_cell(EXPERIMENT),
        new_code_cell(NUMBERS, metadata={"tags": ["nbval-ignore-output"]}),
        new_code_cell(VERDICT.format(claim=claim), metadata={"tags": [FOLDED]}),
        new_markdown_cell("What it means, and what it does not show."),
        new_code_cell(RECORD, metadata={"tags": [FOLDED]}),
        new_markdown_cell("## Verdict"),
        new_code_cell("verdicts(made)", metadata={"tags": [FOLDED]}),
        new_markdown_cell(CLOSING),
    ]
    return new_notebook(cells=cells)


def insert(path: Path, entry: str, name: str) -> None:
    """Add a line where a file lists chapters, behind those of smaller numbers.

    Args:
        entry: the line, with `NAME` where the chapter's name goes.
        name: the chapter's name.
    """
    lines = path.read_text("utf-8").splitlines(keepends=True)
    others = re.compile(re.escape(entry.split("NAME")[0]) + r"(\d\d_\w+)")
    places = [
        number
        for number, line in enumerate(lines)
        if (found := others.match(line.lstrip())) and found[1] < name
    ]
    before = lines[places[-1]]
    indent = before[: len(before) - len(before.lstrip())]
    lines.insert(places[-1] + 1, indent + entry.replace("NAME", name) + "\n")
    path.write_text("".join(lines), "utf-8")


def append(path: Path, text: str) -> None:
    """Add to the end of a text file."""
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def main(name: str) -> None:
    """Write everything, and run the notebook."""
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
        raise SystemExit(
            f"NAME is {name!r}; expected digits and words, like 15_shortcuts"
        )
    notebook = ROOT / "notebooks" / f"{name}.ipynb"
    if taken := sorted(notebook.parent.glob(f"{name[:2]}_*.ipynb")):
        raise SystemExit(
            f"{taken[0].name} has this number already; choose another"
        )
    words = name[3:].replace("_", " ")
    title, claim = words.capitalize(), words.replace(" ", "-")
    nbformat.write(skeleton(name, title, claim), notebook)
    execute(notebook)
    insert(ROOT / "_toc.yml", "- file: notebooks/NAME", name)
    insert(ROOT / "book/index.md", "NAME: What you learn, in a line.", name)
    append(ROOT / "book/claims.yml", LEDGER.format(claim=claim))
    append(
        ROOT / "book/summaries.md",
        SUMMARY.format(title=title, name=name),
    )
    print(
        f"notebooks/{name}.ipynb runs; its claim stands in book/claims.yml,\n"
        "its summary in book/summaries.md, its places in _toc.yml and\n"
        "book/index.md.\n"
        "Now make them true: CONTRIBUTING.md tells how."
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: new_chapter.py NAME, such as 15_shortcuts")
    main(sys.argv[1])
