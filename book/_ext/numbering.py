"""Numbers the chapters, their figures and displayed equations, and what refers to them.

Chapter 3 is the notebook whose file's name begins with 03: its title says so, and with it the
sidebar, the search and whatever else shows titles.

Figure 3.2 is the second picture of chapter 3 that has a caption: `mystnb.figure` in its cell's
metadata, with `caption` and `name`. An equation is named by an empty anchor that stands before it:
`<a id="eq-lead"></a>`. In the text, [the figure below](#fig-shift) is an ordinary link, and reads
so in Jupyter and on Colab; on the page its words become the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from parts import name_place, place_of
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

CHAPTER = re.compile(r"notebooks/(?:0*(\d+)_)?")
ANCHOR = re.compile(r'<a id="(eq-[\w-]+)">')
NUMBERED = re.compile(r"(Figure|Equation) [\d.]+")


def number_chapter(app: Sphinx, doctree: nodes.document) -> None:
    """Put a chapter's number before its title."""
    found = CHAPTER.match(app.env.docname)
    if found and found[1]:
        title = next(doctree.findall(nodes.title))
        title.insert(0, nodes.Text(f"{found[1]} · "))


def number(app: Sphinx, doctree: nodes.document) -> None:
    """Number what a chapter has, and make the names known to the whole book."""
    found = CHAPTER.match(app.env.docname)
    if found is None:
        return
    prefix = f"{found[1]}." if found[1] else ""
    captions = [c for c in doctree.findall(nodes.caption) if isinstance(c.parent, nodes.figure)]
    for count, caption in enumerate(captions, start=1):
        label = f"Figure {prefix}{count}"
        caption.insert(0, nodes.inline("", f"{label}. ", classes=["caption-number"]))
        for name in caption.parent["names"]:
            name_place(app.env, name, caption.parent["ids"][0], label)
    if not prefix:
        return  # a page that gathers results: its formulas are the chapters'
    for count, (name, equation) in enumerate(list(_equations(doctree)), start=1):
        equation["number"] = f"{prefix}{count}"
        equation["ids"] = [name or f"equation-{prefix}{count}".replace(".", "-")]
        name_place(app.env, equation["ids"][0], equation["ids"][0], f"Equation {prefix}{count}")


def _equations(doctree: nodes.document) -> Iterator[tuple[str | None, nodes.math_block]]:
    """Each displayed equation, with the name that an anchor before it gives, which is taken out."""
    name = None
    for node in list(doctree.findall()):
        if isinstance(node, nodes.math_block):
            yield name, node
            name = None
        elif isinstance(node, nodes.raw) and (anchor := ANCHOR.fullmatch(node.astext())):
            name = anchor[1]
            after = node.next_node(descend=False, siblings=True)
            for tag in (node, after):
                if tag is not None and tag.parent is not None:
                    tag.parent.remove(tag)


class SayNumbers(SphinxPostTransform):
    """In links to what is numbered, the number stands for the words."""

    default_priority = 5  # before references are resolved: names are still there

    def run(self, **kwargs: Any) -> None:
        """Go through the links of one page."""
        for kind in (nodes.reference, addnodes.pending_xref):
            for link in self.document.findall(kind):
                name = link.get("refid") or link.get("reftarget") or ""
                _, _, label = place_of(self.env, name)
                if NUMBERED.fullmatch(label):
                    link.children = []
                    link += nodes.inline("", label)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the numbering."""
    app.connect("doctree-read", number_chapter, priority=400)  # before Sphinx collects titles
    app.connect("doctree-read", number)
    app.add_post_transform(SayNumbers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
