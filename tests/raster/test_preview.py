"""Reading at reduced size, and pictures as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Grid
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.gdal import ignored_warning
from cloudfree.raster.preview import jpeg, png, reduced, reduced_classes
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import TEN_METRES, UTM31, write_raster

sides = st.integers(1, 12_000)


def decode(encoded: bytes) -> np.ndarray:
    quiet = ignored_warning(NotGeoreferencedWarning)
    with quiet, MemoryFile(encoded) as memory, memory.open() as dataset:
        return np.moveaxis(dataset.read(), 0, -1)


@given(height=sides, width=sides, longest=st.integers(1, 2000))
def test_a_reduced_grid_covers_the_same_ground(height, width, longest):
    grid = Grid(UTM31, TEN_METRES, height, width)
    small = reduced(grid, longest)
    assert max(small.height, small.width) <= max(longest, 1)
    assert small.height <= height
    corner = small.transform @ (small.width, small.height)
    assert corner == pytest.approx(grid.transform @ (width, height))


@given(height=st.integers(1, 100), width=st.integers(1, 100))
def test_a_small_grid_stays_as_it_is(height, width):
    grid = Grid(UTM31, TEN_METRES, height, width)
    assert reduced(grid, 100) == grid


def test_reflectance_is_averaged_and_stays_missing_where_it_is(tmp_path: Path):
    numbers = np.zeros((13, 8, 8), np.uint16)
    numbers[:, :4] = 1000
    numbers[:, :4, ::2] = 3000
    path = write_raster(tmp_path / "a.tif", numbers, OPTICAL_BANDS, nodata=0)
    with OpticalScene(path, 0.0) as scene:
        image = scene.reduced_reflectance(("B04", "B02"), reduced(scene.grid, 4))
    assert image.shape == (2, 4, 4)
    np.testing.assert_allclose(image[:, :2], 0.2, atol=1e-6)
    assert np.isnan(image[:, 2:]).all()


def test_the_class_of_a_large_pixel_is_the_most_frequent(tmp_path: Path):
    mask = np.zeros((1, 4, 4), np.uint8)
    mask[0, :2, :2] = [[3, 3], [3, 1]]
    with Dataset(write_raster(tmp_path / "m.tif", mask, ["mask"])) as dataset:
        grid = Grid(UTM31, TEN_METRES, 2, 2)
        assert reduced_classes(dataset, grid).tolist() == [[3, 0], [0, 0]]


@given(height=st.integers(1, 20), width=st.integers(1, 20), channels=st.sampled_from([3, 4]))
def test_png_keeps_every_pixel(height, width, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    np.testing.assert_array_equal(decode(png(pixels)), pixels)


def test_jpeg_keeps_the_look():
    rows = np.linspace(0, 255, 64, dtype=np.uint8)
    pixels = np.broadcast_to(rows[:, None, None], (64, 48, 3)).copy()
    decoded = decode(jpeg(pixels))
    assert decoded.shape == pixels.shape
    assert np.abs(decoded.astype(int) - pixels).max() < 8
