"""Archives are unpacked whole or not at all."""

import gzip
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvcourse.data import archives
from cvcourse.data.archives import unpack

BODY = np.random.default_rng(0).bytes(300_000)


def archive_of(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, body in files.items():
            source = path.parent / name
            source.write_bytes(body)
            tar.add(source, f"inner/{name}")
            source.unlink()
    return path


def test_unpack(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", one=b"1", two=b"22")
    (tmp_path / "three.gz").write_bytes(gzip.compress(b"333"))
    folder = tmp_path / "new" / "all"
    unpack([archive, tmp_path / "three.gz"], folder)
    contents = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in contents.items()} == {
        "inner/one": b"1",
        "inner/two": b"22",
        "three": b"333",
    }
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("suffix", ["tar.gz", "gz"])
@pytest.mark.parametrize("damage", ["cut", "text", "flipped", "no blocks"])
def test_a_damaged_archive_leaves_nothing(tmp_path: Path, suffix: str, damage: str) -> None:
    archive_of(tmp_path / "a.tar.gz", one=BODY, two=BODY)
    data = (tmp_path / "a.tar.gz").read_bytes()
    middle = len(data) // 2
    damaged = {
        "cut": data[:middle],
        "text": b"<html>not found</html>",
        "no blocks": gzip.compress(b"")[:10] + b"\xff" * 100,
        "flipped": data[:middle] + bytes(1000) + data[middle + 1000 :],
    }
    archive = tmp_path / f"b.{suffix}"
    archive.write_bytes(damaged[damage])
    folder = tmp_path / "new" / "b"
    with pytest.raises(ValueError, match=r"cannot unpack .*b.*gz: .*; replace the file"):
        unpack([archive], folder)
    assert not list(folder.parent.iterdir())


def test_an_archive_cannot_write_elsewhere(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(__file__, "../outside.py")
    with pytest.raises(ValueError, match="cannot unpack"):
        unpack([archive], tmp_path / "folder")
    assert not (tmp_path / "outside.py").exists()


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in files.items():
            packed.writestr(f"inner/{name}", body)
    return path


def test_a_zip_file_is_unpacked_too(tmp_path: Path) -> None:
    unpack([zipped(tmp_path / "a.zip", one=b"1", 사과=b"22")], tmp_path / "a")
    inner = tmp_path / "a" / "inner"
    assert {path.name: path.read_bytes() for path in inner.iterdir()} == {
        "one": b"1",
        "사과": b"22",
    }


@pytest.mark.parametrize("damage", ["cut", "text", "flipped", "encrypted", "foreign names"])
def test_a_zip_file_that_cannot_be_unpacked_leaves_nothing(tmp_path: Path, damage: str) -> None:
    data = zipped(tmp_path / "a.zip", one=BODY, two=BODY).read_bytes()
    middle = len(data) // 2
    bodies = {
        "cut": data[:middle],
        "text": b"<html>not found</html>",
        "flipped": data[:middle] + bytes(1000) + data[middle + 1000 :],
        "encrypted": data.replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1").replace(
            b"PK\3\4\x14\0\0", b"PK\3\4\x14\0\1"
        ),
        "foreign names": data.replace(b"one", "á".encode("cp1252") + b"ne"),
    }
    (tmp_path / "b.zip").write_bytes(bodies[damage])
    with pytest.raises(ValueError, match=r"cannot unpack .*b\.zip: "):
        unpack([tmp_path / "b.zip"], tmp_path / "new" / "b")
    assert not list((tmp_path / "new").iterdir())


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_bomb_is_refused_before_it_bursts(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "HARMLESS", 1_000_000)
    make = zipped if kind == "zip" else archive_of
    large = {f"part{i}": bytes(400_000) for i in range(5)}
    archive = make(tmp_path / f"a.{kind}", **large)
    assert archive.stat().st_size < 20_000
    written = []
    monkeypatch.setattr(archives, "progress", lambda members, **_: map(note(written), members))
    with pytest.raises(ValueError, match=r"a\..*bytes\) would be more than 1,.*expected pictures"):
        unpack([archive], tmp_path / "new" / "a")
    assert len(written) < 5, "it is not unpacked first"
    assert not list((tmp_path / "new").iterdir())
    fair = make(tmp_path / f"b.{kind}", one=BODY, two=BODY, three=BODY, four=BODY)
    unpack([fair], tmp_path / "b")


def note(seen: list[Any]) -> Callable[[Any], Any]:
    """What passes a thing on and keeps it."""
    return lambda thing: seen.append(thing) or thing


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    archive = archive_of(tmp_path / "a.tar.gz", one=b"1")
    with pytest.raises(OSError, match=r"cannot unpack .*a\.tar\.gz: No space left.*new") as caught:
        unpack([archive], tmp_path / "new" / "a")
    assert caught.value.errno == 28
    assert not list((tmp_path / "new").iterdir())


def test_a_faster_process_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", one=b"1")
    folder = tmp_path / "a"
    before = archives._unpack_one

    def meanwhile(archive: Path, contents: Path) -> None:
        before(archive, contents)
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / "one").write_bytes(b"1")

    monkeypatch.setattr(archives, "_unpack_one", meanwhile)
    unpack([archive], folder)
    assert (folder / "inner" / "one").read_bytes() == b"1"
    assert sorted(tmp_path.iterdir()) == [folder, archive]
