"""Every case of the bench runs, on a small scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.case import find_case
from tests.bench.mask_cases import CASES as MASK_CASES
from tests.bench.remove_cases import CASES as REMOVE_CASES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the scene is kept from one case to the next."""
    return tmp_path_factory.mktemp("scenes")


@pytest.mark.parametrize("name", [*MASK_CASES, *REMOVE_CASES])
def test_the_case_runs(
    name: str, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "monai_all":
        pytest.importorskip("monai", reason="MONAI, which the bench installs, is not there")
    monkeypatch.setenv("CLOUDFREE_BENCH_DIR", str(scenes))
    find_case(name)(256, tmp_path)
