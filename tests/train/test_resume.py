"""A run that is taken up again: each part of its state counts, and each refusal says why."""

import hashlib
import inspect
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from resuming import Killed, killed_after, same, state
from torch import Tensor, nn

from cvcourse.data import ImageSet, render
from cvcourse.models import standardized
from cvcourse.train import Batch, CheckpointError, History, Recipe, fit, supervised
from cvcourse.train import checkpoint as module

TRAIN, VALIDATION = render(24, seed=0, size=8), render(10, seed=1, size=8)
RECIPE = Recipe(epochs=4, batch_size=8, ema_decay=0.9, learning_rate=1e-2, clip_norm=1.0)


def new_model() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Flatten(), nn.BatchNorm1d(192), nn.Dropout(0.3), nn.Linear(192, 10)
    return standardized(nn.Sequential(*layers), TRAIN)


def jitter(images: Tensor, generator: torch.Generator) -> Tensor:
    return images // 2 + torch.randint(0, 9, images.shape, generator=generator, dtype=torch.uint8)


def run(path: Path | None, stop: int | None = None, **more: Any) -> tuple[nn.Module, History]:
    model = new_model()
    torch.seed()  # whatever went before must not matter
    given: dict[str, Any] = {"validation": VALIDATION, "augment": jitter, "checkpoint_every": 1}
    with killed_after(stop):
        history = fit(model, TRAIN, RECIPE, checkpoint=path, **given | more)
    return model, history


@pytest.mark.parametrize(("stop", "every"), [(4, 1), (7, 5), (6, None)])
def test_one_kill_leaves_no_trace(stop: int, every: int | None, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    with pytest.raises(Killed):
        run(path, stop, checkpoint_every=every)
    resumed, history = run(path, checkpoint_every=every)
    through, expected = run(None)
    assert history == expected
    assert same(state(resumed), state(through))


def test_the_best_so_far_is_kept_over_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, trail = iter([0.9, 0.5, 0.4, 0.3]), []

    def measured(model: nn.Module, image_set: ImageSet) -> dict[str, float]:
        trail.append(next(model.parameters()).detach().clone())
        return {"accuracy": next(scores), "loss": 0.0}

    monkeypatch.setitem(inspect.unwrap(fit).__globals__, "evaluate", measured)
    recipe = Recipe(epochs=9, batch_size=8, patience=3)
    path, model = tmp_path / "run.ckpt", new_model()
    with pytest.raises(Killed), killed_after(7):
        fit(new_model(), TRAIN, recipe, validation=VALIDATION, checkpoint=path)
    history = fit(model, TRAIN, recipe, validation=VALIDATION, checkpoint=path)
    assert history.column("validation_accuracy") == [0.9, 0.5, 0.4, 0.3]
    assert torch.equal(next(model.parameters()), trail[0])


def test_the_scale_of_half_precision_is_part_of_it(tmp_path: Path) -> None:
    path, loaded = tmp_path / "run.ckpt", []
    fabric = Fabric(accelerator="cpu", devices=1)
    precision = fabric.strategy.precision
    precision.state_dict = lambda: {"scale": 1024.0}  # type: ignore[method-assign]
    precision.load_state_dict = loaded.append  # type: ignore[assignment,method-assign]
    for _ in range(2):
        fit(new_model(), TRAIN, Recipe(epochs=1), fabric=fabric, checkpoint=path)
    assert loaded == [{"scale": 1024.0}]


PARTS = ["model", "average", "optimizer", "scheduler", "precision", "randoms", "done"]


@pytest.mark.parametrize("part", [*PARTS, "sums", "history", "best"])
def test_a_part_that_is_missing_is_named(part: str, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    run(path)
    whole = module._unpacked(path.read_bytes().split(b"\n", 2)[2])
    del whole["state"][part]
    module.save_checkpoint(path, whole["identity"], whole["state"])
    with pytest.raises(CheckpointError) as caught:
        run(path)
    assert str(caught.value) == (
        f"{path} does not hold the state of a run ('{part}'); "
        f"delete {path} to start anew, or give another path"
    )


def test_a_state_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    module.save_checkpoint(path, {"a": 1}, [1, 2])  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="does not hold the state of a run; delete"):
        module.load_checkpoint(path, {"a": 1})
    module.save_checkpoint(path, {"a": 1}, {"b": 2})
    assert module.load_checkpoint(path, {"a": 1}) == {"b": 2}


def test_a_sealed_file_without_an_identity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    packed = module._packed({"state": {}})
    digest = hashlib.sha256(packed).hexdigest().encode()
    path.write_bytes(module.FORMAT + digest + b"\n" + packed)
    with pytest.raises(CheckpointError, match=r"run.ckpt cannot be read \('identity'\); delete"):
        module.load_checkpoint(path, {"a": 1})


def test_every_difference_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    module.save_checkpoint(path, {"a": 1, "b": 2, "c": 3}, {})
    with pytest.raises(CheckpointError) as caught:
        module.load_checkpoint(path, {"a": 1, "b": 5, "c": 6})
    assert str(caught.value) == (
        f"{path} is from another run: b was 2, is now 5; c was 3, is now 6; "
        f"delete {path} to start anew, or give another path"
    )


def test_what_cannot_be_read_says_what_the_system_says(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"cannot be read \(Is a directory\)"):
        module.load_checkpoint(tmp_path, {})


def test_a_file_is_a_format_a_checksum_and_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    module.save_checkpoint(path, {"a": 1}, {"b": 2})
    whole = path.read_bytes()
    head, digest, packed = whole.split(b"\n", 2)
    assert head == b"cvcourse run, version 2"
    assert len(digest) == 64
    assert module._unpacked(packed) == {"identity": {"a": 1}, "state": {"b": 2}}
    for change, message in (
        (whole.replace(b"version 2", b"version 1", 1), "is not a checkpoint of this version's fit"),
        (whole[:-1], "is damaged"),
        (whole[: len(head) + 1] + b"0" * 64 + b"\n" + packed, "is damaged"),
    ):
        path.write_bytes(change)
        with pytest.raises(CheckpointError, match=message):
            module.load_checkpoint(path, {"a": 1})


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("one\ntwo"), "one"), (ValueError(), "ValueError"), (KeyError("x"), "'x'")],
    ids=["lines", "nothing", "key"],
)
def test_a_reason_is_one_line(error: Exception, reason: str) -> None:
    assert module._reason(error) == reason


