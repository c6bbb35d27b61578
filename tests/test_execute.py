"""What is kept of a notebook's figures."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cvcourse import plot
from cvcourse.data import photographs

sys.path.insert(0, str(Path(__file__).parents[1] / "notebooks"))
from execute import smaller


def packed(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def opened(png: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(png)))


def pixels(png: str) -> NDArray[np.int64]:
    """(H, W, 3)."""
    return np.asarray(opened(png).convert("RGB")).astype(np.int64)


def test_a_plot_takes_half_the_room_and_looks_the_same() -> None:
    with plt.rc_context():
        plot.use_style()
        figure, ax = plt.subplots()
        for arm in range(5):
            ax.plot(np.arange(9), np.arange(9) ** (0.2 * arm), label=f"arm {arm}")
        ax.legend()
        file = io.BytesIO()
        figure.savefig(file, format="png")
        plt.close(figure)
    png = base64.b64encode(file.getvalue()).decode()
    small = smaller(png)
    assert len(small) < 0.5 * len(png)
    off = np.abs(pixels(small) - pixels(png))
    assert 0 < off.mean() < 0.5
    assert (off.max(axis=2) > 16).mean() < 0.01


def test_a_photograph_keeps_its_colours() -> None:
    photo = Image.fromarray(photographs()["chelsea"])
    png = packed(photo)
    assert (pixels(smaller(png)) == np.asarray(photo)).all()


def test_small_photographs_on_a_white_page_keep_theirs() -> None:
    page = Image.new("RGB", (900, 600), "white")
    for number, name in enumerate(["chelsea", "astronaut", "coffee"]):
        page.paste(Image.fromarray(photographs()[name]).resize((80, 80)), (100 + 200 * number, 200))
    assert (pixels(smaller(packed(page))) == np.asarray(page)).all()


def test_opacity_goes_only_where_it_is_not_used() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4), dtype=np.uint8)
    kept = {}
    for name, least in {"seen through": 0, "opaque": 255}.items():
        levels = np.concatenate([noise[..., :3], noise[..., 3:].clip(least)], axis=2)
        kept[name] = opened(smaller(packed(Image.fromarray(levels))))
    assert kept["seen through"].mode == "RGBA"
    assert kept["opaque"].mode == "RGB"
