"""The search leads to the chapter that explains a term, then to its entry, in both languages."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

Search = Callable[[str], list[str]]


@pytest.fixture
def search(site: Path, open_tab: Callable[..., Any], address: Callable[[Path, str], str]) -> Search:
    """What the search page lists, as addresses from the site's root."""
    base = address(site, "disk")
    tab = open_tab(base)

    def search_one(words: str) -> list[str]:
        tab.goto(f"{base}search.html?q={quote(words)}")
        tab.wait_for_selector("#search-results .search-summary:not(:empty)")
        links = tab.locator("#search-results li a").evaluate_all("(all) => all.map((a) => a.href)")
        return [re.sub(r"\?[^#]*", "", link.removeprefix(base)) for link in links]

    return search_one


@pytest.mark.parametrize(
    ("words", "chapter", "term"),
    [
        ("FixMatch", "12_pseudo_labels", "FixMatch"),
        ("receptive field", "06_receptive_fields", "receptive-field"),
        ("Receptive Field", "06_receptive_fields", "receptive-field"),
        ("temperature", "11_distillation", "temperature"),
        ("data augmentation", "08_augmentation", "data-augmentation"),
        ("지식 증류", "11_distillation", "distillation"),
        ("지식증류", "11_distillation", "distillation"),
        ("수용영역", "06_receptive_fields", "receptive-field"),
    ],
)
def test_a_terms_chapter_comes_first_and_then_its_entry(
    words: str, chapter: str, term: str, search: Search
) -> None:
    first, *rest = search(words)
    assert first == f"notebooks/{chapter}.html"
    others = [page for page in rest if not page.startswith(first)]
    assert others[0] == f"book/glossary.html#term-{term}"


@pytest.mark.parametrize("words", ["accuracy", "fit", "CutMix"])
def test_chapters_come_before_the_reference(words: str, search: Search) -> None:
    found = search(words)
    reference = [number for number, page in enumerate(found) if page.startswith("book/api/")]
    chapters = [number for number, page in enumerate(found) if page.startswith("notebooks/")]
    assert chapters
    assert reference
    assert max(chapters) < min(reference)


@pytest.fixture(scope="module")
def index(site: Path) -> Any:
    """What the search knows."""
    text = (site / "searchindex.js").read_text("utf-8")
    return json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))


def test_the_index_has_functions_and_classes_and_no_attributes(index: Any) -> None:
    found = {
        (index["objtypes"][str(each[1])], each[4])
        for all in index["objects"].values()
        for each in all
    }
    assert {("py:function", "fit"), ("py:class", "Recipe")} <= found
    assert not {name for kind, name in found if kind in ("py:attribute", "py:property")}


def test_every_term_has_an_anchor_and_is_found_by_its_korean_name(site: Path, index: Any) -> None:
    page = (site / "book/glossary.html").read_text("utf-8")
    terms = re.findall(r'<dt id="(term-[\w-]+)">(.+?)<a', page)
    korean = re.findall(r'<span lang="ko">(.+?)</span>', page)
    assert len(terms) > 100
    assert len({anchor for anchor, _ in terms}) == len(terms)
    glossary = index["docnames"].index("book/glossary")
    for anchor, name in terms:
        assert [glossary, anchor] in index["alltitles"][name], name
    for name in {*korean, *(name.replace(" ", "") for name in korean)}:
        assert glossary in {page for page, _ in index["alltitles"][name]}, name
