"""`python -m cvcourse train …`: for runs that outgrow a notebook.

The same command runs under `torchrun` and `fabric run`, on one machine or several.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch
import tyro
from lightning_fabric import Fabric
from torch import nn

from cvcourse.augment import crop_and_flip
from cvcourse.data import load, train_val_split
from cvcourse.files import check_writable
from cvcourse.models import MLP, SingleLayer, SmallCNN, standardized
from cvcourse.models.fast_cnn import FastCNN
from cvcourse.terminal import printable
from cvcourse.train import (
    CheckpointError,
    Recipe,
    evaluate,
    fit,
    save_weights,
    supervised,
)
from cvcourse.train.recipe import Precision
from cvcourse.train.step import Augment, Step

LOOKED_AT = 5000  # pictures, at most, that FastCNN's first layer is computed from


class Named(NamedTuple):
    """What a name on the command line stands for: the model, and what trains it well at 32 × 32."""

    model: Callable[..., nn.Module]
    recipe: Recipe
    step: Step = supervised
    augment: Augment | None = None


RECIPES = {
    "single-layer": Named(SingleLayer, Recipe(learning_rate=1e-3)),
    "mlp": Named(MLP, Recipe(learning_rate=1e-3)),
    "small-cnn": Named(SmallCNN, Recipe(learning_rate=3e-2)),
    "fast": Named(  # photographs, on a GPU
        FastCNN,
        Recipe(
            epochs=14,
            batch_size=1000,
            optimizer="sgd",
            learning_rate=1.0,
            weight_decay=1.3e-3,
            precision="bf16-mixed",
            capture=True,
        ),
        partial(supervised, label_smoothing=0.2),
        partial(crop_and_flip, padding=2),
    ),
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
        precision: the arithmetic, instead of the recipe's.
        compile: run the model through torch.compile.
        seed: of the model's weights, the order of the images and the augmentation.
        accelerator: cpu, cuda, mps, or the best that there is.
        devices: how many processes on this machine, one a device; auto: all GPUs, or one CPU
            process. Leave it out under `fabric run`, which sets it.
        nodes: how many machines.
        checkpoint: a file to take the run up from, written after every epoch.
        output: where to write the weights, as safetensors.
    """

    recipe: Literal["single-layer", "mlp", "small-cnn", "fast"] = "small-cnn"
    dataset: str = "shapes"
    images: int | None = None
    validation: int = 0
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    precision: Precision | None = None
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
    named = RECIPES[options.recipe]
    overrides = {
        name: getattr(options, name)
        for name in ("epochs", "batch_size", "learning_rate", "precision")
        if getattr(options, name) is not None
    }
    recipe = replace(named.recipe, compile=options.compile, **overrides)
    fabric = Fabric(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        precision=recipe.precision,
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
    model = standardized(named.model, train)
    standardize, network = model
    groups = None
    if isinstance(network, FastCNN):
        every = math.ceil(len(train) / LOOKED_AT)  # not the first ones: a folder's are of one class
        network.whiten(standardize(train.images[::every]))
        groups = network.parameter_groups(recipe.learning_rate)
    history = fit(
        model,
        train,
        recipe,
        validation=held_back,
        step=named.step,
        augment=named.augment,
        parameters=groups,
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
