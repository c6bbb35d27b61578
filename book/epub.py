"""The whole book as one EPUB, which any reader of electronic books opens, without a connection.

    python book/epub.py    # writes _build/epub/book.epub, and checks it

The settings are the site's, less what only a browser needs: the theme with its menus and scripts,
and what mends them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml
from epub_check import faults
from jupyter_book.sphinx import build_sphinx

ROOT = Path(__file__).parents[1]
#: Extensions that serve the site alone.
OF_THE_SITE = {
    "finding",
    "kaggle",
    "light",
    "one_stylesheet",
    "sphinx_book_theme",
    "sphinx_copybutton",
}


def settings(root: Path) -> dict[str, Any]:
    """What differs from `_config.yml`, for a book in this folder."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    extensions = config["sphinx"]["config"]["extensions"]
    return {
        "extensions": [*(name for name in extensions if name not in OF_THE_SITE), "ebook"],
        "html_css_files": [],
        "html_extra_path": [],
        "html_favicon": None,
        "html_js_files": [],
        "html_static_path": [str(Path(__file__).with_name("_ext") / "ebook.css")],
        "epub_basename": "book",
        "epub_contributor": config["author"],
        "epub_copyright": "Text CC BY 4.0, code MIT",
        "epub_css_files": ["ebook.css"],
        "epub_description": citation["abstract"],
        "epub_identifier": citation["repository-code"],
        "epub_scheme": "URL",
        "epub_show_urls": "no",
        "epub_title": config["title"],
        "epub_tocdup": False,
        "epub_tocscope": "includehidden",
        "epub_uid": "book",
        "suppress_warnings": ["epub.unknown_project_files", "mystnb.unknown_mime_type"],
        "templates_path": [],
        "latex_individualpages": False,  # Jupyter Book asks for it
        "version": citation["version"],
    }


def build(root: Path, folder: Path, doctrees: Path) -> Path:
    """Build the book that lies in `root`, every warning being an error; where the EPUB is.

    Raises:
        SystemExit: the build, or the check of what it wrote, failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    status = build_sphinx(
        root,
        folder,
        path_config=root / "_config.yml",
        noconfig=True,  # there is no conf.py
        confoverrides=settings(root),
        doctreedir=doctrees,
        builder="epub",
        freshenv=True,
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    path = folder / "book.epub"
    if status or not path.exists():
        raise SystemExit("the EPUB could not be built")
    if found := faults(path):
        raise SystemExit("\n".join([f"{path} has {len(found)} faults:", *found]))
    return path


def main() -> None:
    """Build the book."""
    path = build(ROOT, ROOT / "_build" / "epub", ROOT / "_build" / ".epub-doctrees")
    print(f"{path.stat().st_size / 1e6:.1f} MB in {path}")


if __name__ == "__main__":
    main()
