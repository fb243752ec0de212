"""GRD products: calibrated power of the image, and its pixels on optical grids."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from cloudfree.core.displacement import Shift
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import decibel, linear_power
from cloudfree.errors import InputError
from cloudfree.sentinel1.annotation import Annotation
from cloudfree.sentinel1.grd import GrdScene, GroundRangeImage, annotation_of
from cloudfree.sentinel1.product import Product, find_product
from cloudfree.sentinel1.sar_source import open_sar_source
from tests.factories.rasters import write_raster
from tests.factories.sentinel1_products import (
    NAME,
    Scene,
    Tables,
    ground_of,
    level_scene,
    place_of,
    renamed,
    without,
    write_safe,
    zipped,
)

UTM31 = CRS.from_epsg(32631).to_wkt()
HEIGHT, WIDTH = 240, 300


def _ramp(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Sigma-nought that tells the place in the image; bilinear sampling returns a plane exactly."""
    line, pixel = np.mgrid[:height, :width]
    return 0.2 + 1e-4 * line + 2e-4 * pixel


def _speckled(height: int = HEIGHT, width: int = WIDTH, **kind: object) -> Scene:
    looks = np.random.default_rng(3).gamma(4.4, 1 / 4.4, (height, width))
    return level_scene(height, width, 0.1 * looks, **kind)


def _grid(size_m: float = 10.0, side: int = 100, line: float = 120, pixel: float = 150) -> Grid:
    """A grid whose middle is a place of the image."""
    easting, northing = ground_of(np.array(line), np.array(pixel))
    half = side * size_m / 2
    transform = Affine(size_m, 0, float(easting) - half, 0, -size_m, float(northing) + half)
    return Grid(UTM31, transform, side, side)


