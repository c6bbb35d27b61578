"""Maths as native MathML, made at build time by latex2mathml: no script, no font, no request.

Chromium, Firefox and Safari draw MathML themselves. latex2mathml reads the TeX; `mend` turns what
it writes into MathML Core, the part of MathML that all three draw. TeX that it cannot read is a
build warning, with the formula.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape, unescape
from itertools import accumulate, zip_longest
from typing import Any
from xml.etree.ElementTree import Element, tostring

from docutils import nodes
from latex2mathml.converter import convert_to_element
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

#: What authors write → what latex2mathml reads. Numbers are Sphinx's, so environments lose theirs.
SYNONYMS = {
    r"\\(begin|end)\{aligned\}": r"\\\1{split}",
    r"\\(begin|end)\{align\}": r"\\\1{align*}",
    r"\\arg\s*\\(max|min)(?![a-zA-Z])": r"\\arg\1",
    r"\\operatorname\*\{arg(?:\\,|\s)*(max|min)\}": r"\\arg\1",
}
ENVIRONMENTS = {"align*", "array", "cases", "equation", "equation*", "smallmatrix", "split"}
ENVIRONMENTS |= {prefix + "matrix" for prefix in ("", "p", "b", "B", "v", "V")}
ORDINARY = set("∞∅∀∃…")  #: latex2mathml takes them for operators, with space around
CLOSING = set(")]}!⌋⌉⟩‖|")
PRIMES = set("′″‴")  #: fonts draw them raised and small already: no script of their letter
UPRIGHT = {("mi", "normal")}
LIMIT_OPERATORS = {"max", "min", "sup", "inf", "lim"}
LIMITS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}


class UnreadableTeXError(ValueError):
    """TeX that cannot be turned into MathML; the message says why."""


def to_mathml(tex: str, *, display: bool = False) -> str:
    """The MathML of a formula.

    Args:
        tex: the formula without its dollars.
        display: on a line of its own, with large operators and limits above and below.

    Raises:
        UnreadableTeXError: unbalanced braces, or a command or environment that is not known.
    """
    for pattern, replacement in SYNONYMS.items():
        tex = re.sub(pattern, replacement, tex)
    _check_structure(tex)
    try:
        math = convert_to_element(tex, display="block" if display else "inline")
    except Exception as error:  # latex2mathml raises a dozen classes, IndexError among them
        raise UnreadableTeXError(str(error) or type(error).__name__) from error
    mend(math)
    for element in math.iter():
        text = element.text or ""
        if element.tag == "mtext" and "$" in text:
            raise UnreadableTeXError(r"a dollar inside \text")
        if element.tag != "mtext" and text.startswith("\\"):
            raise UnreadableTeXError(f"unknown command {text}")
    return tostring(math, encoding="unicode")


def _check_structure(tex: str) -> None:
    """Raise where latex2mathml would drop something without a word."""
    bare = re.sub(r"\\[\\{}&%$]", "", tex)
    depths = [0, *accumulate(1 if brace == "{" else -1 for brace in re.findall(r"[{}]", bare))]
    if min(depths) < 0 or depths[-1] > 0:
        raise UnreadableTeXError("unbalanced braces")
    opened = re.findall(r"\\begin\{(.*?)\}", tex)
    if unknown := sorted(set(opened) - ENVIRONMENTS):
        raise UnreadableTeXError(f"unknown environment {', '.join(unknown)}")
    if sorted(opened) != sorted(re.findall(r"\\end\{(.*?)\}", tex)):
        raise UnreadableTeXError(r"\begin without its \end")
    if "&" in bare and not opened:
        raise UnreadableTeXError("& outside an environment")


def mend(math: Element) -> None:
    r"""Bring latex2mathml's tree to MathML Core, in place.

    Characters are written as themselves; fences and \pm become operators; bold and blackboard
    letters become Unicode's own, as `mathvariant` is gone; \max and \lim take their limits below in
    displays; a function's name is one word and has TeX's thin space after it; a prime is not raised
    twice.
    """
    for element in list(math.iter()):
        element.text = unescape(element.text) if element.text else element.text
        if element.text in ORDINARY:
            element.tag = "mi"
        elif element.tag == "mi" and _is_operator(element.text or ""):
            element.tag, element.text = "mo", "∼" if element.text == "~" else element.text
            element.set("stretchy", "false")
        if (style := element.get("mathvariant", "normal")) != "normal":
            element.text = "".join(_styled(c, style) for c in element.text or "")
            del element.attrib["mathvariant"]
    for element in list(math.iter()):
        if len(element) > 1 and {(e.tag, e.get("mathvariant")) for e in element} == UPRIGHT:
            word = Element("mi")  # \mathrm{softmax}: one, so that it is read and copied as a word
            word.text = "".join(letter.text or "" for letter in element)
            element[:] = [word]
        if element.tag == "msup" and element[1].text in PRIMES:
            element.tag, element[1].tag = "mrow", "mo"
            element[1].attrib.update(lspace="0", rspace="0")
        if element.tag == "mrow" and [child.tag for child in element] == ["mo"]:
            element[0].attrib.update(lspace="0", rspace="0")  # the comma of 1{,}000
        if element.tag in ("mrow", "mtd", "mstyle"):
            _space_operators(element)
            _space_functions(element)


def _is_operator(text: str) -> bool:
    """Whether this one character is a mathematical symbol, a bracket or a colon."""
    return len(text) == 1 and (unicodedata.category(text) in ("Sm", "Ps", "Pe") or text == ":")


def _space_operators(row: Element) -> None:
    """Set close what TeX sets close: a slash, a bar, the sign of a number."""
    follows_operator = False
    for child in row:
        operator = child[0] if child.tag in LIMITS else child
        text = operator.text or ""
        if operator.tag == "mo":
            if text == "/":
                operator.attrib.update(lspace="0", rspace="0")
            elif text in ("‖", "|") and "form" not in operator.attrib:
                operator.set("stretchy", "false")
            elif text in ("−", "+", "±") and follows_operator:
                operator.set("form", "prefix")
        follows_operator = child.tag == "mo" and text not in CLOSING


def _space_functions(row: Element) -> None:
    """Set names such as log and max as TeX does: limits in their place, a thin space after."""
    children = list(row)
    for child, after in zip_longest(children, children[1:]):
        name = child[0] if child.tag in LIMITS else child
        if name.tag not in ("mi", "mo") or not _is_word(name.text or "") or name.text == "mod":
            continue
        name.tag = "mi"
        if name.text in LIMIT_OPERATORS or name.get("movablelimits"):
            name.tag = "mo"
            name.attrib.update(movablelimits="true", lspace="0", rspace="0")
            child.tag = LIMITS.get(child.tag, child.tag)
        if after is not None and not _opens(after):
            row.insert(list(row).index(child) + 1, Element("mspace", width="0.167em"))


def _is_word(text: str) -> bool:
    """Whether this is the name of a function; its parts may be apart by a thin space: arg max."""
    return len(text) > 1 and text.replace("\u2009", "").replace("\u2006", "").isalpha()


def _opens(element: Element) -> bool:
    """Whether an element is, or starts with, an operator or a bracket."""
    while len(element) and element.tag in ("mrow", "mstyle", *LIMITS):
        element = element[0]
    return element.tag in ("mo", "mspace")


def _styled(character: str, style: str) -> str:
    """Unicode's own bold, double-struck … form of a letter or digit; itself where there is none."""
    name = re.sub("^(LATIN|GREEK) | LETTER", "", unicodedata.name(character, ""))
    try:
        return unicodedata.lookup(f"MATHEMATICAL {style.replace('bold-', 'bold ')} {name}")
    except KeyError:
        return character


def _render(node: nodes.math | nodes.math_block, *, display: bool) -> str:
    tex = node.astext().strip()
    tex = re.sub(r"\n\s*\n", r" \\\\ ", tex)  # Sphinx: a blank line parts the lines of one formula
    if r"\\" in re.sub(r"\\begin\{(.*?)\}.*\\end\{\1\}", "", tex, flags=re.DOTALL):
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    try:
        return to_mathml(tex, display=display)
    except UnreadableTeXError as error:
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
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
