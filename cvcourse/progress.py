"""Progress bars for whatever takes more than two seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm


def progress(iterable: Iterable[Any] | None = None, **settings: Any) -> tqdm:
    """A tqdm bar that shows up after two seconds and is gone at the end.

    In a terminal and in a notebook it moves; in a log file it leaves one plain line every half
    minute. `TQDM_DISABLE=1` in the environment silences it.
    """
    live = "ipykernel" in sys.modules or sys.stderr.isatty()
    plain: dict[str, Any] = {} if live else {"mininterval": 30, "maxinterval": 60, "ascii": True}
    return tqdm(iterable, delay=2, leave=False, **plain, **settings)
