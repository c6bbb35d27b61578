import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sphinx.testing.util import SphinxTestApp

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))
from ledger_data import fill_in, read_claims

BOOK = Path(__file__).parents[2] / "book"
CONF = "extensions = ['myst_parser', 'sphinxcontrib.bibtex', 'ledger']\nhtml_theme = 'basic'\n"
CONF += "bibtex_bibfiles = ['papers.bib']\nbibtex_reference_style = 'author_year'\n"
CONF += f"html_static_path = [{str(BOOK / 'assets')!r}]\n"
CONF += f"import sys; sys.path.insert(0, {str(BOOK / '_ext')!r})\n"
INDEX = """# Ledger

```{claims-ledger}
```

As {ref}`claim-shift` says.

```{bibliography}
```

```{toctree}
notebooks/03_layer
```
"""
CELL = """# 3 · One layer

```python
verdict = claim(
    "shift",
    "confirmed with limits",
)
```
"""
PAPER = "@misc{cover, author = {Cover, Thomas}, title = {Neighbours}, year = {1967}}\n"
SHIFT = {
    "id": "shift",
    "statement": "A layer fails on <shifted> images.",
    "notes": ["N0", "N3"],
    "verdict": "confirmed with limits",
    "notebook": "03_layer",
    "papers": ["cover"],
}
UNTESTED = {"id": "t2", "statement": "T² is wanted.", "notes": [], "verdict": "not yet tested"}


class Project:
    """A tiny book with a ledger, to build again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "notebooks").mkdir()
        (folder / "results").mkdir()
        (folder / "conf.py").write_text(CONF, "utf-8")
        (folder / "index.md").write_text(INDEX, "utf-8")
        (folder / "papers.bib").write_text(PAPER, "utf-8")
        (folder / "notebooks" / "03_layer.md").write_text(CELL, "utf-8")

    def claims(self, *claims: dict[str, Any]) -> None:
        """Write the claims."""
        text = yaml.safe_dump(list(claims), allow_unicode=True)
        (self.folder / "claims.yml").write_text(text, "utf-8")

    def record(self, name: str, dataset: str, **claims: dict[str, Any]) -> None:
        """Write what a notebook measured."""
        record = {"dataset": dataset, "settings": {"seeds": 3}, "claims": claims}
        (self.folder / "results" / name).write_text(json.dumps(record), "utf-8")

    def chapter(self, *lines: str) -> None:
        """Write what the chapter prints."""
        cells = [{"outputs": [{"text": [f"{line}\n" for line in lines]}]}, {}]
        path = self.folder / "notebooks" / "03_layer.ipynb"
        path.write_text(json.dumps({"cells": cells}), "utf-8")

    def build(self) -> tuple[str, str]:
        """The ledger's page, and the warnings."""
        app = SphinxTestApp("html", self.folder)
        try:
            app.build()
            return (Path(app.outdir) / "index.html").read_text("utf-8"), app.warning.getvalue()
        finally:
            app.cleanup()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.claims(SHIFT, UNTESTED)
    return project


def row(page: str, id: str) -> str:
    found = re.search(rf'<tr [^>]*id="claim-{id}".*?</tr>', page, re.DOTALL)
    assert found, f"no row for {id}"
    return found.group()


def test_row_holds_all_that_is_known(project: Project) -> None:
    project.record("a.json", "shapes", shift={"effect": "−0.58 [−0.61, −0.55]"})
    project.record("b.json", "cifar10", shift={"effect": "−0.20", "holds": {"it falls": False}})
    page, warnings = project.build()
    assert warnings == ""
    shift = row(page, "shift")
    assert '<a class="reference internal" href="#claim-shift"><code' in shift
    assert "A layer fails on &lt;shifted&gt; images." in shift
    assert "N0, N3" in shift
    assert re.search(
        r'class="verdict-badge verdict-confirmed-with-limits">confirmed with limits<', shift
    )
    assert "<strong>shapes, 3 seeds: </strong>−0.58 [−0.61, −0.55]</p>" in shift
    assert "<strong>cifar10, 3 seeds: </strong>−0.20 (not reproduced)</p>" in shift
    assert re.search(
        r'href="notebooks/03_layer\.html"><span class="doc">3 · One layer</span>', shift
    )
    assert 'href="notebooks/03_layer.html#verdict-shift"' in shift
    citation = re.search(r'Cover \[<a [^>]*href="#(\w+)"', shift)
    assert citation
    assert f'id="{citation.group(1)}"' in page


def test_claim_without_evidence_shows_dashes(project: Project) -> None:
    page, _ = project.build()
    assert row(page, "t2").count("—") == 3  # notes, effect, evidence
    assert row(page, "t2").count("ledger-empty") == 2


