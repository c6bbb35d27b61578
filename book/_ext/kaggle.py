"""Kaggle, beside Colab, among the places where a chapter can be opened and run.

The theme knows no Kaggle, but shows whatever stands in its menu.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx

IMPORT = "https://kaggle.com/kernels/welcome?src="  # takes the address of a notebook's file
FILES = "https://raw.githubusercontent.com"


def add_kaggle(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put it into the menu of a notebook's page; other pages have none."""
    theme = app.config.html_theme_options
    for menu in context.get("header_buttons", ()):
        if menu.get("label") == "launch-buttons":
            repository = urlsplit(theme["repository_url"]).path
            file = f"{FILES}{repository}/{theme['repository_branch']}/{page}.ipynb"
            button = {"type": "link", "text": "Kaggle", "tooltip": "Launch on Kaggle"}
            menu["buttons"].append(button | {"url": IMPORT + file, "icon": "_static/kaggle.svg"})


def setup(app: Sphinx) -> dict[str, Any]:
    """After the theme has made its menu."""
    app.connect("html-page-context", add_kaggle, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
