"""Whatever the package prints can be printed everywhere."""

import io
import os
import subprocess
import sys
from typing import Any

import pytest
from torch import nn

from cvcourse.experiment import Finding, Record, claim, table, verdicts
from cvcourse.experiment.claims import Claim
from cvcourse.models import format_table, layer_table
from cvcourse.practice.exercise import Feedback
from cvcourse.receptive_field import receptive_field
from cvcourse.terminal import PLAIN, printable

FINDINGS = {"고양이 rises": Finding(None), "$é$ – it is": Finding(True)}
CLAIM = Claim("water-wet", "confirmed", FINDINGS, short="→ 젖다")
MADE = {
    "id": "고양이",
    "verdict": "confirmed",
    "effect": (),
    "findings": [{"what": "×", "holds": True}],
}
RECORD = Record("00_water", "wet", "2026-01-02", "4 × GPU", {"py": "3"}, {}, {}, (MADE,))
NETWORK = nn.Sequential(nn.Conv2d(3, 2, (3, 1)), nn.ReLU())

PRINTS = {
    "claim()": lambda: claim("x", "confirmed", FINDINGS, effect={"a": "–"}, short="s"),
    "claim": lambda: print(CLAIM),
    "record": lambda: print(RECORD),
    "what a record found": lambda: print(RECORD.findings()),
    "table": lambda: table(["고양이", "×"], {"été": [None], "개": ["→"]}),
    "verdicts": lambda: verdicts(CLAIM),
    "layers": lambda: print(format_table(layer_table(NETWORK, (3, 8, 8)))),
    "receptive field": lambda: print(receptive_field(NETWORK, (3, 8, 8))),
    "feedback": lambda: print(Feedback("✗", "Expected 3 × 3 – 고양이")),
}


@pytest.mark.parametrize("encoding", ["cp949", "cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("what", PRINTS)
def test_it_can_be_printed(what: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    PRINTS[what]()
    terminal.flush()
    out = terminal.buffer.getvalue().decode(encoding)
    if what in ("claim()", "claim"):
        marks = ("✓", "○") if encoding == "utf-8" else ("[holds]", "[open]")
        assert all(mark in out for mark in marks)
        assert ("고양이" in out) == (encoding in ("cp949", "utf-8"))
        assert ("é" in out) == (encoding in ("cp1252", "utf-8"))


CODE = """
from cvcourse.experiment import claim, more
findings = {"\\uace0\\uc591 \\xe9": more([1.0, 1.1, 1.2])}
made = claim("wet", "confirmed", findings, effect={"a": "b"}, short="s")
print(made)
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONIOENCODING": "cp949"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["cp949", "cp1252", "C"],
)
def test_a_claim_can_be_printed_in_a_process_of_its_own(settings: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=os.environ | settings, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"claim wet: confirmed") == 2, "once by itself, once by print"
    assert done.stdout.count(b"[holds]") == 2


@pytest.mark.parametrize("terminal", [io.StringIO(), object()], ids=["no encoding", "no name"])
def test_where_nothing_is_said_text_stays(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        assert printable("✓ 고양이") == "✓ 고양이"


def test_half_a_character_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    """As in the name of a file whose encoding is not the system's."""
    print(printable("\udce9t\udce9 ✓"))
    assert capsys.readouterr().out == "?t? [holds]\n"


def test_what_is_plain_is_plain() -> None:
    assert all(plain.isascii() for plain in PLAIN.values())
