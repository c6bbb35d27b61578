from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from firefox import FIREFOX, Tab, running

from cvcourse.explore.base import Explorable

PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<title>A page</title><body>{body}</body></html>"""


@pytest.fixture(params=["disk", "web server"])
def source(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def show(
    tmp_path: Path, open_tab: Callable[..., Any], address: Callable[[Path, str], str]
) -> Callable[..., Any]:
    """Opens a page that shows pieces, or their HTML: show(piece, …, source="disk") → tab."""

    def open_page(
        *pieces: Explorable | str, source: str = "disk", theme: str = "light", **options: Any
    ) -> Any:
        body = "".join(piece if isinstance(piece, str) else piece.html() for piece in pieces)
        (tmp_path / "page.html").write_text(PAGE.format(theme=theme, body=body), "utf-8")
        base = address(tmp_path, source)
        tab = open_tab(base, **options)
        tab.goto(base + "page.html")
        if options.get("java_script_enabled", True):
            tab.wait_for_selector("[data-alive]")
        return tab

    return open_page


@pytest.fixture(scope="session")
def one_firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if FIREFOX is None:
        pytest.skip("no Firefox on the PATH")
    with running(tmp_path_factory.mktemp("firefox")) as tab:
        yield tab


@pytest.fixture
def firefox(one_firefox: Tab) -> Iterator[Tab]:
    """A tab of it in which no page may raise an error; checked when the test ends."""
    one_firefox.goto("about:blank")
    one_firefox.complaints.clear()
    yield one_firefox
    assert one_firefox.complaints == []


@pytest.fixture(params=["Chromium", "Firefox"])
def blank(request: pytest.FixtureRequest) -> Any:
    """An empty tab of each browser."""
    if request.param == "Firefox":
        return request.getfixturevalue("firefox")
    return request.getfixturevalue("open_tab")("about:blank")


@pytest.fixture
def compute(blank: Any) -> Callable[..., list[Any]]:
    """What a piece's module computes, in each browser, from each of some states."""

    def in_browser(piece: type[Explorable], states: list[dict[str, Any]]) -> list[Any]:
        return blank.evaluate(
            """async ([code, states]) => {
                const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
                return states.map((await import(url)).default.compute);
            }""",
            [piece._esm, states],
        )

    return in_browser
