"""What a raster says of its size is compared with its file and the memory."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.grid import Grid
from cloudfree.errors import InputError
from cloudfree.raster import declared_size
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.declared_size import check_strip, memory_bytes
from tests.factories.rasters import TEN_METRES, write_raster


def _sparse(path: Path, side: int, block: int = 16_384) -> Path:
    """A raster without a single pixel in its file."""
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="uint16", tiled=True,
        blockxsize=block, blockysize=block, SPARSE_OK=True, BIGTIFF="YES", transform=TEN_METRES,
    ):  # fmt: skip
        pass
    return path


def test_a_small_file_with_more_pixels_than_any_scene_is_refused(tmp_path: Path) -> None:
    path = _sparse(tmp_path / "a.tif", 2_000_000)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InputError) as refused:
        open_raster(str(path), "a.tif")
    assert "a.tif has 2000000 x 2000000 pixels, 8.0 TB, in 0.2 MB; wanted" in str(refused.value)


def test_a_scene_without_data_may_be_as_small_as_it_is(tmp_path: Path) -> None:
    """A tile of Sentinel-2 at the edge of a swath has no pixel but nodata."""
    with open_raster(str(_sparse(tmp_path / "a.tif", 10_980)), "a.tif") as raster:
        assert raster.shape == (10_980, 10_980)


def test_a_block_that_does_not_fit_into_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _sparse(tmp_path / "a.tif", 20_000)
    monkeypatch.setattr(declared_size, "memory_bytes", lambda: 1_000_000_000)
    with pytest.raises(InputError, match=r"a block of a\.tif takes 0\.5 GB, and this"):
        open_raster(str(path), "a.tif")


@pytest.mark.parametrize(("width", "fits"), [(10_980, True), (2_000_000, False)])
def test_a_strip_of_a_scene_has_to_fit_into_memory(
    width: int, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared_size, "memory_bytes", lambda: 4_000_000_000)
    grid = Grid(None, TEN_METRES, 512, width)
    if fits:
        check_strip(grid, 13, "a.vrt")
        return
    with pytest.raises(InputError, match=r"2000000 pixels wide, takes 53\.2 GB, and .* 4\.0 GB"):
        check_strip(grid, 13, "a.vrt")


def test_a_limit_of_the_process_is_its_memory() -> None:
    resource = pytest.importorskip("resource")
    found, limits = memory_bytes(), resource.getrlimit(resource.RLIMIT_AS)
    assert found is not None
    assert found > 1 << 28
    resource.setrlimit(resource.RLIMIT_AS, (found - 4096, limits[1]))
    try:
        assert memory_bytes() == found - 4096
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def test_what_lies_in_an_archive_is_compared_with_the_archive(tmp_path: Path) -> None:
    path = _sparse(tmp_path / "a.tif", 2_000_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "a.tif")
    with pytest.raises(InputError, match=r"a\.tif has 2000000 x 2000000 pixels"):
        open_raster(f"/vsizip/{{{tmp_path / 'a.zip'}}}/a.tif", "a.tif")


def test_a_small_raster_is_as_large_as_it_says(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.ones((1, 3, 4), np.uint8), ["one"])
    with open_raster(str(path), "a.tif") as raster:
        assert raster.shape == (3, 4)
