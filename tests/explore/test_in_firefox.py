"""The figures that the notebooks hold, in Firefox."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from firefox import Tab

PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><body>'
FOLDER = Path(__file__).parents[2] / "notebooks"
MOVE = """async () => {
    const card = document.querySelector(".cvx");
    const settled = async () => {
        for (let last = null; last !== card.innerText; ) {
            last = card.innerText;
            await new Promise((go) => setTimeout(go, 300));
        }
        return card.innerText;
    };
    const before = await settled();
    for (const slider of card.querySelectorAll("input[type=range]")) {
        slider.value = slider.value === slider.max ? slider.min : slider.max;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        slider.dispatchEvent(new Event("change", { bubbles: true }));
    }
    return [before, await settled()];
}"""  # every slider of a figure to its other end; its words before and after, once they stand still


def figures() -> dict[str, str]:
    """Chapter and name of a figure → its HTML as it is stored."""
    found = {}
    for path in sorted(FOLDER.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", ()):
                data = output.get("data", {})
                if "<script" in data.get("text/html", ""):
                    name = data["text/plain"].partition(":")[0]
                    found[f"{path.stem[:2]}-{name}-{cell.id}"] = data["text/html"]
    return found


FIGURES = figures()


@pytest.mark.parametrize("name", FIGURES)
def test_a_stored_figure_lives_and_follows_its_sliders(
    name: str, firefox: Tab, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE + FIGURES[name], "utf-8")
    firefox.goto(page.as_uri())
    firefox.wait_for_selector("[data-alive]")
    before, after = firefox.evaluate(MOVE)
    sliders = firefox.evaluate("() => document.querySelectorAll('input[type=range]').length")
    assert before.strip()
    assert before != after or not sliders, "its words follow"


def test_an_error_on_a_page_is_noticed(one_firefox: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE + "<script>nothing()</script>", "utf-8")
    one_firefox.goto(page.as_uri())
    one_firefox.evaluate("() => 0")
    assert "nothing is not defined" in " ".join(one_firefox.complaints)
