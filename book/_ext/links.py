"""Links from what our extensions make to the book's pages and labels, and labels of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from sphinx.domains.std import StandardDomain
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


def name_place(env: BuildEnvironment, name: str, anchor: str, text: str) -> None:
    """Give a place on the page that is being read a name: links to it find it, and say `text`."""
    standard = cast("StandardDomain", env.get_domain("std"))
    standard.anonlabels[name] = env.docname, anchor
    standard.labels[name] = env.docname, anchor, text