def test_counts(project: Project) -> None:
    page, _ = project.build()
    counts = re.search(r'<p class="ledger-counts">(.*?)</p>', page, re.DOTALL)
    assert counts
    text = re.sub(r"<.*?>", "", counts.group(1)).strip()
    assert text == "2 claims: 1 confirmed with limits 1 not yet tested"


def test_claims_can_be_referred_to(project: Project) -> None:
    page, _ = project.build()
    assert re.search(r'As <a [^>]*href="#claim-shift"><span[^>]*>shift</span></a> says', page)


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"verdict": "right"}, "claim t2: verdict 'right' is none of: confirmed, "),
        ({"effects": "0.5"}, "claim t2: unknown key effects"),
        ({"id": "shift"}, "claim shift: the id is there twice"),
        ({"id": None}, "entry 2 has no id"),
        ({"statement": None}, "claim t2: the statement is missing"),
        ({"notes": ["N7"]}, "claim t2: notes N7, but there are only N0, N1, N2, N3, N4"),
        ({"notes": "N1"}, "claim t2: notes is no list"),
        ({"papers": "cover"}, "claim t2: papers is no list"),
        ({"notebook": "99_none"}, "claim t2: the notebook 99_none is not in the table of contents"),
        ({"effect": 1}, "claim t2: the effect is no text"),
        ({"effect": "{lead}"}, "claim t2: the chapter prints no number 1 after 'lead'"),
        (
            {"verdict": "corrected", "notebook": "03_layer"},
            "undefined label: 'verdict-t2'",
        ),
        ({"verdict": "corrected"}, "claim t2: corrected, but by no notebook and no paper"),
        ({"papers": ["nobody"]}, 'could not find bibtex key "nobody"'),
    ],
)
def test_mistakes_in_the_claims_are_warnings(
    project: Project, change: dict[str, Any], warning: str
) -> None:
    project.claims(SHIFT, UNTESTED | change)
    _, warnings = project.build()
    assert re.search(rf"WARNING: (claims\.yml: )?{re.escape(warning)}", warnings)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("[", "not YAML"),
        ("shift: 1", "not a list of claims"),
        (None, "cannot read the claims: No such file"),
    ],
)
def test_unreadable_claims_are_a_warning(project: Project, text: str | None, warning: str) -> None:
    path = project.folder / "claims.yml"
    path.unlink() if text is None else path.write_text(text, "utf-8")
    assert f"WARNING: claims.yml: {warning}" in project.build()[1]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ('{"dataset": "shapes", "claims": {"sift": {"effect": "1"}}}', "claim sift is not in the"),
        ('{"claims": {"shift": {"effect": "1"}}}', "not a record of claims: KeyError 'dataset'"),
        ('{"dataset": "shapes", "claims": {"shift": {}}}', "KeyError 'effect'"),
        ("[1]", "not a record of claims"),
        ("{", "not a record of claims"),
        (
            '{"dataset": "shapes", "claims": {"shift": {"effect": "1", "verdict": "corrected"}}}',
            "claim shift: 'corrected' here, but 'confirmed with limits' in the ledger",
        ),
    ],
)
def test_mistakes_in_a_record_are_warnings(project: Project, text: str, warning: str) -> None:
    (project.folder / "results" / "a.json").write_text(text, "utf-8")
    _, warnings = project.build()
    assert re.search(rf"WARNING: results/a\.json: .*{re.escape(warning)}", warnings)


def test_records_without_claims_and_absent_records_are_fine(project: Project) -> None:
    (project.folder / "results" / "a.json").write_text('{"seconds": 3}', "utf-8")
    assert project.build()[1] == ""
    (project.folder / "results" / "a.json").unlink()
    (project.folder / "results").rmdir()
    assert project.build()[1] == ""


def test_rebuild_sees_changed_claims_and_new_records(project: Project) -> None:
    project.build()
    project.record("new.json", "shapes", shift={"effect": "−0.58"})
    assert "−0.58" in row(project.build()[0], "shift")
    project.claims(SHIFT | {"statement": "Now this."}, UNTESTED)
    assert "Now this." in row(project.build()[0], "shift")


def test_the_books_own_claims_are_sound() -> None:
    claims, faults = read_claims((BOOK / "claims.yml").read_text("utf-8"))
    assert faults == []
    assert len(claims) > 40


@pytest.mark.parametrize(
    ("effect", "filled"),
    [
        ("moved {position}", "moved 0.66 [0.58, 0.74]"),
        ("{position#2} and {position#3}", "−2.48 [−2.63, −2.33] and 1,000"),
        ("{of digits,} of them", "99% of them"),
        ("{policies:} (exact)", "2.9e+32 (exact)"),
    ],
)
def test_effects_take_their_numbers_from_what_the_chapter_prints(effect: str, filled: str) -> None:
    text = "position 0.66 [0.58, 0.74] x2 -2.48 [-2.63, -2.33] 1,000, of digits, 99%; "
    text += "policies: 2.9e+32"
    assert fill_in(effect, text) == (filled, [])


