"""A result shows itself in QGIS: true colour, reflectance, statistics; and reads back alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from cloudfree.commands.info.product import OpticalInfo, product
from cloudfree.commands.remove.run import RemoveOptions, run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.terminal import silent
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import cloudy_scene, write_cloudy_scene, write_raster

ALL = Window(0, 0, 96, 96)


def _remove(path: Path, **options: Any) -> Path:
    """The result of filling a scene by itself."""
    given = {"s2": path, "fill_by": "scene", "overwrite": True, **options}
    return run(RemoveOptions(**given), silent).output


def _offset_scene(path: Path) -> Path:
    """The cloudy scene with the offset of baseline 04.00."""
    return write_raster(path, cloudy_scene(96, 96)[0] + np.uint16(1000), OPTICAL_BANDS)


def _optical(path: Path) -> OpticalInfo:
    found = product(path)
    assert isinstance(found, OpticalInfo)
    return found


@pytest.mark.parametrize("bands", [OPTICAL_BANDS, ("B02", "B03", "B04", "B08")], ids=len)
def test_red_green_and_blue_are_shown_and_statistics_lie_inside(
    tmp_path: Path, bands: tuple[str, ...]
) -> None:
    pixels = cloudy_scene(96, 96)[0][[OPTICAL_BANDS.index(band) for band in bands]]
    result = _remove(write_raster(tmp_path / "l1c.tif", pixels, bands, nodata=0))
    with rasterio.open(result) as dataset:
        shown = dict(zip(dataset.descriptions, dataset.colorinterp, strict=True))
        colours = {band: colour.name for band, colour in shown.items()}
        assert (colours["B04"], colours["B03"], colours["B02"]) == ("red", "green", "blue")
        assert {colours[band] for band in bands if band not in ("B02", "B03", "B04")} == {
            "undefined"
        }
        blue = dataset.read(bands.index("B02") + 1)
        tags = dataset.tags(bands.index("B02") + 1)
        assert float(tags["STATISTICS_MEAN"]) == pytest.approx(blue.mean(), rel=1e-9)
    with rasterio.open(result.with_name("l1c_cloudfree_filled.tif")) as filled:
        assert filled.colorinterp[0].name == "palette"
    assert not list(tmp_path.glob("*.aux.xml"))


@pytest.mark.parametrize("offset_dn", [0.0, -1000.0])
def test_gdal_shows_the_reflectance_that_is_read_here(tmp_path: Path, offset_dn: float) -> None:
    scene = _offset_scene(tmp_path / "l1c.tif") if offset_dn else write_cloudy_scene(
        tmp_path / "l1c.tif"
    )  # fmt: skip
    result = _remove(scene, s2_offset=offset_dn)
    with rasterio.open(result) as dataset, OpticalScene(result) as read:
        assert dataset.scales == (1e-4,) * 13
        assert dataset.offsets == (offset_dn / 10_000,) * 13
        shown = dataset.read(4) * dataset.scales[3] + dataset.offsets[3]
        np.testing.assert_allclose(shown, read.reflectance(["B04"], ALL)[0], atol=1e-6)


@pytest.mark.parametrize("offset_dn", [0.0, -1000.0])
def test_a_result_of_a_result_has_the_same_offset_scale_and_clear_pixels(
    tmp_path: Path, offset_dn: float
) -> None:
    scene = _offset_scene(tmp_path / "l1c.tif") if offset_dn else write_cloudy_scene(
        tmp_path / "l1c.tif"
    )  # fmt: skip
    once = _remove(scene, s2_offset=offset_dn)
    twice = _remove(once, output=tmp_path / "twice.tif")
    first, second = _optical(once), _optical(twice)
    assert first.offset.offset_dn == second.offset.offset_dn == offset_dn
    assert (first.bands, first.level) == (second.bands, second.level)
    with rasterio.open(once) as one, rasterio.open(twice) as other:
        assert (one.scales, one.offsets) == (other.scales, other.offsets)
        assert one.colorinterp == other.colorinterp
        clear = ~cloudy_scene(96, 96)[1]
        clear[20:76, 20:76] = False  # the dilated mask
        assert np.array_equal(one.read()[:, clear], other.read()[:, clear])


def test_an_unscaled_copy_that_keeps_the_tags_is_read_with_an_offset_of_0(tmp_path: Path) -> None:
    result = _remove(_offset_scene(tmp_path / "l1c.tif"), s2_offset=-1000.0)
    with rasterio.open(result) as dataset, OpticalScene(result) as read:
        before, tags = read.reflectance(OPTICAL_BANDS, ALL), dataset.tags()
        unscaled = (dataset.read() * 1e-4 - 0.1).astype(np.float32)
    del tags["AREA_OR_POINT"]
    copy = write_raster(tmp_path / "unscaled.tif", unscaled, OPTICAL_BANDS, **tags)
    with OpticalScene(copy, 0.0) as scene:
        np.testing.assert_allclose(scene.reflectance(OPTICAL_BANDS, ALL), before, atol=1e-6)


def test_the_scale_of_another_kind_of_band_and_of_a_picture_stays(tmp_path: Path) -> None:
    pixels = np.concatenate([cloudy_scene(96, 96)[0], np.full((1, 96, 96), 4, np.uint16)])
    write_raster(tmp_path / "scl.tif", pixels, [*OPTICAL_BANDS, "SCL"])
    picture = pixels[:3].astype(np.uint8)
    write_raster(tmp_path / "picture.tif", picture, ["red", "green", "blue"])
    with OpticalScene(tmp_path / "scl.tif") as scene:
        profile = scene.profile({}, {})
        assert profile.scales == (*(1e-4,) * 13, 1.0)
        assert profile.interpretation[-1] == "undefined"
    with OpticalScene(tmp_path / "picture.tif") as scene:
        profile = scene.profile({}, {})
        assert (profile.scales, profile.offsets) == ((1.0,) * 3, (0.0,) * 3)
        assert profile.interpretation == ("red", "green", "blue")


def test_reflectance_in_floats_keeps_a_scale_of_1(tmp_path: Path) -> None:
    pixels = cloudy_scene(96, 96)[0].astype(np.float32) / np.float32(10_000)
    path = write_raster(tmp_path / "l1c.tif", pixels, OPTICAL_BANDS)
    result = _remove(path)
    with rasterio.open(result) as dataset:
        assert (set(dataset.scales), set(dataset.offsets)) == ({1.0}, {0.0})
    assert _optical(result).offset.offset_dn == _optical(path).offset.offset_dn
