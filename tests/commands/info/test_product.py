"""`cloudfree info`: what a product is, and what would be done with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.info.product import OpticalInfo, RadarInfo, product
from cloudfree.commands.info.run import InfoOptions, run
from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from tests.factories.rasters import (
    cloudy_scene,
    write_cloudy_scene,
    write_one_band,
    write_radar,
    write_raster,
)
from tests.factories.sentinel2_products import Safe, bands_of, write_safe


def _optical(path: Path) -> OpticalInfo:
    found = product(path)
    assert isinstance(found, OpticalInfo)
    return found


@pytest.mark.parametrize(
    ("level", "baseline", "offset"), [("L1C", "02.14", 0.0), ("L1C", "05.11", -1000.0)]
)
def test_a_product_states_its_offset_and_who_decided_it(
    tmp_path: Path, level: str, baseline: str, offset: float
) -> None:
    found = _optical(write_safe(tmp_path, Safe(level=level, baseline=baseline)))
    assert (found.level, found.baseline, found.bands) == (level, baseline, bands_of(level))
    assert (found.offset.offset_dn, found.offset.decided_by) == (offset, "metadata")
    assert any(text.startswith("name: ") for text in found.offset.evidence)
    assert found.acquisition.acquired is not None
    assert found.mask == "yes"
    assert found.remove == "yes, with cloudfree-s and a Sentinel-1 scene"
    assert "48 x 48 pixels of 10 m" in found.summary()


def test_a_corrected_product_is_masked_without_the_cirrus_test(tmp_path: Path) -> None:
    found = _optical(write_safe(tmp_path, Safe(level="L2A", baseline="04.00")))
    assert found.mask == "yes, without the cirrus test (no B10)"
    assert found.remove == (
        "yes, with cloudfree-s and a Sentinel-1 scene; L2A, cloudfree-s was trained on L1C; "
        "other bands stand in for B10"
    )


@pytest.mark.parametrize(
    ("bands", "dtype", "promise"),
    [
        (("B02", "B03", "B04", "B08"), "uint16", "yes, with cloudfree-s and a Sentinel-1 scene; "),
        (("B02", "B03", "B04"), "uint16", "refused by the default model cloudfree-s: no band B08"),
        (("B02", "B03", "B04", "B08"), "uint8", "refused by the default model cloudfree-s: a pict"),
    ],
    ids=["four bands", "no infrared", "picture"],
)
def test_what_is_said_of_remove_is_what_remove_does(
    tmp_path: Path, bands: tuple[str, ...], dtype: str, promise: str
) -> None:
    numbers = cloudy_scene(96, 96)[0][[OPTICAL_BANDS.index(band) for band in bands]]
    numbers = (numbers / 50).astype(dtype) if dtype == "uint8" else numbers
    path = write_raster(tmp_path / "s2.tif", numbers, bands)
    assert _optical(path).remove.startswith(promise)
    options = RemoveOptions(s2=path, s1=(write_radar(tmp_path / "s1.tif"),), dry_run=True)
    if promise.startswith("yes"):
        remove.run(options, silent)
    else:
        with pytest.raises(InputError):
            remove.run(options, silent)


def test_the_share_of_missing_and_saturated_pixels_is_shown(tmp_path: Path) -> None:
    scene = write_cloudy_scene(tmp_path / "l1c.tif")
    assert (_optical(scene).nodata, _optical(scene).saturated) == (0.0, 0.0)
    numbers = rewritten(scene)
    assert _optical(numbers).nodata == pytest.approx(1 / 3)
    assert _optical(numbers).saturated == pytest.approx(1 / 6)


def test_the_number_of_saturated_pixels_is_that_of_the_product(tmp_path: Path) -> None:
    numbers = cloudy_scene(48, 48)[0]
    numbers[3, :12], numbers[3, 12:18] = 60_000, 65535
    tags = {"SPECIAL_VALUE_SATURATED": "60000"}
    scene = write_raster(tmp_path / "l1c.tif", numbers, OPTICAL_BANDS, **tags)
    assert _optical(scene).saturated == pytest.approx(1 / 4)


def test_declared_nodata_is_not_saturated(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0]
    numbers[:, 48:] = 65535
    found = _optical(write_raster(tmp_path / "a.tif", numbers, OPTICAL_BANDS, nodata=65535))
    assert (found.nodata, found.saturated) == (0.5, 0.0)


def test_a_scene_without_data_promises_nothing(tmp_path: Path) -> None:
    empty = np.zeros((13, 96, 96), np.uint16)
    found = _optical(write_raster(tmp_path / "a.tif", empty, OPTICAL_BANDS))
    assert found.nodata == 1
    for promise in (found.mask, found.remove):
        assert promise == "refused unless it has data elsewhere: no valid pixel was seen"


def test_the_offset_that_is_asked_for_can_be_given(tmp_path: Path) -> None:
    bright = np.full((13, 96, 96), 3000, np.uint16)
    path = write_raster(tmp_path / "a.tif", bright, OPTICAL_BANDS)
    with pytest.raises(InputError, match="give it with --s2-offset"):
        run(InfoOptions(path), silent)
    found = run(InfoOptions(path, s2_offset=-1000.0), silent)
    assert isinstance(found, OpticalInfo)
    assert found.offset.decided_by == "flag"


def rewritten(path: Path) -> Path:
    """The top third of a scene without data, the next sixth saturated."""
    import rasterio

    with rasterio.open(path, "r+") as dataset:
        numbers = dataset.read()
        height = numbers.shape[1]
        numbers[:, : height // 3] = 0
        numbers[3, height // 3 : height // 2] = 65535
        dataset.write(numbers)
    return path


def test_a_radar_scene_shows_its_units(tmp_path: Path) -> None:
    found = run(InfoOptions(write_radar(tmp_path / "vv_vh.tif")), silent)
    assert isinstance(found, RadarInfo)
    assert found.units.startswith("db (negative numbers")
    assert found.bands == ("VV", "VH")
    assert found.summary().endswith("serves as --s1")


def test_a_radar_of_one_polarisation_serves_without_the_model(tmp_path: Path) -> None:
    both = write_radar(tmp_path / "vv_vh.tif")
    found = run(InfoOptions(write_one_band(tmp_path / "vv.tif", both, "VV")), silent)
    assert isinstance(found, RadarInfo)
    assert found.bands == ("VV",)
    assert found.summary().endswith("serves as --s1, without the model: no VH")


def test_what_is_no_product_is_refused_in_the_words_of_its_sensor(tmp_path: Path) -> None:
    (tmp_path / "S1A_nothing").mkdir()
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="no Sentinel-2 bands in folder"):
        product(tmp_path / "nothing")
    with pytest.raises(InputError, match="VV"):
        product(tmp_path / "S1A_nothing")
