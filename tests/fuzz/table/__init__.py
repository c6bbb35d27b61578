"""Every row of the fuzz, a file for a part of the package."""

from __future__ import annotations

from fuzz.rows import gone
from fuzz.table import (
    batches,
    data,
    experiment,
    explore,
    fields,
    figures,
    fit,
    heads,
    losses,
    mixes,
    models,
    pictures,
    practice,
    shared,
    steps,
)

PARTS = (
    batches,
    data,
    experiment,
    explore,
    fields,
    figures,
    fit,
    heads,
    losses,
    mixes,
    models,
    pictures,
    practice,
    shared,
    steps,
)
EVERY = [row for part in PARTS for row in part.rows()]
ROWS = [row for row in EVERY if row.function is not gone]
