"""What a cell shows fits the page: claims, tables and pictures, on a phone as well.

A claim's text becomes a list, whose lines wrap. A picture stands there twice, if `execute.py` has
drawn it twice, wide and narrow; else it gets a switch that shows it at full size. Which of them a
screen needs, the style says. The notebooks stay as they are.
"""

from __future__ import annotations

import gzip
import re
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from nbformat import NotebookNode
from parts import read_cells
from sphinx.application import Sphinx

#: Of an output's metadata, from `notebooks/figures.py`: a figure's versions, name → gzip in base64.
FIGURE = "application/vnd.cvcourse.figure+json"
#: Pixels: a picture no wider than this is on a phone about as large as it is.
SMALL = 400
#: What `cvcourse.experiment.claim` prints.
CLAIM = re.compile(r"claim [\w-]+: .+(\n  \S .+)+")
ENLARGE = (
    '<div class="zoom"><label>',
    '<span><input type="checkbox" aria-label="full size"> full size</span></label></div>',
)


def list_findings(app: Sphinx, doctree: nodes.document) -> None:
    """A line for the verdict, and an item for each finding."""
    for block in list(doctree.findall(nodes.literal_block)):
        text = block.astext().strip()
        if CLAIM.fullmatch(text):
            verdict, *findings = (nodes.paragraph("", line.strip()) for line in text.split("\n"))
            items = nodes.bullet_list("", *(nodes.list_item("", line) for line in findings))
            classes = [*block["classes"], "claim"]
            block.replace_self(nodes.container("", verdict, items, classes=classes))


def versions_of(output: NotebookNode) -> dict[str, bytes]:
    """A figure's versions beside its PNG: "wide.svg" or "narrow.svg" → file."""
    texts = output.get("metadata", {}).get(FIGURE, {})
    return {name: gzip.decompress(b64decode(text)) for name, text in texts.items()}


def other_versions(cells: Sequence[NotebookNode]) -> dict[bytes, dict[str, bytes]]:
    """Each figure that has others beside its PNG: the PNG → name → file."""
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return {
        b64decode(output.data["image/png"]): versions
        for output in outputs
        if (versions := versions_of(output))
    }


def written(image: nodes.image, file: Path, versions: dict[str, bytes]) -> dict[str, nodes.image]:
    """Wide or narrow → an image like this one, whose file stands beside this one's."""
    copies = {}
    for name, content in versions.items():
        beside = file.with_name(f"{file.stem}-{name}")
        beside.write_bytes(content)
        copy = copies[name.split(".")[0]] = image.deepcopy()
        copy["uri"] = image["uri"].replace(file.name, beside.name)
    return copies


def width(picture: bytes) -> float:
    """In pixels; what is no PNG may be any."""
    is_png = picture.startswith(b"\x89PNG")
    return int.from_bytes(picture[16:20], "big") if is_png else float("inf")


def fit(app: Sphinx, doctree: nodes.document) -> None:
    """Each picture of a cell or a figure, as it was drawn for a wide screen, and for a narrow one.

    What was not drawn for a narrow one, and is wider, gets a switch around it.
    """
    if app.builder.name != "html":
        return  # a reader of electronic books has its own
    cells = (node for node in doctree.findall(nodes.container) if "cell_output" in node["classes"])
    around = [*cells, *doctree.findall(nodes.figure)]
    images = [*dict.fromkeys(image for node in around for image in node.findall(nodes.image))]
    images = [image for image in images if not {"wide", "narrow"} & {*image["classes"]}]
    page = str(app.env.doc2path(app.env.docname, base=False))
    notebook = page.endswith(".ipynb") and images
    drawn = other_versions(read_cells(app.env, page)) if notebook else {}
    for image in images:
        file = Path(app.env.relfn2path(image["uri"], app.env.docname)[1])
        picture = file.read_bytes() if file.is_file() else b""  # nothing, if it is not there
        versions = drawn.get(picture, {})
        shown = {"wide": image.deepcopy(), **written(image, file, versions)}
        if "narrow" in shown:
            for screen, version in shown.items():
                version["classes"].append(screen)
            image.replace_self([*shown.values()])
        elif width(picture) > SMALL:
            before, after = (nodes.raw("", html, format="html") for html in ENLARGE)
            image.replace_self([before, shown["wide"], after])


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("doctree-read", list_findings)
    app.connect("doctree-read", fit, priority=400)  # before Sphinx notes which images there are
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
