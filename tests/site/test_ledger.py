import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from sphinx.testing.util import SphinxTestApp

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))
from ledger_data import MIME, read_claims

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
#: A summary, and what a chapter's last cell has left in its page.
MEASURED = """
```{measured} 03_layer
```
"""
CELL = """# 3 · One layer

```python
verdict = claim(
    "shift",
    "confirmed with limits",
)
```

```{raw} html
<table class="verdicts tex2jax_ignore mathjax_ignore"><tbody>
<tr><th scope="row">shift</th><td>x</td><td>y</td></tr></tbody></table>
```
"""
PAPER = "@misc{cover, author = {Cover, Thomas}, title = {Neighbours}, year = {1967}}\n"
SHIFT = {
    "id": "shift",
    "statement": "A layer fails on <shifted> images.",
    "notes": ["N0", "N3"],
    "papers": ["cover"],
}
UNTESTED = {"id": "t2", "statement": "T² is wanted.", "notes": []}
LEAD = {
    "what": "lead kept",
    "estimate": 0.1,
    "low": 0.09,
    "high": 0.11,
    "format": ".0%",
    "seeds": 4,
}


def bundle(
    id: str = "shift", verdict: str = "confirmed with limits", **more: Any
) -> dict[str, Any]:
    """What a cell that settles a claim shows beside its text."""
    findings = [
        {"what": "it falls", "holds": True, "rule": "exact", "bound": None},
        {"what": "far", "holds": None, "rule": "more than", "bound": 0.1, "estimate": 0.2,
         "low": 0.0, "high": 0.4, "seeds": 3},
    ]  # fmt: skip
    said = {"id": id, "verdict": verdict, "reproduced": True, "short": "it falls"}
    return {**said, "effect": [LEAD], "findings": findings, **more}


class Project:
    """A tiny book with a ledger, to build again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "notebooks").mkdir()
        (folder / "results").mkdir()
        (folder / "conf.py").write_text(CONF, "utf-8")
        (folder / "index.md").write_text(INDEX + MEASURED, "utf-8")
        (folder / "papers.bib").write_text(PAPER, "utf-8")
        (folder / "notebooks" / "03_layer.md").write_text(CELL, "utf-8")

    def claims(self, *claims: dict[str, Any]) -> None:
        """Write the claims."""
        text = yaml.safe_dump(list(claims), allow_unicode=True)
        (self.folder / "claims.yml").write_text(text, "utf-8")

    def record(self, name: str, dataset: str, *claims: dict[str, Any], budget: float = 1) -> None:
        """Write what a longer run measured."""
        record = {"settings": {"dataset": dataset}, "claims": claims, "budget": budget}
        record |= {"date": "2026-11-26", "hardware": "a core", "purpose": "to see"}
        (self.folder / "results" / name).write_text(json.dumps(record), "utf-8")

    def chapter(self, *claims: dict[str, Any], prints: str = "") -> None:
        """Write what the chapter's cells print and show."""
        shown = [{"data": {"text/plain": "claim", MIME: made}} for made in claims]
        cells = [{"outputs": [{"text": prints}, *shown]}, {}]
        path = self.folder / "notebooks" / "03_layer.ipynb"
        path.write_text(json.dumps({"cells": cells}), "utf-8")

    def build(self, *, fresh: bool = False) -> tuple[str, str]:
        """The ledger's page, and the warnings."""
        if fresh:
            shutil.rmtree(self.folder / "_build")
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
    project.chapter(bundle())
    return project


def row(page: str, id: str) -> str:
    found = re.search(rf'<tr [^>]*id="claim-{id}".*?</tr>', page, re.DOTALL)
    assert found, f"no row for {id}"
    return found.group()


