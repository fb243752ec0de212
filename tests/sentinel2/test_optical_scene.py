from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Grid, Window
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import SceneArea
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.range_server import counted_bytes
from tests.factories.rasters import (
    TEN_METRES,
    UTM31,
    cloudy_scene,
    write_cloudy_scene,
    write_raster,
)

ALL = Window(0, 0, 96, 96)


def test_bands_are_found_by_name_whatever_their_order(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0]
    path = write_raster(tmp_path / "a.tif", numbers[::-1].copy(), OPTICAL_BANDS[::-1])
    with OpticalScene(path) as scene:
        blue = scene.reflectance(["B02"], ALL)
        assert scene.bands == OPTICAL_BANDS[::-1]
    assert np.allclose(blue[0], numbers[1] / 10_000, atol=1e-6)


@pytest.mark.parametrize(("flag", "shift"), [(None, 0.0), (-1000.0, -0.1)])
def test_the_offset_flag_is_added_before_scaling(
    tmp_path: Path, flag: float | None, shift: float
) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif")
    with OpticalScene(path, flag) as scene:
        seen = scene.reflectance(["B08"], ALL)
    assert np.allclose(seen[0], cloudy_scene(96, 96)[0][7] / 10_000 + shift, atol=1e-6)


def test_the_offset_of_band_tags_is_used(tmp_path: Path) -> None:
    newer = cloudy_scene(96, 96)[0] + np.uint16(1000)
    path = write_raster(tmp_path / "a.tif", newer, OPTICAL_BANDS)
    with rasterio.open(path, "r+") as dataset:
        for index in dataset.indexes:
            dataset.update_tags(index, RADIO_ADD_OFFSET="-1000")
    with OpticalScene(path) as scene:
        assert scene.radiometry.offset == pytest.approx(-0.1)
        assert (scene.offset.source, scene.offset.offset_dn) == ("band tag", -1000)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(1, RADIO_ADD_OFFSET="0")
    with pytest.raises(InputError, match=r"contradicting .* -1000 by band tag .*--s2-offset"):
        OpticalScene(path)


def test_the_scale_and_offset_of_a_file_are_evidence(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.full((13, 8, 8), 3000, np.uint16), OPTICAL_BANDS)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (1e-4,) * 13, (-0.1,) * 13
    with OpticalScene(path) as scene:
        assert scene.offset.reason == "-1000 by the scale and offset in a.tif"
        assert scene.reflectance(["B02"], Window(0, 0, 1, 1)) == pytest.approx(0.2)


@pytest.mark.parametrize(("baseline", "added"), [("N0205", 0), ("N0400", 1000), ("N0511", 1000)])
@pytest.mark.parametrize("place", ["file", "folder"])
def test_the_baseline_in_a_name_is_evidence(
    tmp_path: Path, baseline: str, added: int, place: str
) -> None:
    product = f"S2A_MSIL1C_20220605T105031_{baseline}_R051_T31TCG_20220605T125031"
    path = tmp_path / (f"{product}_crop.tif" if place == "file" else f"{product}.SAFE/a.tif")
    path.parent.mkdir(exist_ok=True)
    write_raster(path, cloudy_scene(96, 96)[0] + np.uint16(added), OPTICAL_BANDS)
    with OpticalScene(path) as scene:
        assert (scene.offset.offset_dn, scene.offset.source) == (-added, "name")
        assert (scene.level, scene.acquisition.relative_orbit) == ("L1C", 51)


def test_the_tag_of_the_baseline_is_evidence(tmp_path: Path) -> None:
    path = write_raster(
        tmp_path / "a.tif", np.full((13, 8, 8), 3000, np.uint16), OPTICAL_BANDS,
        PROCESSING_BASELINE="04.00",
    )  # fmt: skip
    with OpticalScene(path) as scene:
        assert scene.offset.reason == "-1000 by baseline 04.00 of the tags of a.tif, since 04.00"


