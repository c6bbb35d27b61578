"""Code that teaches nothing is folded, under a label that says what it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from pages import CHAPTERS

SETTINGS = "extensions = ['myst_nb', 'folding']\nnb_execution_mode = 'off'\n"
SETTINGS += "html_theme = 'basic'\nmyst_update_mathjax = False\n"
SETTINGS += "source_suffix = {'.md': 'myst-nb', '.ipynb': 'myst-nb'}\n"
#: Tags, code → what its fold is called.
CELLS = [
    (["parameters", "hide-input"], "seeds = 4", "Parameters"),
    (["hide-input"], "import numpy\nx = 1", "Code: imports"),
    (["hide-input"], "# Draw it.\nx = 1", "Code: Draw it."),
    (["hide-input"], "y = 1 < 2\nx = 1", "Code: y = 1 &lt; 2"),
    (["hide-input"], "import numpy\nplt.show()", "Code of the figure"),
    (["hide-input"], "table(\n    ['a'],\n)", "Code of the table"),
    (["hide-input"], "it = claim(\n    'a',\n)", "Code of the claim"),
    (["hide-input"], "# As above\nplt.show()", "Code: As above"),
    (["hide-cell"], "# What it found\nprint(1)", "What it found"),
]


def test_a_fold_is_called_by_its_first_line(
    tmp_path: Path, build: Callable[..., tuple[Path, str]]
) -> None:
    cells = [new_code_cell(code, metadata={"tags": tags}) for tags, code, _ in CELLS]
    python = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    page = new_notebook(cells=[*cells, new_code_cell("z = 3")], metadata=python)
    nbformat.write(page, tmp_path / "page.ipynb")
    folder, _ = build(SETTINGS, index="# Home\n\n```{toctree}\npage\n```\n")
    html = (folder / "page.html").read_text("utf-8")
    for _, _, label in CELLS:
        assert f"<summary>{label}</summary>" in html
    assert html.count("<details") == html.count("</details>") == len(CELLS), "z is open"


@pytest.mark.parametrize("page", [page for page in CHAPTERS if page[10:12].isdigit()])
def test_open_code_is_a_quarter_of_a_chapter_at_most(
    site: Path, page: str, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab("file:", viewport={"width": 1400, "height": 900})
    tab.goto((site / page).as_uri())
    tab.add_style_tag(content="* { content-visibility: visible !important }")
    code, whole = tab.evaluate(
        """() => {
            const height = (element) => element.getBoundingClientRect().height;
            const article = document.querySelector("article");
            const open = [...article.querySelectorAll("div.cell > div.cell_input")];
            return [open.map(height).reduce((a, b) => a + b, 0), height(article)];
        }"""
    )
    assert 0 < code < whole / 4
