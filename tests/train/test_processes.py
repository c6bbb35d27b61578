"""What two processes tell each other: the test's own, and one that starts afresh.

Not forked: by then a run of all tests has threads that do not outlive a fork.
"""

import multiprocessing
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
from tqdm import tqdm

from cvcourse.data import render
from cvcourse.models import standardized
from cvcourse.train import Recipe, supervised
from cvcourse.train.checkpoint import _gathered
from cvcourse.train.fit import Run
from cvcourse.train.look import groups_of

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no server that processes are forked from"
)


def one(work: Callable[[int], Any], folder: Path, rank: int) -> Any:
    """What `work` gives for `rank` of two; kept in the folder for the other to find."""
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2}
    with pytest.MonkeyPatch.context() as patch:  # as torchrun tells Fabric
        for name, value in {"TORCHELASTIC_RUN_ID": 1, "GROUP_RANK": 0, **ranks}.items():
            patch.setenv(name, str(value))
        store = torch.distributed.FileStore(str(folder / "store"), 2)
        torch.distributed.init_process_group(
            "gloo", timeout=timedelta(seconds=60), store=store, rank=rank, world_size=2
        )
        try:
            torch.save(work(rank), folder / f"{rank}.pt")
        finally:
            torch.distributed.destroy_process_group()


def in_two_processes(work: Callable[[int], Any], folder: Path) -> tuple[Any, Any]:
    """What `work` gives for rank 0, which is this process, and for rank 1; they hear each other."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["cvcourse.train"])  # imported once for all tests
    other = processes.Process(target=one, args=(work, folder, 1))
    other.start()
    try:
        one(work, folder, 0)
        other.join(60)
    finally:
        other.kill()
    return torch.load(folder / "0.pt"), torch.load(folder / "1.pt")


def end_an_epoch(rank: int) -> tuple[dict[str, float], dict[str, Tensor]]:
    train, validation = render(24, seed=0, size=8), render(10, seed=1, size=8)
    fabric = Fabric(accelerator="cpu", devices=2)
    fabric.launch()
    torch.manual_seed(0)
    layers = nn.Flatten(), nn.BatchNorm1d(192), nn.Linear(192, 10)
    model = standardized(nn.Sequential(*layers), train)
    groups, recipe = groups_of(model, None), Recipe(epochs=1, batch_size=12)
    run = Run(model, train, recipe, validation, supervised, None, groups, 0, fabric)
    run.sums = {"loss": torch.tensor(2.0 + 4 * rank)}  # of two steps
    next(m for m in model.modules() if isinstance(m, nn.BatchNorm1d)).running_mean.fill_(rank)
    run.end_epoch(0, tqdm(disable=True))
    return run.history[0], state(model)


def test_at_an_epochs_end_all_know_the_same(tmp_path: Path) -> None:
    """Batch norm averages over a process's own images: the first one's averages are taken."""
    (ours, first), (theirs, second) = in_two_processes(end_an_epoch, tmp_path)
    assert ours == theirs
    assert ours["loss"] == 2
    assert same(first, second)
    assert not first["1.1.running_mean"].any()


def gather(rank: int) -> list[bytes]:
    return _gathered(b"%d" % rank)


def test_each_process_is_told_what_all_give_in_their_order(tmp_path: Path) -> None:
    found = in_two_processes(gather, tmp_path)
    assert found == ([b"0", b"1"], [b"0", b"1"])
