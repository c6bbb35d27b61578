import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from math_core import LatexError
from sphinx.testing.util import SphinxTestApp

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))
from mathml import to_mathml

CONF = "extensions = ['myst_parser', 'mathml']\nhtml_theme = 'basic'\nmath_numfig = False\n"
CONF += "myst_enable_extensions = ['dollarmath', 'amsmath']\nmyst_update_mathjax = False\n"
CONF += f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2] / 'book' / '_ext')!r})\n"


def build(folder: Path, text: str) -> tuple[str, str]:
    """The page that a MyST text becomes, and the warnings."""
    (folder / "conf.py").write_text(CONF, "utf-8")
    (folder / "index.md").write_text(text, "utf-8")
    app = SphinxTestApp("html", folder)
    try:
        app.build()
        return (Path(app.outdir) / "index.html").read_text("utf-8"), app.warning.getvalue()
    finally:
        app.cleanup()


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\frac{1}{2}", "<mfrac>"),
        (r"\hat{y}_i", "<msub><mover.*</mover><mi>i</mi></msub>"),
        (r"\lambda \in [0, 1]", "<mi>λ</mi><mo>∈</mo>"),
        (r"\mathbf{W}\mathbf{x}", "<mi>𝐖</mi><mi>𝐱</mi>"),
        (r"\boldsymbol{\theta}", "<mi>𝜽</mi>"),
        (r"\mathbb{1}[y = k]", "<mi>𝟙</mi>"),
        (r"\mathrm{softmax}(z)", "<mi>softmax</mi>"),
        (r"\operatorname{softmax}(z)", "<mi>softmax</mi>"),
        (r"p \sim q", "<mo[^>]*>∼</mo>"),
        (r"(-x)", '<mo lspace="0" rspace="0">−</mo>'),
        (r"z/T", '<mo lspace="0" rspace="0">/</mo>'),
        ("C'H", '<mrow><mi>C</mi><mo lspace="0" rspace="0">′</mo></mrow><mi>H</mi>'),
        (r"1{,}000", '<mo rspace="0">,</mo>'),
        (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", r"<mo>\(</mo><mtable.*(<mtd>.*){4}"),
        (r"\begin{cases} 1 & x \\ 0 & y \end{cases}", "text-align: left"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "(<mtr><mtd .*text-align: right.*){2}"),
        ("a \\\\ b", "(<mtr>.*){2}"),
        ("a\n\nb", "(<mtr>.*){2}"),
    ],
)
def test_formulas(tex: str, expected: str) -> None:
    mathml = to_mathml(tex)
    assert re.search(expected, mathml), mathml
    ElementTree.fromstring(mathml.replace("&ApplyFunction;", ""))
    assert "\\" not in mathml


def test_displays_set_limits_above_and_below() -> None:
    assert "<munderover><mo" in to_mathml(r"\sum_{i=1}^n x_i", display=True)
    assert "<munder>" in to_mathml(r"\arg\max_k p_k", display=True)


@pytest.mark.parametrize("name", ["align", "align*", "equation", "gather", "split"])
def test_environments_leave_the_numbers_to_sphinx(name: str) -> None:
    mathml = to_mathml(rf"\begin{{{name}}} a &= b \end{{{name}}}", display=True)
    assert "(1)" not in mathml
    assert "100%" not in mathml


def test_markup_in_a_formula_stays_text() -> None:
    assert "<mo>&lt;</mo><mi>b</mi>" in to_mathml(r"a < b")


@pytest.mark.parametrize(
    ("tex", "reason"),
    [
        (r"\softmx(z)", r'Unknown command "\\softmx"'),
        (r"\frac{1", "reached end"),
        ("a}b{", "Unmatched"),
        (r"\begin{tabular} a \end{tabular}", 'Unknown environment "tabular"'),
        (r"\begin{cases} 1", "reached end"),
        ("a & b", 'Found "&"'),
        ("x_", "Expected argument"),
        (r"\left( x", "reached end"),
        (r"\text{at most $n$}", "within text"),
    ],
)
def test_unreadable_tex_is_an_error(tex: str, reason: str) -> None:
    with pytest.raises(LatexError, match=reason):
        to_mathml(tex)


def test_page_has_mathml_and_no_script_for_it(tmp_path: Path) -> None:
    page, warnings = build(
        tmp_path,
        "# Title\n\nInline $x^2$.\n\n$$\n\\frac{a}{b}\n$$\n\n"
        "\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}\n",
    )
    assert warnings == ""
    assert page.count("<math ") == 3
    assert page.count('display="block"') == 2
    assert page.count('tabindex="0"') == 2, "long ones scroll"
    assert "mathjax" not in page.lower()


def test_equation_numbers_and_their_links(tmp_path: Path) -> None:
    page, warnings = build(
        tmp_path,
        "# Title\n\n$$\na\n$$ (first)\n\n```{math}\n:label: second\nb\n```\n\n$$\nc\n$$\n\n"
        "See {eq}`second`.\n",
    )
    assert warnings == ""
    numbers = re.findall(
        r'id="(equation-\w+)"[^>]*>.*?<span class="eqno">\((\d)\)', page, re.DOTALL
    )
    assert numbers == [("equation-first", "1"), ("equation-second", "2")]
    assert re.search(r'href="#equation-second">\(2\)</a>', page)
    assert page.count('class="eqno"') == 2


def test_unreadable_tex_warns_and_names_the_formula(tmp_path: Path) -> None:
    page, warnings = build(tmp_path, "# Title\n\nHere is $\\softmx < 1$.\n")
    assert re.search(r"index\.md:3: WARNING: cannot read the formula .*softmx < 1", warnings)
    assert r'Unknown command "\softmx"' in warnings
    assert r"<code>\softmx &lt; 1</code>" in page
