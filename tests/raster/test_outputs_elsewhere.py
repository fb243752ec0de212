"""Rasters that are written to a bucket, or into memory as GDAL names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from cloudfree.core.grid import Grid
from cloudfree.errors import CloudfreeError, ErrorCode, OutputError
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.outputs_elsewhere import (
    check_local,
    copy_elsewhere,
    delete_elsewhere,
    exists,
    require_new,
)
from tests.factories.rasters import write_cloudy_scene
from tests.factories.stac_server import StacServer, stac_server

GRID = Grid(CRS.from_epsg(32631).to_wkt(), Affine(10, 0, 5e5, 0, -10, 4.5e6), 64, 80)
PROFILE = CogProfile(dtype="uint8", nodata=None, descriptions=("a",))


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StacServer]:
    """A bucket `files` whose objects are the files of `tmp_path`/bucket."""
    folder = tmp_path / "bucket"
    folder.mkdir()
    with stac_server(folder) as server:
        for name, text in {
            "AWS_S3_ENDPOINT": server.address.removeprefix("http://"), "AWS_HTTPS": "NO",
            "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "nowhere",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, text)
        yield server


def _write(path: Path) -> np.ndarray:
    pixels = np.random.default_rng(0).integers(0, 255, (1, 64, 80), np.uint8)
    with CogWriter(path, GRID, PROFILE) as file:
        file.write(GRID.window, pixels)
    return pixels


@pytest.mark.parametrize("name", ["s3://files/put_{}.tif", "/vsis3/files/put_{}.tif"])
def test_a_raster_is_put_into_a_bucket_whole(bucket: StacServer, tmp_path: Path, name: str) -> None:
    path = Path(name.format(len(name)))
    require_new(path, overwrite=False)
    assert list((tmp_path / "bucket").glob("*.tif")) == [], "the probe is deleted"
    pixels = _write(path)
    (there,) = (tmp_path / "bucket").glob("*.tif")
    with rasterio.open(there) as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    puts = [path for method, path, _ in bucket.requests if method == "PUT"]
    assert puts == [f"/files/{there.stem}.part.tif", f"/files/{there.name}"]


def test_a_raster_in_memory_is_replaced_only_if_that_is_asked_for() -> None:
    path = Path("/vsimem/elsewhere/a.tif")
    assert not exists(path)
    _write(path)
    assert exists(path)
    with pytest.raises(OutputError) as error:
        require_new(path, overwrite=False)
    assert str(error.value).startswith("/vsimem/elsewhere/a.tif exists already; wanted a new name")
    assert error.value.code is ErrorCode.OUTPUT_EXISTS
    require_new(path, overwrite=True)


def test_outdated_rasters_elsewhere_are_deleted_and_no_others(tmp_path: Path) -> None:
    old, here = Path("/vsimem/old/a_mask.tif"), tmp_path / "a_mask.tif"
    _write(old)
    _write(here)
    delete_elsewhere((old, here))
    assert (exists(old), here.exists()) == (False, True)


def test_a_place_that_takes_nothing_is_refused_before_any_work(tmp_path: Path) -> None:
    with stac_server(tmp_path) as server:
        path = Path(f"{server.address}/files/a.tif")
        with pytest.raises(
            OutputError, match=r"^http://.*a\.tif cannot be written \(.*; choose another"
        ):
            require_new(path, overwrite=False)


@pytest.mark.parametrize("name", ["a.json", "a.qml", "report.html"])
def test_other_files_than_rasters_are_refused_elsewhere(name: str) -> None:
    with pytest.raises(OutputError) as error:
        require_new(Path(f"s3://bucket/{name}"), overwrite=True)
    assert str(error.value) == (
        f"{name} beside a result that is written elsewhere; wanted rasters alone, as GDAL copies "
        "no other files; leave --stac, --qml, --quicklook and --report out, or write here and copy"
    )


def test_outputs_of_this_machine_are_checked_as_ever(tmp_path: Path) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif")
    with pytest.raises(CloudfreeError, match=r"a\.tif exists already"):
        require_new(path, overwrite=False)
    require_new(path, overwrite=True)


def test_the_results_of_a_batch_stay_on_this_machine(tmp_path: Path) -> None:
    check_local(tmp_path, "a batch")
    with pytest.raises(OutputError, match="/vsis3/bucket/out as the folder of a batch; wanted a"):
        check_local(Path("s3://bucket/out"), "a batch")


def test_a_copy_replaces_what_is_there(tmp_path: Path) -> None:
    first = write_cloudy_scene(tmp_path / "a.tif", 32, 32)
    second = write_cloudy_scene(tmp_path / "b.tif", 48, 48)
    place = Path("/vsimem/copy/a.tif")
    copy_elsewhere(first, place)
    copy_elsewhere(second, place)
    with rasterio.open("/vsimem/copy/a.tif") as dataset:
        assert dataset.shape == (48, 48)
