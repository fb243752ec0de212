from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.shadow import ShadowStatistics, ShadowThresholds
from cloudfree.core.window import strips
from tests.cloudmask.test_score import GOLDEN
from tests.factories.cloudy_scenes import planes_of


def _thresholds(*parts: np.ndarray) -> ShadowThresholds:
    statistics = ShadowStatistics()
    for pixels in parts:
        statistics.add(planes_of(pixels))
    return statistics.thresholds()


@pytest.mark.parametrize("name", GOLDEN)
def test_candidates_equal_the_published_shadows(golden: Path, name: str) -> None:
    published = np.load(golden / "cloud_mask" / f"{name}.npz")
    pixels = published["s2_dn"] / np.float32(10_000)
    candidates = _thresholds(pixels).candidates(planes_of(pixels))
    np.testing.assert_array_equal(candidates, published["dsen2cr_shadow"] != 0)


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 40))
def test_thresholds_do_not_depend_on_how_the_scene_is_cut(
    seed: int, height: int, rows: int
) -> None:
    pixels = np.random.default_rng(seed).random((13, height, 7), dtype=np.float32)
    parts = [pixels[:, *window.slices] for window in strips(height, 7, rows)]
    assert _thresholds(*parts) == _thresholds(pixels)


def test_thresholds_stand_between_the_minimum_and_the_mean() -> None:
    planes = {
        "B02": np.array([[0.1, 0.3]], np.float32),  # mean 0.2
        "B08": np.array([[0.0, 0.4]], np.float32),
        "B11": np.array([[0.2, 0.6]], np.float32),  # index 0.1 and 0.5, mean 0.3
    }
    statistics = ShadowStatistics()
    statistics.add(planes)
    thresholds = statistics.thresholds()
    assert thresholds.index == pytest.approx(0.1 + 3 / 4 * 0.2)
    assert thresholds.blue == pytest.approx(0.1 + 5 / 6 * 0.1)
    np.testing.assert_array_equal(thresholds.dark(planes), [[True, False]])


def test_pixels_without_data_neither_count_nor_are_dark() -> None:
    pixels = np.random.default_rng(0).random((13, 6, 6), dtype=np.float32)
    framed = np.full((13, 10, 10), np.nan, dtype=np.float32)
    framed[:, 2:8, 2:8] = pixels
    thresholds = _thresholds(framed)
    assert thresholds == _thresholds(pixels)
    candidates = thresholds.candidates(planes_of(framed))
    inside = thresholds.candidates(planes_of(pixels))
    np.testing.assert_array_equal(candidates[2:8, 2:8], inside)


def test_a_scene_of_one_value_has_no_shadow() -> None:
    pixels = np.full((13, 9, 9), 0.123, dtype=np.float32)
    assert not _thresholds(pixels).candidates(planes_of(pixels)).any()
