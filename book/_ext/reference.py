"""What autoapi needs beside its settings to document this package from its source.

autoapi reads the source and imports nothing, so the site builds without PyTorch. The pages in
`book/api/` name one module each; their docstrings do the rest.
"""

from __future__ import annotations

import re
from typing import Any, cast

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

BEFORE_NAPOLEON = 400
#: `code`, which stays as it is, or a character that is markup in reStructuredText: |x|, val_, and
#: the C of "channels: C.", which would number a list.
CODE_OR_MARKUP = re.compile(r"(`[^`]*`)|([|*]|(?<=\w)_(?!\w)|(?<=: )\w(?=\.$))")


def read_as_plain_text(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Take a docstring for what it is: plain text with `code`, examples and Google's sections.

    Napoleon would take the first sentence of "what: it is" for a type, where the type is known.
    """
    example = False  # from >>> to the next empty line
    for number, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>> "))
        if not example:
            lines[number] = CODE_OR_MARKUP.sub(lambda found: found[1] or f"\\{found[2]}", line)
    if what in ("attribute", "data", "property"):
        lines.insert(0, "")


def skip_duplicate(app: Sphinx, what: str, name: str, obj: Any, *_: object) -> bool | None:
    """Describe everything once: where its package offers it, or else where it is defined."""
    public = vars(app.env)["autoapi_all_objects"].get(".".join([*obj.id.split(".")[:2], name]))
    again = public is not None and public.obj.get("original_path") == obj.id
    return True if again or obj.obj.get("hide") else None


def resolve_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.Element | None:
    """Link `cvcourse.train.run.Step` to where it is documented: `cvcourse.train.Step`."""
    package, _, rest = (target := str(node.get("reftarget"))).partition(".")
    if node.get("refdomain") != "py" or package != "cvcourse":
        return None
    subpackage, *_, last = rest.split(".")
    python = cast("PythonDomain", env.get_domain("py"))
    found = python.objects.get(f"cvcourse.{subpackage}.{last}") or python.objects.get(target)
    if found is None:
        return None
    return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the three."""
    app.connect("autodoc-process-docstring", read_as_plain_text, priority=BEFORE_NAPOLEON)
    app.connect("autodoc-skip-member", skip_duplicate)
    app.connect("missing-reference", resolve_public_name)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
