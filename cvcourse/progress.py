"""Progress bars for whatever takes more than two seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm

from cvcourse.checks import checked


@checked
def progress(
    iterable: Iterable[Any] | None = None, *, quiet: bool = False, **settings: Any
) -> tqdm:
    """A tqdm bar that shows up after two seconds and is gone at the end.

    In a terminal and in a notebook it moves; in a log file it leaves one plain line every half
    minute. `quiet`, and `TQDM_DISABLE=1` in the environment, silence it.
    """
    live = "ipykernel" in sys.modules or sys.stderr.isatty()
    plain: dict[str, Any] = {} if live else {"mininterval": 30, "maxinterval": 60, "ascii": True}
    if quiet or os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):
        settings["disable"] = True  # tqdm's notebook form does not look at the environment itself
    return tqdm(iterable, delay=2, leave=False, **plain, **settings)
