"""What a cell shows fits the page: claims, tables and pictures, on a phone as well.

A claim's text becomes a list, whose lines wrap. No line ends within an interval or before a "%". A
picture that is scaled down gets a switch that shows it at full size; which pages need it, the style
says. The notebooks stay as they are.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

#: What `cvcourse.experiment.claim` prints.
CLAIM = re.compile(r"claim [\w-]+: .+(\n  \S .+)+")
TABLE = re.compile('<table class="(measured|verdicts)')
#: The spaces within "[−0.4, 1.7]", "95 %", "≥ 1" and "3 ×", not "3 × 3".
WITHIN = re.compile(r"(?<=[\d%],) (?=[+−-]?[\d.,]+%?\])|(?<=\d) (?=%|×(?! ?\d))|(?<=[≤≥]) (?=\d)")
PROSE = (nodes.paragraph, nodes.caption, nodes.emphasis, nodes.strong, nodes.inline)
ENLARGE = (
    '<div class="zoom"><label>',
    '<span><input type="checkbox" aria-label="full size"> full size</span></label></div>',
)


def list_findings(app: Sphinx, doctree: nodes.document) -> None:
    """A line for the verdict, and an item for each finding."""
    for block in list(doctree.findall(nodes.literal_block)):
        text = block.astext().strip()
        if CLAIM.fullmatch(text):
            verdict, *findings = (nodes.paragraph("", line.strip()) for line in text.split("\n"))
            items = nodes.bullet_list("", *(nodes.list_item("", line) for line in findings))
            classes = [*block["classes"], "claim"]
            block.replace_self(nodes.container("", verdict, items, classes=classes))


def keep_together(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """A line may break before an interval or a percentage, not within."""
    for raw in doctree.findall(nodes.raw):
        if TABLE.search(raw.astext()):
            raw.children = [nodes.Text(WITHIN.sub("&nbsp;", raw.astext()))]
    for text in [*doctree.findall(nodes.Text)]:
        if isinstance(text.parent, PROSE) and WITHIN.search(text):
            text.parent.replace(text, nodes.Text(WITHIN.sub("\N{NO-BREAK SPACE}", text)))


def enlarge(app: Sphinx, doctree: nodes.document) -> None:
    """Put each picture that a cell shows between the two ends of its switch."""
    if app.builder.name != "html":
        return  # a reader of electronic books has its own
    cells = (node for node in doctree.findall(nodes.container) if "cell_output" in node["classes"])
    for image in [image for cell in cells for image in cell.findall(nodes.image)]:
        before, after = (nodes.raw("", html, format="html") for html in ENLARGE)
        image.replace_self([before, image.deepcopy(), after])


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    for change in (list_findings, enlarge):
        app.connect("doctree-read", change)
    app.connect("doctree-resolved", keep_together, priority=600)  # ledger.py has filled its tables
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
