"""How long a frame of the live figure takes, and how long its first answer; in Chromium, from disk.

    python benchmarks/own_picture.py [notebooks/own_picture.ipynb]

The figure of the notebook stands far down on a page, where it sleeps; the page jumps to it. Then it
is dragged with the mouse for 200 steps, and drawn on. A frame is the work for one view: the
picture, three networks, bars. A task is anything that keeps the page from answering, the maps of
shifts included.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

STEPS = 200
WATCH = """() => {
    const timed = (name, list) => {
        const plain = window[name].bind(window);
        window[list] = [];
        window[name] = (act, ...rest) => plain((...given) => {
            const start = performance.now();
            act(...given);
            window[list].push(performance.now() - start);
        }, ...rest);
    };
    timed("requestAnimationFrame", "frames_taken");
    timed("setTimeout", "tasks");
}"""

#: Jumps to the figure, far down on the page, and waits for what it says first, milliseconds.
FIRST = """() => new Promise((done) => {
    const start = performance.now();
    new MutationObserver((_, watcher) => {
        watcher.disconnect();
        done(performance.now() - start);
    }).observe(document.querySelector(".cvx-own-says"), { childList: true });
    document.querySelector("[data-explorable]").scrollIntoView();
})"""


def figure(notebook: Path) -> str:
    """The HTML of the live figure in a notebook."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            html = "".join(output.get("data", {}).get("text/html", ""))
            if "data-explorable" in html:
                return html
    raise SystemExit(f"{notebook} holds no live figure; run it first")


def summary(times: list[float]) -> str:
    """Their median and tail in words."""
    ordered = sorted(times)
    return (
        f"median {statistics.median(ordered):.1f} ms, 95 % within "
        f"{ordered[int(0.95 * len(ordered))]:.1f} ms, longest {ordered[-1]:.1f} ms"
    )


def drag(tab: Any, tool: str) -> list[float]:
    """The frames of dragging with a tool."""
    tab.get_by_role("button", name=tool, exact=True).click()
    box = tab.get_by_role("application").bounding_box()
    tab.evaluate("() => { window.frames_taken.length = 0; }")
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.mouse.down()
    for i in range(STEPS):
        x = 0.5 + 0.3 * (i % 50) / 50
        y = 0.3 + 0.4 * i / STEPS
        tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    tab.mouse.up()
    return tab.evaluate("() => window.frames_taken")


def main() -> None:
    """Show the figure, drag it, draw on it."""
    notebook = Path(sys.argv[1] if len(sys.argv) > 1 else "notebooks/own_picture.ipynb")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page = Path(folder) / "page.html"
        far = "<div style='height: 5000px'></div>"
        page.write_text(f"<!doctype html><meta charset='utf-8'>{far}{figure(notebook)}", "utf-8")
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1000, "height": 1000})
        tab.goto(page.as_uri())
        tab.wait_for_selector("[data-alive]")
        print(f"from coming into view to the first answer: {tab.evaluate(FIRST):.0f} ms")
        tab.evaluate(WATCH)
        for tool in ("move", "draw"):
            print(f"{tool}: a frame takes {summary(drag(tab, tool))}")
        tab.wait_for_timeout(3000)
        print(f"tasks of the maps: {summary(tab.evaluate('() => window.tasks'))}")
        browser.close()


if __name__ == "__main__":
    main()
