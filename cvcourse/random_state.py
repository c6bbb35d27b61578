"""Every random state a training run can draw from: Python's, NumPy's and torch's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from cvcourse.checks import Seed, check, checked


@checked
@contextmanager
def seeded(seed: Seed) -> Iterator[None]:
    """Seed all global random states inside, and put the caller's back afterwards."""
    before = get_random_states()
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (the global state is the one to seed)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        set_random_states(before)


def get_random_states() -> dict[str, Any]:
    """All global random states, in types that torch.load takes with weights_only=True."""
    version, internal, gauss = random.getstate()
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    return {
        "python": [version, list(internal), gauss],
        "numpy": [name, np.asarray(keys).tolist(), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """The reverse of `get_random_states`."""
    missing = {"python", "numpy", "torch", "cuda"} - check("states", states, dict).keys()
    if missing:
        raise ValueError(f"states lack {', '.join(sorted(missing))}; get_random_states() makes all")
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, keys, *rest))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])
