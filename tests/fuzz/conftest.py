"""One process that reads mutants, for all formats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.worker import Worker


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """Runs command lines one after the other."""
    with Worker() as one:
        yield one
