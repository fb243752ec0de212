"""Damaged files of every format end in a result or in a refusal of one line, and in nothing else.

A mutant that does not is made again by `python -m tests.fuzz FORMAT SEED FOLDER`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.fuzz.campaign import campaign
from tests.fuzz.formats import FORMATS
from tests.fuzz.worker import Worker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

SHORT = 8
# Of the long form, for each format; and the first of their seeds, which are not those of the short.
LONG = int(os.environ.get("CLOUDFREE_MUTANTS", "400"))
FIRST = int(os.environ.get("CLOUDFREE_FIRST_MUTANT", "1000"))


def _require_libraries(name: str) -> None:
    if "STAC API" in name:
        pytest.importorskip("pystac_client", reason="needs cloudfree[stac]")


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file(name: str, tmp_path: Path, worker: Worker) -> None:
    _require_libraries(name)
    found = campaign(FORMATS[name], tmp_path, worker, range(SHORT))
    assert not found.findings, "\n".join(map(str, found.findings))
    assert found.counts.total() == SHORT


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_damaged_in_many_ways(
    name: str, tmp_path: Path, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    _require_libraries(name)
    found = campaign(FORMATS[name], tmp_path, worker, range(FIRST, FIRST + LONG))
    with capsys.disabled():
        print(f"\n{name}: {found.counts.total()} mutants, {dict(found.counts)}")
    assert not found.findings, "\n".join(map(str, found.findings))
    assert found.counts.total() == LONG
