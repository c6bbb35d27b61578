"""Every figure's style, in one place: readable on light pages and dark, and without colour.

>>> import matplotlib.pyplot as plt
>>> from cvcourse import plot
>>> plot.use_style()
>>> fig = plot.grid([[plot.signed(((-1.0, 0.0), (0.5, 1.0)))]], titles=["weights"])
>>> fig.axes[0].get_title()
'weights'
>>> plt.close(fig)
"""

from cvcourse.plot.budget import by_budget
from cvcourse.plot.charts import SWEEPS, band, chance, log_ticks, panels, whiskers
from cvcourse.plot.pictures import grid, picture, signed
from cvcourse.plot.style import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    MARKERS,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    literal,
    use_style,
)

__all__ = [
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "INK",
    "MARKERS",
    "ORANGE",
    "PAPER",
    "PURPLE",
    "SKY",
    "SWEEPS",
    "band",
    "by_budget",
    "chance",
    "grid",
    "literal",
    "log_ticks",
    "panels",
    "picture",
    "signed",
    "use_style",
    "whiskers",
]
