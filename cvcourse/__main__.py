"""`python -m cvcourse train …`: for runs that outgrow a notebook.

The same command runs under `torchrun` and `fabric run`, on one machine or several.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
import tyro
from lightning_fabric import Fabric
from torch import nn

from cvcourse.data import load, train_val_split
from cvcourse.files import check_writable
from cvcourse.models import MLP, SingleLayer, SmallCNN, standardized
from cvcourse.terminal import printable
from cvcourse.train import CheckpointError, Recipe, evaluate, fit, save_weights
from cvcourse.train.recipe import Precision

# A name on the command line → the model, and what trains it well at 32 × 32.
RECIPES: dict[str, tuple[Callable[..., nn.Module], Recipe]] = {
    "single-layer": (SingleLayer, Recipe(learning_rate=1e-3)),
    "mlp": (MLP, Recipe(learning_rate=1e-3)),
    "small-cnn": (SmallCNN, Recipe(learning_rate=3e-2)),
}


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model and report its accuracy on the test set.

    Attributes:
        recipe: the model, and the numbers that train it well.
        dataset: a name that `cvcourse.data.load` knows, or a folder of pictures.
        images: train on so many images only, as many of each class.
        validation: keep so many images of each class back, and measure them after every epoch.
        epochs: instead of the recipe's.
        batch_size: instead of the recipe's; over all processes together.
        learning_rate: instead of the recipe's.
        precision: the arithmetic.
        compile: run the model through torch.compile.
        seed: of the model's weights, the order of the images and the augmentation.
        accelerator: cpu, cuda, mps, or the best that there is.
        devices: how many processes on this machine, one a device; auto: all GPUs, or one CPU
            process. Leave it out under `fabric run`, which sets it.
        nodes: how many machines.
        checkpoint: a file to take the run up from, written after every epoch.
        output: where to write the weights, as safetensors.
    """

    recipe: Literal["single-layer", "mlp", "small-cnn"] = "small-cnn"
    dataset: str = "shapes"
    images: int | None = None
    validation: int = 0
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    precision: Precision = "32-true"
    compile: bool = False
    seed: int = 0
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: int | Literal["auto"] = "auto"
    nodes: int = 1
    checkpoint: Path | None = None
    output: Path | None = None


def main(options: Train) -> None:
    """Do what the command line says."""
    for place in (options.checkpoint, options.output):
        if place is not None:
            check_writable(place)  # before the work
    make, recipe = RECIPES[options.recipe]
    overrides = {
        name: getattr(options, name)
        for name in ("epochs", "batch_size", "learning_rate")
        if getattr(options, name) is not None
    }
    recipe = replace(recipe, precision=options.precision, compile=options.compile, **overrides)
    fabric = Fabric(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        precision=options.precision,
    )
    if "LT_CLI_USED" not in os.environ:  # under `fabric run` it is launched already
        fabric.launch()

    with fabric.rank_zero_first():  # one process downloads, the others find the files there
        train = load(options.dataset, "train", n=options.images, seed=options.seed)
        test = load(options.dataset, "test", seed=options.seed)
    held_back = None
    if options.validation:
        train, held_back = train_val_split(train, options.validation, seed=options.seed)

    torch.manual_seed(options.seed)
    model = standardized(make, train)
    history = fit(
        model,
        train,
        recipe,
        validation=held_back,
        seed=options.seed,
        fabric=fabric,
        checkpoint=options.checkpoint,
    )
    if fabric.is_global_zero:
        for row in history:
            print("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        print(f"test accuracy {evaluate(model, test)['accuracy']:.4f}")
        if options.output is not None:
            save_weights(model, options.output)
            print(printable(f"weights written to {options.output}"))


if __name__ == "__main__":
    chosen = tyro.extras.subcommand_cli_from_dict({"train": Train}, prog="python -m cvcourse")
    try:
        main(chosen)
    except (ValueError, OSError, CheckpointError) as error:  # the messages say what to do
        sys.exit(f"error: {error}")
