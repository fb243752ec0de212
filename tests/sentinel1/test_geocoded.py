from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from cloudfree.core.displacement import Shift
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import decibel, linear_power
from cloudfree.errors import InputError
from cloudfree.raster import warp
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel1.sar_source import open_sar_source
from tests.factories.rasters import TEN_METRES, write_radar, write_raster

UTM31, UTM32, LONLAT = (CRS.from_epsg(code).to_wkt() for code in (32631, 32632, 4326))
GRID = Grid(UTM31, TEN_METRES, 60, 80)
NAMES = ("VV", "VH")


def _ramp(grid: Grid, col: float = 1e-4, row: float = 2e-4) -> np.ndarray:
    """Linear power that tells the place: bilinear resampling returns a plane exactly."""
    rows, cols = np.mgrid[: grid.height, : grid.width] + 0.5
    plane = 0.05 + col * cols + row * rows
    return np.stack([plane, plane / 4]).astype(np.float32)


def _write(path: Path, power: np.ndarray, grid: Grid, **kind: object) -> Path:
    return write_raster(path, power, NAMES, crs=grid.crs, transform=grid.transform, **kind)


def _speckle(grid: Grid, seed: int = 0) -> np.ndarray:
    gamma = np.random.default_rng(seed).gamma(4, 0.02, (2, grid.height, grid.width))
    return gamma.astype(np.float32)


@pytest.mark.parametrize("units", ["auto", "db"])
@pytest.mark.parametrize("files", [1, 2])
def test_whole_numbers_mean_what_the_scale_of_their_bands_says(
    tmp_path: Path, units: str, files: int
) -> None:
    """In one file and in two; the mark of missing pixels is not scaled."""
    decibels = decibel(_ramp(GRID))
    numbers = np.round((decibels - np.reshape([0, 5], (2, 1, 1))) * 100).astype(np.int16)
    numbers[:, :20, :20] = -32768
    parts = [numbers] if files == 1 else [numbers[:1], numbers[1:]]
    names = ["a.tif"] if files == 1 else ["a_VV.tif", "a_VH.tif"]
    for name, part, offsets in zip(
        names, parts, [(0, 5)] if files == 1 else [(0,), (5,)], strict=True
    ):
        write_raster(tmp_path / name, part, NAMES if files == 1 else [None])
        with rasterio.open(tmp_path / name, "r+") as dataset:
            dataset.scales, dataset.offsets = (0.01,) * len(part), offsets
    with open_sar_source(tmp_path / names[0], units) as sar:
        seen = sar.on_grid(sar.grid, sar.grid.window)
        assert sar.units.quantity == "db"
    assert np.isnan(seen[:, :20, :20]).all()
    assert np.abs(seen - decibels)[:, 30:, 30:].max() < 0.006


def test_the_order_of_unnamed_bands_is_logged_and_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    power = _speckle(GRID) * np.reshape(np.float32([4, 1]), (2, 1, 1))
    with SarScene(write_raster(tmp_path / "a.tif", decibel(power), [None, None])):
        assert "the bands of a.tif have no names: taken for VV and VH" in caplog.text
        assert "darker" not in caplog.text
    with SarScene(write_raster(tmp_path / "b.tif", decibel(power[::-1]), [None, None])):
        assert "first band of b.tif is 6.0 dB darker than the second, as if VH came" in caplog.text
    caplog.clear()
    with SarScene(write_raster(tmp_path / "c.tif", decibel(power[::-1]), ["VH", "VV"])):
        assert "c.tif" not in caplog.text


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.ones((2, 8, 8), np.complex64), NAMES)
    with pytest.raises(InputError, match=r"complex numbers in a\.tif; .*calibrate the SLC product"):
        SarScene(path)


# On the optical grid ---------------------------------------------------------------------------


def test_the_same_grid_passes_numbers_through(tmp_path: Path) -> None:
    path = write_radar(tmp_path / "a.tif")
    window = Window(3, 5, 20, 30)
    with SarScene(path) as sar:
        seen = sar.on_grid(sar.grid, window)
        assert np.array_equal(seen, sar.read([0, 1], window))


def test_bands_come_as_vv_then_vh_whatever_their_order(tmp_path: Path) -> None:
    power = _ramp(GRID)
    path = write_raster(tmp_path / "a.tif", power[::-1].copy(), NAMES[::-1])
    with SarScene(path) as sar:
        assert np.allclose(sar.on_grid(GRID, GRID.window), decibel(power), atol=1e-4)


