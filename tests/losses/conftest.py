"""The numbers that the published code of losses gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def near(expected: float) -> Any:
    """Equal to a published number, which has the digits of float32."""
    return pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.fixture
def losses(golden: Path) -> dict[str, dict[str, float]]:
    """Published numbers by batch or network, then by loss."""
    found: dict[str, dict[str, float]] = json.loads(
        (golden / "losses" / "golden_losses.json").read_text()
    )
    return found
