import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from resuming import Killed, killed_after, same, state
from torch import Tensor, nn

from cvcourse.data import render
from cvcourse.models import SmallCNN, standardized
from cvcourse.random_state import get_random_states, set_random_states
from cvcourse.train import (
    CheckpointError,
    History,
    Recipe,
    fit,
    load_weights,
    save_weights,
)
from cvcourse.train import checkpoint as checkpoint_module

TRAIN, VALIDATION = render(96, seed=0, size=8), render(40, seed=1, size=8)
RECIPE = Recipe(
    epochs=4, batch_size=16, ema_decay=0.9, patience=3, learning_rate=1e-2, clip_norm=1.0
)
STEPS = 4 * 6


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    return standardized(nn.Sequential(SmallCNN(width=4), nn.Dropout(0.3)), TRAIN)


def jitter(images: Tensor, generator: torch.Generator) -> Tensor:
    """Draws from the run's generator, and from Python's and NumPy's global states."""
    noise = torch.randint(0, 9, images.shape, generator=generator, dtype=torch.uint8)
    return (images // 2) + noise + random.randrange(3) + int(np.random.randint(3))  # noqa: NPY002


def run_until(
    stop: int | None, path: Path | None, every: int | None = None, fabric: Fabric | None = None
) -> tuple[dict[str, Tensor], History]:
    model = new_model()
    with killed_after(stop):
        history = fit(
            model,
            TRAIN,
            RECIPE,
            validation=VALIDATION,
            augment=jitter,
            fabric=fabric,
            checkpoint=path,
            checkpoint_every=every,
        )
    return state(model), history


@pytest.fixture(scope="module")
def whole() -> tuple[dict[str, Tensor], History]:
    return run_until(None, None)


def resumed(path: Path, stop: int, every: int) -> tuple[dict[str, Tensor], History]:
    with pytest.raises(Killed):
        run_until(stop, path, every)
    random.seed(99)  # whatever another process would have
    np.random.seed(99)  # noqa: NPY002
    return run_until(None, path, every)


KILLS = [
    (int(stop), int(every))
    for stop, every in zip(
        np.random.default_rng(0).integers(0, STEPS, 50),
        np.random.default_rng(1).integers(1, 8, 50),
        strict=True,
    )
]


def test_fifty_kills_and_fifty_identical_ends(
    whole: tuple[dict[str, Tensor], History], tmp_path: Path
) -> None:
    for number, (stop, every) in enumerate(KILLS):
        weights, history = resumed(tmp_path / f"{number}.ckpt", stop, every)
        assert history == whole[1], (stop, every)
        assert same(weights, whole[0]), (stop, every)


@pytest.mark.parametrize("forgotten", ["python", "numpy", "torch", "own"])
def test_forgetting_one_random_state_is_noticed(
    forgotten: str,
    whole: tuple[dict[str, Tensor], History],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative control of the test above."""
    complete = checkpoint_module._unpacked

    def incomplete(content: bytes) -> dict:
        randoms = complete(content)
        if "own" in randoms:
            fresh = get_random_states() | {"own": torch.Generator().manual_seed(5).get_state()}
            (randoms if forgotten == "own" else randoms["global"])[forgotten] = fresh[forgotten]
        return randoms

    monkeypatch.setattr(checkpoint_module, "_unpacked", incomplete)
    weights, history = resumed(tmp_path / "run.ckpt", stop=10, every=7)
    assert not same(weights, whole[0])
    assert history != whole[1]


SCRIPT = """
import sys, torch
torch.set_num_threads({threads})  # as in the run it is compared with
sys.path.insert(0, {tests!r})
from test_checkpoint import run_until
weights, history = run_until(None, __import__("pathlib").Path({path!r}), 2)
torch.save((weights, list(history)), {out!r})
"""


def test_sigkill_in_another_process(
    whole: tuple[dict[str, Tensor], History], tmp_path: Path
) -> None:
    path, out = tmp_path / "run.ckpt", tmp_path / "end.pt"
    script = SCRIPT.format(
        tests=str(Path(__file__).parent),
        path=str(path),
        out=str(out),
        threads=torch.get_num_threads(),
    )
    victim = subprocess.Popen([sys.executable, "-c", script])
    while not path.exists() and victim.poll() is None:
        pass
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    assert not out.exists(), "it was to be killed before its end"
    subprocess.run([sys.executable, "-c", script], check=True)
    weights, history = torch.load(out, weights_only=True)
    assert history == list(whole[1])
    assert same(weights, whole[0])


def test_twenty_kills_of_two_processes_and_twenty_identical_ends(tmp_path: Path) -> None:
    here, torchrun = Path(__file__).parent, Path(sys.executable).parent / "torchrun"
    done = subprocess.run(
        [torchrun, "--standalone", "--nproc-per-node", "2", here / "two_processes.py", tmp_path],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "20 of 20 ends are identical" in done.stdout, done.stdout + done.stderr[-3000:]


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    weights, history = run_until(None, tmp_path / "run.ckpt")
    again, history_again = run_until(0, tmp_path / "run.ckpt")  # the first step would raise
    assert history == history_again
    assert same(weights, again)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    fit(new_model(), TRAIN, Recipe(epochs=1), checkpoint=path)
    with pytest.raises(
        CheckpointError,
        match=r"another run: recipe.epochs was 1, is now 2; delete .* to start anew",
    ):
        fit(new_model(), TRAIN, Recipe(epochs=2), checkpoint=path)
    with pytest.raises(CheckpointError, match="seed was 0, is now 1"):
        fit(new_model(), TRAIN, Recipe(epochs=1), seed=1, checkpoint=path)
    with pytest.raises(
        CheckpointError, match=r"train.images was \(96, 3, 8, 8\).*is now \(95, 3, 8, 8\)"
    ):
        fit(new_model(), TRAIN[:95], Recipe(epochs=1), checkpoint=path)
    changed = replace(TRAIN, labels=TRAIN.labels.flip(0))
    with pytest.raises(CheckpointError, match=r"another run: train.labels was .*; delete"):
        fit(new_model(), changed, Recipe(epochs=1), checkpoint=path)
    with pytest.raises(CheckpointError, match=r"model.layers was"):
        fit(standardized(SmallCNN(width=5), TRAIN), TRAIN, Recipe(epochs=1), checkpoint=path)


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "foreign"])
def test_a_file_that_is_no_checkpoint_is_refused(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    fit(new_model(), TRAIN, Recipe(epochs=1), checkpoint=path)
    if damage == "foreign":
        torch.save({"weights": torch.zeros(2)}, path)
    else:
        whole = path.read_bytes()
        path.write_bytes(
            {"truncated": whole[: len(whole) // 2], "empty": b"", "text": b"hello"}[damage]
        )
    with pytest.raises(CheckpointError, match=r"is damaged|is not a checkpoint"):
        fit(new_model(), TRAIN, Recipe(epochs=1), checkpoint=path)


@pytest.mark.filterwarnings("ignore:Environment variable TORCH_FORCE")  # no error by itself
@pytest.mark.parametrize("forced", ["0", "1"])
def test_no_code_is_ever_unpickled(
    forced: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", forced)

    class Evil:
        def __reduce__(self) -> tuple:
            return (Path(tmp_path / "owned").touch, ())

    path = tmp_path / "run.ckpt"
    checkpoint_module.save_checkpoint(path, {}, {"evil": Evil()})  # checksum and all
    with pytest.raises(CheckpointError, match="cannot be read"):
        fit(new_model(), TRAIN, Recipe(epochs=1), checkpoint=path)
    assert not (tmp_path / "owned").exists()


def test_a_failed_write_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.ckpt"
    with pytest.raises(Killed):
        run_until(8, path)
    before = path.read_bytes()

    def disk_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match=r"No space left on device.*run.ckpt"):
        run_until(None, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path], "nothing else is left"


def test_random_states_survive_a_round_trip() -> None:
    states = get_random_states()
    expected = (random.random(), np.random.random(), torch.rand(3))  # noqa: NPY002
    set_random_states(states)
    assert (random.random(), np.random.random()) == expected[:2]  # noqa: NPY002
    assert torch.equal(torch.rand(3), expected[2])


def test_weights_to_share(tmp_path: Path) -> None:
    model, twin = new_model(), new_model()
    fit(model, TRAIN, Recipe(epochs=1))
    save_weights(model, tmp_path / "model.safetensors")
    load_weights(twin, tmp_path / "model.safetensors")
    assert same(model.state_dict(), twin.state_dict())


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(SmallCNN(width=4), path)
    with pytest.raises(CheckpointError, match=r"4×3×3×3 in the file, 5×3×3×3 in the model"):
        load_weights(SmallCNN(width=5), path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match="no complete safetensors file"):
        load_weights(SmallCNN(width=4), path)
