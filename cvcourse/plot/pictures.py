"""Pictures without axes, one or many."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from cvcourse.checks import Numbers, Positive, checked
from cvcourse.plot.style import finite, literal


@checked
def picture(ax: Axes, image: Tensor | NDArray, title: str = "") -> None:
    """One image without axes.

    >>> import matplotlib.pyplot as plt
    >>> import torch
    >>> from cvcourse import plot
    >>> fig, ax = plt.subplots()
    >>> plot.picture(ax, torch.zeros(3, 8, 8, dtype=torch.uint8), "black")
    >>> ax.get_title()
    'black'
    >>> plt.close(fig)

    Args:
        ax: where to draw.
        image: (C, H, W) uint8, or float of any range, which is stretched to fill it.
        title: stands above it.
    """
    array = np.asarray(image) if image.dtype in (np.uint8, torch.uint8) else finite("image", image)
    if array.ndim != 3 or array.shape[0] not in (1, 3) or not array.size:
        raise ValueError(f"image is {tuple(array.shape)}; expected (C, H, W) with C = 1 or 3")
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = (array - low) / (high - low or 1)
    array = array.transpose(1, 2, 0)
    if array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    ax.imshow(array, interpolation="nearest")
    ax.set_title(literal(title), fontsize="small", loc="center")
    ax.axis("off")


@checked
def signed(values: Numbers) -> NDArray[np.uint8]:
    """A picture of numbers around zero: orange above, purple below, white at zero.

    >>> import torch
    >>> from cvcourse import plot
    >>> plot.signed(torch.tensor([[-2.0, 0.0, 2.0]])).shape
    (3, 1, 3)

    Args:
        values: (H, W) float.

    Returns:
        (3, H, W) uint8; the largest absolute value gets the full colour.
    """
    array = finite("values", values)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"values are {array.shape}; expected (H, W)")
    scaled = array / (2 * np.abs(array).max() or 1) + 0.5
    colours = mpl.colormaps["PuOr_r"](scaled)[..., :3]  # (H, W, 3) in [0, 1]
    return (colours * 255).round().astype(np.uint8).transpose(2, 0, 1)


@checked
def grid(
    rows: Sequence[Tensor | NDArray | Sequence[Tensor | NDArray]],
    *,
    row_titles: Sequence[str] = (),
    titles: Sequence[str] = (),
    width: Positive = 7.2,
) -> Figure:
    """Rows of pictures.

    >>> import matplotlib.pyplot as plt
    >>> import torch
    >>> from cvcourse import plot
    >>> black = torch.zeros(1, 8, 8, dtype=torch.uint8)
    >>> fig = plot.grid([[black, black]], titles=["before", "after"])
    >>> [ax.get_title() for ax in fig.axes]
    ['before', 'after']
    >>> plt.close(fig)

    Args:
        rows: images (C, H, W) as `picture` takes them; rows of one length.
        row_titles: one a row, at its left.
        titles: one a column, above the first row.
        width: of the figure in inches.

    Returns:
        The figure; `plt.show()` shows it.
    """
    columns = len(rows[0]) if len(rows) else 0
    if not columns or {len(row) for row in rows} != {columns}:
        raise ValueError(f"rows have {[len(row) for row in rows]} images; expected as many in each")
    for name, texts, n in (("row_titles", row_titles, len(rows)), ("titles", titles, columns)):
        if len(texts) not in (0, n):
            raise ValueError(f"{name} are {len(texts)}; expected {n}, or none")
    label_width = 0.9 if row_titles else 0.0
    side = (width - label_width) / columns
    fig, axes = plt.subplots(
        len(rows),
        columns,
        figsize=(width, len(rows) * side + (0.25 if titles else 0)),
        squeeze=False,
    )
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            picture(axes[r, c], image, titles[c] if titles and r == 0 else "")
        if row_titles:
            axes[r, 0].text(
                -0.12,
                0.5,
                literal(row_titles[r]),
                transform=axes[r, 0].transAxes,
                ha="right",
                va="center",
                fontsize="small",
            )
    return fig
