"""The weights that torchvision publishes, into our models."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn
from torchvision.models import get_model_weights

from cvcourse.checks import checked
from cvcourse.data import DownloadError
from cvcourse.files import check_regular


@checked
def load_official_weights(model: nn.Module, name: str) -> None:
    """Fill a model with torchvision's weights, learned on ImageNet; downloaded at the first use.

    The file is checked at every load against the beginning of its SHA-256, which is in its name.

    Args:
        model: an `AlexNet` or a `VGG` with 1,000 classes.
        name: torchvision's name of the architecture: "alexnet", "vgg16", "vgg16_bn", ….

    Raises:
        DownloadError: the file could not be had; the message says what to put where.
        ValueError: torchvision has no such model, the file is damaged, or its weights do not fit.
    """
    weights = get_model_weights(name).DEFAULT
    file = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
    _check(file)
    try:
        state = weights.get_state_dict(check_hash=True, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError) as error:  # RuntimeError: what came has another checksum
        raise DownloadError(
            f"could not download the weights of {name!r} from {weights.url} ({error}). Fetch that "
            f"file elsewhere and put it at {file}"
        ) from error
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"the weights of {name!r} do not fit this {type(model).__name__}; expected the same "
            f"architecture with 1,000 classes. {error}"
        ) from error


def _check(file: Path) -> None:
    """Refuse a file whose SHA-256 does not begin with the last part of its name."""
    check_regular(file)
    if not file.exists():
        return
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    expected = file.stem.rpartition("-")[2]
    if not found.startswith(expected):
        raise ValueError(
            f"{file} is damaged: its SHA-256 begins with {found[: len(expected)]}, expected "
            f"{expected}; delete it, and it will be downloaded again"
        )
