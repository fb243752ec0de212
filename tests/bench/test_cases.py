"""Every case of the bench runs, on a small scene."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.case import main
from tests.bench.mask_cases import CASES as MASK_CASES
from tests.bench.remove_cases import CASES as REMOVE_CASES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the scene is kept from one case to the next."""
    return tmp_path_factory.mktemp("scenes")


@pytest.mark.parametrize("name", [*MASK_CASES, *REMOVE_CASES])
def test_the_case_runs_and_prints_its_seconds(
    name: str, scenes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "monai_all":
        pytest.importorskip("monai", reason="MONAI, which the bench installs, is not there")
    monkeypatch.setenv("CLOUDFREE_BENCH_DIR", str(scenes))
    main([name, "256"])
    assert json.loads(capsys.readouterr().out)["seconds"] > 0
