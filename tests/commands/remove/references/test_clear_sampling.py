"""Hidden pixels give nothing to their neighbours and take as little as can be."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from cloudfree.commands.remove.references.clear_sampling import (
    sample_clear,
    source_positions,
    window_around,
)
from cloudfree.core.grid import Grid, Window
from cloudfree.raster.warp import positions

SIDE = 40
UTM31, UTM32 = (CRS.from_epsg(code).to_wkt() for code in (32631, 32632))
TEN_METRES = Affine(10, 0, 700_000, 0, -10, 5_000_000)


def _places(row: float, col: float) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.mgrid[:SIDE, :SIDE].astype(float)
    return rows + row, cols + col


def _image(value: float = 0.2) -> np.ndarray:
    return np.full((2, SIDE, SIDE), value, np.float32)


def _waves() -> np.ndarray:
    rows, cols = np.mgrid[:SIDE, :SIDE]
    return np.stack([np.sin(rows / 5), np.cos(cols / 4)]).astype(np.float32)


def test_a_position_on_a_pixel_takes_its_value_alone() -> None:
    image = np.random.default_rng(0).uniform(0, 1, (2, SIDE, SIDE)).astype(np.float32)
    image[:, 10:20, 5:9] = np.nan
    np.testing.assert_array_equal(sample_clear(image, *_places(0, 0)), image)
    moved = sample_clear(image, *_places(3, -2))
    np.testing.assert_array_equal(moved[:, :-3, 2:], image[:, 3:, :-2])
    assert np.isnan(moved[:, -3:]).all() and np.isnan(moved[..., :2]).all()


def test_between_pixels_smooth_ground_stays_what_it_is() -> None:
    rows, cols = _places(0.37, 0.61)
    sampled = sample_clear(_waves(), rows, cols)[:, 3:-3, 3:-3]
    expected = np.stack([np.sin(rows / 5), np.cos(cols / 4)])[:, 3:-3, 3:-3]
    np.testing.assert_allclose(sampled, expected, atol=0.02)


@settings(max_examples=30)
@given(
    st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 30), st.integers(0, 30), st.integers(1, 9)
)
def test_nothing_of_what_is_hidden_shows(
    row: float, col: float, top: int, left: int, side: int
) -> None:
    image = _waves()
    hidden = (slice(None), slice(top, top + side), slice(left, left + side))
    image[hidden] = np.nan
    seen = sample_clear(image, *_places(row, col))
    level = _image()
    level[hidden] = np.nan
    sampled = sample_clear(level, *_places(row, col))
    np.testing.assert_allclose(sampled[np.isfinite(sampled)], 0.2, rtol=1e-5)
    np.testing.assert_array_equal(np.isfinite(seen), np.isfinite(sampled))


@settings(max_examples=30)
@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_hidden_pixel_takes_one_pixel_of_ground(row: float, col: float) -> None:
    image = _image()
    image[:, 20, 20] = np.nan
    sampled = sample_clear(image, *_places(row, col))
    inner = sampled[0, 4:-4, 4:-4]
    assert 1 <= int(np.isnan(inner).sum()) <= 2


def test_half_a_pixel_beside_a_cloud_is_not_lost() -> None:
    image = _image()
    image[:, :20] = np.nan
    sampled = sample_clear(image, *_places(0.45, 0))
    assert np.isnan(sampled[:, :20]).all()
    np.testing.assert_allclose(sampled[:, 20:-1], 0.2, rtol=1e-6)


def test_positions_nowhere_are_hidden() -> None:
    rows, cols = _places(0, 0)
    rows[0], cols[1], rows[2], cols[3] = np.inf, np.nan, 1e9, -1e9
    sampled = sample_clear(_image(), rows, cols)
    assert np.isnan(sampled[:, :4]).all() and np.isfinite(sampled[:, 4:]).all()


@pytest.mark.parametrize(
    "window", [Window(5, 7, 200, 333), Window(0, 0, 1, 40), Window(3, 3, 1, 1)]
)
def test_positions_in_another_zone_are_those_of_the_projection(window: Window) -> None:
    here = Grid(UTM31, TEN_METRES, 1000, 1000)
    there = Grid(UTM32, Affine(10, 0, 230_000, 0, -10, 5_010_000), 1000, 1000)
    rows, cols = source_positions(here, window, there)
    assert rows.shape == cols.shape == (window.height, window.width)
    down, right = np.mgrid[window.slices]
    exact = positions(here, there, np.stack([right.ravel(), down.ravel()], axis=1) + 0.5) - 0.5
    np.testing.assert_allclose(np.stack([cols.ravel(), rows.ravel()], axis=1), exact, atol=1e-3)


def test_only_the_part_that_is_needed_is_read() -> None:
    source = Grid(UTM31, TEN_METRES, 100, 100)
    rows, cols = np.mgrid[50:60, 90:120].astype(float)
    assert window_around(rows, cols, source) == Window(47, 87, 16, 13)
    assert window_around(rows + 1000, cols, source) is None
    assert window_around(np.full_like(rows, np.inf), cols, source) is None
