"""Which pages the book has, and what tests of several kinds do with them."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
from light import AWAKE as AWAKE  # noqa: E402


def documents(node: Any) -> Iterator[str]:
    """The documents of a table of contents."""
    if isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from documents(child)


TABLE_OF_CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [*(f"{name}.html" for name in documents(TABLE_OF_CONTENTS)), "index.html", "search.html"]
CHAPTERS = [name for name in PAGES if name.startswith("notebooks/")]
#: A script: pictures that wait until the reader is near come at once.
FETCH_ALL = "document.querySelectorAll('img').forEach((each) => { each.loading = 'eager'; })"
