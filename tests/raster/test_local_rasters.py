"""What another file names is opened only if it is a raster on this computer."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.errors import InputError
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.local_rasters import DRIVERS, allowed_drivers, only_local_rasters
from tests.factories.range_server import counted_bytes
from tests.factories.rasters import write_raster


@pytest.fixture
def raster(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "one.tif", np.ones((1, 3, 4), np.uint8), ["one"])


def test_outside_a_block_everything_may_be_opened(raster: Path) -> None:
    for source in (str(raster), "/vsicurl/http://127.0.0.1/x.tif", "<VRTDataset>"):
        assert allowed_drivers(source) is None


def test_files_and_files_in_archives_are_local(raster: Path) -> None:
    archive = raster.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(raster, "inner/one.tif")
    with only_local_rasters():
        for source in (str(raster), f"/vsizip/{{{archive}}}/inner/one.tif"):
            assert allowed_drivers(source) == list(DRIVERS)
            with open_raster(source, source) as dataset:
                assert dataset.shape == (3, 4)
    assert allowed_drivers(str(raster)) is None


@pytest.mark.parametrize(
    "source",
    [
        "/vsicurl/http://127.0.0.1/x.tif",
        "/vsis3/bucket/x.tif",
        "/vsizip//vsicurl/http://127.0.0.1/x.zip/x.tif",
        "/vsizip/{/vsicurl/http://127.0.0.1/x.zip}/x.tif",
        "http://127.0.0.1/x.tif",
        "WMS:http://127.0.0.1",
    ],
)
def test_what_lies_elsewhere_is_refused_before_gdal_sees_it(source: str) -> None:
    with only_local_rasters(), pytest.raises(InputError) as refused:
        open_raster(source, "x.tif")
    assert str(refused.value) == (
        "x.tif is no raster on this computer that holds its own pixels; wanted a file that one of "
        "these drivers reads: GTiff, JP2OpenJPEG, PNG, JPEG, ENVI; copy it to this computer as a "
        "GeoTIFF"
    )


@pytest.mark.parametrize("name", ["x.vrt", "x.tif"])
def test_a_file_that_names_another_is_refused_whatever_its_name(raster: Path, name: str) -> None:
    band = f"<SimpleSource><SourceFilename>{raster}</SourceFilename></SimpleSource>"
    path = raster.with_name(name)
    path.write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="Byte" band="1">'
        f"{band}</VRTRasterBand></VRTDataset>"
    )
    with open_raster(str(path), name) as dataset:
        assert dataset.driver == "VRT"
    with only_local_rasters(), pytest.raises(InputError, match=r"x\.\w+ is no raster on this"):
        open_raster(str(path), name)


def test_a_raster_that_takes_its_overviews_from_elsewhere_is_refused(raster: Path) -> None:
    """GDAL would fetch them as soon as a small picture is read."""
    far = write_raster(raster.with_name("far.tif"), np.full((1, 2, 2), 7, np.uint8), ["far"])
    with counted_bytes(far) as served:
        with rasterio.open(raster, "r+") as file:
            file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(served.path))
        with only_local_rasters(), pytest.raises(InputError, match="holds its own pixels"):
            open_raster(str(raster), raster.name)
        assert served.count == 0


def test_a_damaged_raster_is_named_as_such(raster: Path) -> None:
    raster.write_bytes(raster.read_bytes()[:16])
    with only_local_rasters(), pytest.raises(InputError, match=r"one\.tif cannot be opened"):
        open_raster(str(raster), raster.name)
