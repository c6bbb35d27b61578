"""Two processes that train one model: forked here, so that they cost a second and not ten."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from resuming import same, state
from torch import Tensor, nn

from cvcourse.data import render
from cvcourse.models import standardized
from cvcourse.train import Recipe, fit
from cvcourse.train.checkpoint import _gathered

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks without a fuss")

TRAIN, VALIDATION = render(24, seed=0, size=8), render(10, seed=1, size=8)
RECIPE = Recipe(epochs=2, batch_size=12)


def in_two_processes(work: Callable[[int], Any], folder: Path) -> list[Any]:
    """What `work` gives for ranks 0 and 1, in two processes that hear each other."""

    def one(rank: int) -> None:
        torch.set_num_threads(1)
        os.environ |= {"TORCHELASTIC_RUN_ID": "1", "GROUP_RANK": "0"}  # as torchrun tells Fabric
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
        store = torch.distributed.FileStore(str(folder / "store"), 2)
        torch.distributed.init_process_group(
            "gloo", timeout=timedelta(seconds=30), store=store, rank=rank, world_size=2
        )
        torch.save(work(rank), folder / f"{rank}.pt")
        torch.distributed.destroy_process_group()

    torch.multiprocessing.start_processes(one, nprocs=2, start_method="fork")
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def trained(devices: int, *layers: nn.Module) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    fabric = Fabric(accelerator="cpu", devices=devices)
    fabric.launch()
    torch.manual_seed(0)
    model = standardized(nn.Sequential(nn.Flatten(), *layers, nn.Linear(192, 10)), TRAIN)
    history = fit(model, TRAIN, RECIPE, validation=VALIDATION, fabric=fabric)
    return list(history), state(model)


def test_two_processes_come_to_where_one_does(tmp_path: Path) -> None:
    found = in_two_processes(lambda rank: trained(2), tmp_path)
    history, weights = trained(1)
    for rows, theirs in found:
        for row, expected in zip(rows, history, strict=True):
            assert row == pytest.approx(expected, rel=1e-5)
        torch.testing.assert_close(theirs, weights)


def test_two_processes_measure_one_model(tmp_path: Path) -> None:
    """Batch norm averages over a process's own images: the first one's averages are taken."""
    (ours, first), (theirs, second) = in_two_processes(
        lambda rank: trained(2, nn.BatchNorm1d(192)), tmp_path
    )
    assert ours == theirs
    assert same(first, second)


def test_each_process_is_told_what_all_give_in_their_order(tmp_path: Path) -> None:
    found = in_two_processes(lambda rank: _gathered(b"%d" % rank), tmp_path)
    assert found == [[b"0", b"1"]] * 2
