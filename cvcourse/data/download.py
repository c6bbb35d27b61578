"""Files from the web: resumed, and checked by SHA-256 at every load."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from filelock import FileLock, Timeout
from tqdm import tqdm

from cvcourse.checks import checked
from cvcourse.files import check_regular, expand_home, write_file
from cvcourse.progress import progress

STALL = 30.0  #: seconds without a byte after which a mirror is given up
TRIAL = 10.0  #: seconds after which a mirror's speed is judged
SPEED = 250_000  #: bytes a second; while a mirror is slower, the others are tried first
WORTH_RETRYING = 1_000_000  #: bytes gained before a download broke off, to try that mirror again
_CHUNK = 1 << 18


class DownloadError(OSError):
    """No mirror gave the file; the message says what to put where."""


def data_folder() -> Path:
    """Where data sets are kept: the environment variable CVCOURSE_DATA, or `~/.cache/cvcourse`."""
    named = os.environ.get("CVCOURSE_DATA")
    return expand_home(named) if named else cache_folder()


def cache_folder() -> Path:
    """Where we may always write: `~/.cache/cvcourse`.

    Raises:
        FileNotFoundError: this user has no home directory.
    """
    try:
        return Path.home() / ".cache" / "cvcourse"
    except RuntimeError as error:
        raise FileNotFoundError(
            "there is no home directory to keep data sets in; set the environment variable "
            "CVCOURSE_DATA to a folder, or give your own images by a whole path"
        ) from error


@checked
def fetch(name: str, urls: Sequence[str], sha256: str, folder: Path) -> Path:
    """The file `folder/name` with this SHA-256, downloaded when it is not there yet.

    The checksum is taken at the first load and noted beside the file, with its size and time of
    change; later loads cost no more than reading the note, until the file changes. A download that
    broke off goes on where it stopped, also at another mirror. Of several processes that want the
    file, one downloads it and the others wait.

    Args:
        name: the file's name.
        urls: where the file is, best first.
        sha256: its checksum, 64 hexadecimal digits.
        folder: where it belongs.

    Returns:
        The file's path.

    Raises:
        DownloadError: no mirror gave a file with this checksum.
        OSError: something that is no file has the file's name.
    """
    path = folder / name
    if is_remembered(path, sha256):
        return path
    with one_at_a_time(path):
        if is_remembered(path, sha256):  # by the process that we waited for
            return path
        part = folder / f"{name}.part"
        check_regular(path)
        check_regular(part)
        found = _digest(path) if path.exists() else None
        if found != sha256:
            if found:
                told = f"{path} is damaged (SHA-256 {found}, expected {sha256})"
                tqdm.write(f"{told}; downloading it again")
            _download(part, urls, sha256)
            os.replace(part, path)
        remember(path, sha256)
    return path


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Make one process after the other do what makes `path`; the later ones will find it there."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        tqdm.write(f"another process is getting {path}; waiting for it")
        lock.acquire()
    except (OSError, NotImplementedError):  # read-only, or without locks: then without
        pass
    try:
        yield
    finally:
        lock.release()


def remember(path: Path, sha256: str) -> None:
    """Note beside a file (or a folder) that it is, or came from, what has this SHA-256."""
    with suppress(OSError):  # a folder that is read-only: check again next time
        note = json.dumps({"sha256": sha256, "files": _sizes_and_times(path)})
        write_file(_note(path), note.encode())


def is_remembered(path: Path, sha256: str) -> bool:
    """Whether that was noted, and no file has changed since."""
    try:
        note = json.loads(_note(path).read_text())
        return note == {"sha256": sha256, "files": _sizes_and_times(path)}
    except (OSError, ValueError):
        return False


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified.json")


def _sizes_and_times(path: Path) -> list[list[str | int]]:
    files = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
    return [[f.relative_to(path).as_posix(), f.stat().st_size, f.stat().st_mtime_ns] for f in files]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _TooSlowError(OSError):
    pass


def _download(part: Path, urls: Sequence[str], sha256: str) -> None:
    """Fill `part` from the mirrors, in order; those that are slow come last."""
    queue = deque((url, SPEED) for url in urls)
    reasons: dict[str, str] = {}
    while queue:
        url, speed = queue.popleft()
        had = _size(part)
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            _try_mirror(url, part, sha256, speed)
            return
        except _TooSlowError as error:
            reasons[url] = str(error)
            queue.append((url, 0))
        except (OSError, HTTPException) as error:
            reasons[url] = str(error) or type(error).__name__
            if _size(part) - had >= WORTH_RETRYING:
                queue.append((url, speed))
    name, folder = part.name.removesuffix(".part"), part.parent
    raise DownloadError(
        f"could not download {name}. Put the file whose SHA-256 is {sha256} into {folder}, or set "
        f"the environment variable CVCOURSE_DATA to a folder with {folder.name}/{name}. Tried:\n"
        + "\n".join(f"  {url}: {reason}" for url, reason in reasons.items())
    )


def _try_mirror(url: str, part: Path, sha256: str, speed: int) -> None:
    resumed = _size(part) > 0
    _receive(url, part, speed)
    found = _digest(part)
    if found == sha256:
        return
    part.unlink()
    if not resumed:
        raise OSError(f"sent a file with SHA-256 {found}")
    _try_mirror(url, part, sha256, speed)  # the fault may lie in the bytes we had


def _receive(url: str, part: Path, speed: int) -> None:
    """Append what `part` lacks, or write it anew if the server sends everything."""
    had = _size(part)
    headers = {"User-Agent": "cvcourse"} | ({"Range": f"bytes={had}-"} if had else {})
    try:
        response = urlopen(Request(url, headers=headers), timeout=STALL)
    except HTTPError as error:
        error.close()
        if had and error.code == 416:  # nothing is left to send: the checksum will tell
            return
        raise
    with response:
        had = had if response.status == 206 else 0
        length = response.headers.get("Content-Length")
        total = had + int(length) if length else None
        bar = progress(desc=part.stem, total=total, initial=had, unit="B", unit_scale=True)
        with part.open("ab" if had else "wb") as file, bar:
            start = time.monotonic()
            while chunk := response.read1(_CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
                seconds = time.monotonic() - start
                if seconds > TRIAL and file.tell() - had < speed * seconds:
                    raise _TooSlowError(f"slower than {speed} bytes a second")
    if total is not None and _size(part) < total:
        raise OSError(f"the connection closed after {_size(part)} of {total} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
