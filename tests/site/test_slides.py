"""The slides of every chapter: what is on them, that all of it fits, and that keys turn them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book"))
import chapter  # noqa: E402
import slide_text  # noqa: E402
import slides  # noqa: E402

CHAPTERS = chapter.chapters(ROOT)
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
SCREEN = {"width": 1280, "height": 720}
#: A presenter's screens: the usual, an old projector, a wide one, a small laptop.
SCREENS = [SCREEN, {"width": 1024, "height": 768}, {"width": 2560, "height": 1080}]
#: What reaches beyond its slide, or into the line at its foot.
OUTSIDE = """() => deck.flatMap((slide, number) => {
    const at = slide.getBoundingClientRect();
    const foot = slide.querySelector("footer").getBoundingClientRect().top;
    return [...slide.querySelectorAll(".body *")].filter((each) => {
        const box = each.getBoundingClientRect();
        const unseen = !each.checkVisibility() || each.closest(".cvx-unseen, .cvx-scroll, image");
        return !unseen && box.width && (box.top < at.top || box.bottom > foot + 1
            || box.left < at.left || box.right > at.right + 1);
    }).map((each) => `slide ${number + 1}: ${each.outerHTML.slice(0, 120)}`);
})"""
#: The smallest letters of what these select, in pixels, but for figures.
LETTERS = """(what) => Math.min(...deck.filter((slide) => !slide.matches(".live, .figure"))
    .flatMap((slide) => [...slide.querySelector(".body").querySelectorAll(what)])
    .filter((each) => each.innerText).map((each) => parseFloat(getComputedStyle(each).fontSize)))"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all slides are."""
    folder = tmp_path_factory.mktemp("slides")
    for name in CHAPTERS:
        (folder / f"{name}.html").write_text(slides.page(chapter.read(ROOT, name)), "utf-8")
    return folder


@pytest.fixture
def show(folder: Path, open_tab: Callable[..., Any]) -> Callable[..., Any]:
    """Opens a chapter's slides; the tab may ask for nothing else."""

    def open_one(name: str, viewport: dict[str, int] = SCREEN) -> Any:
        address = (folder / f"{name}.html").as_uri()
        tab = open_tab(address, viewport=viewport)
        tab.goto(address, wait_until="load")
        return tab

    return open_one


def deck(name: str) -> list[slides.Slide]:
    return list(slides.slides(chapter.read(ROOT, name)))


def before_practice(name: str) -> Iterator[Any]:
    for cell in chapter.read(ROOT, name).cells:
        if cell.source.startswith("## Practice"):
            return
        yield cell


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_prediction_figure_and_claim_of_a_chapter_is_there(name: str) -> None:
    told, cells = deck(name), [*before_practice(name)]
    everything = "".join(slide.body for slide in told)
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert everything.count('class="predict"') == len(re.findall(r"^> \*\*Predict", text, re.M)) > 0
    figures = [c for c in cells if "figure" in c.metadata.get("mystnb", {})]
    assert everything.count("<strong>Figure ") == len(figures)
    alive = [c for c in cells if "data-explorable" in str(c.get("outputs"))]
    assert sum(slide.kind == "live" for slide in told) >= len(alive)
    claims = {
        c for cell in cells for c in re.findall(r"'id': '([\w-]+)'", str(cell.get("outputs")))
    }
    verdicts = "".join(slide.body for slide in told if slide.kind == "verdicts")
    assert claims
    assert {id for id in claims if f">{id}<" not in verdicts} == set()
    assert told[0].title == chapter.read(ROOT, name).title
    assert told[-1].title == "Now you"


@pytest.mark.parametrize("name", CHAPTERS)
def test_nothing_reaches_beyond_its_slide_and_letters_are_large(
    name: str, show: Callable[..., Any]
) -> None:
    tab = show(name)
    assert tab.evaluate("deck.length") == len(deck(name))
    assert tab.evaluate(OUTSIDE) == []
    assert tab.evaluate(LETTERS, "p, li") >= 20  # most are 28 to 35
    assert tab.evaluate(LETTERS, "td, th, pre") >= 16
    assert tab.evaluate("document.documentElement.scrollWidth") == SCREEN["width"]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: f"{screen['width']} wide")
def test_other_screens_hold_them_too(screen: dict[str, int], show: Callable[..., Any]) -> None:
    tab = show("05_lenet_alexnet_vgg", screen)
    assert tab.evaluate(OUTSIDE) == []
    tab.set_viewport_size({"width": 800, "height": 600})
    tab.wait_for_timeout(200)
    assert tab.evaluate(OUTSIDE) == []


def test_interactive_figures_take_the_room_that_there_is(show: Callable[..., Any]) -> None:
    tab = show("11_distillation")
    sizes = """() => [...document.querySelectorAll("[data-explorable]")].map((each) => {
        const box = each.getBoundingClientRect();
        return Math.max(box.width / innerWidth, box.height / innerHeight);
    })"""
    filled = tab.evaluate(sizes)
    assert len(filled) == 3
    assert all(0.8 < share < 1 for share in filled), filled


