"""Links from what our extensions make to the book's pages and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from sphinx.environment import BuildEnvironment


def link_to(target: str, env: BuildEnvironment, *, role: str, text: str = "") -> nodes.Element:
    """A link to a page (`doc`) or a label (`ref`), with its title for text where none is given."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text),
        refdomain="std",
        reftype=role,
        reftarget=target,
        refdoc=env.docname,
        refexplicit=bool(text),
        refwarn=True,
    )
