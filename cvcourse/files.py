"""One way to write a file: whole or not at all, and never onto something that is no file."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_file(path: str | Path, content: bytes) -> None:
    """Write `content` to `path`, whose old content stays until the new one is complete.

    A link is followed, and missing folders are made. Nothing is left behind where it fails.

    Raises:
        OSError: the path cannot be written to, or is no regular file; the message names it.
    """
    target = check_writable(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(unfinished, target)
    except OSError as error:
        raise OSError(error.errno, f"cannot write: {error.strerror}", str(path)) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()


def check_writable(path: str | Path) -> Path:
    """Where `path` leads once links are followed; its folder is made. To ask before long work.

    Raises:
        OSError: nothing can be written there, or it is no regular file; the message names it.
    """
    target = Path(path).expanduser().resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            raise OSError(22, "is no regular file; give the path of a file")
        if not os.access(target.parent, os.W_OK):
            raise PermissionError(13, f"the folder {target.parent} is not writable")
    except OSError as error:
        raise type(error)(error.errno, f"cannot write: {error.strerror}", str(path)) from error
    return target


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