def test_a_slide_that_is_too_full_would_be_found(show: Callable[..., Any]) -> None:
    tab = show("00_first_network")
    tab.evaluate("document.querySelector('.text .body').append('word '.repeat(2000))")
    tab.evaluate("document.querySelector('.text .body').innerHTML += '<p>' + 'x '.repeat(3000)")
    tab.evaluate("fitAll()")
    assert any(found.startswith("slide 2") for found in tab.evaluate(OUTSIDE))


def test_keys_turn_the_slides_and_figures_keep_theirs(show: Callable[..., Any]) -> None:
    tab = show("03_one_layer")
    last = tab.evaluate("deck.length")

    def at() -> int:
        seen = "deck.findIndex((slide) => Math.abs(slide.getBoundingClientRect().top) < 2) + 1"
        assert tab.evaluate("location.hash") == f"#{tab.evaluate(seen)}"
        return int(tab.evaluate(seen))

    for key, number in {
        "ArrowRight": 2,
        " ": 3,
        "PageDown": 4,
        "ArrowDown": 5,
        "ArrowUp": 4,
    }.items():
        tab.keyboard.press(key)
        assert at() == number, key
    for key, number in {"End": last, "ArrowLeft": last - 1, "Home": 1, "PageUp": 1}.items():
        tab.keyboard.press(key)
        assert at() == number, key
    slider = tab.locator("[data-explorable] input[type=range]").first
    slider.focus()
    here, value = tab.evaluate("Math.round(scrollY / innerHeight)"), slider.input_value()
    tab.keyboard.press("ArrowLeft")
    assert slider.input_value() != value
    assert tab.evaluate("Math.round(scrollY / innerHeight)") == here > 5
    tab.keyboard.press("PageDown")  # as a presenter's remote does
    assert tab.evaluate("Math.round(scrollY / innerHeight)") == here + 1


@pytest.mark.parametrize("name", ["03_one_layer", "05_lenet_alexnet_vgg"])
def test_axe_finds_nothing_on_slides(name: str, show: Callable[..., Any]) -> None:
    tab = show(name)
    tab.evaluate(AXE)
    found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found] == []


def test_a_sheet_of_paper_for_each_slide(show: Callable[..., Any], tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="no pypdf")
    tab = show("03_one_layer")
    tab.pdf(path=tmp_path / "slides.pdf", prefer_css_page_size=True, print_background=True)
    sheets = pypdf.PdfReader(tmp_path / "slides.pdf").pages
    assert len(sheets) == tab.evaluate("deck.length")
    assert "One layer" in sheets[0].extract_text()
    assert sheets[0].mediabox.width > sheets[0].mediabox.height


def test_figures_have_the_numbers_that_the_site_gives_them(site: Path) -> None:
    for name in ("03_one_layer", "05_lenet_alexnet_vgg"):
        page = (site / "notebooks" / f"{name}.html").read_text("utf-8")
        shown = re.findall(r'<span class="caption-number">(Figure [\d.]+)\. </span>', page)
        told = re.findall(r"<strong>(Figure [\d.]+)\.<", "".join(one.body for one in deck(name)))
        assert told == shown != []


def test_a_cut_text_ends_with_a_whole_sentence() -> None:
    paragraph = "It is **one. Two** words, $a. B$ and `c. D`. Wei et al. (2022) agree. And so on."
    assert slide_text.sentences(paragraph)[0] == "It is **one. Two** words, $a. B$ and `c. D`."
    assert len(slide_text.sentences(paragraph)) == 3
    assert slide_text.opening(paragraph, 70).endswith("agree.")
    bold = "**Five.** Now all of the clever methods pay."
    assert slide_text.opening(f"{bold} {'And more. ' * 40}", 5) == bold
    long = f"Look here. {'A sentence of words. ' * 9}\n\nThese do not:\n\n- " + "x " * 300
    said, left = slide_text.introduction([*slide_text.blocks(f"# A\n\n{long}")][1:])
    assert said.startswith("Look here.")
    assert not said.endswith(":")
    assert left[-1].kind == "bullet_list"


def test_links_are_words_and_formulas_are_drawn() -> None:
    html = slide_text.to_html(
        "See [above](#fig-a) and [it](b.ipynb): $x^2$", {"#fig-a": "Figure 1"}
    )
    assert "See Figure 1 and it:" in unescape(html)
    assert "<msup>" in html
    assert "<a " not in html


def test_a_chapter_that_is_not_there_is_named() -> None:
    with pytest.raises(SystemExit, match=r"no chapter '03'; NAME is one of 00_first_network, "):
        chapter.read(ROOT, "03")
