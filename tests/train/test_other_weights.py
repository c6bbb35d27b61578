"""A file of weights that are not this model's: what differs is told, and nothing is loaded."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from cvcourse.train import CheckpointError, load_weights, save_weights


def model_of(**shapes: tuple[int, ...]) -> nn.Module:
    return nn.ParameterDict({name: torch.ones(shape) for name, shape in shapes.items()})


def test_the_first_three_differences_are_told(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(model_of(a=(2, 3), b=(), d=(4,), e=(1,)), path)
    other = model_of(a=(2, 4), c=(5,), d=(4,))
    with pytest.raises(CheckpointError) as caught:
        load_weights(other, path)
    assert str(caught.value) == (
        f"{path} holds another model's weights; a: 2×3 in the file, 2×4 in the model; "
        "b: scalar in the file, absent in the model; c: absent in the file, 5 in the model"
    )


def test_the_checksum_is_of_names_and_shapes_too(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(model_of(a=(2, 3)), path)
    with safe_open(str(path), "pt") as file:
        metadata = file.metadata()
    for name, shape in (("a", (3, 2)), ("b", (2, 3))):
        path.write_bytes(safetensors.torch.save({name: torch.ones(shape)}, metadata))
        with pytest.raises(CheckpointError, match="is damaged"):
            load_weights(model_of(**{name: shape}), path)


class Dated(nn.Linear):
    """Keeps something beside its weights."""

    def get_extra_state(self) -> dict[str, int]:
        return {"year": 2012}


def test_a_state_that_is_no_tensor_is_named_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^0\._extra_state is \{'year': 2012\}.*expected Tensor"):
        save_weights(nn.Sequential(Dated(2, 2)), tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
