"""Figures and equations of a chapter have numbers, and links to them say these."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SETTINGS = "extensions = ['myst_nb', 'numbering', 'mathml']\nhtml_theme = 'basic'\n"
SETTINGS += "nb_execution_mode = 'off'\nmyst_enable_extensions = ['dollarmath']\n"
SETTINGS += "myst_heading_anchors = 2\nmath_numfig = False\nmyst_update_mathjax = False\n"
# Named, for Sphinx's default remembers the parsers of earlier books in the same process.
SETTINGS += "source_suffix = {'.md': 'myst-nb', '.ipynb': 'myst-nb'}\n"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
INDEX = (
    "# Home\n\n[That figure](#fig-b).\n\n```{toctree}\nnotebooks/03_layer\nnotebooks/scale\n```\n"
)
TEXT = """# Layer

As [the figure below](#fig-b) has it, and [the formula](#eq-lead) says:<a id="eq-lead"></a>

$$a = b$$

$$c = d$$

See [the text](#more).

## More
"""


def drawing(name: str | None) -> dict[str, Any]:
    """A cell with a picture; with a name, it has a caption, too."""
    mystnb: dict[str, Any] = {"image": {"alt": "A dot."}}
    if name:
        mystnb["figure"] = {"caption": f"The *dot* {name}.", "name": name}
    output = {"output_type": "display_data", "data": {"image/png": PIXEL}, "metadata": {}}
    code = {"cell_type": "code", "source": "draw()", "execution_count": 1, "outputs": [output]}
    return code | {"metadata": {"mystnb": mystnb}}


def notebook(path: Path, text: str, *names: str | None) -> None:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": text}, *map(drawing, names)]
    cells = [cell | {"id": f"cell-{i}"} for i, cell in enumerate(cells)]
    python = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    content = {"cells": cells, "metadata": python, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


@pytest.fixture
def pages(tmp_path: Path, build: Callable[..., tuple[Path, str]]) -> dict[str, str]:
    """The pages of a book with a chapter and a page that gathers results."""
    notebook(tmp_path / "notebooks/03_layer.ipynb", TEXT, "fig-a", None, "fig-b")
    notebook(tmp_path / "notebooks/scale.ipynb", "# Scale\n\n$$e$$", "fig-c")
    out, warnings = build(SETTINGS, index=INDEX)
    assert warnings == ""
    return {path.stem: path.read_text("utf-8") for path in out.rglob("*.html")}


def test_a_chapters_number_stands_before_its_title_wherever_that_is_shown(
    pages: dict[str, str],
) -> None:
    assert re.search(r"<h1>3 · Layer<", pages["03_layer"])
    assert re.search(r"<title>3 · Layer\b", pages["03_layer"])
    assert re.search(r'href="notebooks/03_layer.html">3 · Layer<', pages["index"])
    assert re.search(r'href="notebooks/scale.html">Scale<', pages["index"]), "not a chapter"
    assert 'id="layer"' in pages["03_layer"], "addresses do not change"


def test_captions_have_their_numbers_and_their_words(pages: dict[str, str]) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", pages["03_layer"], re.DOTALL)
    words = [re.sub(r"\s+", " ", re.sub(r"<.*?>", "", caption)) for caption in captions]
    assert [re.sub("[#¶]", "", text).strip() for text in words] == [
        "Figure 3.1. The dot fig-a.",
        "Figure 3.2. The dot fig-b.",
    ]
    assert pages["03_layer"].count('alt="A dot."') == 3
    assert "Figure 1. " in re.sub(r"<.*?>", "", pages["scale"]), "not a chapter"


def test_links_say_the_number_on_the_page_and_on_others(pages: dict[str, str]) -> None:
    assert re.search(r'As <a [^>]*href="#fig-b"[^>]*>(<span>)?Figure 3.2<', pages["03_layer"])
    link = r'href="notebooks/03_layer.html#fig-b"[^>]*>(<span[^>]*>)*Figure 3.2<'
    assert re.search(link, pages["index"])
    assert re.search(r'href="#more"[^>]*>the text<', pages["03_layer"]), "and others do not"


def test_equations_are_numbered_and_named(pages: dict[str, str]) -> None:
    page = pages["03_layer"]
    numbers = re.findall(r'id="(eq[\w-]+)"[^>]*>.*?class="eqno">\(([\d.]+)\)', page, re.DOTALL)
    assert numbers == [("eq-lead", "3.1"), ("equation-3-2", "3.2")]
    assert re.search(r'href="#eq-lead"[^>]*>(<span[^>]*>)*Equation 3.1<', page)
    assert page.count('id="eq-lead"') == 1
    assert "eqno" not in pages["scale"]


def test_a_link_to_no_figure_is_a_warning(
    tmp_path: Path, build: Callable[..., tuple[Path, str]]
) -> None:
    notebook(tmp_path / "notebooks/03_layer.ipynb", "# Layer\n\n[It](#fig-lost).", "fig-a")
    _, warnings = build(SETTINGS, index="# Home\n\n```{toctree}\nnotebooks/03_layer\n```\n")
    assert "fig-lost" in warnings
