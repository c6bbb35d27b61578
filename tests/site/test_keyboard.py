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
