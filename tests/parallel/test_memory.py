"""Memory of this process, now and at its peak."""

from __future__ import annotations

import sys
from multiprocessing import get_context

import numpy as np
import pytest

from cloudfree.parallel import memory
from cloudfree.parallel.memory import peak_bytes, resident_bytes

LARGE = 300_000_000

linux = pytest.mark.skipif(sys.platform != "linux", reason="what /proc says")


@linux
def test_the_peak_stays_when_memory_is_given_back() -> None:
    before = resident_bytes()
    held = np.ones(LARGE // 8)
    assert before is not None and resident_bytes() > before + 0.9 * held.nbytes
    del held
    assert resident_bytes() < before + 0.5 * LARGE
    assert peak_bytes() > before + 0.9 * LARGE


@linux
def test_the_peak_of_a_child_is_not_that_of_its_parent() -> None:
    held = np.ones(LARGE // 8)
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(peak_bytes) < 0.5 * held.nbytes


def test_without_proc_the_peak_is_that_of_the_usage(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("resource")
    exact = peak_bytes()
    monkeypatch.setattr(memory, "_STATUS", tmp_path_factory.mktemp("no") / "status")
    assert resident_bytes() is None
    counted = peak_bytes()
    assert exact is not None and counted is not None
    assert counted >= 0.9 * exact
