"""Weights to share come back whole, or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from resuming import same, state
from torch import nn

from cvcourse.models import SmallCNN
from cvcourse.train import CheckpointError, load_weights, save_weights


class Tied(nn.Module):
    """Two layers with one weight, as in a language model's first and last."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 4)
        self.last.weight = self.first.weight


def saved(model: nn.Module, folder: Path) -> Path:
    save_weights(model, folder / "model.safetensors")
    return folder / "model.safetensors"


def test_shared_weights_come_back_and_stay_shared(tmp_path: Path) -> None:
    model, twin = Tied(), Tied()
    load_weights(twin, saved(model, tmp_path))
    assert same(state(twin), state(model))
    assert twin.last.weight is twin.first.weight


def test_weights_in_another_order_of_memory_come_back(tmp_path: Path) -> None:
    model, twin = SmallCNN(width=4).to(memory_format=torch.channels_last), SmallCNN(width=4)
    load_weights(twin, saved(model, tmp_path))
    assert same(state(twin), state(model))


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    model = SmallCNN(width=1)
    path = saved(model, tmp_path)
    whole, before = path.read_bytes(), state(model)
    for bit in np.random.default_rng(0).choice(8 * len(whole), 120, replace=False):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"model\.safetensors"):
            load_weights(model, path)
        assert same(state(model), before)


def test_a_file_of_somebody_elses_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    safetensors.torch.save_file(state(SmallCNN(width=4)), path)
    with pytest.raises(CheckpointError, match="was not written by save_weights"):
        load_weights(SmallCNN(width=4), path)
    with pytest.raises(FileNotFoundError):
        load_weights(SmallCNN(width=4), tmp_path / "nowhere.safetensors")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is no regular file"):
        load_weights(SmallCNN(width=4), tmp_path / "pipe")


def test_what_is_written_below_home_is_read_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    model, twin = SmallCNN(width=4), SmallCNN(width=4)
    save_weights(model, "~/model.safetensors")
    load_weights(twin, "~/model.safetensors")
    assert same(state(twin), state(model))
