"""Every figure as a page shows it: in lines, and again for phones.

On a narrow screen a figure's words would be too small: there it is drawn anew
(`narrow.py`). This is an extension of IPython, which `execute.py` loads into
the kernel; the pages of the book take these versions, other readers of a
notebook its PNG.
"""

from __future__ import annotations

import base64
import gzip
import io
import pickle
import re

import matplotlib.pyplot as plt
from IPython.core.formatters import BaseFormatter
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from traitlets import ObjectName, Unicode

from execute import FIGURE
from narrow import narrow

DPI = 110  #: of the page's dots, as in `cvcourse.plot`
SMALL = 64  #: pixels: what a network is given
DIGITS = re.compile(r"\d+\.\d{3,}")
POINTS = re.compile(r'="([\d.]+)pt"')


def as_svg(figure: Figure) -> str:
    """Lines and words sharp at every size; large pictures and surfaces not.

    As large as a PNG of `DPI` is. Packed by gzip, in base64.
    """
    for image in [image for ax in figure.axes for image in ax.images]:
        plain = image.get_interpolation() in ("nearest", "auto")
        if plain and max(image.get_size()) <= SMALL:
            image.set_interpolation("none")  # stored as it is, not enlarged
    for surface in figure.findobj(ContourSet):
        surface.set_rasterized(True)  # which has more corners than dots
    file = io.StringIO()
    with plt.rc_context({"svg.hashsalt": "cvcourse"}):  # the same at every run
        figure.savefig(
            file,
            format="svg",
            dpi=DPI,
            bbox_inches="tight",
            metadata={"Date": None},
        )
    text = DIGITS.sub(lambda n: f"{float(n[0]):.5g}", file.getvalue())
    text = POINTS.sub(
        lambda n: f'="{float(n[1]) * DPI / 72:.0f}"', text, count=2
    )
    packed = gzip.compress(text.encode(), mtime=0)
    return base64.b64encode(packed).decode()


class Versions(BaseFormatter):
    """Tells what a page shows of a figure, in its output's metadata."""

    format_type = Unicode(FIGURE)
    print_method = ObjectName("_repr_versions_")

    def __call__(self, shown: object) -> tuple[None, dict[str, str]] | None:
        """Wide, for a chart; and narrow; None for anything but a figure.

        The narrow one is made of a copy, as the reader may go on with this.
        """
        if not isinstance(shown, Figure):
            return None
        pictures = any(ax.images for ax in shown.axes)  # as sharp in a PNG
        versions = {} if pictures else {"wide.svg": as_svg(shown)}
        copy = pickle.loads(pickle.dumps(shown))
        if narrow(copy):
            versions["narrow.svg"] = as_svg(copy)
        plt.close(copy)
        return None, versions


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`--ext=figures` of a kernel; see `execute.run`."""
    formatter = shell.display_formatter
    assert formatter
    formatter.formatters[FIGURE] = Versions(parent=formatter)
