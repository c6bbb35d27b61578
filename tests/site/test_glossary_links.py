"""Terms of the glossary are linked at their first mention in prose, and nowhere else."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = "extensions = ['myst_parser', 'glossary_links']\nhtml_theme = 'basic'\n"
SETTINGS += "glossary_links_except = ['jump']\nmyst_enable_extensions = ['dollarmath']\n"
GLOSSARY = """# Glossary

```{glossary}
filter
kernel
  <span lang="ko">필터</span> (N0, N1). The small block of weights. (Kernel: 커널.) → x

receptive field
  <span lang="ko">수용 영역</span>\\*. What a unit can see. And more, with a stride.

stride
  <span lang="ko">스트라이드</span>\\*. How far a kernel moves.

KL
  <span lang="ko">쿨백</span> (N0). A divergence.

jump
  <span lang="ko">점프</span>\\*. A product.
```
"""
INDEX = "# Home\n\nA filter here.\n\n```{toctree}\npage\nglossary\n```\n"
Build = Callable[..., tuple[Path, str]]


class Links(HTMLParser):
    """The links to the glossary: their words, and the elements that they stand in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, str, str]] = []
        self.inside: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        given = dict(attrs)
        if tag == "a" and "term" in (given.get("class") or "").split():
            self.found.append(("", given.get("href") or "", given.get("title") or ""))
            self.inside.append(tuple(self.open))

    def handle_data(self, data: str) -> None:
        if self.found and self.open[-1:] == ["a"] and self.inside[-1] == tuple(self.open):
            words, address, title = self.found[-1]
            self.found[-1] = (words + data, address, title)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass


@pytest.fixture
def linked(build: Build) -> Callable[[str], list[tuple[str, str, str]]]:
    """The links that a page's text gets: words, address, tooltip."""

    def links_of(text: str) -> list[tuple[str, str, str]]:
        pages, warnings = build(SETTINGS, index=INDEX, glossary=GLOSSARY, page=f"# Page\n\n{text}")
        assert warnings == ""
        assert not Links((pages / "index.html").read_text("utf-8")).found, "the front page"
        assert not Links((pages / "glossary.html").read_text("utf-8")).found
        return Links((pages / "page.html").read_text("utf-8")).found

    return links_of


Linked = Callable[[str], list[tuple[str, str, str]]]


def test_the_first_mention_is_linked_with_the_korean_term_and_the_first_sentence(
    linked: Linked,
) -> None:
    found = linked("Receptive fields have a *stride*.\n\n- A stride, a receptive-field, a filter.")
    field, stride, filter_ = found
    assert field == (
        "Receptive fields",
        "glossary.html#term-receptive-field",
        "수용 영역 · What a unit can see.",
    )
    assert stride[0] == "stride"
    assert filter_[2] == "필터 · The small block of weights."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A kernel is a filter.", ["kernel"]),  # one entry
        ("`filter` and [a filter](page.md) and $filter$", []),
        ("## A filter\n\n```python\nfilter\n```", []),
        ("| filter |\n|---|\n| stride |", []),
        ("{term}`filter`, and once more a kernel", []),
        ("Refilter, filter-like, a jump, Kl, kl", []),
        ("## Papers\n\n- On filters.", []),
        ("The KL of filters: strides.", ["KL", "filters", "strides"]),
    ],
)
def test_what_is_linked_and_what_is_not(linked: Linked, text: str, words: list[str]) -> None:
    assert [found[0] for found in linked(text)] == words


def test_a_changed_glossary_reaches_pages_that_have_not_changed(build: Build) -> None:
    texts = {"index": INDEX, "page": "# Page\n\nA filter and a tap."}
    build(SETTINGS, glossary=GLOSSARY, **texts)
    tap = GLOSSARY.replace("jump\n  ", "tap\n  ")
    pages, _ = build(SETTINGS, glossary=tap, **texts)
    found = Links((pages / "page.html").read_text("utf-8")).found
    assert [words for words, _, _ in found] == ["filter", "tap"]


CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_links_its_terms_once_and_in_prose_alone(chapter: str, site: Path) -> None:
    links = Links((site / f"notebooks/{chapter}.html").read_text("utf-8"))
    assert len(links.found) >= 5
    glossary = (site / "book/glossary.html").read_text("utf-8")
    targets = [address for _, address, _ in links.found]
    assert len(set(targets)) == len(targets), "an entry is linked twice"
    for (words, address, title), inside in zip(links.found, links.inside, strict=True):
        page, _, anchor = address.partition("#")
        assert page == "../book/glossary.html"
        assert f'id="{anchor}"' in glossary, words
        assert re.match(r"[가-힣 -]+ · .+[.)]$", title), (words, title)
        assert not {"h1", "h2", "h3", "h4", "pre", "code", "table", "math"} & set(inside), words
        assert inside.count("a") == 1, words
