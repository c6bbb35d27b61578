"""Fonts of this system for the scripts that a figure's own font lacks."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import cache

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font

SCRIPTS = "가힣あ漢अก"  #: characters to look for: the first and last of Hangul, one of others
_LAST_RESORT = re.compile(r"last ?resort", re.IGNORECASE)  # fonts of boxes for all there is

_told: set[str] = set()  # of characters that no font has


def family() -> list[str]:
    """The families of matplotlib's settings, with those of this system that add a script."""
    others = _others(len(fontManager.ttflist))
    return [*(name for name in mpl.rcParams["font.family"] if name not in others), *others]


@cache
def _others(number_of_fonts: int) -> tuple[str, ...]:
    """Looked for anew where a font was added."""
    return tuple(_found(set(SCRIPTS)))


def _found(wanted: set[str]) -> Iterator[str]:
    """Families that together have as many of these characters as there are, plain ones first."""
    entries = sorted(fontManager.ttflist, key=lambda entry: not re.search("Sans|Goth", entry.name))
    for entry in entries:
        if _LAST_RESORT.search(entry.name):
            continue
        try:
            font = FT2Font(entry.fname)
        except (OSError, RuntimeError):  # removed since, or damaged
            continue
        has = {character for character in wanted if font.get_char_index(ord(character))}
        if has:
            yield entry.name
            wanted = wanted - has
        if not wanted:
            return


@cache
def _drawable(character: str, families: tuple[str, ...]) -> bool:
    fonts = (get_font(findfont(FontProperties(family=[name]))) for name in families)
    return any(font.get_char_index(ord(character)) for font in fonts)


def tell_missing(text: str) -> None:
    """Say, once, that characters of a text will be boxes; matplotlib would say so for each."""
    families = tuple(mpl.rcParams["font.family"])
    missing = [c for c in text if not c.isspace() and not _drawable(c, families)]
    if missing and not _told:
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        warnings.warn(
            f"no font of this system has {missing[0]!r}, so figures show a box in its place, and "
            "in that of others like it; install one, such as Noto Sans CJK",
            stacklevel=3,
        )
    _told.update(missing)
