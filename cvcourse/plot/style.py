"""Every figure’s colours, markers and lettering."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from cycler import cycler
from numpy.typing import NDArray
from torch import Tensor

from cvcourse import fonts
from cvcourse.checks import Numbers, check_array, checked

BLUE = "#0072B2"
"""Of the first arm, as a rule the plain one.

>>> from cvcourse import plot
>>> plot.BLUE
'#0072B2'
"""
ORANGE = "#D55E00"
"""Of the second arm; of what is pointed out.

>>> from cvcourse import plot
>>> plot.ORANGE
'#D55E00'
"""
GREEN = "#009E73"
"""Of the third arm.

>>> from cvcourse import plot
>>> plot.GREEN
'#009E73'
"""
PURPLE = "#AA4499"
"""Of the fourth arm.

>>> from cvcourse import plot
>>> plot.PURPLE
'#AA4499'
"""
SKY = "#56B4E9"
"""Of the fifth arm.

>>> from cvcourse import plot
>>> plot.SKY
'#56B4E9'
"""
GREY = "#6B6B6B"
"""Of the sixth arm; of lines that help the eye.

>>> from cvcourse import plot
>>> plot.GREY
'#6B6B6B'
"""
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY)
"""The colour of each arm, by its number: Okabe & Ito's, told apart with any kind of colour vision.

Each arm also has its own marker.

>>> from cvcourse import plot
>>> plot.COLOURS.index(plot.GREEN)
2
"""
MARKERS = "osD^vX"
"""The marker of each arm, by its number.

>>> from cvcourse import plot
>>> plot.MARKERS[2]
'D'
"""
PAPER = "#fcfcfa"
"""What a figure is drawn on.

>>> from cvcourse import plot
>>> plot.PAPER
'#fcfcfa'
"""
INK = "#222222"
"""What is written in.

>>> from cvcourse import plot
>>> plot.INK
'#222222'
"""


def use_style() -> None:
    """Set the book's style for every figure from here on, with fonts for scripts such as Hangul.

    >>> import matplotlib.pyplot as plt
    >>> from cvcourse import plot
    >>> plot.use_style()
    >>> plt.rcParams["axes.facecolor"] == plot.PAPER
    True
    """
    mpl.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": "#8a8a8a",
            "axes.facecolor": PAPER,
            "axes.grid": True,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=COLOURS) + cycler(marker=list(MARKERS)),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "figure.facecolor": PAPER,
            "figure.figsize": (7.2, 3.6),
            "font.family": fonts.family(),
            "font.size": 10,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "legend.handlelength": 2.8,  # a dashed line shows its gap beside the marker
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "text.color": INK,
            "xtick.color": "#444444",
            "ytick.color": "#444444",
        }
    )


@checked
def literal(text: str) -> str:
    r"""A name as it is to be drawn: dollars are dollars, and begin no formula.

    Where no font of this system has one of its letters, that is said, once.

    >>> from cvcourse import plot
    >>> print(plot.literal("a $5 and a $10 note"))
    a \$5 and a \$10 note

    Args:
        text: such as the name of a class. The other functions here do this themselves.
    """
    fonts.tell_missing(text)
    return text.replace("$", r"\$")


def finite(name: str, values: Numbers | Tensor) -> NDArray[np.float64]:
    """Numbers as an array, if none is NaN or infinite."""
    array = check_array(name, values)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; expected finite numbers")
    return array