def test_row_holds_all_that_is_known(project: Project) -> None:
    fall = {"what": "fall", "estimate": -0.584, "low": -0.61, "high": -0.55, "format": "+.2f"}
    project.record("a.json", "shapes", bundle(effect=[fall]))
    fails = {"what": "it falls", "holds": False, "rule": "mean", "bound": None}
    project.record(
        "b.json", "cifar10", bundle(effect=[{"what": "", "text": "−0.20"}], findings=[fails])
    )
    page, warnings = project.build()
    assert warnings == ""
    shift = row(page, "shift")
    assert '<a class="reference internal" href="#claim-shift"><code' in shift
    assert "A layer fails on &lt;shifted&gt; images." in shift
    assert "N0, N3" in shift
    assert re.search(
        r'class="verdict-badge verdict-confirmed-with-limits">confirmed with limits<', shift
    )
    text = re.sub(r"<.*?>", "", shift)
    assert "chapter: lead kept: 10% [9%, 11%] ✓ 1 ○ 1" in text
    assert "shapes, 3 seeds: fall: −0.58 [−0.61, −0.55] ✓ 1 ○ 1" in text
    assert "cifar10: −0.20 ✗ 1" in text
    assert re.search(
        r'href="notebooks/03_layer\.html"><span class="doc">3 · One layer</span>', shift
    )
    assert 'href="notebooks/03_layer.html#verdict-shift"' in shift
    citation = re.search(r'Cover \[<a [^>]*href="#(\w+)"', shift)
    assert citation
    assert f'id="{citation.group(1)}"' in page


def test_claim_without_evidence_shows_dashes(project: Project) -> None:
    page, _ = project.build()
    assert row(page, "t2").count("—") == 3  # effect, trained out, evidence
    assert row(page, "t2").count("ledger-empty") == 3


def test_counts(project: Project) -> None:
    page, _ = project.build()
    counts = re.search(r'<p class="ledger-counts">(.*?)</p>', page, re.DOTALL)
    assert counts
    text = re.sub(r"<.*?>", "", counts.group(1)).strip()
    assert text == "2 claims: 1 confirmed with limits 1 not yet tested"


def test_a_claim_that_no_notes_make_is_counted_as_ours(project: Project) -> None:
    page, _ = project.build()
    assert "<p>ours</p>" in row(page, "t2")
    assert "<p>ours</p>" not in row(page, "shift")
    whose = re.search(r'<p class="ledger-whose">(.*?)</p>', page, re.DOTALL)
    assert whose
    assert whose.group(1) == (
        "Claims of the notes, 1: 1 confirmed with limits. "
        "Claims of our own, which no set of notes makes, 1: 1 not yet tested."
    )
    project.claims(SHIFT)
    assert "of our own" not in project.build()[0]


def test_claims_can_be_referred_to(project: Project) -> None:
    page, _ = project.build()
    assert re.search(r'As <a [^>]*href="#claim-shift"><span[^>]*>shift</span></a> says', page)


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (
            {"verdict": "confirmed"},
            "claim t2: Additional properties are not allowed ('verdict' was",
        ),
        ({"live": {}}, "claim t2: Additional properties are not allowed ('live' was unexpected)"),
        ({"id": "shift"}, "claim shift: the id is there twice"),
        ({"id": None}, "entry 2.id: None is not of type 'string'"),
        ({"id": "T 2"}, "claim T 2.id: 'T 2' does not match"),
        ({"statement": None}, "claim t2.statement: None is not of type 'string'"),
        ({"notes": ["N7"]}, "claim t2.notes[0]: 'N7' is not one of ['N0', 'N1', 'N2', 'N3', 'N4']"),
        ({"notes": "N1"}, "claim t2.notes: 'N1' is not of type 'array'"),
        ({"papers": "cover"}, "claim t2.papers: 'cover' is not of type 'array'"),
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
        ("- shift", "entry 1: 'shift' is not of type 'object'"),
        ("- {id: shift, notes: []}", "claim shift: 'statement' is a required property"),
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
        ('{"claims": []}', "a.json has no claims to read: KeyError 'date'"),
        ("[1]", "a.json has no claims to read: TypeError"),
        ("{", "a.json has no claims to read: JSONDecodeError"),
    ],
)
def test_what_is_no_record_is_a_warning(project: Project, text: str, warning: str) -> None:
    (project.folder / "results" / "a.json").write_text(text, "utf-8")
    assert f"WARNING: claims.yml: {warning}" in project.build()[1]