@given(st.floats(-8, 8), st.floats(-8, 8))
def test_a_shift_samples_where_the_content_lies(row: float, col: float) -> None:
    target = Grid(UTM31, TEN_METRES, 30, 30)
    source = Grid(UTM31, TEN_METRES @ Affine.translation(-20, -20), 70, 70)
    seen = warp.resample(_ramp(source), source, target.shifted(row, col), (1.0, 1.0))
    rows, cols = np.mgrid[:30, :30] + 20.5
    expected = 0.05 + 1e-4 * (cols + col) + 2e-4 * (rows + row)
    assert np.abs(10 * np.log10(seen[0] / expected)).max() < 1e-3


def test_what_optical_shows_at_r_c_radar_shows_at_r_c_plus_shift(tmp_path: Path) -> None:
    power = np.full((2, 60, 80), 0.01, np.float32)
    power[:, 33, 44] = 1.0
    with SarScene(_write(tmp_path / "a.tif", power, GRID), "linear") as sar:
        seen = sar.on_grid(GRID, GRID.window, Shift(row=3, col=-6))
    assert seen[0, 30, 50] == pytest.approx(0.0, abs=1e-5)
    assert (seen[0] > -19.9).sum() == 1


def _lonlat_around(grid: Grid, pixel: float = 1e-4, margin: int = 30) -> Grid:
    """A longitude-latitude grid that holds all of a UTM grid."""
    to_lonlat = Transformer.from_crs(grid.crs, LONLAT, always_xy=True)
    corners = [grid.transform @ at for at in ((0, 0), (grid.width, 0), (0, grid.height))]
    corners.append(grid.transform @ (grid.width, grid.height))
    lon, lat = np.array([to_lonlat.transform(*corner) for corner in corners]).T
    left, top = lon.min() - margin * pixel, lat.max() + margin * pixel
    width = int(np.ptp(lon) / pixel) + 2 * margin
    height = int(np.ptp(lat) / pixel) + 2 * margin
    return Grid(LONLAT, Affine(pixel, 0, left, 0, -pixel, top), height, width)


SOURCES = {
    "lonlat": _lonlat_around(GRID),
    "other zone": Grid(UTM32, Affine(10, 0, -7_700, 0, -10, 4_517_700), 140, 140),
    "finer": Grid(UTM31, Affine(2.5, 0, 499_900, 0, -2.5, 4_500_100), 400, 450),
    "coarser": Grid(UTM31, Affine(40, 0, 499_600, 0, -40, 4_500_400), 60, 60),
    "south up": Grid(UTM31, Affine(10, 0, 499_900, 0, 10, 4_499_200), 100, 100),
    "rotated": Grid(UTM31, Affine(9, 4, 499_500, 4, -9, 4_500_000), 150, 150),
}


def _ground_plane(grid: Grid) -> np.ndarray:
    """Power that grows evenly with the UTM 31 coordinates of each pixel's centre."""
    rows, cols = np.mgrid[: grid.height, : grid.width] + 0.5
    x, y = grid.transform @ np.stack([cols, rows])
    x, y = Transformer.from_crs(grid.crs, UTM31, always_xy=True).transform(x, y)
    plane = 0.1 + 2e-5 * (x - 500_400) + 3e-5 * (y - 4_499_700)
    return np.stack([plane, plane / 4]).astype(np.float32)


@pytest.mark.parametrize("name", SOURCES)
def test_any_grid_comes_to_the_right_pixel(tmp_path: Path, name: str) -> None:
    source = SOURCES[name]
    path = _write(tmp_path / "a.tif", _ground_plane(source), source)
    with SarScene(path, "linear") as sar:
        seen = linear_power(sar.on_grid(GRID, GRID.window))
        assert sar.overlap(GRID) == pytest.approx(1.0, abs=1e-6)
    # A tenth of a pixel on the ground is 3e-5 of power; a kernel that averages is less even.
    assert np.abs(seen - _ground_plane(GRID)).max() < 1.5e-5


@pytest.mark.parametrize("name", SOURCES)
def test_the_tiling_does_not_show(tmp_path: Path, name: str) -> None:
    source = SOURCES[name]
    path = _write(tmp_path / "a.tif", _speckle(source), source)
    shift = Shift(1.3, -0.4)
    with SarScene(path, "linear") as sar:
        whole = sar.on_grid(GRID, GRID.window, shift)
        for window in (Window(0, 0, 17, 80), Window(17, 13, 1, 1), Window(23, 40, 37, 31)):
            part = sar.on_grid(GRID, window, shift)
            assert np.abs(part - whole[:, *window.slices]).max() < 1e-4


