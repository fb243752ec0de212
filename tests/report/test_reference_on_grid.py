"""Other dates lie where the result lies, whatever their own grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS, Transformer

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.core.grid import Grid
from cloudfree.errors import InputError
from cloudfree.report.reference_on_grid import place_of, reference_on_grid
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import TEN_METRES, write_raster

SIDE = 64
ZONE_31, ZONE_32 = (CRS.from_epsg(code).to_wkt() for code in (32631, 32632))
RESULT = Grid(ZONE_31, TEN_METRES, SIDE, SIDE)
BRIGHT = (40, 24)
BANDS = ("B04", "B03")


def dark_but(pixel: tuple[int, int], size: int = 1) -> np.ndarray:
    numbers = np.full((13, SIDE, SIDE), 1000, np.uint16)
    row, col = pixel
    numbers[:, row : row + size, col : col + size] = 5000
    return numbers


def shown(
    path: Path, result: Grid = RESULT, shift: Shift = NO_SHIFT, longest_px: int = SIDE
) -> np.ndarray:
    with OpticalScene(path, 0.0) as scene:
        return reference_on_grid(scene, BANDS, result, shift, longest_px)


def brightest(image: np.ndarray) -> tuple[int, int]:
    return np.unravel_index(np.nanargmax(image[0]), image.shape[1:])


def test_on_the_same_grid_the_pixels_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "date.tif", dark_but(BRIGHT), OPTICAL_BANDS)
    np.testing.assert_allclose(shown(path), dark_but(BRIGHT)[:2] / 10_000, atol=1e-6)


@pytest.mark.parametrize("shift", [Shift(3, 0), Shift(0, -5), Shift(2, 7)])
def test_what_a_date_shows_elsewhere_is_moved_back(tmp_path: Path, shift: Shift) -> None:
    path = write_raster(tmp_path / "date.tif", dark_but(BRIGHT), OPTICAL_BANDS)
    row, col = BRIGHT
    assert brightest(shown(path, shift=shift)) == (row - shift.row, col - shift.col)


def test_the_shift_shrinks_with_the_picture(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "date.tif", dark_but(BRIGHT, 2), OPTICAL_BANDS)
    image = shown(path, shift=Shift(8, -4), longest_px=SIDE // 2)
    assert image.shape == (2, SIDE // 2, SIDE // 2)
    assert brightest(image) == ((BRIGHT[0] - 8) // 2, (BRIGHT[1] + 4) // 2)


def test_a_part_of_a_larger_scene_is_cut_out(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "date.tif", dark_but(BRIGHT), OPTICAL_BANDS)
    part = Grid(ZONE_31, TEN_METRES @ Affine.translation(16, 32), 16, 16)
    assert brightest(shown(path, part)) == (BRIGHT[0] - 32, BRIGHT[1] - 16)


def test_a_scene_in_coarser_pixels_lies_on_the_same_ground(tmp_path: Path) -> None:
    twice = TEN_METRES @ Affine.scale(2)
    path = write_raster(tmp_path / "date.tif", dark_but((10, 20)), OPTICAL_BANDS, transform=twice)
    row, col = brightest(shown(path))
    assert (row // 2, col // 2) == (10, 20)


def test_a_scene_of_another_zone_is_warped(tmp_path: Path) -> None:
    """A bright square in the middle of one zone is in the middle of the other."""
    middle = TEN_METRES @ (SIDE / 2, SIDE / 2)
    x, y = Transformer.from_crs(ZONE_31, ZONE_32, always_xy=True).transform(*middle)
    there = Affine(10, 0, x - 5 * SIDE, 0, -10, y + 5 * SIDE)
    numbers = dark_but((SIDE // 2 - 4, SIDE // 2 - 4), 8)
    path = write_raster(tmp_path / "d.tif", numbers, OPTICAL_BANDS, crs=ZONE_32, transform=there)
    bright = np.argwhere(shown(path)[0] > 0.4)
    np.testing.assert_allclose(bright.mean(axis=0), (SIDE - 1) / 2, atol=0.5)


def test_ground_that_a_date_does_not_show_is_missing(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "date.tif", dark_but(BRIGHT), OPTICAL_BANDS)
    away = Grid(ZONE_31, TEN_METRES @ Affine.translation(500, 0), 8, 12)
    image = shown(path, away)
    assert image.shape == (2, 8, 12) and np.isnan(image).all()
    half = Grid(ZONE_31, TEN_METRES @ Affine.translation(SIDE // 2, 0), SIDE, SIDE)
    known = np.isfinite(shown(path, half)[0])
    assert known[:, : SIDE // 2].all() and not known[:, SIDE // 2 :].any()


def test_a_scene_that_lies_nowhere_needs_the_size_of_the_result(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "date.tif", dark_but(BRIGHT), OPTICAL_BANDS, crs=None)
    assert brightest(shown(path, shift=Shift(0, 1))) == (BRIGHT[0], BRIGHT[1] - 1)
    message = r"date\.tif cannot be placed on the result.*no coordinate system.*rio edit-info"
    with OpticalScene(path, 0.0) as scene, pytest.raises(InputError, match=message):
        place_of(scene, Grid(ZONE_31, TEN_METRES, 9, 9))