def test_claims_of_records_and_chapters_must_fit_the_ledger(project: Project) -> None:
    project.record("a.json", "shapes", bundle("sift"))
    assert "claim sift in a.json is not in the ledger" in project.build()[1]
    project.record("a.json", "shapes", bundle(verdict="corrected"))
    fault = "claim shift in a.json: 'corrected' there, but 'confirmed with limits' in its chapter"
    assert fault in project.build()[1]
    project.record("a.json", "shapes")
    project.chapter(bundle(), bundle("sift"))
    assert "claim sift in 03_layer.ipynb is not in the ledger" in project.build()[1]
    project.chapter(bundle(), bundle())
    assert "claim shift in 03_layer.ipynb is settled in 03_layer, too" in project.build()[1]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"short": None}, ".short: None is not of type 'string'"),
        ({"effect": [LEAD | {"low": "9%"}]}, ".effect[0].low: '9%' is not of type 'number'"),
        ({"findings": [{"what": "it falls"}]}, ".findings[0]: 'holds' is a required property"),
    ],
)
def test_what_a_cell_or_a_record_says_must_look_as_the_schema_wants(
    project: Project, change: dict[str, Any], fault: str
) -> None:
    project.chapter(bundle(**change))
    assert f"claims.yml: claim shift in 03_layer.ipynb{fault}" in project.build()[1]
    project.chapter(bundle())
    project.record("a.json", "shapes", bundle(**change))
    page, warnings = project.build()
    assert f"claims.yml: claim shift in a.json{fault}" in warnings
    assert "chapter: lead kept" in re.sub(r"<.*?>", "", row(page, "shift"))


def test_a_mistake_is_said_once_a_build(project: Project) -> None:
    project.claims(SHIFT, UNTESTED, SHIFT)
    assert project.build()[1].count("the id is there twice") == 1


def test_records_without_claims_and_absent_records_are_fine(project: Project) -> None:
    project.record("a.json", "shapes")
    assert project.build()[1] == ""
    (project.folder / "results" / "a.json").unlink()
    (project.folder / "results").rmdir()
    assert project.build()[1] == ""


def test_rebuild_sees_changed_claims_and_new_records(project: Project) -> None:
    project.build()
    project.record("new.json", "shapes", bundle(effect=[{"what": "", "text": "−0.58"}]))
    assert "−0.58" in row(project.build()[0], "shift")
    project.claims(SHIFT | {"statement": "Now this."}, UNTESTED)
    assert "Now this." in row(project.build()[0], "shift")


def test_the_books_own_claims_are_sound() -> None:
    claims, faults = read_claims((BOOK / "claims.yml").read_text("utf-8"))
    assert faults == []
    assert len(claims) > 40


def verdict_table(project: Project) -> str:
    chapter = (project.folder / "_build/html/notebooks/03_layer.html").read_text("utf-8")
    found = re.search(r'<table class="verdicts.*?</table>', chapter, re.DOTALL)
    assert found
    return found.group()


def summary(page: str) -> str:
    found = re.search(r'<table class="[^"]*measured[^"]*".*?</table>', page, re.DOTALL)
    assert found
    return re.sub(r"<.*?>", "", found.group())


def test_a_number_that_changes_changes_ledger_verdicts_and_summary_alike(project: Project) -> None:
    page, _ = project.build()
    places = [row(page, "shift"), verdict_table(project), summary(page)]
    assert all("10% [9%, 11%]" in place for place in places)
    project.chapter(bundle(effect=[LEAD | {"estimate": 0.987, "high": 0.991}]))
    page, _ = project.build(fresh=True)
    places = [row(page, "shift"), verdict_table(project), summary(page)]
    assert all("99% [9%, 99%]" in place for place in places)
    assert not any("10%" in place for place in places)


def test_a_summary_says_a_number_once_that_two_claims_share(project: Project) -> None:
    project.chapter(bundle(effect=[LEAD, LEAD | {"what": "lead lost"}, LEAD]))
    page, _ = project.build()
    assert summary(page).count("lead kept") == 1
    assert summary(page).count("lead lost") == 1


def test_a_verdict_that_changes_changes_everywhere(project: Project) -> None:
    project.chapter(bundle(verdict="corrected", short="now it rises"))
    page, _ = project.build()
    assert "verdict-corrected" in row(page, "shift")
    assert "verdict-corrected" in verdict_table(project)
    assert "now it rises" in verdict_table(project)
    assert "1 corrected" in page


def test_what_a_chapter_prints_in_which_column_does_not_matter(project: Project) -> None:
    project.chapter(bundle(), prints="lead kept  10% [9%, 11%]   77% [70%, 80%]\n")
    before = row(project.build()[0], "shift")
    project.chapter(bundle(), prints="lead kept  77% [70%, 80%]   10% [9%, 11%]\n")
    assert row(project.build()[0], "shift") == before


def test_a_table_of_verdicts_states_the_claims_and_leads_to_the_ledger(project: Project) -> None:
    project.build()
    assert '<a href="../index.html#claim-shift">shift</a>: A layer fails on &lt;shifted&gt;' in (
        verdict_table(project)
    )


