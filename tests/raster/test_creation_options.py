"""Creation options: what GDAL would drop, refuse or lose is refused first."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.grid import Grid
from cloudfree.errors import OutputError
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.creation_options import check_creation_options
from tests.factories.rasters import TEN_METRES, UTM31

LOSSLESS = [
    {"COMPRESS": "LZW"}, {"compress": "ZSTD", "level": "9"}, {"COMPRESS": "NONE"},
    {"BLOCKSIZE": "256"}, {"BIGTIFF": "YES"}, {"OVERVIEWS": "NONE"}, {"NUM_THREADS": "ALL_CPUS"},
    {"OVERVIEW_RESAMPLING": "NEAREST"}, {"STATISTICS": "YES"},
]  # fmt: skip
WRONG = [
    ({"NOSUCH": "1"}, "driver COG does not support creation option NOSUCH"),
    ({"COMPRESS": "FOO"}, "'FOO' is an unexpected value for COMPRESS"),
    ({"COMPRESS": "DEFLATE", "LEVEL": "99"}, "99"),
    ({"COMPRESS": "JPEG"}, "Too many color components: 13, max 10"),
    ({"COMPRESS": "JPEG", "NUM_THREADS": "ALL_CPUS"}, "Too many color components"),
    ({"OVERVIEW_COMPRESS": "JPEG"}, "Too many color components"),
    ({"OVERVIEW_RESAMPLING": "FOO"}, "FOO"),
    ({"COMPRESS": "WEBP"}, "doesn't support 13 bands"),
    ({"COMPRESS": "LERC", "MAX_Z_ERROR": "5"}, "pixels would not stay as they are"),
    ({"TILING_SCHEME": "GoogleMapsCompatible"}, "pixels would not stay as they are"),
    ({"PREDICTOR": "FLOATING_POINT"}, "only supported with Float32"),
]

SIDE = 80
GRID = Grid(rasterio.crs.CRS.from_string(UTM31).to_wkt(), TEN_METRES, SIDE, SIDE)


def _refusal(chosen: dict[str, str], dtype: str, bands: int) -> str:
    """What is said against the options; nothing where they are taken."""
    try:
        check_creation_options(chosen, dtype, bands)
    except OutputError as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize("chosen", LOSSLESS, ids=str)
@pytest.mark.parametrize(("dtype", "bands"), [("uint16", 13), ("uint8", 1), ("float32", 2)])
def test_whatever_is_taken_keeps_the_pixels(
    tmp_path: Path, chosen: dict[str, str], dtype: str, bands: int
) -> None:
    assert not _refusal(chosen, dtype, bands)
    pixels = np.random.default_rng(0).uniform(0, 255, (bands, SIDE, SIDE)).astype(dtype)
    profile = CogProfile(dtype, None, (None,) * bands, creation_options=chosen)
    with CogWriter(tmp_path / "a.tif", GRID, profile) as cog:
        cog.write(GRID.window, pixels)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        assert np.array_equal(dataset.read(), pixels)


@pytest.mark.parametrize(("chosen", "told"), WRONG, ids=[str(chosen) for chosen, _ in WRONG])
def test_whatever_gdal_drops_refuses_or_loses_is_named(
    chosen: dict[str, str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OutputError, match=r"--co \w+=.* for 13 bands of uint16") as refusal:
        check_creation_options(chosen, "uint16", 13)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not caplog.records, "said once"


@pytest.mark.parametrize("compression", ["JPEG", "WEBP"])
def test_compression_that_loses_is_refused_where_gdal_can_do_it(compression: str) -> None:
    with pytest.raises(OutputError, match=r"3 bands of uint8 .pixels would not stay as they are"):
        check_creation_options({"COMPRESS": compression}, "uint8", 3)


def test_the_type_decides() -> None:
    chosen = {"PREDICTOR": "FLOATING_POINT"}
    assert not _refusal(chosen, "float32", 2)
    assert "only supported with Float32" in _refusal(chosen, "uint16", 2)


def test_the_logger_of_gdal_is_as_it_was() -> None:
    logger = logging.getLogger("rasterio")
    before = logger.handlers[:], logger.propagate, logger.level
    check_creation_options({"COMPRESS": "LZW"}, "uint8", 1)
    assert (logger.handlers, logger.propagate, logger.level) == before
