"""Files that a run can be taken up from, and weights to share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

FORMAT = "cvcourse run, version 1"


class CheckpointError(RuntimeError):
    """A file that a run cannot be taken up from."""


def save_checkpoint(path: Path, run: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all; the one before it stays until this one is complete.

    Args:
        path: where to.
        run: what this run is (recipe, seed, data, model): a later run must be the same.
        state: all that changes while it runs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        torch.save({"format": FORMAT, "run": run, "state": state}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def load_checkpoint(path: Path, run: dict[str, Any]) -> dict[str, Any]:
    """The state in a checkpoint of just this run.

    Nothing but numbers, strings and tensors is ever unpickled (weights_only=True).

    Args:
        path: the file.
        run: what the run to be taken up is; see `save_checkpoint`.

    Raises:
        CheckpointError: the file is truncated, comes from elsewhere, or from another run; with what
            differs.
    """
    remedy = f"delete {path} to start anew, or give another path"
    with path.open("rb") as file:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can make the unpickler raise anything
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise CheckpointError(f"{path} cannot be read ({reason}); {remedy}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a checkpoint of cvcourse's fit; {remedy}")
    then = content["run"]
    changed = [name for name in run if then.get(name) != run[name]]
    if changed:
        differences = "; ".join(
            f"{name} was {_short(then.get(name))}, is now {_short(run[name])}" for name in changed
        )
        raise CheckpointError(f"{path} is from another run: {differences}; {remedy}")
    return content["state"]


def save_weights(model: nn.Module, path: str | Path) -> None:
    """A model's weights and buffers as safetensors, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    safetensors.torch.save_model(model, str(unfinished))
    os.replace(unfinished, path)


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load what `save_weights` wrote into a model of the same shape.

    Raises:
        CheckpointError: the file is damaged, or is of another model; the first tensors that differ
            are named. The model keeps the weights that it had.
    """
    try:
        weights = safetensors.torch.load_file(str(path))
    except SafetensorError as error:
        raise CheckpointError(f"{path} is no complete safetensors file ({error})") from error
    own = model.state_dict()
    wrong = [
        f"{name}: {_size(weights.get(name))} in the file, {_size(own.get(name))} in the model"
        for name in sorted(weights.keys() | own.keys())
        if _size(weights.get(name)) != _size(own.get(name))
    ]
    if wrong:
        raise CheckpointError(f"{path} holds another model's weights; {'; '.join(wrong[:3])}")
    model.load_state_dict(weights)


def _size(tensor: torch.Tensor | None) -> str:
    return "absent" if tensor is None else "×".join(map(str, tensor.shape)) or "scalar"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "…"
