"""How a run is put down and taken up again: what it is, what it has reached, and the file of both.

A file is a line that names the format, a line with the SHA-256 of all the rest, and what torch.save
makes of the run. The checksum is compared before anything is read.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed
from torch import Tensor

from cvcourse.checks import check_integer
from cvcourse.files import write_file
from cvcourse.random_state import get_random_states, set_random_states
from cvcourse.train.identity import differences

if TYPE_CHECKING:
    from cvcourse.train.fit import Run

FORMAT = b"cvcourse run, version 2\n"


class CheckpointError(RuntimeError):
    """A file that a run cannot be taken up from."""


def save(run: Run) -> None:
    """Write down all that changes in a run, with what each process has of its own."""
    if run.checkpoint is None:
        return
    randoms = _gathered(_packed({"global": get_random_states(), "own": run.generator.get_state()}))
    state = {**_state(run), "randoms": randoms, "sums": _gathered(_packed(run.sums))}
    if run.fabric.is_global_zero:
        save_checkpoint(run.checkpoint, run.identity, state)


def resume(run: Run) -> None:
    """Take a run up where its checkpoint put it down, if there is one.

    Raises:
        CheckpointError: see `load_checkpoint`; or the state in it is not one of a run.
    """
    if run.checkpoint is None or not run.checkpoint.exists():
        return
    state = load_checkpoint(run.checkpoint, run.identity)
    try:
        randoms = _unpacked(state.pop("randoms")[run.fabric.global_rank])
        own_sums = _unpacked(state.pop("sums")[run.fabric.global_rank])
        _check_state(run, state)
        run.model.load_state_dict(state["model"])
        if run.average is not None:
            run.average.load_state_dict(state["average"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.scheduler.load_state_dict(state["scheduler"])
        run.fabric.strategy.precision.load_state_dict(state["precision"])
        set_random_states(randoms["global"])
        run.generator.set_state(randoms["own"])
        run.done = state["done"]
        sums = {name: total.reshape(()) for name, total in own_sums.items()}
        run.sums = {name: total.to(run.fabric.device) for name, total in sums.items()}
        run.history.extend(state["history"])
        run.best = state["best"]
    except Exception as error:  # whatever an entry that is missing or of another kind gives
        raise CheckpointError(
            f"{run.checkpoint} does not hold the state of a run ({_reason(error)}); "
            f"{_remedy(run.checkpoint)}"
        ) from error


def _state(run: Run) -> dict[str, Any]:
    return {
        "model": run.model.state_dict(),
        "average": run.average.state_dict() if run.average is not None else None,
        "optimizer": run.optimizer.state_dict(),
        "scheduler": run.scheduler.state_dict(),
        "precision": run.fabric.strategy.precision.state_dict(),
        "done": run.done,
        "history": list(run.history),
        "best": run.best,
    }


def _check_state(run: Run, state: dict[str, Any]) -> None:
    """Compare what was read with the state of the run, which has not begun yet."""
    own = _state(run)
    _check_alike("state", {**state, "best": None}, own)
    check_integer("done", state["done"], 0, run.total_steps, "steps")
    if [set(map(type, row.values())) for row in state["history"]] != [{float}] * (
        state["done"] // run.steps_per_epoch
    ):
        raise ValueError("its history is not one of so many steps")
    if state["best"] is not None:
        _check_alike("best", list(state["best"]), [0.0, own["model"]])


def _check_alike(name: str, then: Any, now: Any) -> None:
    """Refuse another kind, keys or shape; what is empty now may hold anything by then."""
    alike = isinstance(then, Mapping if isinstance(now, Mapping) else type(now))
    parts: dict[Any, Any] = {}
    if isinstance(now, Tensor):
        alike = alike and (then.shape, then.dtype) == (now.shape, now.dtype)
    elif isinstance(now, list | Mapping) and now:
        parts = dict(now if isinstance(now, Mapping) else enumerate(now))
    if not alike:
        raise TypeError(f"{name} is of another kind")
    for key, part in parts.items():
        _check_alike(f"{name}.{key}", then[key], part)
    if parts and len(then) != len(parts):
        raise ValueError(f"{name} has {len(then)} parts, and not {len(parts)}")


def save_checkpoint(path: Path, identity: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all; the one before it stays until this one is complete.

    Args:
        path: where to.
        identity: what this run is, see `describe`: a later run must be the same.
        state: all that changes while it runs.
    """
    content = _packed({"identity": identity, "state": state})
    digest = hashlib.sha256(content).hexdigest().encode()
    write_file(path, FORMAT + digest + b"\n" + content)


def load_checkpoint(path: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """The state in a checkpoint of just this run.

    Nothing but numbers, strings and tensors is ever unpickled (weights_only=True).

    Args:
        path: the file.
        identity: what the run to be taken up is; see `save_checkpoint`.

    Raises:
        CheckpointError: the file is damaged, comes from elsewhere, or from another run; with what
            differs.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error
    if not content.startswith(FORMAT):
        raise CheckpointError(f"{path} is not a checkpoint of this version's fit; {_remedy(path)}")
    digest, _, packed = content.removeprefix(FORMAT).partition(b"\n")
    if hashlib.sha256(packed).hexdigest().encode() != digest:
        raise CheckpointError(
            f"{path} is damaged: its content does not fit its checksum; {_remedy(path)}"
        )
    try:
        whole = _unpacked(packed)
        then, state = whole["identity"], whole["state"]
        changed = list(differences(then, identity))
    except Exception as error:  # a forged file can make the unpickler raise anything
        reason = _reason(error)
        raise CheckpointError(f"{path} cannot be read ({reason}); {_remedy(path)}") from error
    if changed:
        raise CheckpointError(f"{path} is from another run: {'; '.join(changed)}; {_remedy(path)}")
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} does not hold the state of a run; {_remedy(path)}")
    return state


def _packed(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def _unpacked(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _gathered(own: bytes) -> list[bytes]:
    """What every process gives, in their order."""
    if not torch.distributed.is_initialized():
        return [own]
    everybodys: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(everybodys, own)
    return everybodys


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _remedy(path: Path) -> str:
    return f"delete {path} to start anew, or give another path"
