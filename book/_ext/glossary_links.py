"""Links the first mention of each glossary term in a page's prose to its entry.

The link's tooltip has the Korean term and the entry's first sentence. Nothing is written into the
pages: a notebook on Colab shows plain text. `glossary_links_except` names the terms that are also
everyday words, and are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

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


def read_entries(env: BuildEnvironment) -> list[Entry]:
    """Every entry of every glossary, without the terms that are excepted."""
    objects = env.get_domain("std").get_objects()
    pages = sorted({page for _, _, kind, page, _, _ in objects if kind == "term"})
    entries = []
    for page in pages:
        for glossary in env.get_doctree(page).findall(addnodes.glossary):
            for item in glossary.findall(nodes.definition_list_item):
                names = [node for node in item if isinstance(node, nodes.term)]
                terms = (name.astext() for name in names)
                kept = tuple(t for t in terms if t not in env.config.glossary_links_except)
                found = DEFINITION.match(_prose(item[-1]))
                short = f"{found['korean']} · {found['first']}" if found else ""
                entries.append(Entry(page, names[0]["ids"][0], kept, short))
    return entries


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
        env = self.env
        entries: list[Entry] = getattr(env, "glossary_entries", [])
        if env.docname == env.config.root_doc or env.docname in {entry.page for entry in entries}:
            return
        linked = {
            node["reftarget"].lower()
            for node in self.document.findall(addnodes.pending_xref)
            if node["reftype"] == "term"
        }
        self.left = {
            term: entry
            for entry in entries
            for term in entry.terms
            if not linked & {name.lower() for name in entry.terms}
        }
        for text in list(self.document.findall(nodes.Text)):
            if self.left and _is_prose(text):
                self.link(text)

    def link(self, text: nodes.Text) -> None:
        """Link what is mentioned here for the first time."""
        names = sorted(self.left, key=len, reverse=True)
        mentions = re.compile("|".join(f"({pattern(name)})" for name in names))
        pieces: list[nodes.Node] = []
        end = 0
        for found in mentions.finditer(text):
            entry = self.left.get(names[(found.lastindex or 1) - 1])
            if entry is None:
                continue  # linked a few words ago
            address = self.app.builder.get_relative_uri(self.env.docname, entry.page)
            link = nodes.reference(
                "", found[0], refuri=f"{address}#{entry.anchor}", internal=True, classes=["term"]
            )
            link["reftitle"] = entry.short
            pieces += [nodes.Text(text[end : found.start()]), link]
            end = found.end()
            for term in entry.terms:
                self.left.pop(term, None)
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text[end:])])


def _is_prose(text: nodes.Text) -> bool:
    """Whether a text stands in a paragraph, and is neither code nor part of a link."""
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, ELSEWHERE) or node.get("nb_element") == "cell_code":
            return False
        if isinstance(node, nodes.section) and "papers" in node["names"]:
            return False  # titles of papers
        in_paragraph |= isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph


def collect(app: Sphinx, env: BuildEnvironment) -> set[str]:
    """Read the glossary; where it has changed, every page is written anew."""
    before, after = getattr(env, "glossary_entries", None), read_entries(env)
    env.glossary_entries = after  # type: ignore[attr-defined]
    return set() if before == after else set(env.found_docs)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the links."""
    app.add_config_value("glossary_links_except", [], "env", list)
    app.connect("env-updated", collect)
    app.add_post_transform(LinkGlossary)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
