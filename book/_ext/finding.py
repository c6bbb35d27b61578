"""What the search finds: a term's chapter, its entry in the glossary, and no attributes.

Sphinx writes the index; here a term gets the standing of a title, in English and in Korean, with
spaces and without. `scorer.js` has the chapters come first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from glossary_links import read_items
from parts import place_of
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

BEFORE, AFTER = "Search.setIndex(", ")"
#: Kinds of objects that nobody looks for by name alone.
LEFT_OUT = {"py:attribute", "py:property", "py:data"}
CHAPTERS = "notebooks/"


def names_of(terms: list[nodes.term], definition: nodes.definition) -> Iterator[tuple[str, str]]:
    """A term in English and in Korean, and the latter without its spaces; each with its anchor."""
    for term in terms:
        yield term.astext(), term["ids"][0]
    for raw in definition.findall(nodes.raw):
        if raw.astext() == '<span lang="ko">':
            korean = raw.next_node(descend=False, siblings=True).astext()
            for name in sorted({korean, korean.replace(" ", "")}):
                yield name, terms[0]["ids"][0]


def chapter_of(env: BuildEnvironment, definition: nodes.definition) -> str:
    """The chapter that the arrow leads to, or that settles the claim that it leads to; or ""."""
    target = [link["reftarget"] for link in definition.findall(addnodes.pending_xref)][-1]
    claim = target.removeprefix("claim-")
    page = place_of(env, f"verdict-{claim}")[0] if claim != target else target
    return page if page.startswith(CHAPTERS) else ""


def add_terms(env: BuildEnvironment, index: dict[str, Any]) -> None:
    """Put the terms among the titles: of their chapter, and of the glossary."""
    numbers = {page: number for number, page in enumerate(index["docnames"])}
    for page, terms, definition in read_items(env):
        chapter = chapter_of(env, definition)
        for name, anchor in names_of(terms, definition):
            found = index["alltitles"].setdefault(name, [])
            found.append([numbers[page], anchor])
            if chapter:
                found.append([numbers[chapter], None])


def mend_index(app: Sphinx, error: Exception | None) -> None:
    """Write the index anew."""
    file = Path(app.outdir, "searchindex.js")
    if error or app.builder.name != "html" or not file.exists():
        return
    text = file.read_text("utf-8")
    index = json.loads(text[len(BEFORE) : -len(AFTER)])
    out = {number for number, kind in index["objtypes"].items() if kind in LEFT_OUT}
    for module, found in index["objects"].items():
        index["objects"][module] = [each for each in found if str(each[1]) not in out]
    index["indexentries"] = {}  # the same objects and terms, which would come before any title
    add_terms(app.env, index)
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    file.write_text(f"{BEFORE}{text}{AFTER}", "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Once everything is written."""
    app.connect("build-finished", mend_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
