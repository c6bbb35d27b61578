"""What a page costs its reader: bytes over the wire, waiting, and text that jumps."""

import gzip
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from pages import AWAKE, CHAPTERS, FETCH_ALL, PAGES, ROOT
from sphinx.errors import ExtensionError

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from light import FIGURE, THEME_SCRIPT, UNCOLOURED, apart, rest, sized
from one_stylesheet import purge

COMPRESSED = {".html", ".css", ".js", ".svg", ".json"}
#: How everything on a page looks, to compare two stylesheets by.
LOOKS = """() => [...document.querySelectorAll("body, body *:not(svg *, math *)")].map((each) => {
    const style = getComputedStyle(each);
    const names = ["display", "color", "background-color", "background-image", "border", "font",
                   "margin", "padding"];
    const { x, y, width, height } = each.getBoundingClientRect();
    return [each.tagName, each.className, x, y, width, height,
            ...names.map((name) => style.getPropertyValue(name))].join(" | ");
})"""
WEAR = """(sheets) => Promise.all(sheets.map((href) => new Promise((done) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.onload = done;
    document.querySelector("link[href$='book.css']").before(link);
}))).then(() => document.querySelector("link[href$='book.css']").remove())"""


def sent(file: Path) -> int:
    """The bytes that a web server sends of a file."""
    content = file.read_bytes()
    return len(gzip.compress(content)) if file.suffix in COMPRESSED else len(content)


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_is_light(
    page: str, site: Path, open_tab: Callable[..., Any], address: Callable[[Path, str], str]
) -> None:
    base = address(site, "web server")
    tab = open_tab(base)
    asked: set[str] = set()
    tab.on("request", lambda request: asked.add(urlsplit(request.url).path.lstrip("/")))
    tab.goto(base + page)
    tab.evaluate(FETCH_ALL)
    tab.wait_for_function(AWAKE)
    tab.wait_for_load_state("networkidle")
    sizes = {path: sent(site / unquote(path)) for path in asked if (site / unquote(path)).is_file()}
    assert {page, "_static/book.css"} <= set(sizes)
    assert sum(sizes.values()) <= 1_500_000, sorted(sizes.items(), key=lambda pair: -pair[1])[:5]


@pytest.mark.parametrize("page", [page for page in PAGES if page != "index.html"])
def test_nothing_waits_for_more_than_one_stylesheet_and_no_script_is_for_icons(
    page: str, site: Path
) -> None:
    text = (site / page).read_text("utf-8")
    sheets = re.findall(r'<link [^>]*rel="stylesheet"[^>]*href="([^"]+)"', text)
    assert [sheet.rsplit("/", 1)[-1] for sheet in sheets] == ["book.css"]
    waited_for = re.findall(r'<script src="([^"?]+)', text)
    if page != "search.html":
        assert [Path(script).name for script in waited_for] == ["documentation_options.js"]
    assert "fontawesome" not in text


def test_icons_have_a_drawing(site: Path) -> None:
    used = set()
    for page in PAGES:
        text = (site / page).read_text("utf-8")
        for classes in re.findall(r'<(?:i|span) class="([^"]*\bfa-[^"]*)"', text):
            used |= set(re.findall(r"\bfa-(?!solid|brands|regular|lg)[\w-]+", classes))
    drawn = (ROOT / "book" / "assets" / "icons.css").read_text("utf-8")
    assert "fa-github" in used
    assert sorted(name for name in used if f".{name} {{" not in drawn) == []


@pytest.mark.parametrize("page", PAGES)
def test_images_state_their_size_so_that_no_text_jumps(page: str, site: Path) -> None:
    text = (site / page).read_text("utf-8")
    article = text[text.find("<article") : text.find("</article>")]
    for image in re.findall(r"<img [^>]*>", article):
        if 'src="data:image/bmp' not in image:  # an explorable's, which its style gives a size
            assert re.search(r'width="?\d+.* height="?\d+', image), image