def test_a_finer_scene_is_averaged_in_power_not_in_decibels(tmp_path: Path) -> None:
    source = SOURCES["finer"]
    power = _speckle(source)
    with SarScene(_write(tmp_path / "a.tif", decibel(power), source)) as sar:
        seen = linear_power(sar.on_grid(GRID, GRID.window))
    assert seen.mean() == pytest.approx(0.08, rel=0.02)
    assert seen[0].std() < 0.4 * power.std()


def test_missing_pixels_take_no_part_in_their_neighbours(tmp_path: Path) -> None:
    power = np.full((2, 60, 80), 0.1, np.float32)
    power[:, 20:40, 30:50] = -9999.0
    with SarScene(_write(tmp_path / "a.tif", power, GRID), "linear") as sar:
        seen = sar.on_grid(GRID, GRID.window, Shift(0.5, 0.5))
    assert np.isnan(seen[:, 21:38, 31:48]).all()
    assert np.isfinite(seen[:, :18, :-1]).all()
    assert np.allclose(seen[np.isfinite(seen)], -10, atol=1e-4)


def test_what_is_not_covered_is_missing(tmp_path: Path) -> None:
    half = Grid(UTM31, TEN_METRES @ Affine.translation(40, 0), 60, 80)
    away = Grid(UTM31, TEN_METRES @ Affine.translation(4000, 0), 60, 80)
    with SarScene(_write(tmp_path / "a.tif", _speckle(half), half)) as sar:
        seen = sar.on_grid(GRID, GRID.window)
        assert np.isnan(seen[:, :, :40]).all()
        assert np.isfinite(seen[:, :, 40:]).all()
        assert sar.overlap(GRID) == pytest.approx(0.5)
        assert np.isnan(sar.on_grid(away, away.window)).all()
        assert sar.overlap(away) == 0


@pytest.mark.parametrize("left", [179.998, -180.002], ids=["beyond +180", "beyond -180"])
def test_scenes_may_cross_the_antimeridian(tmp_path: Path, left: float) -> None:
    source = Grid(LONLAT, Affine(1e-4, 0, left, 0, -1e-4, 10.003), 40, 40)
    to_utm = Transformer.from_crs(LONLAT, CRS.from_epsg(32660), always_xy=True)
    x, y = to_utm.transform(left + 0.001, 10.002)
    grid = Grid(CRS.from_epsg(32660).to_wkt(), Affine(10, 0, x, 0, -10, y), 16, 20)
    with SarScene(_write(tmp_path / "a.tif", _speckle(source), source)) as sar:
        assert sar.overlap(grid) == pytest.approx(1.0)
        assert np.isfinite(sar.on_grid(grid, grid.window)).all()
        assert sar.overlap(Grid(grid.crs, Affine(10, 0, 0, 0, -10, 0), 9, 9)) == 0


@pytest.mark.parametrize("shift", [Shift(), Shift(1, 2)])
def test_scenes_without_coordinates_match_pixel_by_pixel(
    tmp_path: Path, shift: Shift, caplog: pytest.LogCaptureFixture
) -> None:
    bare = Grid(None, Affine.identity(), 96, 96)
    with SarScene(write_radar(tmp_path / "a.tif", crs=None)) as sar:
        seen = [sar.on_grid(bare, bare.window, shift) for _ in range(2)]
        numbers = sar.read([0, 1], bare.window)
        georeferenced = sar.on_grid(Grid(UTM31, TEN_METRES, 96, 96), bare.window, shift)
    kept = seen[0][:, : 96 - int(shift.row), : 96 - int(shift.col)]
    assert np.allclose(kept, numbers[:, int(shift.row) :, int(shift.col) :], atol=1e-4)
    assert np.array_equal(seen[0], georeferenced, equal_nan=True)
    assert len([r for r in caplog.records if "taken to match" in r.message]) == 2, "once per grid"


def test_scenes_without_coordinates_and_of_different_size_are_refused(tmp_path: Path) -> None:
    with (
        SarScene(write_radar(tmp_path / "a.tif", crs=None)) as sar,
        pytest.raises(InputError, match=r"96 x 96 pixels in a\.tif against 60 x 80; .*gdalwarp"),
    ):
        sar.on_grid(GRID, GRID.window)


def test_what_has_no_data_is_not_covered(tmp_path: Path) -> None:
    """The frame of a file covers a scene even if nothing is in it."""
    power = _speckle(GRID)
    power[1, :, 40:] = np.nan
    with SarScene(_write(tmp_path / "half.tif", power, GRID)) as sar:
        assert sar.overlap(GRID) == pytest.approx(0.5, abs=0.05)
    power[1] = np.nan
    with SarScene(_write(tmp_path / "none.tif", power, GRID)) as sar:
        assert sar.overlap(GRID) == 0
