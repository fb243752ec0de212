"""Cloud shadows: how dark they are and where clouds can cast them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.shadow import (
    SHADOW_REACH_M,
    PixelAxes,
    ShadowProjection,
    ShadowStatistics,
    ShadowThresholds,
)
from cloudfree.core.grid import strips
from tests.cloudmask.test_score import GOLDEN
from tests.factories.cloudy_scenes import TEN_METRE_AXES, cloudy_scene, planes_of


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


lengths = st.floats(-60, 60)


@given(lengths, lengths, st.floats(0, 1))
def test_the_shadow_of_one_pixel_is_an_unbroken_line(row: float, col: float, from_: float) -> None:
    cloud = np.zeros((161, 161), dtype=bool)
    cloud[80, 80] = True
    cast = ShadowProjection.between((from_ * row, from_ * col), (row, col))
    rows, cols = np.nonzero(cast.project(cloud))
    offsets = np.stack([rows - 80, cols - 80], axis=1)
    length = max(np.hypot(row, col), 1e-9)
    along = offsets @ (row, col) / length
    across = offsets @ (-col, row) / length
    assert abs(along.min() - from_ * length) < 1
    assert abs(along.max() - length) < 4
    # log2(60) shifts, each rounded to whole pixels.
    assert np.abs(across).max() < 4
    assert np.diff(np.sort(along)).max(initial=0) < 3


def test_shadows_fall_away_from_the_sun_for_two_kilometres() -> None:
    cloud = np.zeros((500, 500), dtype=bool)
    cloud[250, 250] = True
    southern_sun = ShadowProjection.away_from_sun(180.0, TEN_METRE_AXES).project(cloud)
    rows, cols = np.nonzero(southern_sun)
    assert set(cols) == {250}
    assert (rows.min(), rows.max()) == (250 - SHADOW_REACH_M / 10, 250)
    eastern_sun = ShadowProjection.away_from_sun(90.0, TEN_METRE_AXES).project(cloud)
    rows, cols = np.nonzero(eastern_sun)
    assert set(rows) == {250}
    assert (cols.min(), cols.max()) == (50, 250)


def test_a_cloud_of_one_height_throws_its_own_shape() -> None:
    cloud = np.random.default_rng(0).random((40, 50)) < 0.2
    shadow = ShadowProjection.away_from_sun(180.0, TEN_METRE_AXES, (70.0, 70.0)).project(cloud)
    np.testing.assert_array_equal(shadow[:-7], cloud[7:])
    assert not shadow[-7:].any()


@given(st.floats(0, 360), st.floats(0, 800), st.floats(0, 1200))
def test_the_halo_covers_the_farthest_shadow(azimuth: float, near: float, more: float) -> None:
    cloud = np.zeros((401, 3), dtype=bool)
    cloud[200] = True
    cast = ShadowProjection.away_from_sun(azimuth, TEN_METRE_AXES, (near, near + more))
    rows, _ = np.nonzero(cast.project(cloud))
    assert np.abs(rows - 200).max(initial=0) <= cast.halo_px <= 203


@given(st.integers(0, 10_000), st.integers(1, 30), lengths, lengths)
def test_strips_with_their_halo_are_cast_like_the_whole(
    seed: int, rows: int, row: float, col: float
) -> None:
    cloud = np.random.default_rng(seed).random((90, 40)) < 0.02
    cast = ShadowProjection.between((row / 3, col / 2), (row, col))
    whole = cast.project(cloud)
    for window in strips(90, 40, rows):
        outer = window.buffered(cast.halo_px, 90, 40)
        part = cast.project(cloud[outer.slices])[window.relative_to(outer)]
        np.testing.assert_array_equal(part, whole[window.slices])


@given(st.integers(1, 5), st.integers(1, 5), lengths, lengths)
def test_a_scene_smaller_than_a_shadow_is_cast_too(
    height: int, width: int, row: float, col: float
) -> None:
    cloud = np.ones((height, width), dtype=bool)
    assert ShadowProjection.between((0.0, 0.0), (row, col)).project(cloud).all()
    beyond = ShadowProjection.between((height, 0.0), (height + row**2, col))
    assert not beyond.project(cloud).any()


def test_a_cast_of_no_length_reaches_the_clouds_alone() -> None:
    cloud = np.eye(5, dtype=bool)
    np.testing.assert_array_equal(ShadowProjection().project(cloud), cloud)


def test_axes_of_every_fourth_pixel_move_a_quarter() -> None:
    axes = PixelAxes(north=(-0.1, 0.02), east=(0.02, 0.1))
    whole = np.array(axes.displacement(33.0, 1000.0))
    np.testing.assert_allclose(axes.every(4).displacement(33.0, 1000.0), whole / 4)


@pytest.mark.parametrize("number", [1e5, 6.5535, -0.5, -5.0], ids=str)
def test_one_damaged_pixel_does_not_move_the_thresholds(number: float) -> None:
    """A minimum and a mean do: one negative pixel ended all shadows of a scene."""
    pixels, _, _ = cloudy_scene()
    before = _thresholds(pixels)
    pixels[:, 50, 50] = number
    after = _thresholds(pixels)
    assert after.index == pytest.approx(before.index, abs=1e-4)
    assert after.blue == pytest.approx(before.blue, abs=1e-4)


def test_few_pixels_far_below_all_others_are_not_the_darkest_of_a_scene() -> None:
    pixels, _, _ = cloudy_scene()
    before = _thresholds(pixels)
    pixels[:, 50, 50:80] = 1e-4  # of numbers that are zero
    after = _thresholds(pixels)
    assert after.blue == pytest.approx(before.blue, abs=1e-4)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_without_damage_the_minimum_is_the_published_one(rows: int) -> None:
    pixels, _, _ = cloudy_scene(seed=3)
    blue = planes_of(pixels)["B02"]
    mean, lowest = float(blue.astype(np.float64).mean()), float(blue.min())
    parts = np.split(pixels, range(rows, pixels.shape[1], rows), axis=1)
    assert _thresholds(*parts).blue == pytest.approx(lowest + 5 / 6 * (mean - lowest))
