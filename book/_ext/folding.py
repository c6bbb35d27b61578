"""Code that a reader can do without is folded, under its own first line, or what it makes.

A cell tagged `hide-input` is a `<details>`, which opens without a script. One tagged `hide-cell` is
folded with what it prints, and its first line, a comment, says what that is. MyST-NB would give all
of them one label. Notebooks, downloads and Colab show everything as ever.
"""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput
from sphinx.application import Sphinx

#: What cells of these tags are called, whatever they begin with.
NAMES = {"setup": "Set-up", "parameters": "Parameters"}
#: First lines that say what a cell is for; of all others, what it calls does so better.
TELLING = ("# ", "def ", "class ")
MADE = {
    "plt.show()": "Code of the figure",
    "verdicts(": "Code of the verdicts",
    "claim(": "Code of the claim",
    "table(": "Code of the table",
    "save_record(": "Code that keeps the results",
}


def name_folds(app: Sphinx, doctree: nodes.document) -> None:
    """Give each folded cell its label, before MyST-NB folds it."""
    for cell in doctree.findall(nodes.container):
        if cell.get("hide_mode") in ("input", "all"):
            code = next(cell.findall(nodes.literal_block)).astext()
            tags = cell["cell_metadata"].get("tags", ())
            names = [NAMES[tag] for tag in tags if tag in NAMES]
            names += [first_line(code)] if cell["hide_mode"] == "all" else [label(code)]
            cell["prompt_show"] = names[0]


def label(code: str) -> str:
    """What a fold with this code is called."""
    made = [name for call, name in MADE.items() if call in code]
    telling = code.lstrip().startswith(TELLING)
    return f"Code: {first_line(code)}" if telling or not made else made[0]


def first_line(code: str) -> str:
    """The first line; of a comment, what it says."""
    line = code.strip().split("\n", maxsplit=1)[0]
    return "imports" if line.startswith(("import ", "from ")) else line.removeprefix("# ")


def open_fold(translator: Any, node: HideCodeCellNode) -> None:
    """The beginning of a fold: its label, in a line of its own."""
    classes = " ".join(["hide", *node["classes"]])
    label = escape(node["prompt_show"])
    translator.body.append(f'<details class="{classes}"><summary>{label}</summary>\n')


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("doctree-read", name_folds)
    app.add_node(HideCodeCellNode, override=True, html=(open_fold, depart_HideCellInput))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
