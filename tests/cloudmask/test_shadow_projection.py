from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.pixel_axes import PixelAxes
from cloudfree.cloudmask.shadow_projection import SHADOW_REACH_M, ShadowProjection
from cloudfree.core.window import strips
from tests.factories.cloudy_scenes import TEN_METRE_AXES

lengths = st.floats(-60, 60)


@given(lengths, lengths, st.floats(0, 1))
def test_the_shadow_of_one_pixel_is_an_unbroken_line(row: float, col: float, from_: float) -> None:
    cloud = np.zeros((161, 161), dtype=bool)
    cloud[80, 80] = True
    cast = ShadowProjection.between((from_ * row, from_ * col), (row, col))
    rows, cols = np.nonzero(cast.of(cloud))
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
    southern_sun = ShadowProjection.away_from_sun(180.0, TEN_METRE_AXES).of(cloud)
    rows, cols = np.nonzero(southern_sun)
    assert set(cols) == {250}
    assert (rows.min(), rows.max()) == (250 - SHADOW_REACH_M / 10, 250)
    eastern_sun = ShadowProjection.away_from_sun(90.0, TEN_METRE_AXES).of(cloud)
    rows, cols = np.nonzero(eastern_sun)
    assert set(rows) == {250}
    assert (cols.min(), cols.max()) == (50, 250)


def test_a_cloud_of_one_height_throws_its_own_shape() -> None:
    cloud = np.random.default_rng(0).random((40, 50)) < 0.2
    shadow = ShadowProjection.away_from_sun(180.0, TEN_METRE_AXES, (70.0, 70.0)).of(cloud)
    np.testing.assert_array_equal(shadow[:-7], cloud[7:])
    assert not shadow[-7:].any()


@given(st.floats(0, 360), st.floats(0, 800), st.floats(0, 1200))
def test_the_halo_covers_the_farthest_shadow(azimuth: float, near: float, more: float) -> None:
    cloud = np.zeros((401, 3), dtype=bool)
    cloud[200] = True
    cast = ShadowProjection.away_from_sun(azimuth, TEN_METRE_AXES, (near, near + more))
    rows, _ = np.nonzero(cast.of(cloud))
    assert np.abs(rows - 200).max(initial=0) <= cast.halo_px <= 203


@given(st.integers(0, 10_000), st.integers(1, 30), lengths, lengths)
def test_strips_with_their_halo_are_cast_like_the_whole(
    seed: int, rows: int, row: float, col: float
) -> None:
    cloud = np.random.default_rng(seed).random((90, 40)) < 0.02
    cast = ShadowProjection.between((row / 3, col / 2), (row, col))
    whole = cast.of(cloud)
    for window in strips(90, 40, rows):
        outer = window.grown(cast.halo_px, 90, 40)
        part = cast.of(cloud[outer.slices])[window.within(outer)]
        np.testing.assert_array_equal(part, whole[window.slices])


@given(st.integers(1, 5), st.integers(1, 5), lengths, lengths)
def test_a_scene_smaller_than_a_shadow_is_cast_too(
    height: int, width: int, row: float, col: float
) -> None:
    cloud = np.ones((height, width), dtype=bool)
    assert ShadowProjection.between((0.0, 0.0), (row, col)).of(cloud).all()
    beyond = ShadowProjection.between((height, 0.0), (height + row**2, col))
    assert not beyond.of(cloud).any()


def test_a_cast_of_no_length_reaches_the_clouds_alone() -> None:
    cloud = np.eye(5, dtype=bool)
    np.testing.assert_array_equal(ShadowProjection().of(cloud), cloud)


def test_axes_of_every_fourth_pixel_move_a_quarter() -> None:
    axes = PixelAxes(north=(-0.1, 0.02), east=(0.02, 0.1))
    whole = np.array(axes.displacement(33.0, 1000.0))
    np.testing.assert_allclose(axes.every(4).displacement(33.0, 1000.0), whole / 4)
