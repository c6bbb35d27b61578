"""A browser that can reach nothing beyond this machine, a web server to show it pages; a style."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
QUIET += " --disable-component-update --disable-sync"
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@pytest.fixture(scope="module")  # not longer: while it lives, no other event loop can run
def browser() -> Iterator[Any]:
    """Chromium, without a way out."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET.split(), ALONE])
        yield running
        running.close()


@pytest.fixture
def open_tab(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens tabs that may ask one address and log no error; checked when the test ends."""
    complaints: list[str] = []
    contexts = []

    def open_one(base: str, **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        tab = contexts[-1].new_page()

        def complain(what: str, text: str) -> None:
            complaints.append(f"{tab.url}: {what} {text}")

        def check_request(asked: Any) -> None:
            if not asked.url.startswith((base, "data:", "blob:")):
                complain("asks", asked.url)

        tab.on("request", check_request)
        tab.on("pageerror", lambda error: complain("raises", str(error)))
        tab.on("console", lambda m: complain("logs", m.text) if m.type == "error" else None)
        return tab

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def style() -> Iterator[None]:
    """The book's figures, and none left open."""
    import matplotlib.pyplot as plt

    from cvcourse import plot

    with plt.rc_context():
        plot.use_style()
        yield
    plt.close("all")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a web server for a folder."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    handler = partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[Callable[[Path, str], str]]:
    """Where a browser finds a folder: address(folder, "disk" or "web server")."""
    with ExitStack() as stack:
        yield (
            lambda folder, source: (
                f"{folder.as_uri()}/" if source == "disk" else stack.enter_context(serving(folder))
            )
        )
