"""Twenty runs of two processes that are killed, each taken up by two others; run by torchrun."""

import sys
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from resuming import Killed, same
from test_checkpoint import STEPS, run_until

KILLS = 20


def identical_ends(folder: Path) -> int:
    """How many of the runs that were killed end as the one that was not."""
    fabric = Fabric(accelerator="cpu", devices=2)
    fabric.launch()
    whole, draws, identical = run_until(None, None, fabric=fabric), np.random.default_rng(0), 0
    for number in range(KILLS):
        stop, every = int(draws.integers(1, STEPS)), int(draws.integers(1, 8))
        path = folder / f"{number}.ckpt"
        try:
            run_until(stop, path, every, fabric)
        except Killed:
            pass
        else:
            raise RuntimeError(f"the run was to be killed after {stop} of {STEPS} steps")
        fabric.barrier()
        torch.manual_seed(99)  # whatever other processes would have
        weights, history = run_until(None, path, every, fabric)
        identical += history == whole[1] and same(weights, whole[0])
    return identical if fabric.is_global_zero else 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = identical_ends(Path(sys.argv[1]))
    if found:
        print(f"{found} of {KILLS} ends are identical")