def test_every_page_says_what_it_is(site: Path) -> None:
    said = {}
    for page in PAGES:
        if page != "index.html":
            text = (site / page).read_text("utf-8")
            (said[page],) = re.findall(r'<meta name="description" content="([^"]+)">', text)
    assert all(len(sentence) <= 300 for sentence in said.values())
    assert len({said[page] for page in CHAPTERS}) == len(CHAPTERS)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "page", ["book/index", "book/claims", "book/api/train", "notebooks/03_one_layer", "search"]
)
def test_the_one_stylesheet_looks_as_all_the_others_do(
    page: str, theme: str, site: Path, browser: Any
) -> None:
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
    tab = context.new_page()
    # Far sections are laid out, and figures wake, once there is time: not between the two looks.
    tab.add_init_script("""
        window.requestIdleCallback = () => {};
        IntersectionObserver.prototype.observe = () => {};
    """)
    tab.goto((site / f"{page}.html").as_uri())
    looks = tab.evaluate(LOOKS)
    static = site / "_static"
    sheets = re.findall(r"^/\* (\S+\.css) \*/$", (static / "book.css").read_text("utf-8"), re.M)
    tab.evaluate(WEAR, [(static / sheet).as_uri() for sheet in sheets])
    others = tab.evaluate(LOOKS)
    context.close()
    assert len(sheets) > 5
    assert [pair for pair in zip(looks, others, strict=True) if pair[0] != pair[1]][:3] == []


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".a{x:1}", ".a{x:1}"),
        (".gone{x:1}", ""),
        (".a .gone{x:1}", ""),
        (".a .gone,p>.a{x:1}", ".a .gone,p>.a{x:1}"),
        (".a:not(.gone){x:1}", ".a:not(.gone){x:1}"),
        ("@media print{.a{x:1}.gone{x:1}}", "@media print{.a{x:1}}"),
        ("@media print{.gone{x:1}}", ""),
        ("@keyframes turn{to{rotate:1turn}}", "@keyframes turn{to{rotate:1turn}}"),
        ("@font-face{font-family:Unused}", ""),
    ],
)
def test_rules_for_absent_classes_go(css: str, kept: str) -> None:
    assert purge(css, {"a", "print"}) == kept


def test_building_again_keeps_the_stylesheet(tmp_path: Path) -> None:
    settings = f"import sys; sys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\n"
    settings += "extensions = ['one_stylesheet']\nhtml_theme = 'pydata_sphinx_theme'\n"
    (tmp_path / "conf.py").write_text(settings, "utf-8")
    (tmp_path / "index.rst").write_text("Home\n====\n", "utf-8")
    sheets = []
    for _ in range(2):  # the second time, there is no page to write
        command = [sys.executable, "-m", "sphinx", "-q", str(tmp_path), str(tmp_path / "out")]
        subprocess.run(command, check=True, timeout=120)
        sheets.append((tmp_path / "out" / "_static" / "book.css").read_text("utf-8"))
    assert "/* basic.css */" in sheets[0]
    assert "/* pygments.css */" in sheets[0]
    assert sheets[0] == sheets[1]


def test_images_below_the_top_wait_until_the_reader_is_near() -> None:
    file = ROOT / "book" / "assets" / "flagship.png"
    image = '<img alt="A figure of a width, and a height." src="../_images/a.png"/>'
    first, second = sized(f"{image}{'a word ' * 100}{image}", {"a.png": file}).split(">")[:2]
    assert ' width="' in first
    assert ' height="' in first
    assert "lazy" not in first
    assert "lazy" in second


def test_the_script_of_a_figure_is_a_file(tmp_path: Path, open_tab: Callable[..., Any]) -> None:
    code = "function f() {}\ndocument.title += 'alive';\n"
    figure = f'<script type="module">\n{code}</script>'
    body = apart(f"<p>A</p>{figure}<p>B</p>{figure}", tmp_path / "_static", lambda name: name)
    names = re.findall(r'<script type="later" data-src="(.+?)"></script>', body)
    assert len(names) == 2
    assert len(set(names)) == 1
    assert [file.name for file in tmp_path.rglob("*.js")] == [Path(names[0]).name]
    asks = f"<script>{(ROOT / 'book' / 'assets' / 'scroll.js').read_text('utf-8')}</script>"
    (tmp_path / "page.html").write_text(f"<!doctype html><title></title>{body}{asks}", "utf-8")
    tab = open_tab(tmp_path.as_uri())
    tab.goto((tmp_path / "page.html").as_uri())
    tab.wait_for_function("document.title === 'alivealive'")
    assert tab.evaluate("typeof f") == "undefined"  # it leaves nothing to other scripts


