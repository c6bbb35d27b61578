"""What autoapi needs beside its settings to document this package from its source.

autoapi reads the source and imports nothing, so the site builds without PyTorch. The pages in
`book/api/` name one module each; their docstrings do the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.domains.python import PythonDomain
    from sphinx.environment import BuildEnvironment

BEFORE_NAPOLEON = 400
#: `code`, which stays as it is, or a character that is markup in reStructuredText: |x|, val_.
CODE_OR_MARKUP = re.compile(r"`[^`]*`|[|*]|(?<=\w)_(?!\w)")


def read_as_plain_text(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Take a docstring for what it is, plain text with `code` and Google's sections.

    Napoleon would take the first sentence of "what: it is" for a type, where the type is known.
    """
    lines[:] = [CODE_OR_MARKUP.sub(_escape, line) for line in lines]
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")


def _escape(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("`") else "\\" + found[0]


def resolve_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.Element | None:
    """Link `cvcourse.train.run.Step` to where it is documented: `cvcourse.train.Step`."""
    package, _, rest = str(node.get("reftarget")).partition(".")
    if node.get("refdomain") != "py" or package != "cvcourse":
        return None
    subpackage, *_, last = rest.split(".")
    python = cast("PythonDomain", env.get_domain("py"))
    found = python.objects.get(f"cvcourse.{subpackage}.{last}")
    if found is None:
        return None
    return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the two."""
    app.connect("autodoc-process-docstring", read_as_plain_text, priority=BEFORE_NAPOLEON)
    app.connect("missing-reference", resolve_public_name)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
