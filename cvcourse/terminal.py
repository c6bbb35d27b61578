"""What a terminal can show: not all know every letter, and none may stop an experiment for it."""

from __future__ import annotations

import sys

PLAIN = str.maketrans(
    {
        **{"✓": "[holds]", "✗": "[fails]", "○": "[open]"},
        **{"–": "-", "−": "-", "×": "x", "·": "*", "→": "->", "↔": "<->", "…": "...", "’": "'"},
    }
)


def printable(text: str) -> str:
    """The text as it is; or, where standard output cannot write it, in plainer characters.

    >>> from cvcourse.terminal import printable
    >>> printable("12 % of 3x3")
    '12 % of 3x3'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    return text
