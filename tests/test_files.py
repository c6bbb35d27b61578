"""Files appear whole or not at all, and only where a file belongs."""

import os
import re
from pathlib import Path

import pytest

from cvcourse.files import check_writable, write_file


def test_a_file_and_its_folders_appear(tmp_path: Path) -> None:
    write_file(tmp_path / "new" / "deep" / "a.txt", b"whole")
    assert (tmp_path / "new" / "deep" / "a.txt").read_bytes() == b"whole"
    assert list((tmp_path / "new" / "deep").iterdir()) == [tmp_path / "new" / "deep" / "a.txt"]


def test_it_may_be_read_as_any_other_file_may(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    write_file(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == ordinary.stat().st_mode
    ordinary.chmod(0o640)
    write_file(ordinary, b"new")
    assert ordinary.stat().st_mode & 0o777 == 0o640


def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        write_file(tmp_path, b"x")
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with pytest.raises(OSError, match="is no regular file"):
            write_file(pipe, b"x")
        assert pipe.is_fifo()
    if Path("/dev/null").exists():
        with pytest.raises(OSError, match="is no regular file"):
            check_writable("/dev/null")


def test_a_full_disk_is_named_and_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write: No space left on device: .*a\.txt"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"cannot write: .*file/a\.txt"):
        check_writable(tmp_path / "file" / "a.txt")
