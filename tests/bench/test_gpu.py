"""The bench's own instruments."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.bench.gpu import busy_percent
from tests.factories.patience import PATIENCE_S

SCRIPT = """
import pathlib, sys, time
print(10), print(90, flush=True)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""


def test_utilisation_is_collected_until_the_work_ends(tmp_path: Path) -> None:
    printed, start = tmp_path / "printed", time.monotonic()
    with busy_percent([sys.executable, "-c", SCRIPT, str(printed)]) as busy:
        while not printed.exists():
            assert time.monotonic() - start < PATIENCE_S
            time.sleep(0.01)
    assert busy == [10, 90]
