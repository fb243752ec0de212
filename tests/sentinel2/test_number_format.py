"""The number format is decided by type and magnitude."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import (
    TEN_METRES,
    UTM31,
    cloudy_scene,
    write_raster,
)

ALL = Window(0, 0, 96, 96)


def test_floats_are_reflectance_unless_they_are_too_large(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0].astype(np.float32)
    big = write_raster(tmp_path / "big.tif", numbers, OPTICAL_BANDS)
    small = write_raster(tmp_path / "small.tif", numbers / 10_000, OPTICAL_BANDS)
    with OpticalScene(big) as one, OpticalScene(small) as other:
        assert np.allclose(one.reflectance(["B02"], ALL), other.reflectance(["B02"], ALL))


def test_per_cent_is_refused(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0].astype(np.float32)
    path = write_raster(tmp_path / "a.tif", numbers / 100, OPTICAL_BANDS)
    with pytest.raises(
        InputError, match=r"floats of median .* of a\.tif, as of per cent; .*by 100"
    ):
        OpticalScene(path)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.ones((13, 8, 8), np.complex64), OPTICAL_BANDS)
    with pytest.raises(InputError, match=r"complex64 numbers in a\.tif; wanted digital numbers"):
        OpticalScene(path)


def test_a_black_band_in_front_does_not_make_digital_numbers_reflectance(tmp_path: Path) -> None:
    order = [10, *range(10), 11, 12]
    numbers = cloudy_scene(96, 96)[0][order].astype(np.float32)
    numbers[0] = 10
    path = write_raster(tmp_path / "a.tif", numbers, [OPTICAL_BANDS[index] for index in order])
    with OpticalScene(path) as scene:
        assert scene.radiometry.scale == pytest.approx(1e-4)


def test_a_picture_is_read_by_its_colours_as_shares_of_white(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    numbers = np.stack([np.full((8, 8), value, np.uint8) for value in (255, 51, 0)])
    with rasterio.open(
        path, "w", driver="GTiff", count=3, height=8, width=8, dtype="uint8", photometric="RGB",
        crs=UTM31, transform=TEN_METRES,
    ) as dataset:  # fmt: skip
        dataset.write(numbers)
    with OpticalScene(path) as scene:
        assert scene.is_picture
        assert scene.bands == ("B04", "B03", "B02")
        seen = scene.reflectance(("B02", "B03", "B04"), Window(0, 0, 8, 8))
    assert seen[:, 0, 0] == pytest.approx([0.0, 0.2, 1.0])
