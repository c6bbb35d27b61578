"""Names are drawn in whatever script they are, where the system has a font for it."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import FontEntry, fontManager

from cvcourse import fonts, plot

AddFont = Callable[..., None]


def square() -> Any:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 1000), (1000, 1000), (1000, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


@pytest.fixture
def add_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddFont]:
    """Adds a font to a system that has only matplotlib's own; its letters are black squares."""
    known = [entry for entry in fontManager.ttflist if entry.name.startswith(("DejaVu", "Last"))]
    monkeypatch.setattr(fontManager, "ttflist", known)
    monkeypatch.setattr(fonts, "_told", set())

    def add(name: str, letters: str) -> None:
        builder = FontBuilder(1000, isTTF=True)
        glyphs = {".notdef": 0, **{f"u{ord(letter):X}": ord(letter) for letter in letters}}
        builder.setupGlyphOrder(list(glyphs))
        builder.setupCharacterMap({code: glyph for glyph, code in glyphs.items() if code})
        builder.setupGlyf(dict.fromkeys(glyphs, square()))
        builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
        builder.setupHorizontalHeader(ascent=1000, descent=0)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2(sTypoAscender=1000, usWinAscent=1000, usWinDescent=0)
        builder.setupPost()
        builder.save(tmp_path / f"{name}.ttf")
        fontManager.addfont(tmp_path / f"{name}.ttf")

    with mpl.rc_context({"font.family": ["sans-serif"]}):
        for cached in (fonts._others, fonts._drawable):
            cached.cache_clear()
        yield add
    for cached in (fonts._others, fonts._drawable):
        cached.cache_clear()
    plt.close("all")


def drawn(text: str) -> np.ndarray:
    """How dark a text is, (H, W) from 0 to 1, as large as it is."""
    figure = plt.figure(figsize=(4, 1), dpi=100, facecolor="white")
    figure.text(0.1, 0.3, text, fontsize=30, color="black")
    figure.canvas.draw()
    dark = 1 - np.asarray(figure.canvas.buffer_rgba())[..., :3].mean(axis=2) / 255
    rows, columns = dark.any(axis=1).nonzero()[0], dark.any(axis=0).nonzero()[0]
    return dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_a_letter_is_drawn_with_a_font_that_has_it(add_font: AddFont) -> None:
    add_font("Han Gothic", "가나힣")
    plot.use_style()
    assert mpl.rcParams["font.family"] == ["sans-serif", "Han Gothic"]
    black = drawn(plot.literal("나"))
    assert black[1:-1, 1:-1].min() > 0.9, "the square of that font, and no box"
    assert drawn("x").mean() < 0.9, "Latin stays as it is"


def test_each_script_finds_its_font_and_plain_ones_come_first(add_font: AddFont) -> None:
    add_font("A Brush", "가힣")
    add_font("Han Sans", "가")  # old: the first 2,350 syllables
    add_font("Thai Sans", "ก")
    add_font("Nothing New", "abc")
    plot.use_style()
    plot.use_style()
    assert mpl.rcParams["font.family"] == ["sans-serif", "Han Sans", "Thai Sans", "A Brush"]


def test_a_font_that_has_boxes_for_all_there_is_is_none(add_font: AddFont) -> None:
    add_font("LastResort", fonts.SCRIPTS)
    plot.use_style()
    assert mpl.rcParams["font.family"] == ["sans-serif"]


def test_a_font_that_was_removed_or_damaged_is_passed_over(
    add_font: AddFont, tmp_path: Path
) -> None:
    (tmp_path / "damaged.ttf").write_bytes(b"damaged")
    for file in ("damaged.ttf", "removed.ttf"):
        entry = FontEntry(fname=str(tmp_path / file), name="A Sans", style="normal")
        fontManager.ttflist.insert(0, entry)
    add_font("Han Gothic", "가힣")
    plot.use_style()
    assert mpl.rcParams["font.family"] == ["sans-serif", "Han Gothic"]


def test_where_no_font_has_it_that_is_said_once(add_font: AddFont) -> None:
    plot.use_style()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        picture = np.zeros((1, 4, 4), np.uint8)
        for _ in range(2):
            figure = plot.grid([[picture] * 3], titles=["고양이", "강아지", "café"])
            figure.canvas.draw()
    (warning,) = said
    assert "no font of this system has '고', so figures show a box" in str(warning.message)


def test_what_can_be_drawn_is_not_spoken_of(add_font: AddFont) -> None:
    add_font("Han Gothic", "가힣")
    plot.use_style()
    assert plot.literal("가 힣\nété ✓") == "가 힣\nété ✓"
