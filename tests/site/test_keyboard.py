"""The way through the book with Tab, Enter and arrow keys alone, and where one is on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: What is wrong with how the page shows where the keyboard is; empty if nothing.
UNSEEN = """() => {
    const at = document.activeElement;
    const box = at.getBoundingClientRect();
    const style = getComputedStyle(at);
    let opacity = 1;
    for (let e = at; e; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
    const across = box.right > 0 && box.left < innerWidth;
    const inside = across && box.bottom > 0 && box.top < innerHeight;
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    const wrong = [];
    if (!box.width || !box.height || !inside) wrong.push("out of sight");
    const over = inside && document.elementFromPoint(
        Math.max(0, Math.min(innerWidth - 1, box.x + box.width / 2)),
        Math.max(0, Math.min(innerHeight - 1, box.y + box.height / 2)));
    if (over && !at.contains(over) && !over.contains(at)) wrong.push("covered");
    if (opacity < 0.9) wrong.push("transparent");
    if (!ring && style.boxShadow === "none") wrong.push("no outline");
    return wrong.length ? `${wrong.join(", ")}: ${at.outerHTML.slice(0, 160)}` : "";
}"""


def tab_to(tab: Any, target: str, limit: int = 300) -> None:
    """Press Tab until the keyboard is at a target, and be able to see where it is at each stop."""
    unseen = []
    for _ in range(limit):
        tab.keyboard.press("Tab")
        unseen.append(tab.evaluate(UNSEEN))
        if tab.evaluate("(target) => document.activeElement.matches(target)", target):
            assert sorted(filter(None, unseen)) == []
            return
    raise AssertionError(f"{target} is not within {limit} presses of Tab")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_from_home_to_an_exercise(
    width: int,
    theme: str,
    site: Path,
    open_tab: Callable[..., Any],
    address: Callable[[Path, str], str],
) -> None:
    base = address(site, "web server")
    viewport = {"width": width, "height": 800}
    tab = open_tab(base, viewport=viewport, color_scheme=theme, reduced_motion="reduce")
    tab.goto(base + "book/index.html")
    for page in ("home", "chapter"):
        tab_to(tab, ".skip-link a", limit=1)
        tab.keyboard.press("Enter")
        if page == "home":
            tab_to(tab, "article a[href*='03_one_layer']")
            tab.keyboard.press("Enter")
            tab.wait_for_url("**/notebooks/03_one_layer.html")
            tab.wait_for_selector("[data-alive]")

    tab_to(tab, ".cvx input[type=range]")
    figure = tab.locator(".cvx").first
    before = figure.inner_text()
    for _ in range(10):
        tab.keyboard.press("ArrowRight")
    assert figure.inner_text() != before

    tab_to(tab, ".practice summary")
    tab.keyboard.press("Enter")
    assert tab.locator(".practice details[open]").count() == 1
    tab_to(tab, ".quiz summary")
    tab.keyboard.press("Enter")
    assert tab.locator(".quiz details[open]").inner_text().strip()


#: Of the blocks of code on the screen: does it scroll, and can the keyboard reach it?
IN_SIGHT = """() => [...document.querySelectorAll("pre")].filter((each) => {
    const { top, bottom } = each.getBoundingClientRect();
    return top < innerHeight && bottom > 0 && each.checkVisibility({ contentVisibilityAuto: true });
}).map((each) => [each.scrollWidth > each.clientWidth, each.tabIndex === 0])"""


def test_code_that_scrolls_is_a_stop_and_other_code_is_none(
    site: Path, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(site.as_uri())
    tab.goto((site / "notebooks/03_one_layer.html").as_uri())
    seen = set()
    for width in (1280, 375):
        tab.set_viewport_size({"width": width, "height": 900})
        for number in range(0, tab.locator(".cell_input").count(), 4):
            tab.locator(".cell_input").nth(number).scroll_into_view_if_needed()
            tab.wait_for_timeout(100)
            seen |= {tuple(pair) for pair in tab.evaluate(IN_SIGHT)}
    assert seen == {(True, True), (False, False)}


def test_no_letter_alone_is_a_command(site: Path) -> None:
    settings = (site / "_static" / "documentation_options.js").read_text("utf-8")
    assert "NAVIGATION_WITH_KEYS: false" in settings
    assert "ENABLE_SEARCH_SHORTCUTS: false" in settings
