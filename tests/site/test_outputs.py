"""Nothing on a page is cut off: every output, formula and open block of code, on three screens."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pages import AWAKE, CHAPTERS, FETCH_ALL
from PIL import Image

WIDTHS = LAPTOP, _, PHONE = 1400, 820, 390
#: What is measured. A fold's label is its code's first line, which may end in dots.
PARTS = """
    article :is(.cell_output, .cell_output > *, .cvx, .cvx *:not(svg *), .cell_input, .margin),
    article :is(div.math, p, li, pre, ul, img, figcaption, table, .pst-scrollable-table-container)
"""
#: Each part that something sticks out of, or that sticks out of the page, and why that is wrong.
CUT = """(parts) => [...document.querySelectorAll(parts)].flatMap((each) => {
    const box = each.getBoundingClientRect();
    const style = getComputedStyle(each);
    if (!box.width || !each.checkVisibility() || each.matches(".cvx-unseen")) return [];
    const within = each.parentElement.closest("[tabindex='0']");
    if (box.right > innerWidth + 1 && !within) return [["wider than the page", each]];
    if (style.display.startsWith("inline") || each.scrollWidth <= each.clientWidth + 1) return [];
    if (style.overflowX === "visible") return within ? [] : [["sticks out", each]];
    if (style.overflowX !== "auto" && style.overflowX !== "scroll") return [["cut off", each]];
    if (each.tabIndex !== 0) return [["out of the keyboard's reach", each]];
    if (each.matches("pre:not(.cell_output pre)")) return [];  // code keeps its lines
    const table = each.querySelector("table");
    if (!table) return [["scrolls", each]];
    if (each.role !== "region" || !each.ariaLabel) return [["has no name", each]];
    const cells = [...table.rows].map((row) => row.cells[0]);
    const stay = cells.every((cell) => getComputedStyle(cell).position === "sticky");
    return stay ? [] : [["scrolls its first column away", each]];
}).map(([why, each]) => `${why}: ${each.outerHTML.slice(0, 160)}`)"""
#: How much of its box the column takes that stays where a table scrolls.
FIRST_COLUMN = """() => [...document.querySelectorAll("[role=region] table")].map((table) => {
    const box = table.parentElement.getBoundingClientRect();
    const widths = [...table.rows].map((row) => row.cells[0].getBoundingClientRect().width);
    return Math.max(...widths) / box.width;
})"""

#: Whether each picture has come.
LOADED = "(all) => Promise.all(all.map((img) => img.decode().then(() => img.naturalWidth > 0)))"
#: In an SVG of Matplotlib: the size of some words, in hundreds of points.
SIZE = re.compile(r"scale\((0\.\d+) -")

Show = Callable[[str, int], Any]


@pytest.fixture
def show(site: Path, open_tab: Callable[..., Any]) -> Show:
    """Opens a chapter on a screen of some width, all of it laid out."""

    def show_one(page: str, width: int) -> Any:
        tab = open_tab("file:", viewport={"width": width, "height": 900}, reduced_motion="reduce")
        tab.goto((site / page).as_uri())
        tab.add_style_tag(content="* { content-visibility: visible !important }")
        tab.wait_for_function(AWAKE)
        tab.wait_for_timeout(300)
        return tab

    return show_one


@pytest.mark.parametrize("page", CHAPTERS)
def test_nothing_is_cut(page: str, show: Show) -> None:
    tab = show(page, WIDTHS[0])
    assert tab.locator(PARTS).count() > 50
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_timeout(300)
        assert tab.evaluate(CUT, PARTS) == [], width
        assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert all(share < 0.5 for share in tab.evaluate(FIRST_COLUMN)), "a phone shows a number, too"


@pytest.mark.parametrize("page", [*CHAPTERS, "book/index.html"])
def test_a_figure_is_drawn_for_the_screen_that_shows_it(page: str, site: Path, show: Show) -> None:
    tab = show(page, PHONE)
    tab.evaluate(FETCH_ALL)
    narrow, wide = tab.locator("img.narrow"), tab.locator("img.wide")
    assert narrow.count() == wide.count()
    assert narrow.count() or "own_picture" in page
    assert tab.locator(".zoom img:is(.narrow, .wide)").count() == 0, "it needs no switch"
    for each in narrow.all():
        source = each.get_attribute("src")
        scale = (each.bounding_box()["width"] - 10) / int(each.get_attribute("width"))
        sizes = map(float, SIZE.findall((site / page).parent.joinpath(source).read_text("utf-8")))
        words = 100 * min(sizes, default=1) * 110 / 72  # pixels, where it is not scaled
        assert scale * words >= 11, source
    assert all(tab.locator("img:is(.narrow, .wide)").evaluate_all(LOADED))
    assert not any(each.is_visible() for each in wide.all())
    tab.set_viewport_size({"width": LAPTOP, "height": 900})
    assert all(each.is_visible() for each in wide.all())
    assert not any(each.is_visible() for each in narrow.all())


def test_a_small_picture_can_be_read_at_full_size(show: Show) -> None:
    tab = show("book/architecture.html", PHONE)
    figure = tab.locator("#architecture")
    picture, switch = figure.locator("img"), figure.locator("input")
    natural = picture.evaluate("image => image.naturalWidth")
    assert picture.bounding_box()["width"] < natural
    switch.focus()
    tab.keyboard.press("Space")
    assert picture.bounding_box()["width"] >= natural
    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE
    assert tab.evaluate(CUT, "#architecture, #architecture > *:not(.zoom)") == []
    assert figure.locator(".zoom").get_attribute("tabindex") == "0", "it scrolls"
    picture.click()
    assert picture.bounding_box()["width"] < natural
    tab.set_viewport_size({"width": LAPTOP, "height": 900})
    assert not switch.is_visible()


def test_a_solution_keeps_its_lines_on_a_phone(show: Show) -> None:
    tab = show("notebooks/03_one_layer.html", PHONE)
    solution = tab.locator(".practice details", has_text="Solution").nth(1)
    solution.locator("summary").click()
    code = solution.locator("pre")
    lines = code.text_content().count("\n") + 1
    spacing = float(code.evaluate("(e) => getComputedStyle(e).lineHeight").removesuffix("px"))
    scrollbar, padding = 20, 20
    assert code.bounding_box()["height"] <= lines * spacing + padding + scrollbar
    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE


def test_a_note_beside_the_text_leaves_the_rest_as_it_is(show: Show) -> None:
    tab = show("notebooks/05_lenet_alexnet_vgg.html", LAPTOP)
    note = tab.locator(".margin[role=note]", has_text="A trap")
    quotation = tab.locator("blockquote", has_text="Take activations of 1")
    note.scroll_into_view_if_needed()
    tab.wait_for_timeout(300)
    assert note.bounding_box()["x"] > quotation.bounding_box()["x"] + 500, "it is beside"
    words = quotation.locator("p").bounding_box()
    assert quotation.bounding_box()["height"] < words["height"] + 40, "no empty lines"
    mark = """getComputedStyle(document.querySelector(".hide .onthispage"), "::after").content"""
    assert tab.evaluate(mark) == '"▾"', "the theme's is a letter of a font that is not here"


def test_what_was_measured_gets_the_room(show: Show) -> None:
    row = show("notebooks/02_search.html", LAPTOP).locator("table.verdicts tbody tr").first
    claim, verdict, measured = (cell.bounding_box()["width"] for cell in row.locator("> *").all())
    assert verdict < claim < measured


def test_a_figure_does_not_glare_on_a_dark_page(show: Show) -> None:
    tab = show("notebooks/02_search.html", LAPTOP)
    picture = tab.locator("#fig-power-law img.wide")
    brightest = {}
    for theme in ("light", "dark"):
        tab.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        seen = Image.open(io.BytesIO(picture.screenshot())).convert("L")
        brightest[theme] = seen.getextrema()[1]
    assert brightest["light"] > 250
    assert 150 < brightest["dark"] < 215, "dimmed, but its colours still differ"


def test_a_dark_page_has_no_light_ground_under_an_output_and_shows_that_a_table_goes_on(
    show: Show,
) -> None:
    tab = show("notebooks/03_one_layer.html", PHONE)
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    grounds, shades = tab.evaluate(
        """() => {
            const outputs = [...document.querySelectorAll(".cell_output .text_html")];
            const styles = outputs.map((output) => getComputedStyle(output));
            const tables = styles.filter((style, i) => outputs[i].querySelector("table"));
            const shades = tables.map((style) => style.backgroundImage);
            return [styles.map((style) => style.backgroundColor), shades];
        }"""
    )
    assert {*grounds} == {"rgba(0, 0, 0, 0)"}
    assert shades
    assert all("gradient" in shade for shade in shades)


SETTINGS = "extensions = ['myst_nb', 'outputs', 'spaces']\nnb_execution_mode = 'off'\n"
SETTINGS += "html_theme = 'basic'\nmyst_update_mathjax = False\n"
SETTINGS += "source_suffix = {'.md': 'myst-nb', '.ipynb': 'myst-nb'}\n"


@pytest.mark.parametrize("width", [*WIDTHS, 1201])
def test_what_was_measured_has_the_room_that_it_needs(width: int, show: Show) -> None:
    """In the ledger and in a chapter's verdicts: as much as a phone has, or nearly."""
    room = """(cells) => Math.min(...[...document.querySelectorAll(cells)].map(
        (cell) => cell.getBoundingClientRect().width))"""
    assert show("book/claims.html", width).evaluate(room, ".ledger-effect") > 200
    chapter = show(CHAPTERS[0], width)
    assert chapter.evaluate(room, "table.verdicts td:last-child") > 240
    intervals = re.findall(r"\[[^]]+\]", chapter.locator("table.verdicts").inner_text())
    assert intervals
    assert [one for one in intervals if " " in one] == []


