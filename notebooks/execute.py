"""Run every notebook in place, so that it shows what the code gives today.

Metadata that changes from run to run is left out: an unchanged notebook gives
no diff. A cell tagged `volatile` (timings) keeps the output that it has; clear
it to measure anew.

    python notebooks/execute.py [notebooks/03_one_layer.ipynb …]
"""

from __future__ import annotations

import base64
import io
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image, ImageChops, ImageStat

FOLDER = Path(__file__).parent
#: Of an output's metadata, from `figures.py`: name → gzip in base64.
FIGURE = "application/vnd.cvcourse.figure+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
UNSEEN = 0.5  #: levels of 255 that a colour is off, on average over a plot
PLOTTED = 6000  #: colours, at most; small pictures on a page have more


def named(paths: list[str]) -> list[Path]:
    """The notebooks at these paths; all, where none is given."""
    return [Path(path) for path in paths] or sorted(FOLDER.glob("*.ipynb"))


def run(path: Path) -> NotebookNode:
    """One notebook with today's outputs."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # else cut up anew at every run
        extra_arguments=["--ext=figures"],
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return notebook


def execute(path: Path) -> float:
    """Run one notebook and write it back whole; seconds that it took."""
    held = nbformat.read(path, as_version=4)
    before = {cell.id: cell.get("outputs") for cell in held.cells}
    start = time.perf_counter()
    notebook = run(path)
    seconds = time.perf_counter() - start
    notebook.metadata = NotebookNode(
        kernelspec={
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        },
        language_info={"name": "python"},
    )
    for cell in notebook.cells:
        if "volatile" in cell.metadata.get("tags", ()) and before[cell.id]:
            cell.outputs = before[cell.id]
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            data.pop(WIDGET_VIEW, None)  # without its kernel it is its HTML
            if "image/png" in data:
                data["image/png"] = smaller(data["image/png"])
                if FIGURE not in output.metadata:
                    raise RuntimeError(
                        f"cell {cell.id} of {path.name} has a picture without "
                        "its versions for a page; expected a figure of "
                        "Matplotlib, and figures.py beside the notebook"
                    )
    unfinished = path.with_suffix(".part")
    nbformat.write(notebook, unfinished)
    os.replace(unfinished, path)
    return seconds


def smaller(png: str) -> str:
    """The same picture in fewer bytes: packed harder, without unused opacity.

    A plot, which has few colours, is told in 256 of them, where nobody sees
    the difference; pictures keep all of theirs. A notebook is stored and
    loaded whole, and figures are most of its weight.
    """
    picture: Image.Image = Image.open(io.BytesIO(base64.b64decode(png)))
    opaque = (255, 255)
    if (
        picture.mode == "RGBA"
        and picture.getchannel("A").getextrema() == opaque
    ):
        picture = picture.convert("RGB")
    if picture.mode == "RGB" and picture.getcolors(PLOTTED):
        few = picture.quantize(256, dither=Image.Dither.NONE)
        off = ImageChops.difference(picture, few.convert("RGB"))
        if max(ImageStat.Stat(off).mean) < UNSEEN:
            picture = few
    packed = io.BytesIO()
    picture.save(packed, "PNG", optimize=True)
    best = base64.b64encode(packed.getvalue()).decode()
    return min(best, png.replace("\n", ""), key=len)


if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars are nothing to keep
    for path in named(sys.argv[1:]):
        print(f"{path.name} …", end=" ", flush=True)
        print(f"{execute(path):.0f} s")
