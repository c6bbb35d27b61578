"""Runs that were written down come back as they were."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from cvcourse.experiment import (
    check_record_path,
    load_record,
    load_records,
    record_names,
    records,
    repeat,
    save_record,
)


def rising(seed: int) -> dict[str, float]:
    return {"a": seed / 3, "b": seed + 1.0}


def finished(path: Path, **entries: object) -> Path:
    """What `make record` adds to what the notebook left."""
    content = json.loads(path.read_text()) | {"notebook": "00_water", "purpose": "wet"} | entries
    path.write_text(json.dumps(content))
    return path


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    results, path = repeat(rising, 3), tmp_path / "new" / "run.json"
    save_record(path, {"wet": results}, dataset="sea", depth=4000)
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]
    record = load_record(finished(path))
    np.testing.assert_allclose(record.results["wet"]["b"], results["b"], atol=1e-5)
    assert record.results["wet"].seeds == (0, 1, 2)
    assert "sea (depth 4,000)" in str(record)
    assert record.hardware
    assert set(record.versions) == {"python", "cvcourse", "torch", "numpy"}


def test_nothing_is_written_where_there_is_no_path(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_record("", {"wet": repeat(rising, 2)})
    assert not list(tmp_path.iterdir())


def test_a_record_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("the old one")
    with pytest.raises(ValueError, match="JSON has no word for"):
        save_record(path, {}, depth=object())
    assert path.read_text() == "the old one"


def test_a_missing_record_lists_those_there_are() -> None:
    with pytest.raises(FileNotFoundError, match="no record 'nothing'; the package has"):
        load_record("nothing")


def test_a_chapters_runs_on_its_pictures_come_the_shortest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    for name, pictures, budget in [
        ("00_water-long", "shapes", 4),
        ("00_water-middle", "shapes", 1),
        ("00_water-sea", "sea", 2),
        ("00_water-short", "shapes", 0.5),
        ("00_waterfall-shapes", "shapes", 3),
    ]:
        save_record(tmp_path / f"{name}.json", {"wet": repeat(rising, 2)}, dataset=pictures)
        finished(tmp_path / f"{name}.json", budget=budget)
    assert [record.budget for record in load_records("00_water")] == [0.5, 1, 4]
    assert [record.budget for record in load_records("00_water", "sea")] == [2]
    for wanted in [("00_water", "wood"), ("00_wat",)]:
        with pytest.raises(FileNotFoundError, match=r"no record of .*; .* 00_water-long"):
            load_records(*wanted)


@pytest.mark.parametrize("name", record_names())
def test_every_record_of_the_package_can_be_read(name: str) -> None:
    record = load_record(name)
    assert record.results
    assert record.purpose
    for made in record.claims:
        assert {"id", "verdict", "effect", "findings"} <= made.keys()
        assert f"{made['id']}: {made['verdict']}" in record.findings()


def test_a_place_for_a_record_is_tried_before_the_work(tmp_path: Path) -> None:
    check_record_path("")  # nowhere
    check_record_path(tmp_path / "new" / "run.json")
    assert not list((tmp_path / "new").iterdir())
    with pytest.raises(OSError, match=rf"is no regular file.*{tmp_path}"):
        check_record_path(tmp_path)


def test_a_pipe_is_no_record(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.json")
    with pytest.raises(OSError, match="is no regular file"):
        load_record(tmp_path / "run.json")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be set here")
def test_the_date_is_the_same_all_over_the_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = set()
    with monkeypatch.context() as patch:
        for zone in ("AAA-14", "BBB+12"):  # these two are never on one day
            patch.setenv("TZ", zone)
            time.tzset()
            save_record(tmp_path / "run.json", {})
            dates.add(json.loads((tmp_path / "run.json").read_text())["date"])
    time.tzset()
    assert len(dates) == 1
