"""Files appear whole or not at all, and only where a file belongs."""

import os
import re
import resource
import signal
import socket
from pathlib import Path

import pytest

from cvcourse.files import check_regular, check_writable, expand_home, write_file


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


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    for name in ("n" * 255, "사" * 85):
        write_file(tmp_path / name, b"whole")
        assert (tmp_path / name).read_bytes() == b"whole"


def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_link_to_what_is_not_there_yet_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("folder/target")
    write_file(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "folder" / "target").read_bytes() == b"new"


def test_to_try_a_place_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert check_writable(path) == path
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"old")
    check_writable(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def special(folder: Path) -> dict[str, Path]:
    """What may stand where a file should."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
    (folder / "circle").symlink_to(folder / "circle")
    return {
        "folder": folder,
        "device": Path("/dev/null"),
        **{name: folder / name for name in ("pipe", "socket", "circle")},
    }


@pytest.mark.parametrize("name", ["folder", "device", "pipe", "socket", "circle"])
def test_what_is_no_file_is_left_alone(tmp_path: Path, name: str) -> None:
    path = special(tmp_path)[name]
    before = sorted(tmp_path.iterdir()), path.lstat().st_mode
    for attempt in (check_writable, lambda path: write_file(path, b"x"), check_regular):
        with pytest.raises(OSError, match="is no regular file") as caught:
            attempt(path)
        assert str(path) in str(caught.value)
    assert (sorted(tmp_path.iterdir()), path.lstat().st_mode) == before


def test_what_is_to_be_read_is_a_file_or_nothing(tmp_path: Path) -> None:
    check_regular(tmp_path / "absent")
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    with pytest.raises(OSError, match="a link that leads nowhere"):
        check_regular(tmp_path / "nowhere")


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


def test_a_disk_that_takes_only_so_much_is_named(tmp_path: Path) -> None:
    """Not by a stand-in: the system itself stops the write half way."""
    path = tmp_path / "a.txt"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"cannot write: File too large: .*a\.txt"):
            write_file(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"cannot write: .*file/a\.txt"):
        check_writable(tmp_path / "file" / "a.txt")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, which takes no files")
def test_a_place_is_tried_and_not_asked() -> None:
    """The permissions of /proc say that root may write there."""
    with pytest.raises(OSError, match=r"cannot write: .*/proc/a\.txt"):
        check_writable("/proc/a.txt")


def test_what_may_not_be_written_is_found_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    with pytest.raises(PermissionError, match=r"cannot write: is read-only: .*kept"):
        check_writable(tmp_path / "kept")


@pytest.mark.parametrize("path", ["a\0b", "~no-such-user-here/a.txt"])
def test_a_path_that_cannot_be_is_named(path: str) -> None:
    with pytest.raises(OSError, match=re.escape(repr(path))):
        write_file(path, b"x")


def test_home_is_looked_for_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert expand_home("~") == Path.home()
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where there is none
    assert expand_home("/a/b") == Path("/a/b")
    with pytest.raises(FileNotFoundError, match=r"there is no such home directory: '~/a'"):
        expand_home("~/a")
