"""Everybody can use every page: what axe-core sees, and a phone's width."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from pages import AWAKE, PAGES

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
OFF_BY_DEFAULT = ["label-content-name-mismatch", "target-size"]
ALL_RULES = {"rules": {rule: {"enabled": True} for rule in OFF_BY_DEFAULT}}
COLOURS = ["color-contrast", "link-in-text-block"]
FRONT_DOOR = "index.html"  # leads on at once
UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
#: What is far is laid out, and looked at, when the reader gets near.
WALK = """async () => {
    for (const section of document.querySelectorAll("article section")) {
        section.scrollIntoView();
        for (const _ of Array(3)) await new Promise(requestAnimationFrame);
    }
    scrollTo(0, 0);
}"""
#: A page has thousands of coloured words of code, and axe-core is slow. A word's kind settles its
#: colour, so of each kind, in each kind of block, one is kept coloured.
THIN = """() => {
    const kinds = new Set();
    for (const word of document.querySelectorAll(":is(pre, .sig) span:not(:has(*))")) {
        const block = word.closest(".cell_input, .cell_output, .sig, article");
        const kind = [word.className, word.parentElement.tagName, block.className].join(" in ");
        if (kinds.has(kind)) word.replaceWith(word.textContent);
        kinds.add(kind);
    }
    document.querySelectorAll("pre, .sig").forEach((block) => block.normalize());
}"""
#: What is wider than the page and does not scroll by itself.
OUTSIDE = """() => [...document.querySelectorAll("article *")].filter((each) => {
    for (let e = each.parentElement; e.tagName !== "ARTICLE"; e = e.parentElement)
        if (getComputedStyle(e).overflowX !== "visible") return false;
    return each.getBoundingClientRect().right > innerWidth + 1;
}).map((each) => each.outerHTML.slice(0, 160))"""

#: As wide as a reader may set text, who reads better so (WCAG 2.2, criterion 1.4.12).
SPACED = """
:not(svg *) { line-height: 1.5 !important; letter-spacing: 0.12em !important; }
:not(svg *) { word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }
"""
#: What hides a part of its text; not the label of a fold, whose whole line stands within, nor the
#: sign of a verdict, which hides the word that is read out.
HIDDEN = """() => {
    const KEPT = "svg, svg *, input, select, summary, .verdict-mark, .cvx-unseen";
    return [...document.querySelectorAll("article *")].filter((each) => {
        const hides = ["hidden", "clip"].includes(getComputedStyle(each).overflowX);
        const seen = each.checkVisibility() && !each.matches(KEPT);
        return hides && seen && each.scrollWidth > each.clientWidth + 1;
    }).map((each) => each.outerHTML.slice(0, 160));
}"""


@pytest.fixture(scope="module", params=[page for page in PAGES if page != FRONT_DOOR])
def tab(request: pytest.FixtureRequest, site: Path, browser: Any) -> Iterator[Any]:
    """A page, loaded once for all that is asked of it, with everything that folds unfolded."""
    context = browser.new_context(reduced_motion="reduce")
    opened = context.new_page()
    opened.goto((site / request.param).as_uri())
    opened.wait_for_function(AWAKE)
    for script in (AXE, UNFOLD, THIN):
        opened.evaluate(script)
    yield opened
    context.close()


def violations(tab: Any, **options: Any) -> list[str]:
    """What axe-core objects to: rule, element and remedy."""
    found = tab.evaluate(
        "(options) => axe.run(options)", {"resultTypes": ["violations"], **options}
    )
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]}\n    {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def resize(tab: Any, width: int) -> None:
    """Show a page on another screen, and let the theme see to what scrolls there."""
    if tab.viewport_size["width"] != width:
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_timeout(400)
        tab.evaluate(WALK)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing(tab: Any, width: int, theme: str) -> None:
    resize(tab, width)
    tab.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    options = ALL_RULES if theme == "light" else {"runOnly": COLOURS}  # which alone have changed
    broken = violations(tab, **options)
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("width", [375, 320])  # the latter: a wide screen at four times the size
def test_a_phone_scrolls_down_only(tab: Any, width: int) -> None:
    resize(tab, width)
    assert tab.evaluate(OUTSIDE) == []
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_text_can_be_spaced_out(tab: Any) -> None:
    resize(tab, 1280)
    style = tab.add_style_tag(content=SPACED)
    assert tab.evaluate(HIDDEN) == []
    assert tab.evaluate(OUTSIDE) == []
    style.evaluate("(element) => element.remove()")


def test_axe_finds_nothing_at_the_front_door(site: Path, browser: Any) -> None:
    tab = browser.new_page()
    tab.set_content((site / FRONT_DOOR).read_text("utf-8").replace("refresh", "stay"))
    tab.evaluate(AXE)
    assert violations(tab) == []
    tab.close()


def test_axe_would_find_something(browser: Any) -> None:
    tab = browser.new_page()
    tab.set_content(
        "<html lang=en><title>Faint</title><main><h1 style='color:#999'>Faint</h1></main>"
    )
    tab.evaluate(AXE)
    (found,) = violations(tab)
    assert found.startswith("color-contrast (serious): <h1")
    tab.close()
