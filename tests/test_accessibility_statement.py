"""What the book says of its accessibility names every criterion, and tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "book" / "accessibility.md").read_text("utf-8")
#: WCAG 2.2, levels A and AA: https://www.w3.org/TR/WCAG22/. 4.1.1 has gone.
A = """1.1.1 1.2.1 1.2.2 1.2.3 1.3.1 1.3.2 1.3.3 1.4.1 1.4.2 2.1.1 2.1.2 2.1.4 2.2.1 2.2.2 2.3.1
2.4.1 2.4.2 2.4.3 2.4.4 2.5.1 2.5.2 2.5.3 2.5.4 3.1.1 3.2.1 3.2.2 3.2.6 3.3.1 3.3.2 3.3.7 4.1.2"""
AA = """1.2.4 1.2.5 1.3.4 1.3.5 1.4.3 1.4.4 1.4.5 1.4.10 1.4.11 1.4.12 1.4.13 2.4.5 2.4.6 2.4.7
2.4.11 2.5.7 2.5.8 3.1.2 3.2.3 3.2.4 3.3.3 3.3.4 3.3.8 4.1.3"""
LEVELS = dict.fromkeys(A.split(), "A") | dict.fromkeys(AA.split(), "AA")
ROW = re.compile(
    r"^\| (\d[\d.]+) [^|]+ \| (\w+) \| ([a-z ]+) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE
)
TEST = re.compile(r"^\| ([a-z ]+) \| [^|]+ \| `([^`]+)` \|$", re.MULTILINE)


def test_every_criterion_stands_in_the_table_once_and_in_order() -> None:
    rows = ROW.findall(TEXT)
    assert len(rows) == len(LEVELS) == 55
    assert {number: level for number, level, _, _ in rows} == LEVELS
    numbers = [tuple(map(int, number.split("."))) for number, *_ in rows]
    assert numbers == sorted(numbers)


def test_what_is_met_is_counted_and_what_is_not_is_told() -> None:
    met = {number: answer for number, _, answer, _ in ROW.findall(TEXT)}
    assert set(met.values()) == {"yes", "in part", "not here"}
    lacking = {number for number, answer in met.items() if answer == "in part"}
    assert f"**{len(met) - len(lacking)} of its {len(met)} criteria are met**" in TEXT
    assert set(re.findall(r"\(\[([\d.]+)\]", TEXT)) == lacking


def test_every_test_that_is_named_exists_and_is_said_to_check_something() -> None:
    files = dict(TEST.findall(TEXT))
    assert [path for path in files.values() if not (ROOT / path).is_file()] == []
    assert set(re.findall(r"`(tests/[^`]+)`", TEXT)) == set(files.values())
    named = {name for *_, checks in ROW.findall(TEXT) for name in checks.split(", ")}
    assert named == {*files, "reading"}
