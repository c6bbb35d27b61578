"""Live: dragging changes the trait in Python, setting the trait moves the figure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from test_every_piece import PIECES

CELLS = [
    "from cvcourse.explore import SoftmaxTemperature\n"
    "piece = SoftmaxTemperature([0, 5], 100, ['cow', 'dog'])\n"
    "piece",
    "print('T is', piece.temperature)",
    "piece.probabilities = [0.9, 0.1]",
]
EVERY = [
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    "from test_every_piece import PIECES",
    *(f"{name} = PIECES[{name!r}]()\n{name}" for name in PIECES),
    "OwnPicture.shift = [3, 0]",
]
PIXELS = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 32, 32).data].join()"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that has these notebooks, not yet run."""
    pytest.importorskip("jupyterlab", reason="no JupyterLab")
    folder = tmp_path_factory.mktemp("lab")
    for name, sources in {"live": CELLS, "every": EVERY}.items():
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
    command = (
        f"-m jupyterlab --no-browser --allow-root --ip=127.0.0.1 --port=0 --notebook-dir={folder}"
    )
    options = ["--IdentityProvider.token=", "--ServerApp.password=", "--LabApp.news_url="]
    home = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    environment = {**os.environ, **home, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    log = folder / "log.txt"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, *command.split(), *options], env=environment, stdout=out, stderr=out
        )
    try:
        yield wait_for_address(log, server)
    finally:
        server.terminate()
        server.wait(20)


def wait_for_address(log: Path, server: subprocess.Popen, seconds: float = 60) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://127.0.0.1:") and word.endswith("/lab"):
                address = word.removesuffix("lab")
                with suppress(URLError):  # it names its address a moment before it listens there
                    urlopen(address + "api", timeout=20).close()
                    return address
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


def opened(tab: Any, address: str) -> Any:
    """The cells of a notebook, of which the first has been run."""
    tab.goto(f"{address}?reset", timeout=90_000)
    cells = tab.locator(".jp-CodeCell")
    cells.first.locator(".cm-content").click(timeout=90_000)
    tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=90_000)
    tab.keyboard.press("Shift+Enter")
    return cells


def test_every_piece_is_alive(lab: str, browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 1100, "height": 1200})
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    cells = opened(tab, f"{lab}lab/tree/every.ipynb")
    for number, name in enumerate(PIECES, 1):
        tab.keyboard.press("Shift+Enter")  # the next cell is the chosen one
        told = cells.nth(number).locator(".cvx:not(.cvx-still) .cvx-summary")
        told.get_by_text(re.compile(r"\w")).first.wait_for(timeout=60_000)
        assert told.count() == 1, name
    mine = cells.nth(1 + list(PIECES).index("OwnPicture"))
    mine.scroll_into_view_if_needed()
    sight = mine.locator("canvas[aria-label='What the networks see']")
    before = sight.evaluate(PIXELS)
    cells.last.locator(".cm-content").click()
    tab.keyboard.press("Shift+Enter")
    mine.scroll_into_view_if_needed()
    for _ in range(100):
        seen = sight.evaluate(PIXELS)
        if seen != before:
            break
        tab.wait_for_timeout(100)
    assert seen != before
    assert errors == []
    tab.close()


def test_figure_and_trait_move_each_other(lab: str, browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 1100, "height": 1200})
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    cells = opened(tab, f"{lab}lab/tree/live.ipynb")
    figure = cells.first.locator(".cvx")
    figure.wait_for(timeout=60_000)
    assert "T = 100" in figure.locator(".cvx-summary").inner_text()

    temperature = figure.get_by_label("Temperature T")
    temperature.focus()
    temperature.press("Home")
    temperature.press("ArrowRight")  # not taken by JupyterLab: it would leave the cell
    cells.nth(1).locator(".cm-content").click()
    tab.keyboard.press("Shift+Enter")
    printed = cells.nth(1).locator(".jp-OutputArea-output")
    printed.wait_for(timeout=30_000)
    assert printed.inner_text().strip() == "T is 0.0102"

    cells.nth(2).locator(".cm-content").click()
    tab.keyboard.press("Shift+Enter")
    moved = figure.locator(".cvx-summary", has_text="[0.9000, 0.1000]")
    moved.wait_for(timeout=30_000)
    tab.close()
    own = (lab, lab.replace("http", "ws"), "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