def test_an_unknown_offset_is_refused_with_the_next_step(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.full((13, 8, 8), 3000, np.uint16), OPTICAL_BANDS)
    with pytest.raises(
        InputError,
        match=r"the radiometric offset of a\.tif is not known \(the darkest numbers fit both: down "
        r"to 3000 in B10\); .*; "
        r"give it with --s2-offset: 0 before processing baseline 04\.00, -1000 since",
    ):
        OpticalScene(path)
    with OpticalScene(path, 0.0) as scene:
        assert scene.offset.reason == "0 as given with --s2-offset"


def test_an_offset_that_metadata_have_need_not_be_checked_by_pixels(tmp_path: Path) -> None:
    """Dark pixels contradict the tag, and are all there is without one."""
    numbers = cloudy_scene(96, 96)[0]
    wrong = write_raster(tmp_path / "a.tif", numbers, OPTICAL_BANDS, CLOUDFREE_OFFSET_DN="-1000")
    with pytest.raises(InputError, match="contradicting"):
        OpticalScene(wrong)
    with OpticalScene(wrong, check_offset=False) as scene:
        assert scene.offset.offset_dn == -1000
    untold = write_raster(tmp_path / "b.tif", numbers, OPTICAL_BANDS)
    with OpticalScene(untold, check_offset=False) as scene:
        assert (scene.offset.source, scene.offset.offset_dn) == ("statistics", 0)


def test_a_scene_without_a_valid_pixel_needs_no_offset(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.zeros((13, 8, 8), np.uint16), OPTICAL_BANDS)
    with OpticalScene(path) as scene:
        assert scene.offset.reason == "0, as no pixel has data"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_reflectance_that_still_holds_the_offset_is_found_by_its_darkest_pixels(
    tmp_path: Path, dtype: type
) -> None:
    numbers = cloudy_scene(96, 96)[0]
    numbers[10] = np.minimum(numbers[10], 30)  # a cirrus band without cirrus
    path = write_raster(tmp_path / "a.tif", (numbers / 10_000 + 0.1).astype(dtype), OPTICAL_BANDS)
    with OpticalScene(path) as scene:
        assert (scene.offset.offset_dn, scene.offset.source) == (-1000, "statistics")
        seen = scene.reflectance(["B02"], ALL)
        profile = scene.profile({}, {})
        assert scene.radiometry.encode(seen)[0] == pytest.approx(scene.native(ALL)[1], abs=1e-6)
    assert seen[0] == pytest.approx(numbers[1] / 10_000, abs=1e-6)
    assert profile.tags["CLOUDFREE_OFFSET_DN"] == "-1000"


def test_the_offset_flag_is_added_to_reflectance_too(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.full((13, 8, 8), 0.3, np.float32), OPTICAL_BANDS)
    with OpticalScene(path, -1000.0) as scene:
        assert scene.reflectance(["B02"], Window(0, 0, 8, 8)) == pytest.approx(0.2)
    with OpticalScene(path) as scene:
        assert scene.reflectance(["B02"], Window(0, 0, 8, 8)) == pytest.approx(0.3)
        assert scene.offset.source == "reflectance"


