"""The last record of each scene in the logs of a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cloudfree.core.batch_log import last_records


def write_log(path: Path, *records: dict[str, Any]) -> None:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")


def record(name: str, ended: str, state: str = "filled", **more: Any) -> dict[str, Any]:
    return {"name": name, "ended": ended, "state": state, **more}


def test_the_last_record_of_a_scene_counts_in_whichever_log_it_stands(tmp_path: Path) -> None:
    early, late = record("a", "2024-01-01", "failed"), record("a", "2024-01-02")
    write_log(tmp_path / "batch-1-of-2.jsonl", late)
    write_log(tmp_path / "batch-2-of-2.jsonl", early, record("b", "2024-01-01"))
    found = last_records(tmp_path, lambda one: True)
    assert found == {"a": late, "b": record("b", "2024-01-01")}


def test_records_that_are_not_asked_for_do_not_count(tmp_path: Path) -> None:
    filled, failed = record("a", "2024-01-01"), record("a", "2024-01-02", "failed")
    write_log(tmp_path / "batch.jsonl", filled, failed)
    assert last_records(tmp_path, lambda one: one["state"] == "filled") == {"a": filled}


def test_lines_that_are_no_records_are_skipped(tmp_path: Path) -> None:
    good = record("a", "2024-01-01")
    lines = [
        "[]",
        '{"name": "b"}',
        json.dumps(record("c", "2024")).replace('"c"', "3"),
        "{cut o",
        "[" * 100_000,
    ]
    text = "\n".join([*lines, json.dumps(good), '{"name": "d", "ended": "20'])
    (tmp_path / "batch.jsonl").write_text(text, encoding="utf-8")
    assert last_records(tmp_path, lambda one: True) == {"a": good}
    assert last_records(tmp_path / "none", lambda one: True) == {}