@pytest.mark.parametrize("place", ["", "#fig-photographs"])
def test_no_reader_waits_for_the_script_of_a_figure_but_one_led_further_down(
    place: str, site: Path, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(site.as_uri())
    tab.add_init_script("""
        const later = setTimeout;  // three seconds never end
        window.setTimeout = (act, wait) => later(act, wait === 3000 ? 1e8 : wait);
    """)
    asked = "document.querySelectorAll('script[src*=\"/figures/\"]').length"
    tab.goto((site / "notebooks/03_one_layer.html").as_uri() + place)
    tab.wait_for_timeout(1000)
    assert tab.evaluate(asked) == (2 if place else 0), "nobody has stirred"
    tab.mouse.wheel(0, 100)
    tab.wait_for_function(f"{asked} === 2")
    tab.wait_for_function(AWAKE)


def test_a_figure_gets_its_script_without_a_sign_of_the_reader(
    site: Path, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(site.as_uri())
    tab.goto((site / "notebooks/03_one_layer.html").as_uri())
    tab.wait_for_function("document.querySelectorAll('[data-alive]').length === 2")


def test_no_page_of_the_site_holds_the_script_of_a_figure(site: Path) -> None:
    scripts = 0
    for page in PAGES:
        html = (site / page).read_text("utf-8")
        assert not FIGURE.search(html), page
        for name in re.findall(r' data-src="([^"]*_static/figures/[^"]*)"', html):
            assert (site / page).parent.joinpath(name).is_file()
            scripts += 1
    assert scripts > 15


@pytest.mark.parametrize("width", [360, 412, 768, 1350])
def test_the_home_page_keeps_room_for_the_crop_lab(
    width: int, site: Path, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(site.as_uri())
    tab.set_viewport_size({"width": width, "height": 800})
    tab.goto((site / "book/index.html").as_uri())
    tab.wait_for_function(AWAKE)
    lab = tab.locator("[data-explorable]").first
    kept, taken = lab.evaluate(
        "(host) => [parseFloat(getComputedStyle(host).minHeight), host.firstChild.offsetHeight]"
    )
    assert 0 <= kept - taken <= 40


def test_a_word_without_a_colour_of_its_own_is_no_element(site: Path) -> None:
    colours = (site / "_static" / "pygments.css").read_text("utf-8")
    for kind in ("n", "nn", "p", "w"):
        assert UNCOLOURED.sub(r"\1", f'<span class="{kind}">x</span>') == "x"
        for theme in ("light", "dark"):
            block = f'html\\[data-theme="{theme}"\\] \\.highlight'
            (around,) = re.findall(block + r" \{.*? color: (\S+) \}", colours)
            assert re.findall(rf"{block} \.{kind} \{{ color: (\S+) \}}", colours) == [around]
    for page in CHAPTERS:
        assert not UNCOLOURED.search((site / page).read_text("utf-8")), page


def test_opening_a_page_does_not_lay_out_its_far_sections(
    site: Path, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(site.as_uri())
    # What a script may ask that forces layout, and of which elements it asked.
    tab.add_init_script("""
        window.requestIdleCallback = () => {};  // until the browser has nothing else to do
        window.asked = [];
        for (const name of ["scrollWidth", "scrollHeight", "clientWidth", "clientHeight"]) {
            const { get } = Object.getOwnPropertyDescriptor(Element.prototype, name);
            Object.defineProperty(Element.prototype, name, {
                get() { window.asked.push(this); return get.call(this); },
            });
        }
    """)
    tab.goto((site / "notebooks/03_one_layer.html").as_uri(), wait_until="load")
    tab.wait_for_timeout(500)
    far = """() => {
        const own = [...document.querySelectorAll("article pre, article .output")];
        return own.filter((each) => window.asked.includes(each)).map(
            (each) => each.getBoundingClientRect().top / innerHeight);
    }"""
    screens = tab.evaluate(far)
    assert screens, "those near are asked"
    assert max(screens) < 5


@pytest.mark.parametrize("place", ["", "#fig-photographs"])
@pytest.mark.parametrize("width", [1400, 390])
def test_a_page_keeps_its_length_while_one_scrolls(
    width: int, place: str, site: Path, open_tab: Callable[..., Any]
) -> None:
    tab = open_tab(site.as_uri(), viewport={"width": width, "height": 800})
    tab.goto((site / "notebooks/03_one_layer.html").as_uri() + place)
    far = "[...document.querySelectorAll('article > section > section')]"
    tab.wait_for_function(f"{far}.every((each) => each.style.contentVisibility === 'visible')")
    tab.wait_for_function(AWAKE)
    lengths = tab.evaluate("""async () => {
        const lengths = [];
        for (let y = 0; y < document.documentElement.scrollHeight; y += 700) {
            scrollTo({ top: y, behavior: "instant" });
            for (const _ of Array(4)) await new Promise(requestAnimationFrame);
            lengths.push(document.documentElement.scrollHeight);
        }
        return lengths;
    }""")
    assert len(lengths) > 20
    assert max(lengths) - min(lengths) < 100, "an interactive figure may take a line more"


def test_a_theme_that_measures_otherwise_is_noticed(tmp_path: Path) -> None:
    script = tmp_path / "_static" / THEME_SCRIPT
    script.parent.mkdir(parents=True)
    script.write_text("something(new)", "utf-8")
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"))
    with pytest.raises(ExtensionError, match=r"in 0 places.*EVERY_BLOCK"):
        rest(app, None)
    assert not (tmp_path / "_static" / "theme.js").exists()
