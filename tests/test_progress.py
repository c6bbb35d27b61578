import sys
import time

import pytest

import cvcourse.progress as module
from cvcourse.progress import progress


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The settings that the bar is made with, once it is made."""
    settings_seen: dict[str, object] = {}

    def stand_in(iterable: object, **settings: object) -> None:
        settings_seen.update(settings)

    monkeypatch.setattr(module, "tqdm", stand_in)
    return settings_seen


def test_it_passes_the_items_on() -> None:
    assert list(progress([3, 1, 2])) == [3, 1, 2]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_log_file_gets_few_plain_lines_and_a_terminal_a_moving_bar(
    terminal: bool, made: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    progress([1])
    assert made["delay"] == 2
    assert not made["leave"]
    assert made.get("mininterval", 0.1) == (0.1 if terminal else 30)


def test_what_is_quick_shows_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    for _ in progress(range(3), disable=False):
        time.sleep(0.01)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", ["1", "0", ""])
def test_the_environment_silences_the_bar_in_notebooks_too(
    value: str, made: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """tqdm's notebook form ignores TQDM_DISABLE, and bars ended up in the stored notebooks."""
    monkeypatch.setenv("TQDM_DISABLE", value)
    progress([1])
    assert made.get("disable", False) == (value == "1")
