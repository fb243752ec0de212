"""Sampling through a field gives what the warp gives wherever lines stay straight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.displacement import PolynomialDisplacement, Shift
from cloudfree.core.grid import Window
from cloudfree.raster.resample import triangle_mean
from cloudfree.sentinel1.geocoded import SarScene
from tests.sentinel1.test_geocoded import GRID, SOURCES, _speckle, _write

STRAIGHT = ((1.3, -0.4), (0.5, 0.2), (-0.7, 0.9))
AFFINE = PolynomialDisplacement(1, STRAIGHT, GRID.height, GRID.width)
FIELD = PolynomialDisplacement(2, (*STRAIGHT, *((0.0, 0.0),) * 3), GRID.height, GRID.width)
BENT = PolynomialDisplacement(
    2, (*STRAIGHT, (1.0, 0.0), (0.0, -1.5), (0.5, 0.5)), GRID.height, GRID.width
)


@pytest.mark.parametrize("name", SOURCES)
def test_a_straight_field_an_affine_and_a_shift_agree(tmp_path: Path, name: str) -> None:
    source = SOURCES[name]
    shift = Shift(1.3, -0.4)
    still = PolynomialDisplacement(1, ((1.3, -0.4), (0, 0), (0, 0)), GRID.height, GRID.width)
    with SarScene(_write(tmp_path / "a.tif", _speckle(source), source), "linear") as sar:
        by_shift, by_affine = (sar.on_grid(GRID, GRID.window, one) for one in (shift, still))
        turned, bent = (sar.on_grid(GRID, GRID.window, one) for one in (AFFINE, FIELD))
    assert np.abs(by_shift - by_affine).max() < 1e-4
    assert np.abs(turned - bent).max() < 1e-4
    assert np.abs(turned - by_shift).max() > 0.1


@pytest.mark.parametrize("displacement", [AFFINE, BENT], ids=["affine", "field"])
@pytest.mark.parametrize("name", SOURCES)
def test_any_window_equals_the_same_part_of_the_whole(
    tmp_path: Path, name: str, displacement: PolynomialDisplacement
) -> None:
    source = SOURCES[name]
    with SarScene(_write(tmp_path / "a.tif", _speckle(source), source), "linear") as sar:
        whole = sar.on_grid(GRID, GRID.window, displacement)
        for window in (Window(0, 0, 17, 80), Window(17, 13, 1, 1), Window(23, 40, 37, 31)):
            part = sar.on_grid(GRID, window, displacement)
            assert np.abs(part - whole[:, *window.slices]).max() < 1e-4


def test_a_field_samples_a_plane_where_it_says(tmp_path: Path) -> None:
    rows, cols = np.mgrid[:60, :80].astype(float)
    plane = 0.05 + 1e-4 * cols + 2e-4 * rows
    power = np.stack([plane, plane / 4]).astype(np.float32)
    with SarScene(_write(tmp_path / "a.tif", power, GRID), "linear") as sar:
        seen = 10 ** (sar.on_grid(GRID, GRID.window, BENT)[0] / 10)
    row, col = BENT.locate(rows, cols)
    inside = (row > 0) & (row < 59) & (col > 0) & (col < 79)
    assert np.abs(seen - (0.05 + 1e-4 * col + 2e-4 * row))[inside].max() < 1e-6
    assert np.isnan(seen[(row < -0.5) | (col > 79.5)]).all()


def test_a_scene_away_from_the_window_is_missing(tmp_path: Path) -> None:
    far = PolynomialDisplacement(2, ((500.0, 0.0), *((0.0, 0.0),) * 5), GRID.height, GRID.width)
    with SarScene(_write(tmp_path / "a.tif", _speckle(GRID), GRID), "linear") as sar:
        assert np.isnan(sar.on_grid(GRID, GRID.window, far)).all()


def test_beyond_each_edge_there_is_nothing_and_up_to_it_the_last_pixel() -> None:
    image = np.arange(20, dtype=np.float32).reshape(1, 4, 5)
    middle = np.full(4, 2.0)
    for last, places in ((3, "rows"), (4, "cols")):
        along = np.array([-0.6, -0.4, last + 0.4, last + 0.6])
        at = (along, middle) if places == "rows" else (middle, along)
        ends = image[0, [0, 3], 2] if places == "rows" else image[0, 2, [0, 4]]
        found = triangle_mean(image, *at, (1.0, 1.0))[0]
        assert found[1:3] == pytest.approx(ends)
        assert np.isnan(found[[0, 3]]).all()


def test_a_place_that_is_nowhere_is_missing() -> None:
    image = np.ones((1, 4, 4), np.float32)
    nowhere = np.array([np.nan, np.inf, -np.inf])
    assert np.isnan(triangle_mean(image, nowhere, np.full(3, 2.0), (1.0, 1.0))).all()


def test_a_coarser_target_averages_and_missing_pixels_take_no_part() -> None:
    image = np.ones((1, 8, 8), np.float32)
    image[0, 4, 4] = np.nan
    rows, cols = np.array([3.0, 4.0]), np.array([3.0, 4.0])
    around = triangle_mean(image, rows, cols, (0.5, 0.5))
    assert around[0, 0] == pytest.approx(1.0)
    assert np.isnan(around[0, 1])
    ramp = np.arange(8, dtype=np.float32)[None, None].repeat(8, axis=1)
    peak = np.zeros((1, 8, 8), np.float32)
    peak[0, 3, 3] = 1.0
    assert triangle_mean(ramp, rows, cols, (0.5, 0.5))[0] == pytest.approx([3.0, 4.0])
    assert triangle_mean(peak, rows, cols, (0.5, 0.5))[0] == pytest.approx([0.25, 0.0625])
