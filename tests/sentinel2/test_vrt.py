"""Bands of several files as one raster on the finest grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.sentinel2_products import (
    RESOLUTION_M,
    Safe,
    ground,
    write_band,
    write_safe,
)

ALL = Window(0, 0, 48, 48)


def test_nearest_repeats_every_pixel(tmp_path: Path) -> None:
    safe = Safe()
    with OpticalScene(write_safe(tmp_path, safe), resampling="nearest") as scene:
        native = dict(zip(scene.bands, scene.native(ALL), strict=True))
        assert scene.tags["CLOUDFREE_RESAMPLING"] == "nearest"
    for band in ("B05", "B10"):
        factor = RESOLUTION_M[band] // 10
        np.testing.assert_array_equal(
            native[band], safe.numbers[band].repeat(factor, 0).repeat(factor, 1)
        )


def test_without_its_10_m_files_a_l2a_product_has_the_grid_of_the_finest(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe("L2A"))
    for file in path.rglob("*_10m.jp2"):
        file.unlink()
    with OpticalScene(path) as scene:
        assert (scene.grid.height, scene.grid.transform.a) == (24, 20)
        np.testing.assert_array_equal(scene.native(Window(0, 0, 24, 24))[1], 7777)


def test_a_band_that_cannot_be_opened_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_safe(tmp_path, Safe())
    next(path.rglob("*_B06.jp2")).write_bytes(b"no picture")
    with OpticalScene(path) as scene:
        assert scene.bands == tuple(band for band in OPTICAL_BANDS if band != "B06")
        with pytest.raises(InputError, match="no band B06"):
            scene.require(OPTICAL_BANDS, "the model")
    assert "band B06 is left out" in caplog.text


def test_only_the_bands_asked_for_are_decoded(tmp_path: Path) -> None:
    """A file that breaks off is no matter until its pixels are asked for."""
    path = write_safe(tmp_path, Safe(suffix="tif"))
    file = next(path.rglob("*_B08.tif"))
    file.write_bytes(file.read_bytes()[:700])
    with OpticalScene(path) as scene:
        assert np.isfinite(scene.reflectance(["B02", "B05", "B10"], ALL)).all()
        with pytest.raises(InputError, match=r"cannot be read .*; wanted a file that is whole"):
            scene.reflectance(["B08"], ALL)


def test_bands_that_do_not_nest_are_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe(numbers={**ground(), "B05": np.ones((25, 25), np.uint16)}))
    with pytest.raises(InputError, match=r"band B05 of .* \(25 x 25 pixels .* not nest in the fin"):
        OpticalScene(path)


def test_scale_and_offset_of_the_files_count(tmp_path: Path) -> None:
    """Exports of band files have what the metadata of a product would say."""
    for band in ("B02", "B03", "B04", "B08"):
        path = write_band(tmp_path / f"{band}.tif", np.full((32, 32), 1600, np.uint16))
        with rasterio.open(path, "r+") as dataset:
            dataset.scales, dataset.offsets = (2e-4,), (-0.2,)
    with OpticalScene(tmp_path) as scene:
        assert scene.offset.reason.startswith("-1000 by the scale and offset")
        assert scene.reflectance(["B02"], Window(0, 0, 1, 1)).item() == pytest.approx(0.12)
