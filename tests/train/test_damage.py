"""Whatever happens to a file, it is named, and nothing is taken from it."""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from resuming import Killed, killed_after, same, state
from torch import nn

from cvcourse.data import render
from cvcourse.models import SingleLayer, standardized
from cvcourse.train import CheckpointError, Recipe, fit, load_weights, save_weights
from cvcourse.train.checkpoint import FORMAT

TRAIN = render(20, seed=0, size=8)
RECIPE = Recipe(epochs=2, batch_size=10, ema_decay=0.9, patience=2)


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(SingleLayer, TRAIN)


def trained(path: Path | None = None) -> nn.Sequential:
    model = new_model()
    fit(model, TRAIN, RECIPE, validation=TRAIN, checkpoint=path, checkpoint_every=1)
    return model


def half_trained(path: Path) -> None:
    with pytest.raises(Killed), killed_after(3):
        trained(path)


def flips(n: int, length: int) -> Iterator[Callable[[bytes], bytes]]:
    """Flips of single bits, all over a file."""
    for bit in np.random.default_rng(0).choice(8 * length, n, replace=False):
        byte, mask = int(bit) // 8, 1 << int(bit) % 8
        yield (
            lambda whole, byte=byte, mask=mask: (
                whole[:byte] + bytes([whole[byte] ^ mask]) + whole[byte + 1 :]
            )
        )


def edits(n: int, length: int) -> Iterator[Callable[[bytes], bytes]]:
    """Cuts, gaps, doubled and exchanged parts, zeros, and bytes too many."""
    random = np.random.default_rng(1)
    for number in range(n):
        i, j = (int(x) for x in sorted(random.choice(length - 1, 2, replace=False) + 1))
        yield (
            lambda whole, i=i: whole[:i],
            lambda whole, i=i: whole[i:],
            lambda whole, i=i, j=j: whole[:i] + whole[j:],
            lambda whole, i=i, j=j: whole[:j] + whole[i:],
            lambda whole, i=i, j=j: whole[:i] + bytes(j - i + 1) + whole[j + 1 :] + b"\1",
            lambda whole, i=i: whole + whole[:i],
            lambda whole, i=i: whole[i:] + whole[:i],
            lambda whole, i=i: whole[:i] + b"\n" + whole[i:],
        )[number % 8]


@pytest.mark.parametrize("kind", ["checkpoint", "weights"])
def test_200_flipped_bits_and_40_edits_are_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    model = new_model()
    if kind == "checkpoint":
        half_trained(path)
    else:
        save_weights(model, path)
    take = {
        "checkpoint": lambda: fit(model, TRAIN, RECIPE, validation=TRAIN, checkpoint=path),
        "weights": lambda: load_weights(model, path),
    }[kind]
    before, whole, named = state(model), path.read_bytes(), 0
    for damage in (*flips(200, len(whole)), *edits(40, len(whole))):
        damaged = damage(whole)
        assert damaged != whole
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"run\.ckpt"):
            take()
        assert same(state(model), before)
        named += 1
    assert named == 240


def resealed(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change what a checkpoint holds, and make its checksum fit again."""
    content = path.read_bytes().removeprefix(FORMAT).partition(b"\n")[2]
    whole = torch.load(io.BytesIO(content), weights_only=True)
    change(whole["state"])
    buffer = io.BytesIO()
    torch.save(whole, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest().encode()
    path.write_bytes(FORMAT + digest + b"\n" + buffer.getvalue())


KEYS = ["model", "average", "optimizer", "scheduler", "randoms", "done", "sums", "history", "best"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", ["x", None, -5, [1, 2], {"a": 1}, torch.ones(2)])
def test_an_entry_of_another_kind_is_named(key: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    half_trained(path)
    resealed(path, lambda state: state.update({key: value}))
    if key == "best" and value is None:
        trained(path)  # there may be no best so far
        return
    with pytest.raises(CheckpointError, match=r"run\.ckpt does not hold the state of a run"):
        trained(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(done=5),
        lambda s: s.update(done=1.0),
        lambda s: s.update(done=True),
        lambda s: s.update(done=-1, history=[]),
        lambda s: s.update(done=6, history=3 * s["history"]),
        lambda s: s.update(history=[]),
        lambda s: s.update(history=[{"epoch": "one"}]),
        lambda s: s.update(sums={"loss": torch.ones(3)}),
        lambda s: s.update(best=(0.5, {"0.mean": torch.ones(2)})),
        lambda s: s["model"].update({"1.layer.bias": torch.ones(3)}),
        lambda s: s["model"].update({"1.layer.bias": torch.zeros(10, dtype=torch.float64)}),
        lambda s: s["model"].pop("1.layer.bias"),
        lambda s: s["optimizer"]["param_groups"][0].update(lr="fast"),
        lambda s: s["optimizer"].update(param_groups=[]),
        lambda s: s["scheduler"].update(last_epoch="x"),
        lambda s: s["scheduler"].pop("total_steps"),
        lambda s: s.update(more=1),
    ],
)
def test_a_state_of_another_shape_is_named(change: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    half_trained(path)
    resealed(path, change)
    with pytest.raises(CheckpointError, match=r"run\.ckpt does not hold the state of a run"):
        trained(path)


def test_resealing_alone_changes_nothing(tmp_path: Path) -> None:
    """The negative control of the tests above."""
    path = tmp_path / "run.ckpt"
    half_trained(path)
    resealed(path, lambda state: None)
    assert same(state(trained(path)), state(trained()))
