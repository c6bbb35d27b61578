"""What we put in the place of the theme's own parts still has a part to take the place of.

A theme of another version may load more, or name it otherwise; then one of these says which of our
templates, or which line in `book/_ext`, has to be looked at again.
"""

import re
import sys
from pathlib import Path

import pytest
import sphinx
from docutils.core import publish_parts
from pages import ROOT
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from light import ACCESSIBLE, AT_ONCE, EVERY_BLOCK, THEME_SCRIPT, UNCOLOURED
from one_stylesheet import BEFORE_ALL

#: Jupyter Book's packages, and those that `make book` takes.
INSTALLED = [
    Path(sphinx.__file__).parents[1],
    *ROOT.glob(".venv-sphinx/lib/python*/site-packages"),
]
OURS = ROOT / "book" / "_templates"
LOADED = re.compile(r"""(?:href|src)="\{\{ pathto\('([^']+)'""")


@pytest.fixture(params=INSTALLED, ids=["jupyter-book", "make"][: len(INSTALLED)])
def theme(request: pytest.FixtureRequest) -> Path:
    return request.param / "pydata_sphinx_theme" / "theme" / "pydata_sphinx_theme"


@pytest.fixture(params=INSTALLED, ids=["jupyter-book", "make"][: len(INSTALLED)])
def basic(request: pytest.FixtureRequest) -> Path:
    return request.param / "sphinx" / "themes" / "basic"


def macros(path: Path) -> dict[str, list[str]]:
    """What each macro of a template has a page load."""
    found = re.findall(
        r"\{% macro (\w+)\(\) %\}(.*?)\{% endmacro %\}", path.read_text("utf-8"), re.S
    )
    return {name: LOADED.findall(text) for name, text in found}


def test_the_theme_loads_what_our_macros_replace_and_no_more(theme: Path) -> None:
    scripts = ["_static/scripts/bootstrap.js", f"_static/{THEME_SCRIPT}"]
    theirs = macros(theme / "static" / "webpack-macros.html")
    first, own = BEFORE_ALL
    assert theirs == {
        "head_pre_assets": ["_static/styles/theme.css", f"_static/{own}"],
        "head_js_preload": ["_static/scripts/fontawesome.js", *scripts],
        "body_post": scripts,
    }
    imports = re.findall(r'@import "(.+?)"', (theme / "static/styles/theme.css").read_text("utf-8"))
    assert imports == [f"../{first}"], "theme.css itself says nothing else"
    ours = macros(OURS / "static" / "webpack-macros.html")
    assert ours == {
        "head_pre_assets": ["_static/book.css"],
        "head_js_preload": [],
        "body_post": [scripts[0], "_static/theme.js"],
    }
    layout = (theme / "layout.html").read_text("utf-8")
    assert sorted(re.findall(r"_webpack\.(\w+)\(\)", layout)) == sorted(ours)


def test_the_theme_loads_the_search_index_in_the_block_that_ours_leaves_out(
    theme: Path, basic: Path
) -> None:
    layout = (theme / "layout.html").read_text("utf-8")
    (head,) = re.findall(r"\{%- block extrahead %\}(.*?)\{%- endblock extrahead %\}", layout, re.S)
    index = ["_static/searchtools.js", "_static/language_data.js", "searchindex.js"]
    assert LOADED.findall(head) == index
    said = ["viewport", "docsearch:language", "docsearch:version", "docbuild:last-update"]
    assert re.findall(r'<meta name="([\w:-]+)"', head) == said
    assert "{%- block htmltitle %}" in (basic / "layout.html").read_text("utf-8")
    ours = (OURS / "layout.html").read_text("utf-8")
    assert re.findall(r"\{% block (\w+) %\}", ours) == ["extrahead", "htmltitle"]


def test_our_search_button_is_the_themes_without_a_name_that_nobody_sees(theme: Path) -> None:
    def parts(path: Path) -> str:
        text = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.S)
        return re.sub(r"\s+", " ", text.replace("'", '"'))

    theirs = parts(theme / "components" / "search-button-field.html")
    unseen = re.findall(r' (title|aria-label|data-bs-[\w-]+)="[^>]*?"(?=[ >])', theirs)
    assert unseen == ["title", "aria-label", "data-bs-placement", "data-bs-toggle"]
    cut = re.sub(r' (?:title|aria-label|data-bs-[\w-]+)="(?:\{\{.*?\}\}|[^"]*)"', "", theirs)
    assert cut == parts(OURS / "search-button-field.html")


def test_the_theme_measures_every_block_of_code_in_one_place(theme: Path) -> None:
    script = (theme / "static" / THEME_SCRIPT).read_text("utf-8")
    assert len(EVERY_BLOCK.findall(script)) == 1


def test_sphinx_has_its_settings_in_a_script_of_their_own(basic: Path) -> None:
    assert list((basic / "static").glob(f"{AT_ONCE}*")), "which no other script may come before"


@pytest.mark.parametrize(("kind", "code"), [("n", "x"), ("nn", "import x"), ("p", "()")])
def test_pygments_makes_an_element_of_a_word_without_a_colour(kind: str, code: str) -> None:
    found = highlight(code, PythonLexer(), HtmlFormatter())
    assert f'<span class="{kind}">' in found
    assert f'<span class="{kind}">' not in UNCOLOURED.sub(r"\1", found)


def test_docutils_gives_a_source_a_role_that_is_out_of_use() -> None:
    written = publish_parts("Text [A]_.\n\n.. [A] A source.", writer_name="html5")["body"]
    assert any(inaccessible in written for inaccessible in ACCESSIBLE)