def test_the_chapters_numbers_stand_in_the_row(project: Project) -> None:
    project.chapter("lead   kept", "  10% [9%, 11%]")
    project.claims(SHIFT | {"effect": "keeps {lead kept} of it"}, UNTESTED)
    page, warnings = project.build()
    assert warnings == ""
    assert "<strong>chapter: </strong>keeps 10% [9%, 11%] of it</p>" in row(page, "shift")


def test_the_cell_that_settles_a_claim_has_its_name(project: Project) -> None:
    project.build()
    chapter = (project.folder / "_build/html/notebooks/03_layer.html").read_text("utf-8")
    assert re.search(r'id="verdict-shift".{0,200}<pre>.*verdict', chapter, re.DOTALL)


OTHERS = [
    {"id": "fails", "statement": "It fails.", "verdict": "corrected", "papers": ["cover"]},
    {"id": "holds", "statement": "T² holds.", "verdict": "corrected", "notebook": "03_layer"},
]
SHOWN = "tbody tr:visible .ledger-claim code"


@pytest.fixture
def filtered(
    project: Project, open_tab: Callable[..., Any], address: Callable[[Path, str], str]
) -> Callable[..., Any]:
    """Opens a ledger of four claims from disk."""
    project.claims(SHIFT, UNTESTED, *(claim | {"notes": ["N1"]} for claim in OTHERS))
    path = project.folder / "notebooks" / "03_layer.md"
    path.write_text(CELL + '\n```python\nclaim("holds", "corrected")\n```\n', "utf-8")
    assert project.build()[1] == ""
    base = address(project.folder / "_build/html", "disk")

    def open_page(anchor: str = "", **options: Any) -> Any:
        tab = open_tab(base, **options)
        tab.goto(f"{base}index.html{anchor}")
        return tab

    return open_page


def test_only_the_ledgers_page_loads_the_filter(project: Project) -> None:
    page, _ = project.build()
    chapter = (project.folder / "_build/html/notebooks/03_layer.html").read_text("utf-8")
    assert "ledger.js" in page
    assert "ledger.js" not in chapter


def test_filter_by_verdict_words_chapter_and_all_at_once(filtered: Callable[..., Any]) -> None:
    tab = filtered()
    status = tab.get_by_role("status")
    assert status.inner_text() == "4 of 4 claims shown"
    tab.get_by_label("2 corrected").check()
    assert tab.locator(SHOWN).all_inner_texts() == ["fails", "holds"]
    assert status.inner_text() == "2 of 4 claims shown"
    tab.get_by_label("Words").fill("t² HOLDS")
    assert tab.locator(SHOWN).all_inner_texts() == ["holds"]
    tab.get_by_label("2 corrected").uncheck()
    tab.get_by_label("Words").fill("")
    tab.get_by_label("Chapter").select_option("3 · One layer")
    assert tab.locator(SHOWN).all_inner_texts() == ["shift", "holds"]
    tab.get_by_label("1 not yet tested").check()
    assert tab.locator(SHOWN).count() == 0
    assert status.inner_text().startswith("No claim fits.")
    tab.get_by_role("button", name="Show all").click()
    tab.wait_for_function("document.querySelector('[role=status]').innerText.startsWith('4 of 4')")
    assert tab.locator(SHOWN).count() == 4


def test_filter_answers_to_the_keyboard(filtered: Callable[..., Any]) -> None:
    tab = filtered()
    tab.get_by_label("1 confirmed with limits").focus()
    tab.keyboard.press("Space")
    assert tab.locator(SHOWN).all_inner_texts() == ["shift"]
    for _ in range(5):  # the other two verdicts, the chapter, the words, the button
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_function("document.querySelector('[role=status]').innerText.startsWith('4 of 4')")
    assert tab.evaluate("document.activeElement.name") == "words", "the focus is not lost"


def test_a_link_to_a_claim_shows_it_whatever_is_filtered(filtered: Callable[..., Any]) -> None:
    tab = filtered()
    tab.get_by_label("2 corrected").check()
    tab.evaluate("location.hash = 'claim-shift'")
    tab.wait_for_selector("#claim-shift", state="visible")
    assert tab.locator(SHOWN).count() == 4


def test_without_scripts_the_whole_ledger_is_there(filtered: Callable[..., Any]) -> None:
    tab = filtered(java_script_enabled=False)
    assert tab.locator(SHOWN).count() == 4
    assert tab.locator(".ledger-counts").is_visible()
    assert tab.locator(".ledger-filter").count() == 0
