"""A model's weights as a file to share: safetensors, with a checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from cvcourse.checks import check, checked
from cvcourse.files import check_regular, expand_home, write_file
from cvcourse.train.checkpoint import CheckpointError


@checked
def save_weights(model: nn.Module, path: str | Path) -> None:
    """A model's weights and buffers as safetensors, whole or not at all.

    Weights that several layers share are written once for each of their names.

    Raises:
        TypeError: a part of the model's state is no tensor.
        OSError: the file cannot be written.
    """
    # A copy each: safetensors refuses tensors that share their memory.
    weights = {
        name: check(name, value, Tensor).detach().cpu().contiguous().clone()
        for name, value in model.state_dict().items()
    }
    metadata = {"sha256": _digest(weights)}
    write_file(path, safetensors.torch.save(weights, metadata))


@checked
def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load what `save_weights` wrote into a model of the same shape.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is no file, but a folder or a pipe.
        CheckpointError: the file is damaged, was not written by `save_weights`, or is of another
            model; the first tensors that differ are named. The model keeps the weights it had.
    """
    path = expand_home(path)
    check_regular(path)
    try:
        with safe_open(str(path), "pt") as file:
            digest = (file.metadata() or {}).get("sha256")
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError) as error:
        raise CheckpointError(f"{path} is no complete safetensors file ({error})") from error
    if digest != _digest(weights):
        raise CheckpointError(
            f"{path} is damaged, or was not written by save_weights: its content does not fit its "
            "checksum; get the file anew"
        )
    own = model.state_dict()
    wrong = [
        f"{name}: {_size(weights.get(name))} in the file, {_size(own.get(name))} in the model"
        for name in sorted(weights.keys() | own.keys())
        if _size(weights.get(name)) != _size(own.get(name))
    ]
    if wrong:
        raise CheckpointError(f"{path} holds another model's weights; {'; '.join(wrong[:3])}")
    model.load_state_dict(weights)


def _digest(weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name]
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _size(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else "×".join(map(str, tensor.shape)) or "scalar"
