"""Where a line does not end: before a percent sign, around a times sign, in an interval, in code.

Authors type ordinary spaces; the pages get such as do not break. So the notebooks stay readable,
and nobody has to think of it.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

#: Also a mark is no line of its own: "The sentence holds: ✓".
TOGETHER = re.compile(r"(?<=\d) (?=%|× ?\d)|(?<=×) (?=\d)|(?<=[≤≥]) (?=\d)|(?<=[\d:]) (?=[✓✗○])")
INTERVAL = re.compile(r"\[[^][<\s]+, [^][<\s]+\]")
#: A cell of a few words, without an interval, before which it may break.
SHORT = re.compile(r"(?<=<td>)[^[<]{1,20}(?=</td>)")
TABLE = re.compile(r'<table class="(measured|verdicts)')
WHOLE = 24  #: letters: code in a sentence that fits into a line of a phone
AS_TYPED = (nodes.FixedTextElement, nodes.literal, nodes.math)


def joined(found: re.Match[str]) -> str:
    """What was found, in one piece."""
    return found[0].replace(" ", "\xa0")


def keep_together(text: str) -> str:
    r"""The text with spaces that do not break, where a line should not end.

    >>> keep_together("95 % of 8 × 8, 0.5 [0.4, 0.6]: many").split(" ")
    ['95\xa0%', 'of', '8\xa0×\xa08,', '0.5', '[0.4,\xa00.6]:', 'many']
    """
    return TOGETHER.sub(joined, INTERVAL.sub(joined, text))


def keep_page(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Keep together what belongs together, in sentences and in the tables that cells show."""
    for text in list(doctree.findall(nodes.Text)):
        typed = text.parent is None or isinstance(text.parent, AS_TYPED)  # None: HTML that was made
        if not typed and (kept := keep_together(text)) != text:
            text.parent.replace(text, nodes.Text(kept))
    for code in doctree.findall(nodes.literal):
        if len(code.astext()) <= WHOLE:
            code["classes"].append("whole")  # the style lets no line end in it
    for raw in doctree.findall(nodes.raw):
        if TABLE.search(html := raw.astext()):
            raw.children = [nodes.Text(keep_together(SHORT.sub(joined, html)))]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("doctree-resolved", keep_page, priority=600)  # after the ledger, which writes, too
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
