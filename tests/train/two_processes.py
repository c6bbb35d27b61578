"""Twenty runs of two processes that are killed, each taken up by two others; run by torchrun."""

import sys
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from resuming import Killed, killed_after, same, state
from torch import Tensor, nn

from cvcourse.data import render
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import History, Recipe, fit

TRAIN, VALIDATION = render(96, seed=0, size=8), render(40, seed=1, size=8)
RECIPE = Recipe(epochs=4, batch_size=16, ema_decay=0.9, learning_rate=1e-2, clip_norm=1.0)
STEPS, KILLS = 4 * 6, 20


def run_until(
    fabric: Fabric, stop: int | None, path: Path | None, every: int | None = None
) -> tuple[dict[str, Tensor], History]:
    """The weights and the history of a run that dies after `stop` steps, in both processes."""
    torch.manual_seed(0)
    model = standardized(nn.Sequential(SmallCNN(width=4), nn.Dropout(0.3)), TRAIN)
    with killed_after(stop):
        history = fit(
            model,
            TRAIN,
            RECIPE,
            validation=VALIDATION,
            augment=lambda images, generator: (
                images // 2
                + torch.randint(0, 9, images.shape, generator=generator, dtype=torch.uint8)
            ),
            fabric=fabric,
            checkpoint=path,
            checkpoint_every=every,
        )
    return state(model), history


def identical_ends(folder: Path) -> int:
    """How many of the runs that were killed end as the one that was not."""
    fabric = Fabric(accelerator="cpu", devices=2)
    fabric.launch()
    whole, draws, identical = run_until(fabric, None, None), np.random.default_rng(0), 0
    for number in range(KILLS):
        stop, every = int(draws.integers(1, STEPS)), int(draws.integers(1, 8))
        path = folder / f"{number}.ckpt"
        try:
            run_until(fabric, stop, path, every)
        except Killed:
            pass
        else:
            raise RuntimeError(f"the run was to be killed after {stop} of {STEPS} steps")
        fabric.barrier()
        torch.manual_seed(99)  # whatever other processes would have
        weights, history = run_until(fabric, None, path, every)
        identical += history == whole[1] and same(weights, whole[0])
    return identical if fabric.is_global_zero else 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = identical_ends(Path(sys.argv[1]))
    if found:
        print(f"{found} of {KILLS} ends are identical")