def _source_grids(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.mgrid[: grid.height, : grid.width] + 0.5
    return place_of(*(grid.transform @ np.stack([cols, rows])))


def _open(folder: Path, scene: Scene, **kind: bool) -> GrdScene:
    opened = open_sar_source(write_safe(folder, scene, **kind))
    assert isinstance(opened, GrdScene)
    return opened


def test_a_product_of_one_polarisation_is_calibrated_as_that_of_both(tmp_path: Path) -> None:
    scene, grid = level_scene(HEIGHT, WIDTH, _ramp()), _grid()
    single = Scene({"VV": scene.numbers["VV"]}, name=NAME.replace("1SDV", "1SSV"))
    with _open(tmp_path, scene) as both, _open(tmp_path, single) as alone:
        assert (both.bands, alone.bands) == (("VV", "VH"), ("VV",))
        expected = both.on_grid(grid, grid.window)[:1]
        assert np.array_equal(alone.on_grid(grid, grid.window), expected, equal_nan=True)


@pytest.mark.parametrize("azimuth_noise", [(1.0, 1.5), None], ids=["today", "before 2018"])
def test_pixels_hold_the_calibrated_value_of_their_place(
    tmp_path: Path, azimuth_noise: tuple[float, float] | None
) -> None:
    scene = level_scene(HEIGHT, WIDTH, _ramp(), tables=Tables(azimuth_noise=azimuth_noise))
    grid = _grid()
    line, pixel = _source_grids(grid)
    expected = 0.2 + 1e-4 * line + 2e-4 * pixel
    with _open(tmp_path, scene) as radar:
        seen = radar.on_grid(grid, grid.window)
    # Numbers of about 180 are rounded to whole ones, numbers of VH to half as many.
    assert np.abs(seen[0] - decibel(expected)).max() < 0.03
    assert np.abs(seen[1] - decibel(expected / 4)).max() < 0.06
    assert abs((seen[0] - decibel(expected)).mean()) < 1e-3


def test_the_value_is_exactly_that_of_the_tables_where_a_pixel_is_met(tmp_path: Path) -> None:
    scene = _speckled()
    easting, northing = ground_of(np.array(77.0), np.array(201.0))
    one = Grid(UTM31, Affine(10, 0, float(easting) - 5, 0, -10, float(northing) + 5), 1, 1)
    with _open(tmp_path, scene) as radar:
        seen = linear_power(radar.on_grid(one, one.window)).ravel()
    expected = [scene.sigma_nought(band)[77, 201] for band in ("VV", "VH")]
    assert seen == pytest.approx(expected, rel=2e-3)


def test_a_zip_the_manifest_and_the_short_names_give_the_same(tmp_path: Path) -> None:
    root = write_safe(tmp_path, _speckled())
    other = write_safe(tmp_path / "aws", _speckled(), short_names=True)
    grid = _grid()
    ways = [root, zipped(root), root / "manifest.safe", other, other / "measurement/iw-vv.tiff"]
    seen = []
    for way in ways:
        with open_sar_source(way) as radar:
            seen.append(radar.on_grid(grid, grid.window))
    assert np.isfinite(seen[0]).all()
    assert all(np.array_equal(seen[0], image) for image in seen[1:])


def test_a_shift_samples_where_the_content_lies(tmp_path: Path) -> None:
    grid = _grid(side=60)
    moved = grid.shifted(2.5, -1.25)
    with _open(tmp_path, _speckled()) as radar:
        shifted = radar.on_grid(grid, grid.window, Shift(2.5, -1.25))
        expected = radar.on_grid(moved, moved.window)
    # The angle of 12 degrees makes no two grids meet the same pixels: equal but for rounding.
    assert np.abs(linear_power(shifted) - linear_power(expected)).max() < 1e-3


def test_the_tiling_does_not_show(tmp_path: Path) -> None:
    grid = _grid(side=180)
    with _open(tmp_path, _speckled()) as radar:
        whole = linear_power(radar.on_grid(grid, grid.window, Shift(0.3, 0.7)))
        for window in (Window(0, 0, 17, 180), Window(17, 13, 1, 1), Window(43, 60, 97, 51)):
            part = linear_power(radar.on_grid(grid, window, Shift(0.3, 0.7)))
            assert np.allclose(part, whole[:, *window.slices], atol=1e-3, equal_nan=True)


def test_a_coarser_grid_takes_means_of_power(tmp_path: Path) -> None:
    grid = _grid(60.0, 20)
    with _open(tmp_path, _speckled()) as radar:
        seen = linear_power(radar.on_grid(grid, grid.window))
    assert seen[0].mean() == pytest.approx(0.1, rel=0.05)
    # A pixel has the speckle of 4.4 looks, a mean of 36 and the bilinear kernel far less.
    assert seen[0].std() / seen[0].mean() < 0.12


def test_beyond_the_image_there_is_nothing(tmp_path: Path) -> None:
    grid = _grid(side=80, line=HEIGHT - 1)
    line, _ = _source_grids(grid)
    with _open(tmp_path, _speckled()) as radar:
        seen = radar.on_grid(grid, grid.window)
        share = radar.overlap(grid)
        far = _grid(line=5_000)
        assert radar.overlap(far) == 0
        assert np.isnan(radar.on_grid(far, far.window)).all()
    outside = line > HEIGHT - 1
    assert np.isnan(seen[:, outside]).all()
    assert np.isfinite(seen[:, line < HEIGHT - 1.01]).all()
    assert share == pytest.approx((~outside).mean(), abs=0.02)


def test_border_noise_of_an_old_product_is_removed(tmp_path: Path) -> None:
    scene = _speckled()
    for numbers in scene.numbers.values():
        numbers[:, :30] = 0
        numbers[:, 30:50] = np.random.default_rng(0).integers(1, 12, (HEIGHT, 20))
    grid = _grid(side=120, pixel=60)
    _, pixel = _source_grids(grid)
    with _open(tmp_path, scene) as radar:
        seen = radar.on_grid(grid, grid.window)
    assert np.isnan(seen[:, pixel < 50]).all()
    assert np.isfinite(seen[:, pixel > 60]).all()


def test_holes_inside_the_image_are_dilated_by_the_kernel_alone(tmp_path: Path) -> None:
    scene = _speckled()
    for numbers in scene.numbers.values():
        numbers[80:160, 100:200] = 0
    grid = _grid(side=150)
    line, pixel = _source_grids(grid)
    with _open(tmp_path, scene) as radar:
        seen = radar.on_grid(grid, grid.window)
    near_border = (line > 158.9) | (line < 80.1) | (pixel > 198.9) | (pixel < 100.1)
    missing = np.isnan(seen[0])
    assert missing[~near_border].all()
    grown = (line > 161.1) | (line < 78.9) | (pixel > 201.1) | (pixel < 98.9)
    assert not missing[grown].any()


def test_threads_read_the_same(tmp_path: Path) -> None:
    grid = _grid()
    with _open(tmp_path, _speckled()) as radar:
        alone = radar.on_grid(grid, grid.window)
        seen: list[np.ndarray] = []
        threads = [
            threading.Thread(target=lambda: seen.append(radar.on_grid(grid, grid.window)))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(seen) == 3
    assert all(np.array_equal(alone, image) for image in seen)


def test_the_acquisition_comes_from_annotation_manifest_and_name(tmp_path: Path) -> None:
    with _open(tmp_path, renamed(_speckled(), NAME)) as radar:
        seen = radar.acquisition
    assert seen.product == NAME
    assert (seen.platform, seen.orbit_direction, seen.relative_orbit) == (
        "Sentinel-1A", "ascending", 95,
    )  # fmt: skip
    root = without(write_safe(tmp_path / "b", _speckled()), "manifest.safe")
    with open_sar_source(root) as radar:
        # 37592 in the name: (37592 - 73) % 175 + 1.
        assert radar.acquisition.relative_orbit == 70


def test_relief_without_heights_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cloudfree")
    _open(tmp_path / "flat", _speckled()).close()
    _open(tmp_path / "hills", _speckled(heights=(100.0, 0.5, 0.0))).close()
    flat, hills = (record for record in caplog.records if "tie points" in record.message)
    assert (flat.levelno, hills.levelno) == (logging.INFO, logging.WARNING)
    assert "heights (100 to 220 m)" in hills.message
    assert "every 100 m by which the ground differs from them move it by 139 to 140 m" in (
        hills.message
    )
    assert "--dem" in hills.message


@pytest.mark.parametrize("units", ["db", "linear"])
def test_units_of_a_product_cannot_be_forced(tmp_path: Path, units: str) -> None:
    root = write_safe(tmp_path, _speckled())
    with pytest.raises(
        InputError, match=rf"--s1-units {units} for the GRD product .*leave --s1-un"
    ):
        open_sar_source(root, units)
    with open_sar_source(root, "dn") as radar:
        assert radar.units.quantity == "dn"
        assert "tables of the product" in radar.units.reason


def test_a_resampled_measurement_is_refused(tmp_path: Path) -> None:
    root = write_safe(tmp_path, _speckled())
    other = write_safe(tmp_path / "small", _speckled(120, 150))
    for file in root.glob("measurement/*"):
        file.write_bytes((other / "measurement" / file.name).read_bytes())
    with pytest.raises(InputError, match=r"120 x 150 pixels in the meas.*240 x 300, as its annota"):
        open_sar_source(root)


def test_an_optical_scene_without_coordinates_is_refused(tmp_path: Path) -> None:
    bare = Grid(None, Affine.identity(), 40, 40)
    with _open(tmp_path, _speckled()) as radar:
        for ask in (lambda: radar.on_grid(bare, bare.window), lambda: radar.overlap(bare)):
            with pytest.raises(InputError, match="no coordinate system in the optical scene"):
                ask()


def test_a_real_product_with_a_lost_polarisation_is_refused(data: Path) -> None:
    root = next((data / "products").glob("S1B*.SAFE"))
    with pytest.raises(InputError, match=r"no VH in the measurements of S1B_IW_GRDH_1SDV_2021"):
        open_sar_source(root)


# The image of a product: rows and columns.
SIZE = (120, 160)


def _product(folder: Path) -> tuple[Product, Annotation]:
    product = find_product(write_safe(folder, level_scene(*SIZE, sigma=0.1)))
    assert product is not None
    return product, annotation_of(product)


def test_power_is_sigma_nought_and_any_window_equals_its_part_of_the_whole(tmp_path: Path) -> None:
    with GroundRangeImage(*_product(tmp_path)) as image:
        whole = image.power(Window(0, 0, *SIZE))
        window = Window(17, 29, 40, 51)
        part = image.power(window)
    assert np.nanmedian(whole[0]) == pytest.approx(0.1, rel=0.01)
    assert np.nanmedian(whole[1]) == pytest.approx(0.025, rel=0.01)
    assert np.allclose(part, whole[:, *window.slices], equal_nan=True)


def test_means_are_over_whole_squares(tmp_path: Path) -> None:
    window = Window(10, 20, 23, 31)
    with GroundRangeImage(*_product(tmp_path)) as image:
        power, means = image.power(window), image.mean_power(window, 4)
        assert np.array_equal(image.mean_power(window, 1), power)
    assert means.shape == (2, 5, 7)
    assert means[:, 1, 2] == pytest.approx(power[:, 4:8, 8:12].mean(axis=(1, 2)))


def test_a_resampled_copy_is_refused(tmp_path: Path) -> None:
    product, annotation = _product(tmp_path)
    for band in ("VV", "VH"):
        path = product.path / product.measurement(band)
        write_raster(path, np.ones((1, 60, 80), np.uint16), [None])
    with pytest.raises(InputError, match=r"60 x 80 pixels in .*; wanted 120 x 160, .*; give the"):
        GroundRangeImage(product, annotation)
