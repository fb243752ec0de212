"""`python -m cloudfree.training.detector`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from cloudfree.cloudmask.network_detector import DETECTOR_BANDS, NetworkDetector
from tests.factories.regions import write_regions


def test_regions_in_a_detector_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    regions, run = write_regions(tmp_path / "regions"), tmp_path / "run"
    words = ["--regions", str(regions), "--run", str(run), "--leave-out", "town"]
    monkeypatch.setattr(sys, "argv", ["detector", *words, "--samples", "2", "--steps", "2"])
    runpy.run_module("cloudfree.training.detector", run_name="__main__")
    planes = {band: np.full((70, 90), 0.1, np.float32) for band in DETECTOR_BANDS}
    found = NetworkDetector(run / "detector.onnx").probabilities(planes)
    assert found.cloud.shape == (70, 90)
