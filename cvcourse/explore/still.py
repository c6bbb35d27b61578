"""Still pictures: the little SVG that pages without scripts, and paper, need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

TONES = {
    "blue": "#0072b2",
    "orange": "#d55e00",
    "green": "#009e73",
    "purple": "#aa4499",
    "sky": "#56b4e9",
    "grey": "#6b6b6b",
}


def tone(name: str) -> str:
    """One of the book's colours, as light or dark as the page wants it."""
    return f"var(--cvx-{name}, {TONES[name]})"


def picture(width: float, height: float, label: str, *parts: str) -> str:
    """An SVG of this size in its own units, with what it shows in words."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def text(x: float, y: float, words: str, *, size: float = 13, anchor: str = "start") -> str:
    """Words whose baseline starts, is centred or ends at (x, y)."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def bar(x: float, y: float, width: float, height: float, share: float, colour: str) -> str:
    """A bar filled to a share of its width."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        'fill="var(--cvx-raised, #f1f1ec)"/>'
        f'<rect x="{x:g}" y="{y:g}" width="{width * share:.2f}" height="{height:g}" '
        f'fill="{tone(colour)}"/>'
    )


def paired_bars(
    title: str, rows: Mapping[str, tuple[float, float]], tones: tuple[str, str], label: str
) -> str:
    """Two bars of shares from 0 to 1 for each name, with their numbers."""
    parts = [text(150, 12, title, size=12)]
    for i, (name, shares) in enumerate(rows.items()):
        y = 24 + 44 * i
        parts.append(text(0, y + 22, name))
        for j, (share, colour) in enumerate(zip(shares, tones, strict=True)):
            parts.append(bar(150, y + 18 * j, 380, 14, share, colour))
            parts.append(text(600, y + 12 + 18 * j, f"{share:.4f}", anchor="end"))
    return picture(600, 24 + 44 * len(rows), label, *parts)


def says(answers: Mapping[str, NDArray[np.floating]], names: Sequence[str]) -> str:
    """What each model says, "CNN: star (0.98); …", of its probabilities (C,) of these classes."""
    return "; ".join(
        f"{arm}: {names[int(p.argmax())]} ({p.max():.2f})" for arm, p in answers.items()
    )


def cell(x: float, y: float, side: float, colour: str, *, opacity: float = 1) -> str:
    """A filled square."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" fill="{colour}" '
        f'fill-opacity="{opacity:.3f}"/>'
    )


def frame(x: float, y: float, width: float, height: float, colour: str = "currentColor") -> str:
    """The outline of a rectangle."""
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="none" '
        f'stroke="{colour}" stroke-width="2"/>'
    )
