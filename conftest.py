"""Settings of the whole test run, notebooks included."""

from __future__ import annotations

import os

import pytest

from cvcourse.experiment.claims import MIME

# For this process and for the kernels that the notebooks run in.
os.environ["TQDM_DISABLE"] = "1"  # a progress bar is nothing to compare
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores already


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Compare everything a notebook shows, but not what libraries write to stderr.

    Nor a claim's data, whose last digits differ from one processor to the next: its findings are
    compared as text.
    """
    if collector.__class__.__name__ == "IPyNbFile":
        collector.skip_compare += ("stderr", MIME)  # type: ignore[attr-defined]
