"""Masks of other grids and other numbers, on the grid of the scene."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from cloudfree.cloudmask import user_mask
from cloudfree.cloudmask.mask_file import mask_profile
from cloudfree.cloudmask.morphology import dilate
from cloudfree.cloudmask.sun_geometry import Sun, sun_tags
from cloudfree.cloudmask.user_mask import MaskReading, open_mask
from cloudfree.core.grid import Grid, Window
from cloudfree.core.mask_classes import MaskClass
from cloudfree.errors import InputError
from cloudfree.raster.cog import CogWriter
from tests.factories.rasters import TEN_METRES, write_raster

SUN = Sun(161.25, "fitted", (200.0, 750.0))
UTM = CRS.from_epsg(32631).to_wkt()
GRID = Grid(UTM, TEN_METRES, 48, 60)
NOWHERE = Grid(None, Affine.identity(), 48, 60)


def _write(path: Path, pixels: np.ndarray, pixel_m: float = 10.0, **kind: Any) -> Path:
    """A mask from the upper left corner of the scene on."""
    transform = Affine(pixel_m, 0, TEN_METRES.c, 0, -pixel_m, TEN_METRES.f)
    return write_raster(path, pixels[None], ["mask"], **{"transform": transform, **kind})


def _classes(path: Path, grid: Grid = GRID, **reading: Any) -> np.ndarray:
    with open_mask(path, grid, MaskReading(**reading)) as mask:
        return mask.classes(grid.window)


def _blocks(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (height, width), dtype=np.uint8)


def test_classes_on_the_grid_are_read_where_they_are(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.tif", _blocks(48, 60))
    with open_mask(path, GRID) as mask:
        assert mask.path == mask.origin == path
        np.testing.assert_array_equal(mask.classes(GRID.window), _blocks(48, 60))


def test_a_mask_is_said_to_be_what_it_is_taken_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cloudfree"):
        _classes(_write(tmp_path / "m.tif", np.resize(np.uint8([0, 2]), (48, 60))))
    assert "mask m.tif: classes: 0 clear, 1 cloud, 2 shadow" in caplog.text


@pytest.mark.parametrize("pixel_m", [20, 60])
def test_coarser_pixels_fill_their_squares(
    tmp_path: Path, pixel_m: int, caplog: pytest.LogCaptureFixture
) -> None:
    factor = pixel_m // 10
    coarse = _blocks(48 // factor, 60 // factor)
    with caplog.at_level(logging.INFO, "cloudfree"):
        classes = _classes(_write(tmp_path / "m.tif", coarse, pixel_m))
    np.testing.assert_array_equal(classes, coarse.repeat(factor, 0).repeat(factor, 1))
    assert (
        f"pixels of {pixel_m} m, brought to the scene's 48 x 60 of 10 m by nearest" in caplog.text
    )
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_finer_pixels_are_picked(tmp_path: Path) -> None:
    classes = _classes(
        _write(tmp_path / "m.tif", _blocks(48, 60).repeat(3, 0).repeat(3, 1), 10 / 3)
    )
    np.testing.assert_array_equal(classes, _blocks(48, 60))


@pytest.mark.parametrize(("own", "scene"), [(None, GRID), ("EPSG:32631", NOWHERE)])
@pytest.mark.parametrize("factor", [1, 2, 6])
def test_without_coordinates_sizes_decide(
    tmp_path: Path, own: str | None, scene: Grid, factor: int, caplog: pytest.LogCaptureFixture
) -> None:
    coarse = _blocks(48 // factor, 60 // factor)
    path = _write(tmp_path / "m.tif", coarse, crs=own)
    with caplog.at_level(logging.INFO, "cloudfree"):
        classes = _classes(path, scene)
    np.testing.assert_array_equal(classes, coarse.repeat(factor, 0).repeat(factor, 1))
    assert ("laid over all 48 x 60 of the scene for lack of" in caplog.text) == (factor > 1)
    fine = _write(tmp_path / "f.tif", _blocks(48, 60).repeat(3, 0).repeat(3, 1), crs=own)
    np.testing.assert_array_equal(_classes(fine, scene), _blocks(48, 60))


@pytest.mark.parametrize("size", [(8, 7), (24, 60), (43, 54), (1, 1)])
def test_without_coordinates_other_sizes_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = _write(tmp_path / "m.tif", np.ones(size, np.uint8), crs=None)
    text = rf"m\.tif has {size[0]} x {size[1]} pixels, the scene 48 x 60, and the mask no coord"
    with pytest.raises(InputError, match=text):
        open_mask(path, GRID)


@pytest.mark.parametrize("crs", [None, "EPSG:32631"])
@pytest.mark.parametrize("factor", [1, 2])
def test_a_mask_of_the_whole_scene_is_cut_with_it(
    tmp_path: Path, crs: str | None, factor: int
) -> None:
    """Also where a mask without coordinates is a whole multiple of the part."""
    coarse, part = _blocks(48 // factor, 60 // factor), Window(4, 6, 16, 30)
    path = _write(tmp_path / "m.tif", coarse, 10.0 * factor, crs=crs)
    with open_mask(path, GRID.crop(part), whole=GRID) as mask:
        classes = mask.classes(Window(0, 0, 16, 30))
    expected = coarse.repeat(factor, 0).repeat(factor, 1)[part.slices]
    np.testing.assert_array_equal(classes, expected)


def test_a_larger_mask_in_other_coordinates_lies_where_it_is(tmp_path: Path) -> None:
    """A cloud at one longitude and latitude, found again to a pixel."""
    to_lonlat = rasterio.warp.transform("EPSG:32631", "EPSG:4326", [500_300], [4_499_760])
    lon, lat = to_lonlat[0][0], to_lonlat[1][0]
    step = 5e-5
    pixels = np.zeros((400, 400), np.uint8)
    pixels[198:202, 198:202] = 1
    transform = Affine(step, 0, lon - 200 * step, 0, -step, lat + 200 * step)
    path = _write(tmp_path / "m.tif", pixels, crs="EPSG:4326", transform=transform)
    rows, cols = np.nonzero(_classes(path) == MaskClass.CLOUD)
    assert (rows.mean(), cols.mean()) == pytest.approx((23.5, 29.5), abs=1)
    assert 2 <= len(rows) <= 9


def test_the_scene_outside_the_mask_stays_and_is_not_known_to_be_clear(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    classes = _classes(_write(tmp_path / "m.tif", np.ones((24, 15), np.uint8), 20))
    assert (classes[:, :30] == MaskClass.CLOUD).all()
    assert (classes[:, 30:] == MaskClass.NODATA).all()
    assert "m.tif leaves out 50.0 % of the scene, which stays as it is" in caplog.text


def test_a_mask_of_another_place_is_refused(tmp_path: Path) -> None:
    far = Affine(10, 0, 600_000, 0, -10, 4_500_000)
    path = _write(tmp_path / "m.tif", np.ones((48, 60), np.uint8), transform=far)
    with pytest.raises(InputError, match=r"m\.tif covers nothing of the scene: x 600000 to 600600"):
        open_mask(path, GRID)


def test_a_scene_classification_of_20_m(tmp_path: Path) -> None:
    scl = np.random.default_rng(0).integers(0, 12, (24, 30), dtype=np.uint8)
    classes = _classes(_write(tmp_path / "T31TCG_SCL_20m.tif", scl, 20))[::2, ::2]
    assert set(classes[np.isin(scl, (8, 9, 10))]) == {MaskClass.CLOUD}
    assert set(classes[scl == 3]) == {MaskClass.SHADOW}
    assert set(classes[scl == 11]) == {MaskClass.SNOW}
    assert set(classes[scl <= 1]) == {MaskClass.NODATA}
    assert set(classes[np.isin(scl, (2, 4, 5, 6, 7))]) == {MaskClass.CLEAR}


@given(st.floats(0, 1))
def test_probabilities_of_160_m(tmp_path_factory: pytest.TempPathFactory, threshold: float) -> None:
    folder = tmp_path_factory.mktemp("mask")
    probability = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    classes = _classes(_write(folder / "m.tif", probability, 160), threshold=threshold)
    expected = (probability >= np.float32(threshold - 1e-6)).repeat(16, 0).repeat(16, 1)
    np.testing.assert_array_equal(classes == MaskClass.CLOUD, expected[:48, :60])


def test_values_far_from_the_scene_are_not_looked_at(tmp_path: Path) -> None:
    pixels = np.zeros((48, 600), np.float32)
    pixels[:, 300:] = 50
    assert (_classes(_write(tmp_path / "m.tif", pixels)) == MaskClass.CLEAR).all()


def test_a_mask_is_dilated_where_it_is_asked_for(tmp_path: Path) -> None:
    pixels = np.zeros((48, 60), np.uint8)
    pixels[20, 30], pixels[40, 5] = 1, 2
    path = _write(tmp_path / "m.tif", pixels)
    np.testing.assert_array_equal(_classes(path, dilate="40m"), dilate(pixels, 4))
    np.testing.assert_array_equal(_classes(path, dilate="3px"), dilate(pixels, 3))
    np.testing.assert_array_equal(_classes(path, dilate="0"), pixels)


@pytest.mark.parametrize("metres", ["0", "70m"])
def test_a_mask_does_not_depend_on_how_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metres: str
) -> None:
    path = _write(tmp_path / "m.tif", (_blocks(24, 30) == 1).astype(np.uint8), 20)
    whole = _classes(path, dilate=metres)
    monkeypatch.setattr(user_mask, "STRIP_ROWS", 7)
    monkeypatch.setattr(user_mask, "_PIECE_PX", 11)
    np.testing.assert_array_equal(_classes(path, dilate=metres), whole)


def test_what_is_written_meanwhile_is_removed(tmp_path: Path) -> None:
    mask = open_mask(_write(tmp_path / "m.tif", _blocks(24, 30), 20), GRID)
    assert mask.origin == tmp_path / "m.tif"
    assert mask.path.exists()
    mask.close()
    assert not mask.path.parent.exists()


def test_the_sun_of_a_users_mask_is_that_of_its_tags(tmp_path: Path) -> None:
    for pixel_m in (10, 20):
        pixels = _blocks(480 // pixel_m, 600 // pixel_m)
        path = _write(tmp_path / "m.tif", pixels, pixel_m)
        with open_mask(path, GRID) as mask:
            assert mask.sun is None
        with rasterio.open(path, "r+") as dataset:
            dataset.update_tags(**sun_tags(SUN))
        with open_mask(path, GRID) as mask:
            assert mask.sun == SUN


def test_a_mask_of_this_program_without_a_cloud_is_one(tmp_path: Path) -> None:
    with CogWriter(tmp_path / "m.tif", GRID, mask_profile()) as writer:
        writer.write(GRID.window, np.resize(np.uint8([0, 255]), (1, 48, 60)))
    with open_mask(tmp_path / "m.tif", GRID) as mask:
        assert mask.counts()[[0, 255]].tolist() == [1440, 1440]


@pytest.mark.parametrize(
    ("pixels", "text"),
    [
        (np.ones((2, 48, 60), np.uint8), "has 2 bands; wanted one band"),
        (np.ones((1, 48, 60), np.complex64), "holds complex64 numbers; wanted classes or prob"),
        (np.full((1, 48, 60), 40, np.float32), "holds 40 to 40 as float32; wanted prob.* 0 to 1"),
    ],
)
def test_what_is_wrong_with_the_form_is_said(tmp_path: Path, pixels: np.ndarray, text: str) -> None:
    path = write_raster(tmp_path / "m.tif", pixels, [None] * len(pixels))
    with pytest.raises(InputError, match=rf"m\.tif {text}"):
        open_mask(path, GRID)


def test_a_raster_without_data_hides_nothing(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.tif", np.full((48, 60), np.nan, np.float32))
    assert (_classes(path) == MaskClass.NODATA).all()


def test_the_scene_classification_of_a_real_product(data: Path) -> None:
    """A tile of 20 m, on the middle of the grid of its bands of 10 m."""
    (path,) = data.glob("products/S2A_MSIL2A*/**/*_SCL_20m.jp2")
    with rasterio.open(path) as dataset:
        scl = dataset.read(1, window=rasterio.windows.Window(2400, 2000, 300, 200))
        corner = dataset.transform @ (2400, 2000)
        crs = dataset.crs.to_wkt()
    grid = Grid(crs, Affine(10, 0, corner[0], 0, -10, corner[1]), 400, 600)
    classes = _classes(path, grid)
    cloud = np.isin(scl, (8, 9, 10)).repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(classes == MaskClass.CLOUD, cloud)
