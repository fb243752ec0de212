"""The logs of `cloudfree batch` among its results: a line of JSON for each scene that ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_KEYS = {"name", "ended", "state"}


def last_records(folder: Path, has: Callable[[Mapping[str, Any]], bool]) -> dict[str, Record]:
    """The last record by the name of its scene, among those for which `has` is true.

    All shards of a batch are read. A line that a full disk or a killed run left cut off is none.
    """
    found: dict[str, Record] = {}
    for log in sorted(folder.glob("batch*.jsonl")):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            record = _record(line)
            if record is None or not has(record):
                continue
            known = found.get(record["name"])
            if known is None or known["ended"] <= record["ended"]:
                found[record["name"]] = record
    return found


def _record(line: str) -> Record | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in _KEYS):
        return None
    return record
