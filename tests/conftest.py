"""What all tests share: where the real imagery is, and small scenes made by code."""

from __future__ import annotations

import logging
import os

# Small arrays gain nothing from threads, and on a busy machine threads wait for each other. This
# must be said before the first library reads it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are shared and slow at times: a law that holds slowly still holds.
settings.register_profile("cloudfree", deadline=None, derandomize=True)
settings.load_profile("cloudfree")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"no real imagery: {variable} names no folder and there is none at its default")
    return folder


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """What a command in this process does to its log ends with the test."""
    logger = logging.getLogger("cloudfree")
    handlers, propagate, level = logger.handlers[:], logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real Sentinel imagery; the test skips where it is absent."""
    return _folder("CLOUDFREE_TEST_DATA", SHARED / "data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of golden numbers; the test skips where it is absent."""
    return _folder("CLOUDFREE_TEST_GOLDEN", SHARED / "golden")
