"""Links the first mention of each glossary term in a page's prose to its entry.

The link's tooltip has the Korean term and the entry's first sentence. Nothing is written into the
pages: a notebook on Colab shows plain text. `glossary_links_except` names the terms that are also
everyday words, and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

#: No prose, or prose that is a link already.
ELSEWHERE = (
    *(nodes.title, nodes.rubric, nodes.caption, nodes.table, nodes.citation, nodes.raw),
    *(nodes.literal, nodes.literal_block, nodes.math, nodes.math_block),
    *(nodes.reference, addnodes.pending_xref, addnodes.desc, addnodes.toctree),
)
#: “특징 (N3). A number computed … . → chapter 1”: the Korean term, where from, the first sentence.
DEFINITION = re.compile(r"(?P<korean>.+?)(?: \(N[0-4N, ]*\)|\*)\. (?P<first>.+?[.)])(?= [A-Z(→]|$)")


@dataclass(frozen=True)
class Entry:
    """One entry of the glossary: where it stands, all its terms, and what it says in short."""

    page: str
    anchor: str
    terms: tuple[str, ...]
    short: str


def read_items(env: BuildEnvironment) -> Iterator[tuple[str, list[nodes.term], nodes.definition]]:
    """Every entry of every glossary: its page, its terms, and what it says."""
    objects = env.get_domain("std").get_objects()
    for page in sorted({page for _, _, kind, page, _, _ in objects if kind == "term"}):
        for glossary in env.get_doctree(page).findall(addnodes.glossary):
            for item in glossary.findall(nodes.definition_list_item):
                *names, definition = item
                yield page, names, definition


def read_entries(env: BuildEnvironment) -> Iterator[Entry]:
    """Every entry of every glossary, without the terms that are excepted."""
    for page, names, definition in read_items(env):
        terms = (name.astext() for name in names)
        kept = tuple(t for t in terms if t not in env.config.glossary_links_except)
        found = DEFINITION.match(_prose(definition))
        short = f"{found['korean']} · {found['first']}" if found else ""
        yield Entry(page, names[0]["ids"][0], kept, short)


def _prose(node: nodes.Node) -> str:
    """What a reader sees of a node, without the tags of raw HTML."""
    texts = (t for t in node.findall(nodes.Text) if not isinstance(t.parent, nodes.raw))
    return re.sub(r"\s+", " ", "".join(texts))


def pattern(term: str) -> str:
    """What finds a term: its plural as well, a space for its hyphen, and in small letters any."""
    words = re.sub(r"(\\-|\\ |-)", r"[-\\s]", re.escape(term))
    plural = words[:-1] + "(?:y|ies)" if words.endswith("y") else words + "(?:s|es)?"
    anyhow = plural if any(letter.isupper() for letter in term) else f"(?i:{plural})"
    return rf"(?<![\w-]){anyhow}(?![\w-])"


class LinkGlossary(SphinxPostTransform):
    """Put the links into one page."""

    default_priority = 5  # before references are resolved: what is linked already shows

    def run(self, **kwargs: Any) -> None:
        """Go through the prose in reading order."""
        entries: list[Entry] = vars(self.env).get("glossary_entries", [])
        if self.env.docname in {self.config.root_doc, *(entry.page for entry in entries)}:
            return
        references = self.document.findall(addnodes.pending_xref)
        linked = {node["reftarget"].lower() for node in references if node["reftype"] == "term"}
        terms = {term: entry for entry in entries for term in entry.terms}
        self.left = {e for e in terms.values() if linked.isdisjoint(map(str.lower, e.terms))}
        names = sorted(terms, key=len, reverse=True)
        self.entries = [terms[name] for name in names]
        self.mentions = re.compile("|".join(f"({pattern(name)})" for name in names))
        for text in list(_texts(self.document)):
            self.link(text)

    def link(self, text: nodes.Text) -> None:
        """Link what is mentioned here for the first time."""
        pieces: list[nodes.Node] = []
        end = 0
        for found in self.mentions.finditer(text):
            entry = self.entries[(found.lastindex or 1) - 1]
            if entry in self.left:
                self.left.remove(entry)
                address = self.app.builder.get_relative_uri(self.env.docname, entry.page)
                where = {"refuri": f"{address}#{entry.anchor}", "reftitle": entry.short}
                link = nodes.reference("", found[0], internal=True, classes=["term"], **where)
                pieces += [nodes.Text(text[end : found.start()]), link]
                end = found.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def _texts(node: nodes.Node, *, inside: bool = False) -> Iterator[nodes.Text]:
    """What stands in a node's paragraphs, and is neither code nor part of a link or a source."""
    if isinstance(node, nodes.Text) and inside:
        yield node
    elif isinstance(node, nodes.Element) and not (
        isinstance(node, ELSEWHERE)
        or node.get("nb_element") == "cell_code"
        or (isinstance(node, nodes.section) and "papers" in node["names"])
    ):
        for child in node.children:
            yield from _texts(child, inside=inside or isinstance(node, nodes.paragraph))


def collect(app: Sphinx, env: BuildEnvironment) -> set[str]:
    """Read the glossary; where it has changed, every page is written anew."""
    before, after = vars(env).get("glossary_entries"), [*read_entries(env)]
    vars(env)["glossary_entries"] = after
    return set() if before == after else set(env.found_docs)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the links."""
    app.add_config_value("glossary_links_except", [], "env", list)
    app.connect("env-updated", collect)
    app.add_post_transform(LinkGlossary)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
