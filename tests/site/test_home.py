"""The home page shows stored outputs, chapters and verdicts, and has no copy of any."""

import gzip
import re
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from pages import AWAKE, ROOT

SETTINGS = "extensions = ['myst_parser', 'home']\nhtml_theme = 'basic'\n"
CLAIM = "- {id: shift, statement: It fails., notes: []}\n"
SAID = {"id": "shift", "verdict": "corrected", "reproduced": True, "short": "", "effect": []}
SETTLED = {"application/vnd.cvcourse.claim+json": SAID | {"findings": []}}
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
VERSIONS = {f"{name}.svg": f"<svg><!-- {name} --></svg>" for name in ("wide", "narrow")}
DRAWN = {
    "application/vnd.cvcourse.figure+json": {
        name: b64encode(gzip.compress(text.encode())).decode() for name, text in VERSIONS.items()
    }
}
LIVE = '<div data-explorable="x">still</div>\n<script type="module">"</p>"</script>'


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A chapter with one live figure, one picture, one cell that shows nothing."""
    show = partial(new_output, "display_data")
    alt = {"mystnb": {"image": {"alt": "A dot."}}}
    cells: list[dict[str, Any]] = [
        {"id": "top", "source": "# One layer\n\n**Time** 20 minutes to read, all told."},
        {"id": "live", "outputs": [show({"text/html": LIVE})]},
        {"id": "dot", "metadata": alt, "outputs": [show({"image/png": PIXEL + "\n"})]},
        {"id": "dots", "metadata": alt, "outputs": [show({"image/png": PIXEL}, metadata=DRAWN)]},
        {"id": "mute", "outputs": [new_output("stream", text="1")]},
        {"id": "claim", "outputs": [show(SETTLED)]},
    ]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "claims.yml").write_text(CLAIM, "utf-8")
    path = tmp_path / "notebooks" / "03_layer.ipynb"
    notebook = new_notebook(cells=[new_code_cell(**{"source": "", **cell}) for cell in cells])
    nbformat.write(notebook, path)
    (tmp_path / "notebooks" / "03_layer.md").write_text("# One layer\n", "utf-8")
    return path


Build = Callable[..., tuple[Path, str]]
TOC = "\n\n```{toctree}\nnotebooks/03_layer\n```\n"


def output(cell: str, name: str = "03_layer") -> str:
    return f"# Home\n\n<!-- output of notebooks/{name}.ipynb {cell} -->{TOC}"


def test_a_live_figure_is_taken_as_it_is_stored(build: Build, notebook: Path) -> None:
    pages, warnings = build(SETTINGS, index=output("live"))
    assert warnings == ""
    assert LIVE in (pages / "index.html").read_text("utf-8")


def test_a_picture_comes_with_its_words(build: Build, notebook: Path) -> None:
    pages, warnings = build(SETTINGS, index=output("dot"))
    assert warnings == ""
    page = (pages / "index.html").read_text("utf-8")
    assert f'<img alt="A dot." src="data:image/png;base64,{PIXEL}" />' in page


def test_a_figure_comes_for_wide_screens_and_for_narrow_ones(build: Build, notebook: Path) -> None:
    pages, warnings = build(SETTINGS, index=output("dots"))
    assert warnings == ""
    page = (pages / "index.html").read_text("utf-8")
    for name, text in VERSIONS.items():
        screen = name.removesuffix(".svg")
        (file,) = re.findall(rf'<img alt="A dot." class="{screen}" src="([^"]+)"', page)
        assert (pages / file).read_text("utf-8") == text
    assert "base64" not in page


@pytest.mark.parametrize(
    ("cell", "name", "warning"),
    [
        ("lost", "03_layer", "has no cell 'lost'; name an id that stands in it"),
        ("mute", "03_layer", "cell mute of notebooks/03_layer.ipynb stores no picture"),
        ("live", "04_none", "cannot read the notebook notebooks/04_none.ipynb"),
    ],
)
def test_what_is_not_there_is_a_warning(
    build: Build,
    notebook: Path,
    cell: str,
    name: str,
    warning: str,
) -> None:
    assert warning in build(SETTINGS, index=output(cell, name))[1]


def test_a_card_has_the_chapters_own_title_minutes_and_verdicts(
    build: Build, notebook: Path
) -> None:
    text = f"# Home\n\n```{{chapters}}\n03_layer: Break it.\n```{TOC}"
    page = (build(SETTINGS, index=text)[0] / "index.html").read_text("utf-8")
    found = re.search(r'<ul class="chapter-cards.*?</ul>', page, re.DOTALL)
    assert found
    words = re.sub(r"\s+", " ", re.sub(r"<.*?>", " ", found.group()))
    assert words.strip() == "One layer Break it. 20 min · 1 claim corrected"


def test_a_chapter_that_does_not_say_how_long_it_takes_is_a_warning(
    build: Build, notebook: Path
) -> None:
    notebook.write_text(notebook.read_text("utf-8").replace("**Time**", "Time"), "utf-8")
    text = f"# Home\n\n```{{chapters}}\n03_layer: Break it.\n```{TOC}"
    assert "03_layer does not say how long it takes" in build(SETTINGS, index=text)[1]


def test_the_wall_does_not_count_our_claims_among_those_of_the_notes(
    build: Build, notebook: Path, tmp_path: Path
) -> None:
    text = f"# Home\n\n```{{verdict-wall}}\n```\n\n```{{claims-ledger}}\n```{TOC}"

    def wall() -> str:
        page = (build(SETTINGS, index=text)[0] / "index.html").read_text("utf-8")
        return page.split("<table")[0]

    def groups(page: str) -> list[tuple[str, str]]:
        return re.findall(r"<p><strong>(\d+)</strong> ([\w ]+)</p>", page)

    assert groups(wall()) == [("1", "of our own")]
    assert re.search(r'<li class="verdict-corrected">.*>shift, corrected</', wall(), re.DOTALL)
    (tmp_path / "claims.yml").write_text(CLAIM.replace("[]", "[N1]"), "utf-8")
    assert groups(wall()) == [("1", "corrected")]


def test_the_books_home_has_every_chapter_and_every_claim(site: Path) -> None:
    page = (site / "book/index.html").read_text("utf-8")
    cards = "".join(re.findall(r'<ul class="chapter-cards.*?</ul>', page, re.DOTALL))
    chapters = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert re.findall(r'href="\.\./notebooks/(\w+)\.html"', cards) == chapters
    ledger = (site / "book/claims.html").read_text("utf-8")
    tiles = re.findall(r'href="claims\.html#(claim-[\w-]+)"', page)
    assert sorted(tiles) == sorted(re.findall(r'<tr [^>]*id="(claim-[\w-]+)"', ledger))


def test_the_books_home_is_alive_from_disk(
    site: Path, open_tab: Callable[..., Any], address: Callable[[Path, str], str]
) -> None:
    base = address(site, "disk")
    tab = open_tab(base)
    tab.goto(f"{base}book/index.html")
    tab.wait_for_function(AWAKE)
    lab = tab.get_by_role("region", name="Crop lab")
    before = lab.inner_text()
    lab.locator(".cvx-drag").press("ArrowRight")
    assert lab.inner_text() != before


@pytest.mark.parametrize("page", ["book/index.html", "notebooks/03_one_layer.html"])
def test_ones_own_picture_is_judged_on_the_home_page_and_in_chapter_3(
    site: Path, open_tab: Callable[..., Any], address: Callable[[Path, str], str], page: str
) -> None:
    base = address(site, "disk")
    tab = open_tab(base)
    tab.goto(f"{base}{page}")
    tab.wait_for_function(AWAKE)
    own = tab.get_by_role("region", name="Your own picture")
    own.scroll_into_view_if_needed()
    before = own.inner_text()
    own.locator(".cvx-drag").first.press("ArrowRight")
    tab.wait_for_function(
        "([e, before]) => e.innerText !== before", arg=[own.element_handle(), before]
    )


def test_the_books_home_has_no_copy_of_the_lab(site: Path) -> None:
    cells = nbformat.read(ROOT / "notebooks/03_one_layer.ipynb", as_version=4).cells
    stored = [out.data["text/html"] for c in cells for out in c.get("outputs", ()) if "data" in out
              and "data-explorable" in out.data.get("text/html", "")]  # fmt: skip
    figure, script = stored[0].removesuffix("</script>\n").split('<script type="module">\n')
    home = (site / "book/index.html").read_text("utf-8")
    assert figure in home
    names = re.findall(r'data-src="\.\./(_static/figures/\w+\.js)"', home)
    assert script in (site / names[0]).read_text("utf-8")
    assert "data-explorable" not in (ROOT / "book/index.md").read_text("utf-8")


def test_every_settled_claim_has_its_effect_and_its_cell(site: Path) -> None:
    ledger = (site / "book/claims.html").read_text("utf-8")
    rows = re.findall(r'<tr [^>]*id="claim-[\w-]+".*?</tr>', ledger, re.DOTALL)
    for row in rows:
        if "not yet tested" not in row:
            assert "ledger-effect ledger-empty" not in row, row
            assert re.search(r'href="\.\./notebooks/\w+\.html#verdict-[\w-]+"', row), row
