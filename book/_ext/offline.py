"""Pages that ask nobody, and that everybody can use.

No page asks another host for anything, from a web server or straight from disk. Most of that is in
`_config.yml`, which leaves out the extensions that ask; here is what settings cannot do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

#: Search shows an excerpt of each page it finds by fetching that page, which a browser forbids on
#: file:// and reports as an error. There, the titles must do.
NO_EXCERPTS_FROM_DISK = (
    'DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY &&= location.protocol !== "file:";'
)

#: What docutils and pandas write → what a screen reader can use.
ACCESSIBLE = {
    'role="doc-biblioentry"': 'role="listitem"',  # the former is deprecated
    "<th></th>": "<td></td>",  # pandas: an empty heading over the index
}


def make_accessible(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mend a page's text before the theme puts it into the page."""
    for inaccessible, accessible in ACCESSIBLE.items():
        if "body" in context:
            context["body"] = context["body"].replace(inaccessible, accessible)


def setup(app: Sphinx) -> dict[str, Any]:
    """Set what the settings cannot."""
    # Jupyter Book sets this whether or not sphinx_comments, whose it is, is there.
    app.add_config_value("comments_config", {}, "")
    app.add_js_file(None, body=NO_EXCERPTS_FROM_DISK)
    app.connect("html-page-context", make_accessible)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
