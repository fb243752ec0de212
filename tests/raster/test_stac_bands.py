"""Bands of rasters as STAC describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Grid
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.stac_bands import pixel_gsd_m, stac_bands
from cloudfree.raster.warp import grid_of
from tests.factories.rasters import write_cloudy_scene, write_raster


def _bands(path: Path) -> list[dict[str, Any]]:
    with rasterio.open(path) as dataset:
        return list(stac_bands(dataset))


def test_optical_bands_have_their_places_in_the_spectrum(tmp_path: Path) -> None:
    bands = _bands(write_cloudy_scene(tmp_path / "a.tif", nodata=0))
    assert [band["name"] for band in bands] == list(OPTICAL_BANDS)
    assert bands[3] == {
        "name": "B04", "data_type": "uint16", "nodata": 0, "raster:spatial_resolution": 10,
        "eo:common_name": "red", "eo:center_wavelength": 0.6646, "eo:full_width_half_max": 0.031,
    }  # fmt: skip


def test_scale_offset_unit_and_statistics_are_those_of_the_file(tmp_path: Path) -> None:
    with rasterio.open(write_cloudy_scene(tmp_path / "a.tif")) as dataset:
        grid = grid_of(dataset)
    profile = CogProfile(
        dtype="uint16", nodata=0, descriptions=("deviation",), scales=(1e-4,), offsets=(-0.1,),
        units=("reflectance",),
    )  # fmt: skip
    with CogWriter(tmp_path / "b.tif", grid, profile) as file:
        file.write(grid.window, np.full((1, grid.height, grid.width), 300, np.uint16))
    (band,) = _bands(tmp_path / "b.tif")
    assert band["statistics"] == {
        "minimum": 300, "maximum": 300, "mean": 300, "stddev": 0, "valid_percent": 100,
    }  # fmt: skip
    assert (band["raster:scale"], band["raster:offset"]) == (1e-4, -0.1)
    assert (band["name"], band["unit"]) == ("deviation", "reflectance")
    assert not any(name.startswith("eo:") for name in band)


def test_a_band_without_a_name_is_numbered(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.ones((2, 8, 8), np.uint8), [None, None])
    assert [band["name"] for band in _bands(path)] == ["band 1", "band 2"]


@pytest.mark.parametrize(
    ("nodata", "word"), [(float("nan"), "nan"), (float("inf"), "inf"), (-0.5, -0.5), (-1.0, -1)]
)
def test_a_number_that_json_does_not_know_is_a_word(
    tmp_path: Path, nodata: float, word: str | float
) -> None:
    numbers = np.ones((1, 8, 8), np.float32)
    (band,) = _bands(write_raster(tmp_path / "a.tif", numbers, ["score"], nodata=nodata))
    assert band["nodata"] == word


def test_a_grid_without_coordinates_has_no_size_on_the_ground(tmp_path: Path) -> None:
    with open_raster(str(write_cloudy_scene(tmp_path / "a.tif")), "a.tif") as dataset:
        grid = grid_of(dataset)
    assert pixel_gsd_m(grid) == 10
    assert pixel_gsd_m(Grid(None, grid.transform, 8, 8)) is None
