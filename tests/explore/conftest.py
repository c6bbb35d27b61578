from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def compute(open_tab: Callable[..., Any]) -> Callable[..., list[Any]]:
    """What a piece's module computes, in a browser, from each of some states."""

    def in_browser(piece: type[Explorable], states: list[dict[str, Any]]) -> list[Any]:
        return open_tab("about:blank").evaluate(
            """async ([code, states]) => {
                const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
                return states.map((await import(url)).default.compute);
            }""",
            [piece._esm, states],
        )

    return in_browser
