"""One way to write a file: whole or not at all, and never onto something that is no file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EINVAL
from pathlib import Path
from typing import BinaryIO

from cvcourse.checks import check, checked


@checked
def write_file(path: str | Path, content: bytes) -> None:
    """Write `content` to `path`, whose old content stays until the new one is complete.

    A link is followed, and missing folders are made. Nothing is left behind where it fails, but
    for those folders.

    Raises:
        OSError: the path cannot be written to, or is no regular file; the message names it.
    """
    with _beside(path) as (target, unfinished, file):
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        if target.exists():
            unfinished.chmod(target.stat().st_mode & 0o777)
        file.close()  # Windows moves no open file
        os.replace(unfinished, target)


def check_writable(path: str | Path) -> Path:
    """Where `path` leads once links are followed; its folder is made. To try before long work.

    Raises:
        OSError: nothing can be written there, or it is no regular file; the message names it.
    """
    with _beside(path) as (target, _, _):
        return target


def check_regular(path: Path) -> None:
    """Refuse what is there but is no file: to open a pipe or a device may never end.

    Raises:
        OSError: with the path.
    """
    if not path.is_file() and os.path.lexists(path):
        what = "is no regular file, but a folder, a pipe, a device or a link that leads nowhere"
        raise OSError(EINVAL, what, str(path))


def expand_home(path: str | Path) -> Path:
    """The path with `~` written out.

    Raises:
        FileNotFoundError: there is no such home directory.
        TypeError: it is no path.
    """
    check("a path", path, str | Path)
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(2, "there is no such home directory", str(path)) from error


@contextmanager
def _beside(path: str | Path) -> Iterator[tuple[Path, Path, BinaryIO]]:
    """Where `path` leads, and a new file in the same folder, open and gone at the end."""
    try:
        target = Path(os.path.realpath(expand_home(path)))
        check_regular(target)
        if target.exists() and not os.access(target, os.W_OK):
            raise OSError(EACCES, "is read-only")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.parent / f".{target.name[:40]}.{secrets.token_hex(4)}.part"
        try:
            with unfinished.open("xb") as file:
                yield target, unfinished, file
        finally:
            with suppress(OSError):
                unfinished.unlink()
    except OSError as error:
        told = f"cannot write: {error.strerror or error}"
        raise OSError(error.errno, told, str(path)) from error
    except ValueError as error:  # a null byte, a character that this system's paths cannot have
        raise OSError(EINVAL, f"cannot write: {error}", str(path)) from error