def test_a_summary_can_name_some_of_the_claims(project: Project) -> None:
    project.claims(SHIFT, UNTESTED)
    other = [{"what": "gain", "estimate": 7, "format": ","}]
    project.chapter(bundle(), bundle("t2", effect=other))
    page, _ = project.build()
    assert "lead kept" in summary(page)
    assert "gain" in summary(page)
    path = project.folder / "index.md"
    path.write_text(INDEX + "```{measured} 03_layer\n:of: t2\n```\n", "utf-8")
    page, _ = project.build()
    assert "gain" in summary(page)
    assert "lead kept" not in summary(page)


def test_all_claims_are_published_with_their_schema(project: Project) -> None:
    project.record("a.json", "shapes", bundle(), budget=4)
    project.build()
    published = json.loads((project.folder / "_build/html/claims.json").read_text("utf-8"))
    schema = json.loads((BOOK / "extra/claims.schema.json").read_text("utf-8"))
    jsonschema.validate(published, schema)
    shift, t2 = published["claims"]
    assert shift["trained_out"]["points"][-1]["budget"] == 4
    assert t2["trained_out"] is None
    assert (shift["notebook"], shift["live"]) == ("03_layer", bundle())
    assert shift["records"][0]["record"] == "a"
    assert t2["verdict"] == "not yet tested"
    del shift["live"]["findings"][0]["holds"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(published, schema)


def test_why_photographs_cannot_say_more(project: Project) -> None:
    project.record("a.json", "shapes", bundle(), budget=4)
    page, _ = project.build()
    assert "photographs: <strong>not measured</strong></p>" in row(page, "shift")
    project.claims(SHIFT | {"photographs": "they have no <labels>"}, UNTESTED)
    project.record("b.json", "cifar10-jpeg", bundle())
    page, warnings = project.build()
    assert not warnings
    assert "cifar10-jpeg" not in row(page, "shift"), "it was measured on drawn pictures again"
    expected = "photographs: <strong>not applicable</strong> (they have no &lt;labels&gt;)"
    assert expected in row(page, "shift")
    published = json.loads((project.folder / "_build/html/claims.json").read_text("utf-8"))
    assert published["claims"][0]["trained_out"]["photographs"] == "not applicable"
    project.record("b.json", "cifar10-jpeg", bundle(verdict="corrected"))
    assert "'corrected' there, but 'confirmed with limits' in its chapter" in project.build()[1]


def test_what_no_training_can_change_says_why(project: Project) -> None:
    project.record("a.json", "shapes", bundle(), budget=4)
    project.claims(SHIFT | {"untrained": "its networks <never> learn"}, UNTESTED)
    page, warnings = project.build()
    assert not warnings
    assert "not applicable (its networks &lt;never&gt; learn)" in row(page, "shift")
    assert "direction kept" not in row(page, "shift")
    published = json.loads((project.folder / "_build/html/claims.json").read_text("utf-8"))
    assert published["claims"][0]["trained_out"] is None


def test_the_cell_that_settles_a_claim_has_its_name(project: Project) -> None:
    project.build()
    chapter = (project.folder / "_build/html/notebooks/03_layer.html").read_text("utf-8")
    assert re.search(r'id="verdict-shift".{0,200}<pre>.*verdict', chapter, re.DOTALL)


OTHERS = [
    {"id": "fails", "statement": "It fails.", "papers": ["cover"]},
    {"id": "holds", "statement": "T² holds."},
]
SHOWN = "tbody tr:visible .ledger-claim code"


@pytest.fixture
def filtered(
    project: Project, open_tab: Callable[..., Any], address: Callable[[Path, str], str]
) -> Callable[..., Any]:
    """Opens a ledger of four claims from disk."""
    project.claims(SHIFT, UNTESTED, *(claim | {"notes": ["N1"]} for claim in OTHERS))
    path = project.folder / "notebooks" / "03_layer.md"
    settled = '\n```python\nclaim("holds", "corrected")\nclaim("fails", "corrected")\n```\n'
    path.write_text(CELL + settled, "utf-8")
    project.chapter(bundle(), *(bundle(claim["id"], "corrected") for claim in OTHERS))
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
    assert tab.locator(SHOWN).all_inner_texts() == ["shift", "fails", "holds"]
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