@pytest.mark.parametrize("page", ["teaching", "how-to-use", "measured"])
def test_code_in_a_table_covers_no_other_cell(page: str, show: Show) -> None:
    wider = """() => [...document.querySelectorAll("article td code")].filter((code) =>
        code.getBoundingClientRect().right > code.closest("td").getBoundingClientRect().right
    ).map((code) => code.textContent)"""
    assert show(f"book/{page}.html", PHONE).evaluate(wider) == []


def test_a_claim_is_a_list_and_a_number_is_one_word(
    tmp_path: Path, build: Callable[..., tuple[Path, str]]
) -> None:
    claim = "claim fc-crop: confirmed\n  ✓ it <moves>\n  ○ it stays (open)"
    cells = "<td>0.5 [0.4, 0.6]</td><td>the same</td><td>many words, which may break</td>"
    tables = [
        f'<table class="{name}"><tr>{cells}</tr></table>' for name in ("measured", "verdicts")
    ]
    kinds: list[dict[str, str]] = [
        {"text/plain": claim},
        {"text/plain": "a claim x: y\n  ✓ z"},
        *({"text/html": table} for table in tables),
    ]
    outputs = [new_output("display_data", data) for data in kinds]
    prose = new_markdown_cell("95 % of 8 × 8 hold: ✓, ≥ 2. `95 % as typed`")
    page = new_notebook(cells=[prose, new_code_cell("x", outputs=outputs)])
    nbformat.write(page, tmp_path / "page.ipynb")
    folder, _ = build(SETTINGS, index="# Home\n\n```{toctree}\npage\n```\n")
    html = (folder / "page.html").read_text("utf-8")
    assert html.count("0.5 [0.4,\xa00.6]") == 2
    assert html.count("<td>the\xa0same</td><td>many words, which may break</td>") == 2
    assert "95\xa0% of 8\xa0×\xa08 hold:\xa0✓, ≥\xa02. " in html
    assert "95 % as typed" in re.sub(r"<[^>]+>", "", html)
    items = re.findall(r"<li><p>(.*?)</p></li>", html)
    assert items == ["✓ it &lt;moves&gt;", "○ it stays (open)"]
    assert "<p>claim fc-crop: confirmed</p>" in html
    assert "a claim x: y" in html
