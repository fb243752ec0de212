from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.core.grid import Grid
from cloudfree.core.radiometry import decibel
from cloudfree.errors import InputError
from cloudfree.sentinel1 import terrain
from cloudfree.sentinel1.annotation import read_annotation
from cloudfree.sentinel1.geolocation import GridGeolocation
from cloudfree.sentinel1.grd import GrdScene, annotation_of
from cloudfree.sentinel1.product import find_product
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel1.terrain import Elevation, OrbitGeolocation
from tests.factories.rasters import write_radar, write_raster
from tests.factories.sentinel1_products import ground_of, level_scene, place_of, write_safe

UTM31 = CRS.from_epsg(32631).to_wkt()
SIDE = 100


def _grid() -> Grid:
    easting, northing = (float(value) for value in ground_of(np.array(120.0), np.array(150.0)))
    return Grid(UTM31, Affine(10, 0, easting - 500, 0, -10, northing + 500), SIDE, SIDE)


def _hill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A hill of 400 m in the middle of the grid."""
    middle = _grid().transform @ (SIDE / 2, SIDE / 2)
    return 30 + 400 * np.exp(-(np.hypot(x - middle[0], y - middle[1]) ** 2) / (2 * 250**2))


def _write_hill(path: Path, pixel_m: float = 10.0, half_m: float = 900.0) -> Path:
    x, y = _grid().transform @ (SIDE / 2, SIDE / 2)
    transform = Affine(pixel_m, 0, x - half_m, 0, -pixel_m, y + half_m)
    side = round(2 * half_m / pixel_m)
    rows, cols = np.mgrid[:side, :side] + 0.5
    heights = _hill(*(transform @ np.stack([cols, rows])))
    return write_raster(
        path, heights[None].astype(np.float32), [None], crs=UTM31, transform=transform
    )


def test_each_pixel_is_found_where_its_own_height_puts_it(tmp_path: Path) -> None:
    line, pixel = np.mgrid[:240, :300]
    root = write_safe(tmp_path, level_scene(240, 300, 0.2 + 1e-4 * line + 4e-4 * pixel))
    product = find_product(root)
    assert product is not None
    grid = _grid()
    rows, cols = np.mgrid[:SIDE, :SIDE] + 0.5
    x, y = grid.transform @ np.stack([cols, rows])
    line, pixel = place_of(x, y, _hill(x, y))
    with (
        Elevation(_write_hill(tmp_path / "dem.tif")) as heights,
        GrdScene(
            product, geolocation=GridGeolocation(annotation_of(product)), heights=heights
        ) as radar,
    ):
        found = radar._positions.locate(grid, rows - 0.5, cols - 0.5)
        seen = radar.on_grid(grid, grid.window)
    # The hill moves its top by 43 pixels.
    assert np.ptp(pixel - place_of(x, y)[1]) > 40
    assert np.abs(found[0] - line).max() < 0.02
    assert np.abs(found[1] - pixel).max() < 0.1
    assert np.abs(seen[0] - decibel(0.2 + 1e-4 * line + 4e-4 * pixel)).max() < 0.04


def test_heights_that_do_not_reach_the_scene_are_refused(tmp_path: Path) -> None:
    grid = _grid()
    with (
        Elevation(_write_hill(tmp_path / "dem.tif", half_m=400)) as heights,
        pytest.raises(InputError, match=r"dem\.tif covers 64\.0% of the optical scene; .*beyond"),
    ):
        heights.on_grid(grid, grid.window)


def test_heights_without_coordinates_are_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "dem.tif", np.zeros((1, 5, 5), np.float32), [None], crs=None)
    with pytest.raises(InputError, match=r"no coordinate system in dem\.tif"):
        Elevation(path)


def test_missing_heights_are_unknown(tmp_path: Path) -> None:
    grid = _grid()
    heights = np.full((1, SIDE, SIDE), 7, np.int16)
    heights[0, 40:60, 40:60] = -32768
    path = write_raster(
        tmp_path / "dem.tif", heights, [None], UTM31, transform=grid.transform, nodata=-32768
    )
    with Elevation(path) as elevation:
        found = elevation.on_grid(grid, grid.window)
    assert np.isnan(found[41:59, 41:59]).all()
    assert np.nanmin(found) == np.nanmax(found) == 7


def test_heights_for_a_geocoded_scene_are_refused(tmp_path: Path) -> None:
    path, dem = write_radar(tmp_path / "vv_vh.tif"), _write_hill(tmp_path / "dem.tif")
    with pytest.raises(InputError, match=r"--dem dem\.tif for vv_vh\.tif, which is geocoded alre"):
        open_sar_source(path, dem=dem)


def test_without_the_library_the_user_learns_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sarsen", None)
    root = write_safe(tmp_path, level_scene(60, 80, 0.1))
    text = r"--dem without the library .*pip install 'cloudfree\[terrain\]'`, or leave --dem out"
    with pytest.raises(InputError, match=text):
        open_sar_source(root, dem=_write_hill(tmp_path / "dem.tif"))


def test_the_orbit_of_a_real_product_finds_its_tie_points(data: Path) -> None:
    pytest.importorskip("sarsen", reason="sarsen, an optional part, is not installed")
    file = next((data / "products").glob("S1B*.SAFE/annotation/*.xml"))
    annotation = read_annotation(file.read_bytes(), file.name)
    points = annotation.tie_points
    line, pixel = OrbitGeolocation(annotation).locate(
        points.longitude, points.latitude, points.height_m
    )
    assert np.sqrt(np.mean((line - points.line) ** 2)) < 0.2
    assert np.sqrt(np.mean((pixel - points.pixel) ** 2)) < 0.3


def test_heights_are_closed_with_the_scene(tmp_path: Path) -> None:
    product = find_product(write_safe(tmp_path, level_scene(60, 60, 0.1)))
    assert product is not None
    heights = Elevation(_write_hill(tmp_path / "dem.tif"))
    with GrdScene(product, heights=heights):
        assert not heights.handle.closed
    assert heights._handles[0].closed


def test_heights_are_closed_where_the_scene_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = Elevation(_write_hill(tmp_path / "dem.tif"))
    monkeypatch.setattr(terrain, "OrbitGeolocation", GridGeolocation)  # needs no sarsen
    monkeypatch.setattr(terrain, "Elevation", lambda _: heights)
    root = write_safe(tmp_path, level_scene(60, 60, 0.1))
    with pytest.raises(InputError, match="--s1-units db for the GRD product"):
        open_sar_source(root, "db", heights.path)
    assert heights._handles[0].closed
