import hashlib
import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import Weights, WeightsEnum

from cvcourse.data import DownloadError
from cvcourse.models import official
from cvcourse.models.official import load_official_weights


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file at a `file:` address that stands in for torchvision's."""
    torch.manual_seed(0)
    made = tmp_path / "web" / "made.pth"
    made.parent.mkdir()
    torch.save(nn.Linear(3, 2).state_dict(), made)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    file = made.rename(made.with_name(f"tiny-{digest[:8]}.pth"))

    class TinyWeights(WeightsEnum):
        DEFAULT = Weights(url=file.as_uri(), transforms=nn.Identity, meta={})

    monkeypatch.setattr(official, "get_model_weights", lambda name: TinyWeights)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return file


def test_the_weights_arrive_and_are_kept(published: Path, tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    load_official_weights(model, "tiny")
    assert torch.equal(model.weight, torch.load(published)["weight"])
    published.unlink()
    load_official_weights(nn.Linear(3, 2), "tiny")  # now from the kept copy


def test_without_a_network_the_file_and_its_place_are_named(
    published: Path, tmp_path: Path
) -> None:
    published.unlink()
    place = tmp_path / "hub" / "checkpoints" / published.name
    with pytest.raises(DownloadError, match="put it at ") as caught:
        load_official_weights(nn.Linear(3, 2), "tiny")
    assert published.as_uri() in str(caught.value)
    assert str(place) in str(caught.value)


def test_a_false_download_is_refused(published: Path) -> None:
    published.write_bytes(b"Please log in to this hotel's network")
    with pytest.raises(DownloadError, match="invalid hash value"):
        load_official_weights(nn.Linear(3, 2), "tiny")


def test_a_kept_file_is_checked_again(published: Path, tmp_path: Path) -> None:
    load_official_weights(nn.Linear(3, 2), "tiny")
    kept = tmp_path / "hub" / "checkpoints" / published.name
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="is damaged: its SHA-256 begins with"):
        load_official_weights(nn.Linear(3, 2), "tiny")


def test_weights_of_another_shape_are_refused(published: Path) -> None:
    with pytest.raises(ValueError, match=r"'tiny' do not fit this Linear; expected .* 1,000 class"):
        load_official_weights(nn.Linear(3, 4), "tiny")


def test_an_unknown_name_is_torchvisions_to_refuse() -> None:
    with pytest.raises(ValueError, match="Unknown model"):
        load_official_weights(nn.Linear(3, 2), "vgg12")


def test_a_pipe_in_the_place_of_the_file_is_refused(published: Path, tmp_path: Path) -> None:
    place = tmp_path / "hub" / "checkpoints" / published.name
    place.parent.mkdir(parents=True)
    os.mkfifo(place)
    with pytest.raises(OSError, match="is no regular file"):
        load_official_weights(nn.Linear(3, 2), "tiny")
