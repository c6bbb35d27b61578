"""A record as a file and as a text, to the letter."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from cvcourse.experiment import Record, hardware, load_record, record_names, repeat, save_record
from cvcourse.experiment import records as module

EFFECTS = (
    {"what": "gain", "estimate": 0.1234, "low": 0.1, "high": 0.2, "seeds": 3, "format": "+.2f"},
    {"what": "drops", "estimate": 12345, "format": ","},
    {"what": "taste", "text": "none"},
    {"what": "", "text": "wet"},
)
FINDINGS = ({"what": "it is", "holds": True}, {"what": "it stays", "holds": None})
CLAIMS = (
    {"id": "water-wet", "verdict": "confirmed", "effect": EFFECTS, "findings": FINDINGS},
    {"id": "water-dry", "verdict": "corrected", "effect": (), "findings": ()},
)


def record_of(**settings: object) -> Record:
    versions = {"python": "3.12", "torch": "2.10"}
    return Record("00_water", "wet", "2026-01-02", "a kettle", versions, settings, {}, CLAIMS)


def test_a_record_is_told_in_two_lines() -> None:
    assert str(record_of(dataset="sea", depth=4000, seeds=3, salt="yes")) == (
        "sea (depth 4,000, seeds 3)\n2026-01-02, a kettle; python 3.12, torch 2.10"
    )
    assert record_of().dataset == "shapes", "where nothing is said"


def test_what_became_of_its_claims_is_told_in_lines() -> None:
    assert record_of().findings().splitlines() == [
        "water-wet: confirmed, open in this run",
        "  gain +0.12 [+0.10, +0.20]",
        "  drops 12,345",
        "  taste none",
        "  wet",
        "    ✓ it is",
        "    ○ it stays",
        "water-dry: corrected",
    ]


def test_what_failed_is_told_before_what_is_open() -> None:
    held = {"what": "it is", "holds": True}
    for holds, told in (
        ([True], ""),
        ([True, None], ", open in this run"),
        ([None, False], ", not reproduced in this run"),
    ):
        findings = [held | {"holds": one} for one in holds]
        made = {"id": "wet", "verdict": "confirmed", "effect": (), "findings": findings}
        record = Record("n", "p", "2026-01-02", "a kettle", {}, {}, {}, (made,))
        assert record.findings().splitlines()[0] == f"wet: confirmed{told}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.array([np.nan]), object()])
def test_what_json_has_no_word_for_is_refused(value: object, tmp_path: Path) -> None:
    results = repeat(lambda seed: {"arm": float(seed)}, 2)
    with pytest.raises(ValueError, match="JSON has no word for"):
        save_record(tmp_path / "run.json", {"main": results}, setting=value)
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_was_not_reached_is_null_and_nan_again(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    results = repeat(lambda seed: {"arm": [np.nan, 0.5], "one": np.nan if seed else 1.0}, 2)
    save_record(path, {"main": results}, at=np.arange(2), rate=np.float32(0.5))
    saved = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert saved["results"]["main"]["values"] == {"arm": [[None, 0.5]] * 2, "one": [1.0, None]}
    assert saved["settings"] == {"at": [0, 1], "rate": 0.5}
    path.write_text(json.dumps(saved | {"notebook": "n", "purpose": "p"}))
    loaded = load_record(path).results["main"]
    np.testing.assert_array_equal(loaded["arm"], results["arm"])
    np.testing.assert_array_equal(loaded["one"], results["one"])


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"results": {"a": 3}}'])
def test_a_file_that_is_no_record_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"run.json is no record"):
        load_record(path)


def test_the_file_is_readable_and_rounded(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    results = repeat(lambda seed: {"größe": seed + 1 / 3}, 2)
    before = datetime.now(UTC).date()
    save_record(path, {"wet": results}, place="Köln")
    text = path.read_text("utf-8")
    saved = json.loads(text)
    assert text == json.dumps(saved, indent=1, ensure_ascii=False) + "\n"
    assert before <= datetime.fromisoformat(saved["date"]).date() <= datetime.now(UTC).date()
    assert saved["results"] == {"wet": {"seeds": [0, 1], "values": {"größe": [0.33333, 1.33333]}}}
    assert saved["settings"] == {"place": "Köln"}
    assert saved["hardware"] == hardware()
    assert saved["versions"]["python"] == platform.python_version()
    path.write_text(json.dumps(saved | {"notebook": "n", "purpose": "p", "claims": CLAIMS}))
    loaded = load_record(path)
    assert loaded.settings == {"place": "Köln"}
    assert [made["id"] for made in loaded.claims] == ["water-wet", "water-dry"]
    assert loaded.results["wet"]["größe"].tolist() == [0.33333, 1.33333]


def test_the_records_of_the_package_are_named_without_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECORDS", tmp_path)
    for name in ("b.json", "a.json", "notes.md"):
        (tmp_path / name).write_text("{}")
    assert record_names() == ["a", "b"]
    with pytest.raises(FileNotFoundError, match="no record 'c'; the package has a, b"):
        load_record("c")


@pytest.mark.parametrize(("threads", "words"), [(1, "1 thread"), (2, "2 threads")])
def test_the_hardware_is_the_processor_and_its_threads(
    threads: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(module, "_processor", lambda: "an abacus")
    assert hardware() == f"an abacus, {words}"


def test_the_hardware_is_the_gpus_where_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H100")
    assert hardware() == "2 × H100"


@pytest.mark.parametrize(
    ("listing", "processor", "words"),
    [
        (
            "processor : 0\nmodel name\t: Chip 3: fast: yes\nmodel name\t: other\n",
            "x",
            "Chip 3: fast: yes",
        ),
        ("processor : 0\n", "Mill", "Mill"),
        (None, "Mill", "Mill"),
        (None, "", "engine"),
    ],
)
def test_the_processor_is_what_the_system_says(
    listing: str | None,
    processor: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def file(name: str) -> Path:
        asked.append(name)
        return tmp_path / "cpuinfo"

    if listing is not None:
        (tmp_path / "cpuinfo").write_text(listing)
    monkeypatch.setattr(module, "Path", file)
    monkeypatch.setattr(platform, "processor", lambda: processor)
    monkeypatch.setattr(platform, "machine", lambda: "engine")
    assert module._processor() == words
    assert asked == ["/proc/cpuinfo"]


def test_results_are_doubles_in_the_first_seeds_order() -> None:
    def outcome(seed: int) -> dict[str, object]:
        arms = {"a": torch.tensor([0.1, 0.2]), "b": np.float32(0.5), "c": 1}
        return arms if seed == 0 else dict(reversed(arms.items()))

    results = repeat(outcome, 2)
    assert list(results.values) == ["a", "b", "c"]
    assert {values.dtype for values in results.values.values()} == {np.dtype(np.float64)}