def test_tensors_come_back_on_the_cpu() -> None:
    packed = module._packed({"x": torch.ones(2), "y": torch.zeros(1, device="meta")})
    assert torch.equal(module._unpacked(packed)["x"], torch.ones(2))


def test_another_model_is_another_run(tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    fit(new_model(), TRAIN, Recipe(epochs=1), checkpoint=path)
    other = new_model()
    nn.init.zeros_(next(other.parameters()))
    with pytest.raises(CheckpointError, match=r"another run: model\.\S+ was \("):
        fit(other, TRAIN, Recipe(epochs=1), checkpoint=path)


def test_a_model_in_evaluation_mode_is_trained_in_training_mode() -> None:
    modes: list[bool] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        modes.append(all(module.training for module in model.modules()))
        return supervised(model, batch)

    model = new_model().eval()
    fit(model, TRAIN, Recipe(epochs=2, batch_size=8), validation=VALIDATION, step=step)
    assert modes == [True] * 6
    assert not model.training


def test_ctrl_c_waits_for_the_end_of_a_step(tmp_path: Path) -> None:
    path, taken = tmp_path / "run.ckpt", []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        if len(taken) == 4:
            signal.raise_signal(signal.SIGINT)
        found = supervised(model, batch)
        taken.append(batch.progress)
        return found

    with pytest.raises(KeyboardInterrupt):
        fit(new_model(), TRAIN, RECIPE, step=step, checkpoint=path, checkpoint_every=100)
    assert len(taken) == 5
    assert module._unpacked(path.read_bytes().split(b"\n", 2)[2])["state"]["done"] == 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_does_not_wait() -> None:
    done: list[int] = []

    def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        signal.raise_signal(signal.SIGINT)
        done.append(1)
        signal.raise_signal(signal.SIGINT)
        done.append(2)
        return supervised(model, batch)

    with pytest.raises(KeyboardInterrupt):
        fit(new_model(), TRAIN, RECIPE, step=step)
    assert done == [1]


def test_a_thread_and_a_handler_of_ones_own_are_left_alone() -> None:
    histories: list[History] = []
    thread = threading.Thread(target=lambda: histories.append(fit(new_model(), TRAIN, RECIPE)))
    thread.start()
    thread.join()
    assert len(histories[0]) == 4
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    own = signal.getsignal(signal.SIGINT)
    try:

        def step(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
            assert signal.getsignal(signal.SIGINT) is own
            return supervised(model, batch)

        fit(new_model(), TRAIN, RECIPE, step=step)
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)
