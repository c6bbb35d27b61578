"""Maths as native MathML, made at build time by math-core: no script, no font, no request.

Chromium, Firefox and Safari draw MathML Core themselves. TeX that math-core cannot read is a build
warning, with the formula.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

CONVERTER = LatexToMathML(xml_namespace=True, fancy_error=False)
#: Numbers are Sphinx's, and the place is the style sheet's: what is left of these is to be aligned.
NUMBERED = re.compile(r"\\(begin|end)\{(?:align|equation|gather|multline|split)\*?\}")
ENVIRONMENT = re.compile(r"\\begin\{(.*?)\}.*\\end\{\1\}", re.DOTALL)
#: Sphinx: a blank line parts the lines of one formula.
BLANK_LINE = re.compile(r"\n\s*\n")
#: Fonts draw a prime raised and small already: as a script it would be so twice.
PRIMED = re.compile("<msup>(<mi>[^<]*</mi>)<mo>([′″‴])</mo></msup>")
PRIME = r'<mrow>\1<mo lspace="0" rspace="0">\2</mo></mrow>'


def to_mathml(tex: str, *, display: bool = False) -> str:
    """The MathML of a formula.

    Args:
        tex: the formula without its dollars.
        display: on a line of its own, with large operators and limits above and below.

    Raises:
        LatexError: unbalanced braces, or a command or environment that is not known.
    """
    tex = BLANK_LINE.sub(r" \\\\ ", NUMBERED.sub(r"\\\1{aligned}", tex.strip()))
    if r"\\" in ENVIRONMENT.sub("", tex):  # would be one line, without a word
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return PRIMED.sub(PRIME, CONVERTER.convert_with_local_state(tex, displaystyle=display))


def _render(node: nodes.math | nodes.math_block, *, display: bool) -> str:
    tex = node.astext().strip()
    try:
        return to_mathml(tex, display=display)
    except LatexError as error:
        logger.warning("cannot read the formula %r: %s", tex, error, location=node, type="mathml")
        return f"<code>{escape(tex)}</code>"


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write an inline formula."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_render(node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number and a link to it where it has one."""
    # A long formula scrolls on a phone: tabindex lets the keyboard do it, too.
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight", tabindex="0"))
    self.body.append(_render(node, display=True))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; being the one other than MathJax, Sphinx takes it."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
