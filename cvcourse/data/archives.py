"""Archives: unpacked completely or not at all, and only where they stay within bounds."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from zipfile import BadZipFile, ZipFile, ZipInfo

from cvcourse.progress import progress

SUFFIXES = (".tar.gz", ".tgz", ".zip")  #: of archives that hold a folder
EXPANSION = 100  #: pictures are compressed already: what grows more than this is a bomb
HARMLESS = 1 << 30  #: bytes; up to here it may grow as it likes

Member = TypeVar("Member", ZipInfo, tarfile.TarInfo)


def unpack(archives: Sequence[Path], folder: Path) -> None:
    """Unpack archives (`SUFFIXES`, or .gz of one file) into a new folder.

    Raises:
        OSError: the folder cannot be written, or the disk is full; with the archive's name.
        ValueError: an archive is damaged, encrypted, or would grow beyond all bounds.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as temporary:
        contents = Path(temporary, folder.name)
        contents.mkdir()
        for archive in archives:
            _unpack_one(archive, contents)
        try:
            os.replace(contents, folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise


def _unpack_one(archive: Path, folder: Path) -> None:
    try:
        if archive.suffix == ".zip":
            # Names without a mark are UTF-8, or in the packer's own code, not to be guessed.
            with ZipFile(archive, metadata_encoding="utf-8") as packed:
                packed.extractall(folder, _within_bounds(packed.infolist(), archive))
            return
        with gzip.open(archive) as source:
            if archive.name.endswith(SUFFIXES):
                with tarfile.open(fileobj=source, mode="r:") as tar:
                    tar.extractall(folder, _within_bounds(tar, archive), filter="data")
                while source.read(1 << 18):  # gzip's own checksum comes after the last file
                    pass
            else:
                with (folder / archive.stem).open("wb") as target:
                    shutil.copyfileobj(source, target)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"cannot unpack {archive}: its names are not in UTF-8; pack the folder as .tar.gz"
        ) from error
    except (
        *(tarfile.TarError, BadZipFile, gzip.BadGzipFile, zlib.error, EOFError),
        *(RuntimeError, NotImplementedError),  # encrypted; a compression that Python has not
    ) as error:
        raise ValueError(f"cannot unpack {archive}: {error}; replace the file") from error
    except OSError as error:
        told = f"cannot unpack {archive}: {error.strerror or error}"
        raise OSError(error.errno, told, str(folder)) from error


def _within_bounds(members: Iterable[Member], archive: Path) -> Iterator[Member]:
    """The members, with a bar, for as long as they are together no larger than pictures can be."""
    most = max(HARMLESS, EXPANSION * archive.stat().st_size)
    total = 0
    for member in progress(members, desc=f"Unpacking {archive.name}", unit=" files"):
        total += member.file_size if isinstance(member, ZipInfo) else member.size
        if total > most:
            raise ValueError(
                f"{archive} ({archive.stat().st_size:,} bytes) would be more than {most:,} bytes "
                "when unpacked; expected pictures. Unpack it yourself if it is to be so"
            )
        yield member
