"""What may be given as a mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.cloudmask.sun_geometry import Sun, sun_tags
from cloudfree.core.grid import Grid
from cloudfree.errors import InputError
from tests.factories.rasters import TEN_METRES, write_raster

SUN = Sun(161.25, "fitted", (200.0, 750.0))
GRID = Grid(CRS.from_epsg(32631).to_wkt(), TEN_METRES, 8, 6)


def _write(path: Path, values: list[int], nodata: float | None = None) -> Path:
    """All the values, over and over."""
    pixels = np.resize(np.uint8(values), (1, 8, 6))
    return write_raster(path, pixels, ["mask"], nodata=nodata)


@pytest.mark.parametrize("values", [[0], [1], [0, 1, 2, 3, 255], [0, 3], [1, 255]])
def test_classes_are_taken_as_they_are(tmp_path: Path, values: list[int]) -> None:
    with MaskFile.from_user(_write(tmp_path / "m.tif", values), GRID) as mask:
        assert np.flatnonzero(mask.counts()).tolist() == values
        assert mask.counts().sum() == 48


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0, 255], r"m\.tif holds 0, 255: 255 without any 1 or 2; .*; write clouds as 1, or"),
        ([255], "holds 255: 255 without any 1 or 2"),
        ([0, 4, 8, 9], r"holds 0, 4, 8, 9; wanted classes: 0 clear, 1 cloud, 2 shadow, 3 snow, "
                       r"255 nodata; .*SCL.*8, 9 and 10 as 1, 3 as 2"),
        ([0, 7], r"holds 0, 7; .*SCL"),
        ([0, 4, 5], r"holds 0, 4, 5; wanted classes: 0 clear, 1 cloud, 2 shadow, 3 snow, 255"),
        ([0, 100], r"holds 0, 100; .*; write clouds as 1, shadows as 2 and clear ground as 0"),
        (list(range(40)), r"holds 0, 1, .*, 11 \.\.\.; wanted"),
    ],
)  # fmt: skip
def test_values_that_are_no_classes_are_refused(
    tmp_path: Path, values: list[int], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        MaskFile.from_user(_write(tmp_path / "m.tif", values), GRID)


def test_a_mask_of_a_scene_without_clouds_declares_its_nodata(tmp_path: Path) -> None:
    with MaskFile.from_user(_write(tmp_path / "m.tif", [0, 255], nodata=255), GRID) as mask:
        assert mask.counts()[[0, 255]].tolist() == [24, 24]


def test_the_sun_of_a_users_mask_is_that_of_its_tags(tmp_path: Path) -> None:
    path = _write(tmp_path / "m.tif", [0, 1])
    with MaskFile.from_user(path, GRID) as mask:
        assert mask.sun is None
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(**sun_tags(SUN))
    with MaskFile.from_user(path, GRID) as mask:
        assert mask.sun == SUN


def test_what_is_wrong_with_the_form_is_said(tmp_path: Path) -> None:
    floats = write_raster(tmp_path / "f.tif", np.ones((1, 8, 6), np.float32), ["mask"])
    with pytest.raises(InputError, match=r"f\.tif holds float32 numbers; wanted .* as uint8: 0 cl"):
        MaskFile(floats, GRID)
    two = write_raster(tmp_path / "t.tif", np.ones((2, 8, 6), np.uint8), ["a", "b"])
    with pytest.raises(InputError, match=r"t\.tif has 2 bands; wanted one band"):
        MaskFile(two, GRID)
    with pytest.raises(InputError, match=r"\(8 x 6 pixels\) does not lie on the scene's grid; "):
        MaskFile(_write(tmp_path / "m.tif", [0, 1]), Grid(GRID.crs, GRID.transform, 8, 7))