def test_the_decision_of_an_earlier_run_holds_for_reflectance(tmp_path: Path) -> None:
    bright = np.full((13, 8, 8), 0.3, np.float32)
    path = write_raster(tmp_path / "a.tif", bright, OPTICAL_BANDS, CLOUDFREE_OFFSET_DN="-1000")
    with OpticalScene(path) as scene:
        assert scene.reflectance(["B02"], Window(0, 0, 8, 8)) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"PROCESSING_BASELINE": "05.10"}, "-1000 by baseline 05.10 of the tags of a.tif"),
        ({}, "the darkest numbers fit both: down to 3000 in B10"),
    ],
)
def test_bright_reflectance_is_taken_as_it_is_with_a_warning(
    tmp_path: Path, tags: dict[str, str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    bright = np.full((13, 8, 8), 0.3, np.float32)
    with OpticalScene(write_raster(tmp_path / "a.tif", bright, OPTICAL_BANDS, **tags)) as scene:
        assert scene.reflectance(["B02"], Window(0, 0, 8, 8)) == pytest.approx(0.3)
    assert f"no dark pixel shows that it was removed ({why}" in caplog.text
    assert caplog.text.rstrip().endswith("if it was not, give --s2-offset -1000")


def test_dark_reflectance_needs_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Blue water, seen in the last bands that are looked at."""
    dark = np.full((3, 8, 8), 0.05, np.float32)
    bands = ("B02", "B03", "B04")
    path = write_raster(tmp_path / "a.tif", dark, bands, PROCESSING_BASELINE="05.10")
    with OpticalScene(path) as scene:
        assert scene.offset.source == "reflectance"
    assert caplog.text == ""


def test_missing_bands_are_named(tmp_path: Path) -> None:
    keep = [i for i, name in enumerate(OPTICAL_BANDS) if name not in ("B10", "B01")]
    path = write_raster(
        tmp_path / "a.tif", cloudy_scene(32, 32)[0][keep], [OPTICAL_BANDS[i] for i in keep]
    )
    with (
        OpticalScene(path) as scene,
        pytest.raises(InputError, match=r"no band B01, B10 in a\.tif"),
    ):
        scene.require(OPTICAL_BANDS, "the model")


def test_a_file_that_is_no_raster_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_text("no raster")
    with pytest.raises(InputError, match=r"cannot be opened .*; wanted a raster that GDAL reads"):
        OpticalScene(path)


def test_missing_pixels_are_nan_in_every_band(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0]
    numbers[:, :10] = 0
    numbers[10, 10:] = 0  # a cirrus band of zeros is data
    path = write_raster(tmp_path / "a.tif", numbers, OPTICAL_BANDS)
    with OpticalScene(path) as scene:
        seen = scene.reflectance(OPTICAL_BANDS, ALL)
    assert np.isnan(seen[:, :10]).all()
    assert np.isfinite(seen[:, 10:]).all()


@pytest.mark.parametrize(
    ("dtype", "mark"),
    [(np.int16, -9999), (np.int16, -32768), (np.float32, -9999), (np.int16, 0), (np.float32, 0),
     (np.float32, -3.4028235e38), (np.float64, -1.79e308)],
)  # fmt: skip
@pytest.mark.parametrize("unit", [1, 10_000])
def test_missing_pixels_need_not_be_declared(
    tmp_path: Path, dtype: type, mark: float, unit: int
) -> None:
    """Among digital numbers and in reflectance, which whole numbers cannot hold."""
    unit = 1 if dtype == np.int16 else unit
    numbers = (cloudy_scene(96, 96)[0] / unit).astype(dtype)
    numbers[:, :20, :30] = mark
    path = write_raster(tmp_path / "a.tif", numbers, OPTICAL_BANDS)
    with OpticalScene(path) as scene:
        missing = np.isnan(scene.reflectance(OPTICAL_BANDS, ALL))
        assert np.array_equal(scene.native(ALL), numbers), "its own numbers stay"
    assert missing[:, :20, :30].all()
    assert missing.sum() == 13 * 20 * 30


@pytest.mark.parametrize(("dtype", "nodata"), [("uint16", None), ("float32", None), ("int16", -1)])
def test_pixels_outside_the_mask_band_are_missing(
    tmp_path: Path, dtype: str, nodata: float | None
) -> None:
    numbers = cloudy_scene(96, 96)[0].astype(dtype)
    path, shown = tmp_path / "a.tif", np.full((96, 96), 255, np.uint8)
    shown[:20, :30] = 0
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path, "w", driver="GTiff", count=13, height=96, width=96, dtype=dtype, crs=UTM31,
            transform=TEN_METRES, nodata=nodata,
        ) as dataset,
    ):  # fmt: skip
        dataset.write(numbers)
        dataset.write_mask(shown)
        dataset.descriptions = OPTICAL_BANDS
    part = Window(10, 10, 40, 50)
    with OpticalScene(path) as scene:
        missing = np.isnan(scene.reflectance(["B02", "B10"], part))
        declared = scene.profile({}, {}).nodata
        assert np.array_equal(scene.native(ALL)[:, shown > 0], numbers[:, shown > 0])
        assert scene.radiometry.valid(scene.native(ALL)).sum() == (shown > 0).sum()
    assert (missing == (shown[part.slices] == 0)).all()
    assert declared is not None, "the mask does not go with the result, so its nodata must"


@pytest.mark.parametrize("azimuth", ["nan", "inf", "1e30", "-361"])
def test_a_sun_in_no_direction_is_not_known(
    tmp_path: Path, azimuth: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif", MEAN_SUN_AZIMUTH_ANGLE=azimuth)
    with OpticalScene(path) as scene:
        assert (scene.sun_azimuth_deg, scene.sun_azimuth_deg) == (None, None)
    warning = f"MEAN_SUN_AZIMUTH_ANGLE = {azimuth} in a.tif is no direction"
    assert caplog.text.count(warning) == 1


@pytest.mark.parametrize("azimuth", [-200.0, 0.0, 360.0])
def test_the_sun_azimuth_may_be_negative_or_up_to_360(tmp_path: Path, azimuth: float) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif", MEAN_SUN_AZIMUTH_ANGLE=str(azimuth))
    with OpticalScene(path) as scene:
        assert scene.sun_azimuth_deg == azimuth


NOON = datetime(2021, 4, 24, 12, tzinfo=UTC)


def test_a_stated_date_and_sun_win_over_the_metadata_with_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = {"MEAN_SUN_AZIMUTH_ANGLE": "150.5", "PRODUCT_START_TIME": "2020-01-02T10:50:31Z"}
    with OpticalScene(write_cloudy_scene(tmp_path / "a.tif", **known)) as scene:
        caplog.set_level(logging.INFO, "cloudfree")
        scene.state()
        assert "replaces" not in caplog.text
        scene.state(NOON, 30.25)
        assert (scene.acquisition.acquired, scene.sun_azimuth_deg) == (NOON, 30.25)
        tags = scene.profile({}, {}).tags
    assert tags["MEAN_SUN_AZIMUTH_ANGLE"] == "30.25"
    assert tags["PRODUCT_START_TIME"] == "2021-04-24T12:00:00Z"
    assert "--sun-azimuth 30.25 replaces 150.5 degrees in the metadata" in caplog.text
    assert "--s2-date 2021-04-24 12:00 UTC replaces 2020-01-02 10:50 UTC in the" in caplog.text


def test_what_is_stated_of_a_scene_without_metadata_needs_no_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with OpticalScene(write_cloudy_scene(tmp_path / "a.tif")) as scene:
        caplog.set_level(logging.INFO, "cloudfree")
        scene.state(acquired=NOON)
        assert (scene.acquisition.acquired, scene.sun_azimuth_deg) == (NOON, None)
        scene.state(sun_azimuth_deg=0.0)
        assert (scene.acquisition.acquired, scene.sun_azimuth_deg) == (NOON, 0.0)
    assert "replaces" not in caplog.text


def _stack_of(folder: Path, files: dict[str, str]) -> Path:
    """A virtual dataset with a band of each file."""
    bands = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{number}"><Description>{band}</Description>'
        f'<SimpleSource><SourceFilename relativeToVRT="1">{file}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
        for number, (band, file) in enumerate(files.items(), start=1)
    )
    path = folder / "stack.vrt"
    path.write_text(f'<VRTDataset rasterXSize="96" rasterYSize="96">{bands}</VRTDataset>')
    return path


def test_a_scene_without_its_files_is_refused(tmp_path: Path) -> None:
    broken = _stack_of(tmp_path, dict.fromkeys(OPTICAL_BANDS, "gone.tif"))
    with pytest.raises(
        InputError, match=r"stack\.vrt cannot be read \(.*gone\.tif.*; wanted a file"
    ):
        OpticalScene(broken)


def test_a_missing_band_does_not_matter_if_the_offset_is_known(
    tmp_path: Path,
) -> None:
    write_raster(tmp_path / "whole.tif", np.full((1, 96, 96), 200, np.uint16), ["B11"])
    path = _stack_of(tmp_path, {"B10": "gone.tif", "B11": "whole.tif"})
    with OpticalScene(path, 0.0) as scene:
        assert scene.reflectance(["B11"], ALL) == pytest.approx(0.02)


@pytest.mark.parametrize("bands", [("B02", "B03", "B04"), OPTICAL_BANDS])
def test_empty_scenes_do_not_contradict_the_metadata(
    tmp_path: Path, bands: tuple[str, ...]
) -> None:
    """No evidence among the bands, and no pixel with data."""
    level = 3000 if len(bands) == 3 else 0
    path = write_raster(
        tmp_path / "a.tif", np.full((len(bands), 8, 8), level, np.uint16), bands,
        PROCESSING_BASELINE="05.10",
    )  # fmt: skip
    with OpticalScene(path) as scene:
        assert scene.offset.offset_dn == -1000


@pytest.mark.parametrize("text", ["abc", "nan"])
def test_band_tags_that_are_no_numbers_are_ignored(tmp_path: Path, text: str) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif")
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(1, RADIO_ADD_OFFSET=text)
    with OpticalScene(path) as scene:
        assert scene.offset.source == "statistics"


@pytest.mark.parametrize("tag", ["RADIO_ADD_OFFSET", "BOA_ADD_OFFSET"])
def test_a_result_carries_the_offset_that_a_flag_decided(tmp_path: Path, tag: str) -> None:
    """The tags of the input no longer contradict the decision."""
    newer = cloudy_scene(96, 96)[0] + np.uint16(1000)
    path = write_raster(tmp_path / "a.tif", newer, OPTICAL_BANDS)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(1, **{tag: "0"})
    with pytest.raises(InputError, match=rf"0 by band tag {tag} in a\.tif .*-1000, as the black"):
        OpticalScene(path)
    with OpticalScene(path, -1000.0) as scene:
        profile = scene.profile({}, {})
    assert [tags.get(tag, "-1000") for tags in profile.band_tags] == ["-1000"] * 13
    assert all(tags["RADIO_ADD_OFFSET"] == "-1000" for tags in profile.band_tags)
    assert profile.tags["CLOUDFREE_OFFSET_DN"] == "-1000"
    assert profile.tags["CLOUDFREE_OFFSET_REASON"] == "-1000 as given with --s2-offset"


def test_a_name_that_the_locale_cannot_hold_is_refused(tmp_path: Path) -> None:
    """As Python hands it on where the locale is POSIX: bytes beyond ASCII become surrogates."""
    with pytest.raises(InputError, match=r"locale cannot encode; .*; set PYTHONUTF8=1, or rename"):
        OpticalScene(tmp_path / "f\udcc3\udcbc.tif")


# A part of a scene ------------------------------------------------------------------------------

PART = Window(20, 30, 40, 25)


def _around(path: Path, part: Window = PART) -> SceneArea:
    with OpticalScene(path, 0.0) as scene:
        return SceneArea(scene.grid.crop(part))


def test_a_cut_scene_has_the_pixels_grid_bands_and_tags_of_its_part(tmp_path: Path) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif", MEAN_SUN_AZIMUTH_ANGLE="150")
    with OpticalScene(path) as whole, OpticalScene(path, area=_around(path)) as cut:
        assert cut.grid == whole.grid.crop(PART)
        assert cut.whole == whole.grid
        assert (cut.bands, cut.offset, cut.tags) == (whole.bands, whole.offset, whole.tags)
        assert cut.profile({}, {}) == whole.profile({}, {})
        assert cut.sun_azimuth_deg == 150.0
        np.testing.assert_array_equal(cut.native(cut.grid.window), whole.native(PART))
        inner = Window(3, 4, 10, 12)
        seen = cut.reflectance(["B08", "B02"], inner)
        np.testing.assert_array_equal(seen, whole.reflectance(["B08", "B02"], inner.within(PART)))
        reduced = Grid(cut.grid.crs, cut.grid.transform, 8, 5)
        np.testing.assert_array_equal(
            cut.reduced_reflectance(["B03"], reduced),
            whole.reduced_reflectance(["B03"], reduced, PART),
        )


def test_a_cut_at_all_borders_is_the_whole_scene(tmp_path: Path) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif")
    with OpticalScene(path, area=_around(path, ALL)) as scene:
        assert (scene.part, scene.grid) == (None, scene.whole)


def test_what_a_mask_band_hides_stays_hidden_in_a_part(tmp_path: Path) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif")
    valid = np.full((96, 96), 255, np.uint8)
    valid[25:30, 33:36] = 0
    with rasterio.open(path, "r+") as dataset:
        dataset.write_mask(valid)
    with OpticalScene(path) as whole, OpticalScene(path, area=_around(path)) as cut:
        seen = cut.reflectance(["B02"], cut.grid.window)
        np.testing.assert_array_equal(seen, whole.reflectance(["B02"], PART))
    assert np.isnan(seen[0, 5:10, 3:6]).all()
    assert np.isnan(seen).sum() == 15


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_dark_pixels_of_the_whole_scene_decide_about_its_parts(tmp_path: Path, dtype: type) -> None:
    """A bright part has no evidence of its own."""
    numbers = np.full((13, 96, 96), 3000, np.uint16)
    numbers[:, :, 80:] = 300
    unit = 1 if dtype is np.uint16 else 10_000
    path = write_raster(tmp_path / "a.tif", (numbers / unit).astype(dtype), OPTICAL_BANDS)
    with OpticalScene(path) as whole, OpticalScene(path, area=_around(path)) as cut:
        assert cut.offset == whole.offset
    bright = np.full((13, 96, 96), 3000, np.uint16)
    alone = write_raster(tmp_path / "b.tif", bright, OPTICAL_BANDS)
    with pytest.raises(InputError, match="the radiometric offset of b"):
        OpticalScene(alone, area=_around(alone))


def test_a_part_reads_little_of_a_large_file(tmp_path: Path) -> None:
    """Where metadata know the offset, only blocks under the part are decoded."""
    side, block, bands = 2048, 128, ("B02", "B03", "B04", "B08")
    path = tmp_path / "large.tif"
    numbers = np.random.default_rng(0).integers(200, 3000, (4, side, side), np.uint16)
    with rasterio.open(
        path, "w", driver="COG", count=4, height=side, width=side, dtype="uint16", crs=UTM31,
        transform=TEN_METRES, blocksize=block, compress="DEFLATE",
    ) as dataset:  # fmt: skip
        dataset.write(numbers)
        dataset.descriptions = bands
        dataset.update_tags(PROCESSING_BASELINE="03.00")
    part = Window(700, 900, 100, 120)
    area = _around(path, part)
    with counted_bytes(path) as served:
        with OpticalScene(served.path, area=area) as scene:
            seen = scene.native(scene.grid.window)
        assert served.count < 0.1 * path.stat().st_size
    np.testing.assert_array_equal(seen, numbers[:, *part.slices])


def test_an_area_that_the_scene_does_not_show_is_refused(tmp_path: Path) -> None:
    path = write_cloudy_scene(tmp_path / "a.tif")
    far = SceneArea(Grid(CRS.from_string(UTM31).to_wkt(), Affine(10, 0, 0, 0, -10, 0), 9, 9))
    with pytest.raises(InputError, match=r"has no pixel of a\.tif") as error:
        OpticalScene(path, area=far)
    assert error.value.code is ErrorCode.NO_OVERLAP
