"""The list of a page's sections, at its side."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: The section that is marked, the one that is read, and whether the marked one is in sight.
MARKED = """() => {
    const links = [...document.querySelectorAll("#pst-page-toc-nav a")];
    const top = (link) => document.getElementById(link.hash.slice(1)).getBoundingClientRect().top;
    const marked = links.filter((link) => link.classList.contains("active"));
    const read = links.filter((link) => top(link) < 0.3 * innerHeight).at(-1);
    const names = marked.map((link) => link.textContent.trim());
    const visible = marked.some((link) => top(link) >= 0 && top(link) < innerHeight);
    return [names, read?.textContent.trim(), visible];
}"""


@pytest.mark.parametrize("page", ["notebooks/12_pseudo_labels.html", "book/how-to-use.html"])
def test_the_section_that_is_read_is_marked_however_far_one_scrolls(
    site: Path, page: str, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab("file:", viewport={"width": 1400, "height": 900})
    tab.goto((site / page).as_uri())
    tab.wait_for_timeout(1000)
    height = tab.evaluate("document.documentElement.scrollHeight")
    wrong = []
    for place in [*range(800, height, 1700), 900, height // 2]:
        tab.evaluate(f"scrollTo({{ top: {place}, behavior: 'instant' }})")
        tab.wait_for_timeout(400)
        names, read, visible = tab.evaluate(MARKED)
        if len(names) != 1 or (names != [read] and not visible):
            wrong.append((place, names, read))
    assert wrong == []


def test_a_section_that_is_chosen_stays_marked(site: Path, open_tab: Callable[..., Any]) -> None:
    tab = open_tab("file:", viewport={"width": 1400, "height": 900})
    tab.goto((site / "book/how-to-use.html").as_uri())
    last = tab.locator("#pst-page-toc-nav a").last
    last.click()
    tab.wait_for_timeout(1500)
    assert tab.evaluate(MARKED)[0] == [last.text_content().strip()]
