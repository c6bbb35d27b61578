import ast
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from pages import AWAKE, PAGES, ROOT

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """What the tests want to know of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.depth_in_article = 0
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {found[key] or "" for key in ("id", "name") if key in found}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        if tag == "link":
            self.loaded.append(found.get("href") or "")
        self.loaded += [
            found[key] or "" for key in ("src", "srcset", "data", "poster") if key in found
        ]
        if tag not in VOID and (tag == "article" or self.depth_in_article):
            self.depth_in_article += 1
        if tag == "img" and self.depth_in_article:
            self.images.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.depth_in_article:
            self.depth_in_article -= 1


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Each page by its path in the site."""
    paths = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path.relative_to(site).as_posix(): Page(path) for path in paths}


def test_table_of_contents_is_built_and_nothing_else(pages: dict[str, Page]) -> None:
    assert "book/index.html" in PAGES
    assert set(pages) == set(PAGES)


def test_jupyter_book_alone_builds_the_same_pages(site: Path, by_jupyter_book: Path) -> None:
    def headings(folder: Path, page: str) -> list[str]:
        html = BeautifulSoup((folder / page).read_text("utf-8"), "html.parser")
        return [" ".join(found.get_text().split()) for found in html.select("article :is(h1, h2)")]

    for page in PAGES:
        assert headings(by_jupyter_book, page) == headings(site, page), page


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        elsewhere = [url for url in page.loaded if urlsplit(url).netloc]
        assert elsewhere == [], name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text("utf-8")
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", text), sheet


def test_pages_name_their_icon(pages: dict[str, Page]) -> None:
    for name, page in pages.items():  # or the browser asks for a favicon.ico, in vain
        assert any(url.endswith("_static/favicon.svg") for url in page.loaded), name


def test_internal_links_and_anchors_resolve(site: Path, pages: dict[str, Page]) -> None:
    dead = []
    for name, page in pages.items():
        for link in page.links + page.loaded:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            folder = (site / name).parent
            target = (folder / unquote(url.path)).resolve() if url.path else site / name
            path = PurePosixPath(target.relative_to(site.resolve())).as_posix()
            fragment = unquote(url.fragment)
            if not target.is_file() or (path in pages and fragment not in pages[path].anchors):
                dead.append(f"{name} → {link}")
    assert dead == []


def test_images_have_a_text(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        for image in page.images:
            alt = (image.get("alt") or "").strip()
            is_path = re.search(r"\.(png|svg|jpe?g|gif|webp)$|^\S*/\S*$", alt)
            described = bool(alt) and not is_path
            assert described, f"{name}: {image.get('src')} has alt={alt!r}"


def test_notebooks_open_on_colab_and_on_kaggle(pages: dict[str, Page]) -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    repository = urlsplit(config["repository"]["url"]).path
    colab = f"https://colab.research.google.com/github{repository}/blob/main/"
    files = f"https://raw.githubusercontent.com{repository}/main/"
    notebooks = [name for name in pages if name.startswith("notebooks/")]
    assert notebooks
    for name in notebooks:
        notebook = name.replace(".html", ".ipynb")
        assert colab + notebook in pages[name].links
        assert f"https://kaggle.com/kernels/welcome?src={files}{notebook}" in pages[name].links


def test_quizzes_answer_to_the_keyboard_without_any_script(site: Path, browser: Any) -> None:
    tab = browser.new_page(java_script_enabled=False)
    tab.goto((site / "notebooks/03_one_layer.html").as_uri())
    quiz = tab.locator(".quiz")
    assert quiz.locator("p:visible").count() == quiz.locator("> li").count(), "questions alone"
    for verdict, key in (("Right.", "Enter"), ("No.", " ")):
        option = quiz.locator("details", has_text=verdict).first
        option.locator("summary").press(key)
        assert option.get_by_text(verdict).is_visible()
    tab.close()


def public_names() -> Iterator[str]:
    """What users may import: each module of the package, and what its `__all__` lists."""
    for path in sorted((ROOT / "cvcourse").glob("[!_]*")):
        source = path / "__init__.py" if path.is_dir() else path
        if source.suffix != ".py" or not source.exists() or path.stem == "progress":
            continue
        yield f"cvcourse.{path.stem}"
        for node in ast.parse(source.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                yield from (f"cvcourse.{path.stem}.{name}" for name in ast.literal_eval(node.value))


def test_the_reference_has_every_public_name(pages: dict[str, Page]) -> None:
    reference = [page for name, page in pages.items() if name.startswith("book/api/")]
    anchors = {anchor.removeprefix("module-") for page in reference for anchor in page.anchors}
    names = list(public_names())
    assert "cvcourse.train.fit" in names
    assert [name for name in names if name not in anchors] == [], "add a page to book/api/"


def test_signatures_link_to_what_is_documented(pages: dict[str, Page]) -> None:
    assert "#cvcourse.train.Recipe" in pages["book/api/train.html"].links
    assert "data.html#cvcourse.data.ImageSet" in pages["book/api/train.html"].links


@pytest.mark.parametrize("source", ["web server", "disk"])
def test_browser_asks_nobody_and_complains_of_nothing(
    source: str,
    site: Path,
    pages: dict[str, Page],
    open_tab: Callable[[str], Any],
    address: Callable[[Path, str], str],
) -> None:
    base = address(site, source)
    tab = open_tab(base)
    for name in [*sorted(pages), "search.html?q=image"]:
        tab.goto(base + name)
        if name == "index.html":  # it leads to the first page
            tab.wait_for_url("**/book/index.html")
        if "?" in name:
            tab.wait_for_selector("#search-results li")
        tab.wait_for_function(AWAKE)
        tab.wait_for_timeout(150)


def settled_text(figure: Any) -> str:
    """What a figure says when it has said the same for a while: some go on after the key is up."""
    said = figure.inner_text()
    while True:
        figure.page.wait_for_timeout(400)
        if (now := figure.inner_text()) == said:
            return now
        said = now


#: Chapter → how many figures to take hold of it has, of sixteen kinds in all.
EXPLORABLES = {
    "02": 1,
    "03": 2,
    "04": 1,
    "06": 2,
    "08": 1,
    "09": 2,
    "10": 1,
    "11": 3,
    "12": 2,
    "13": 1,
}


@pytest.mark.parametrize("source", ["web server", "disk"])
@pytest.mark.parametrize("chapter", EXPLORABLES)
def test_explorables_answer_to_the_keyboard_in_the_book(
    chapter: str,
    source: str,
    site: Path,
    pages: dict[str, Page],
    open_tab: Callable[..., Any],
    address: Callable[[Path, str], str],
) -> None:
    (name,) = (page for page in pages if page.startswith(f"notebooks/{chapter}_"))
    base = address(site, source)
    tab = open_tab(base)
    tab.goto(base + name)
    tab.wait_for_function(AWAKE)
    figures = tab.locator("[data-explorable] .cvx:not(.cvx-still)")
    assert figures.count() == EXPLORABLES[chapter]
    for figure in figures.all():
        slider = figure.locator("input[type=range]")
        if slider.count():
            slider.last.press("Home")
        before = settled_text(figure)
        if slider.count():
            slider.last.press("End")
        else:
            figure.locator("button").last.press("Enter")
        # Some show nothing new before their network has looked at its first pictures.
        assert any(settled_text(figure) != before for _ in range(20))
