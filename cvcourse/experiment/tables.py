"""Tables of what was measured, as text and for the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from cvcourse.checks import Checked, checked
from cvcourse.experiment.claims import Claim, show
from cvcourse.experiment.intervals import DASH, Interval
from cvcourse.terminal import printable

NO_MATH = "tex2jax_ignore mathjax_ignore"  #: for notebooks, where dollars would begin a formula
NEGATIVE = re.compile(r"(?<![\w*])-(?=\d)")  #: the hyphen that Python writes before a number


@dataclass(frozen=True)
class Table(Checked):
    """Rows of cells, each already a text; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: str = "measured"  #: its class on the page

    def __post_init__(self) -> None:
        super().__post_init__()
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {''.join(row[:1])!r} has {len(row) - 1} cells; expected "
                    f"{len(self.columns) - 1}, for columns {', '.join(self.columns[1:])}"
                )

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        return printable(
            "\n".join(
                "   ".join(
                    cell.rjust(width) if i else cell.ljust(width)
                    for i, (cell, width) in enumerate(zip(line, widths, strict=True))
                ).rstrip()
                for line in lines
            )
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        # A header without a text would say nothing to those who hear the page.
        heads = (
            f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in self.columns
        )
        body = "\n".join(
            "<tr>"
            + f'<th scope="row">{escape(row[0])}</th>'
            + "".join(f"<td>{NEGATIVE.sub('−', escape(cell))}</td>" for cell in row[1:])
            + "</tr>"
            for row in self.rows
        )
        html = (
            f'<table class="{self.kind} {NO_MATH}">\n<thead><tr>{"".join(heads)}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody>\n</table>"
        )
        return {"text/plain": str(self), "text/html": html}


@checked
def table(
    columns: Sequence[str], rows: Mapping[object, Sequence[object]], *, format: str = ".2f"
) -> None:
    """Show a table.

    >>> from cvcourse.experiment import table
    >>> table(["arm", "steps", "accuracy"], {"plain": [100, 0.61], "twice": [200, 0.708]})
    arm     steps   accuracy
    plain     100       0.61
    twice     200       0.71

    Args:
        columns: their names, that of the rows' names first.
        rows: name → cells. Intervals and floats are printed by `format`, integers with commas,
            None as a dash.
        format: of intervals and floats.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.
    """
    made = [(str(name), *(_cell(cell, format) for cell in rows[name])) for name in rows]
    show(Table(tuple(columns), tuple(made)))


@checked
def verdicts(*claims: Claim) -> None:
    """Show what became of several claims: one row each. The site adds what each of them says.

    Where a run could not settle a claim, a dash and the reason stand instead of verdict and words.

    >>> from cvcourse.experiment import verdicts
    >>> from cvcourse.experiment.claims import Claim, Finding
    >>> verdicts(Claim("fc-crop", "confirmed", {"it moves": Finding(True)}, short="it does"))
    claim       verdict   in short
    fc-crop   confirmed    it does

    Args:
        claims: as `claim` gives them.
    """
    rows = tuple(
        (made.id, DASH, made.why_unknown)
        if made.why_unknown
        else (made.id, made.verdict if made.reproduced else "not reproduced", made.short)
        for made in claims
    )
    show(Table(("claim", "verdict", "in short"), rows, "verdicts"))


def _cell(value: object, spec: str) -> str:
    if value is None:
        return DASH
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Interval) or hasattr(value, "__float__"):
        return format(value, spec)
    return str(value)
