import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cvcourse.progress as progress_module
from cvcourse.data import download
from cvcourse.data.download import DownloadError, data_folder, fetch, remember

NAME = "pets.tar.gz"
BODY = np.random.default_rng(0).bytes(300_000)
HALF = len(BODY) // 2
SHA256 = hashlib.sha256(BODY).hexdigest()


class Mirrors(ThreadingHTTPServer):
    """Serves BODY in the way that the path begins with; keeps (way, Range) of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str | None]] = []

    def url(self, way: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{way}/{NAME}"


class _Handler(BaseHTTPRequestHandler):
    server: Mirrors

    def do_GET(self) -> None:
        way, asked = self.path.split("/")[1], self.headers["Range"]
        self.server.requests.append((way, asked))
        if way.isdigit():
            return self.send_error(int(way))
        if way == "redirect":
            self.send_response(302)
            self.send_header("Location", self.server.url("good"))
            return self.end_headers()
        body = BODY[::-1] if way == "corrupt" else BODY
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if way.endswith("no-range"):
            start = 0
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if way != "no-length":
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.send(way, body[start:])
        return None

    def send(self, way: str, body: bytes) -> None:
        if way.startswith("cut"):  # the connection closes
            body = body[:100_000]
        if way == "slow":
            for at in range(0, len(body), 10_000):
                time.sleep(0.02)
                self.wfile.write(body[at : at + 10_000])
        elif way == "stall":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            time.sleep(1)
        else:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the client has left
            self.close_connection = True


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    monkeypatch.setattr(download, "STALL", 0.2)
    with Mirrors() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(mirrors: Mirrors, folder: Path, *ways: str) -> Path:
    return fetch(NAME, [mirrors.url(way) for way in ways], SHA256, folder)


def test_a_file_is_downloaded_once(mirrors: Mirrors, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert get(mirrors, folder, "good") == folder / NAME
    assert (folder / NAME).read_bytes() == BODY
    assert get(mirrors, folder, "good") == folder / NAME
    assert mirrors.requests == [("good", None)]
    assert not list(folder.glob("*.part"))


def test_the_second_load_takes_no_checksum(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(BODY)
    get(mirrors, tmp_path)

    def fail(path: Path) -> str:
        raise AssertionError(f"took the checksum of {path}")

    monkeypatch.setattr(download, "_digest", fail)
    get(mirrors, tmp_path)
    os.utime(tmp_path / NAME, ns=(0, 0))
    with pytest.raises(AssertionError, match="took the checksum"):
        get(mirrors, tmp_path)


def test_another_checksum_is_not_taken_from_the_note(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"other")
    remember(tmp_path / NAME, hashlib.sha256(b"other").hexdigest())
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY


def test_a_damaged_note_is_no_note(mirrors: Mirrors, tmp_path: Path) -> None:
    get(mirrors, tmp_path, "good")
    for note in tmp_path.glob("*.json"):
        note.write_text('{"sha256')
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY
    assert len(mirrors.requests) == 1


def test_a_folder_that_cannot_be_written_needs_no_note(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise PermissionError("read-only")

    (tmp_path / NAME).write_bytes(BODY)
    monkeypatch.setattr(download, "write_file", refuse)
    monkeypatch.setattr(download.FileLock, "acquire", refuse)
    assert get(mirrors, tmp_path).read_bytes() == BODY
    assert list(tmp_path.iterdir()) == [tmp_path / NAME]


@pytest.mark.parametrize("name", [NAME, f"{NAME}.part"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link that leads nowhere"])
def test_what_is_no_file_is_neither_opened_nor_replaced(
    mirrors: Mirrors, tmp_path: Path, name: str, kind: str
) -> None:
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "a disk that is not here")
    before = path.lstat().st_mode
    with pytest.raises(OSError, match=rf"is no regular file.*{re.escape(name)}"):
        get(mirrors, tmp_path, "good")
    assert path.lstat().st_mode == before
    assert not mirrors.requests


def test_who_waits_is_told_and_finds_the_file(
    mirrors: Mirrors, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = threading.Thread(target=get, args=(mirrors, tmp_path, "404"))
    with download.one_at_a_time(tmp_path / NAME):
        waiting.start()
        while "another process is getting" not in (told := capsys.readouterr().out):
            time.sleep(0.01)
        (tmp_path / NAME).write_bytes(BODY)
        remember(tmp_path / NAME, SHA256)
    waiting.join()
    assert str(tmp_path / NAME) in told
    assert not mirrors.requests


@pytest.mark.parametrize("present", [BODY[:-1], BODY[::-1], b""])
def test_a_damaged_file_is_named_and_downloaded_again(
    mirrors: Mirrors, tmp_path: Path, present: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / NAME).write_bytes(present)
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY
    out, err = capsys.readouterr()
    assert re.match(rf".*pets.tar.gz is damaged \(SHA-256 \w+, expected {SHA256}\)", out)
    assert err == ""


def test_a_file_damaged_after_the_first_load_is_noticed(mirrors: Mirrors, tmp_path: Path) -> None:
    path = get(mirrors, tmp_path, "good")
    path.write_bytes(BODY[::-1])
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY
    assert len(mirrors.requests) == 2


def test_a_change_of_size_is_noticed_though_the_time_is_the_same(
    mirrors: Mirrors, tmp_path: Path
) -> None:
    path = get(mirrors, tmp_path, "good")
    time = path.stat().st_mtime_ns
    path.write_bytes(BODY[:-1])
    os.utime(path, ns=(time, time))
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY


def test_a_damaged_file_stays_until_there_is_a_better_one(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"perhaps worth keeping")
    with pytest.raises(DownloadError):
        get(mirrors, tmp_path, "404")
    assert (tmp_path / NAME).read_bytes() == b"perhaps worth keeping"


def test_a_download_goes_on_where_it_stopped(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(BODY[:HALF])
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY
    assert mirrors.requests == [("good", f"bytes={HALF}-")]


def test_a_server_that_ignores_range_starts_anew(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(BODY[:HALF])
    assert get(mirrors, tmp_path, "no-range").read_bytes() == BODY
    assert mirrors.requests == [("no-range", f"bytes={HALF}-")]


def test_wrong_bytes_from_last_time_do_not_condemn_a_mirror(
    mirrors: Mirrors, tmp_path: Path
) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(bytes(HALF))
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY
    assert mirrors.requests == [("good", f"bytes={HALF}-"), ("good", None)]


def test_a_part_that_was_complete(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(BODY)
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY
    assert mirrors.requests == [("good", f"bytes={len(BODY)}-")]


def test_a_part_that_is_too_long(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(BODY + b"more")
    assert get(mirrors, tmp_path, "good").read_bytes() == BODY
    assert mirrors.requests[-1] == ("good", None)


def test_a_broken_connection_is_resumed(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "WORTH_RETRYING", 100_000)
    assert get(mirrors, tmp_path, "cut").read_bytes() == BODY
    assert [asked for _, asked in mirrors.requests] == [None, "bytes=100000-", "bytes=200000-"]


def test_what_one_mirror_began_another_ends(mirrors: Mirrors, tmp_path: Path) -> None:
    assert get(mirrors, tmp_path, "stall", "good").read_bytes() == BODY
    assert mirrors.requests == [("stall", None), ("good", "bytes=1000-")]


@pytest.mark.parametrize("way", ["cut-no-range", "stall", "404", "500", "corrupt"])
def test_the_next_mirror_is_tried(mirrors: Mirrors, tmp_path: Path, way: str) -> None:
    assert get(mirrors, tmp_path, way, "good").read_bytes() == BODY


@pytest.mark.parametrize("way", ["redirect", "no-length"])
def test_ways_of_sending(mirrors: Mirrors, tmp_path: Path, way: str) -> None:
    assert get(mirrors, tmp_path, way).read_bytes() == BODY


def test_a_slow_mirror_is_left_for_a_faster_one(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TRIAL", 0.1)
    monkeypatch.setattr(download, "SPEED", 10_000_000)
    assert get(mirrors, tmp_path, "slow", "good").read_bytes() == BODY
    assert [way for way, _ in mirrors.requests] == ["slow", "good"]


def test_a_slow_mirror_is_better_than_none(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TRIAL", 0.1)
    monkeypatch.setattr(download, "SPEED", 10_000_000)
    assert get(mirrors, tmp_path, "slow", "404").read_bytes() == BODY
    assert [way for way, _ in mirrors.requests] == ["slow", "404", "slow"]


def test_when_no_mirror_works_one_error_says_what_to_do(mirrors: Mirrors, tmp_path: Path) -> None:
    ways = ["404", "500", "corrupt", "stall", "cut-no-range"]
    urls = [mirrors.url(way) for way in ways] + ["http://127.0.0.1:1/closed"]
    folder = tmp_path / "pets"
    with pytest.raises(DownloadError) as caught:
        fetch(NAME, urls, SHA256, folder)
    message = str(caught.value)
    assert isinstance(caught.value, OSError)
    for part in (NAME, SHA256, str(folder), "CVCOURSE_DATA", f"pets/{NAME}"):
        assert part in message
    lines = message.splitlines()[1:]
    reasons = ("404", "500", "sent a file with SHA-256 ", "timed out", "closed after 100000 of ")
    assert len(lines) == len(urls)
    for line, url, reason in zip(lines, urls, (*reasons, "refused"), strict=True):
        assert url in line
        assert reason in line.split(url)[1]
    assert not (folder / NAME).exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="CVCOURSE_DATA"):
        fetch(NAME, ["http://127.0.0.1:1/"], SHA256, tmp_path / "file" / "folder")


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The progress bars that are made from here on; they show, whatever TQDM_DISABLE says."""
    made = []

    class Bar(progress_module.tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs | {"disable": False})
            made.append(self)

    monkeypatch.setattr(progress_module, "tqdm", Bar)
    return made


def test_progress_counts_the_bytes(mirrors: Mirrors, tmp_path: Path, bars: list[Any]) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(BODY[:HALF])
    get(mirrors, tmp_path, "good")
    (bar,) = bars
    assert (bar.desc, bar.initial, bar.n, bar.total) == (NAME, HALF, len(BODY), len(BODY))


@pytest.mark.usefixtures("bars")
def test_a_short_download_prints_nothing(
    mirrors: Mirrors, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    get(mirrors, tmp_path, "good")
    assert capfd.readouterr() == ("", "")


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CVCOURSE_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.setenv("CVCOURSE_DATA", "~/sets")
    assert data_folder() == Path.home() / "sets"
    for empty in (monkeypatch.delenv, lambda name: monkeypatch.setenv(name, "")):
        empty("CVCOURSE_DATA")
        assert data_folder() == Path.home() / ".cache" / "cvcourse"


def test_without_a_home_it_is_said_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where there is none
    monkeypatch.delenv("CVCOURSE_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"no home directory .* CVCOURSE_DATA"):
        data_folder()
