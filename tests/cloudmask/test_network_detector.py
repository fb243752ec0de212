"""The default detector: any bands from the four of 10 m on, of any size, with gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.cloudmask import network_detector
from cloudfree.cloudmask.network_detector import (
    DETECTOR_BANDS,
    NEEDED_BANDS,
    STRIDE,
    NetworkDetector,
    default_weights,
)
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import InputError, ModelError
from cloudfree.simulation.atmosphere import LOW_CLOUD

GROUND = np.array([0.12, 0.1, 0.09, 0.1, 0.12, 0.22, 0.25, 0.24, 0.26, 0.1, 0.001, 0.24, 0.17])


def _planes(
    bands: tuple[str, ...] = DETECTOR_BANDS, height: int = 96, width: int = 128
) -> dict[str, np.ndarray]:
    """Cells of ground with some texture, and of a thick cloud in the upper left quarter."""
    rng = np.random.default_rng(0)
    texture = rng.normal(1.0, 0.05, (height, width)).astype(np.float32)
    planes = {}
    for band in bands:
        number = OPTICAL_BANDS.index(band)
        plane = GROUND[number].astype(np.float32) * texture
        plane[: height // 2, : width // 2] = LOW_CLOUD[number] * texture[0, 0]
        planes[band] = plane
    return planes


@pytest.mark.parametrize(
    "bands",
    [
        DETECTOR_BANDS,
        tuple(band for band in DETECTOR_BANDS if band != "B10"),
        tuple(band for band in DETECTOR_BANDS if band not in ("B01", "B09", "B10")),
        NEEDED_BANDS,
    ],
    ids=["L1C", "L2A", "10 bands", "4 bands"],
)
def test_a_thick_cloud_is_found_with_any_bands(bands: tuple[str, ...]) -> None:
    found = NetworkDetector().probabilities(_planes(bands))
    cloud = found.cloud + found.thin_cloud
    assert cloud[8:40, 8:56].mean() > 0.9
    assert cloud[60:90, 70:120].mean() < 0.1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 70), (64, 64), (65, 127)])
def test_scenes_of_any_size_have_a_probability_for_each_cell(height: int, width: int) -> None:
    planes = {band: np.full((height, width), 0.1, np.float32) for band in DETECTOR_BANDS}
    found = NetworkDetector().probabilities(planes)
    assert found.cloud.shape == (height, width)
    total = found.cloud + found.thin_cloud + found.shadow + found.snow
    assert ((total >= 0) & (total <= 1 + 1e-5)).all()


def test_a_wide_scene_is_seen_in_parts_that_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    planes = _planes(width=512)
    whole = NetworkDetector().probabilities(planes).cloud
    monkeypatch.setattr(network_detector, "MOST_CELLS", 4 * STRIDE)
    parts = NetworkDetector().probabilities(planes).cloud
    assert parts.shape == whole.shape
    assert np.abs(parts - whole).max() < 0.1
    assert np.abs(parts - whole).mean() < 0.001


def test_a_gap_changes_little_beside_it() -> None:
    whole, gap = _planes(), _planes()
    for plane in gap.values():
        plane[:, 100:] = np.nan
    found, expected = (NetworkDetector().probabilities(one) for one in (gap, whole))
    assert np.isfinite(found.cloud).all()
    assert np.abs(found.cloud - expected.cloud)[:, :80].mean() < 0.02


def test_a_scene_without_any_data_is_no_error() -> None:
    planes = {band: np.full((64, 64), np.nan, np.float32) for band in DETECTOR_BANDS}
    assert np.isfinite(NetworkDetector().probabilities(planes).cloud).all()


def test_the_four_bands_of_ten_metres_are_needed() -> None:
    with pytest.raises(InputError, match="no band B08") as refusal:
        NetworkDetector().bands(("B02", "B03", "B04"))
    assert "--mask" in str(refusal.value)
    assert NetworkDetector().bands(("B08", "B02", "B8A", "B03", "B04")) == NEEDED_BANDS


def test_without_the_weights_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudfree.cloudmask.network_detector.model_folders", list)
    with pytest.raises(ModelError, match=r"detector\.onnx"):
        default_weights()


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"not a network")
    planes = {band: np.full((64, 64), 0.1, np.float32) for band in DETECTOR_BANDS}
    with pytest.raises(ModelError, match=r"detector\.onnx cannot be loaded"):
        NetworkDetector(path).probabilities(planes)
