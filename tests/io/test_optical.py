from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.window import Window
from cloudfree.errors import InputError
from cloudfree.io.optical import OpticalScene
from tests.rasters import TEN_METRES, UTM31, cloudy_scene, write_cloudy_scene, write_raster

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


def test_the_scale_and_offset_of_a_file_are_heard(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.full((13, 8, 8), 3000, np.uint16), OPTICAL_BANDS)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (1e-4,) * 13, (-0.1,) * 13
    with OpticalScene(path) as scene:
        assert scene.offset.reason == "-1000 by the scale and offset in a.tif"
        assert scene.reflectance(["B02"], Window(0, 0, 1, 1)) == pytest.approx(0.2)


@pytest.mark.parametrize(("baseline", "added"), [("N0205", 0), ("N0400", 1000), ("N0511", 1000)])
@pytest.mark.parametrize("place", ["file", "folder"])
def test_the_baseline_in_a_name_is_heard(
    tmp_path: Path, baseline: str, added: int, place: str
) -> None:
    product = f"S2A_MSIL1C_20220605T105031_{baseline}_R051_T31TCG_20220605T125031"
    path = tmp_path / (f"{product}_crop.tif" if place == "file" else f"{product}.SAFE/a.tif")
    path.parent.mkdir(exist_ok=True)
    write_raster(path, cloudy_scene(96, 96)[0] + np.uint16(added), OPTICAL_BANDS)
    with OpticalScene(path) as scene:
        assert (scene.offset.offset_dn, scene.offset.source) == (-added, "name")
        assert (scene.level, scene.acquisition.relative_orbit) == ("L1C", 51)


def test_the_tag_of_the_baseline_is_heard(tmp_path: Path) -> None:
    path = write_raster(
        tmp_path / "a.tif", np.full((13, 8, 8), 3000, np.uint16), OPTICAL_BANDS,
        PROCESSING_BASELINE="04.00",
    )  # fmt: skip
    with OpticalScene(path) as scene:
        assert scene.offset.reason == "-1000 by baseline 04.00 of the tags of a.tif, since 04.00"


def test_an_offset_that_nobody_can_tell_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.full((13, 8, 8), 3000, np.uint16), OPTICAL_BANDS)
    with pytest.raises(
        InputError,
        match=r"the radiometric offset of a\.tif is not known .*B10 3000.*; "
        r"say it with --s2-offset: 0 before processing baseline 04\.00, -1000 since",
    ):
        OpticalScene(path)
    with OpticalScene(path, 0.0) as scene:
        assert scene.offset.reason == "0 as given with --s2-offset"


def test_a_scene_without_a_valid_pixel_needs_no_offset(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.zeros((13, 8, 8), np.uint16), OPTICAL_BANDS)
    with OpticalScene(path) as scene:
        assert scene.offset.reason == "0, for no pixel has data"


def test_floats_are_reflectance_unless_they_are_too_large(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0].astype(np.float32)
    big = write_raster(tmp_path / "big.tif", numbers, OPTICAL_BANDS)
    small = write_raster(tmp_path / "small.tif", numbers / 10_000, OPTICAL_BANDS)
    with OpticalScene(big) as one, OpticalScene(small) as other:
        assert np.allclose(one.reflectance(["B02"], ALL), other.reflectance(["B02"], ALL))


def test_a_picture_is_read_by_its_colours_as_shares_of_white(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    numbers = np.stack([np.full((8, 8), value, np.uint8) for value in (255, 51, 0)])
    with rasterio.open(
        path, "w", driver="GTiff", count=3, height=8, width=8, dtype="uint8", photometric="RGB",
        crs=UTM31, transform=TEN_METRES,
    ) as dataset:  # fmt: skip
        dataset.write(numbers)
    with OpticalScene(path) as scene:
        assert scene.is_picture
        assert scene.bands == ("B04", "B03", "B02")
        seen = scene.reflectance(("B02", "B03", "B04"), Window(0, 0, 8, 8))
    assert seen[:, 0, 0] == pytest.approx([0.0, 0.2, 1.0])


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


@pytest.mark.parametrize("tag", ["RADIO_ADD_OFFSET", "BOA_ADD_OFFSET"])
def test_a_result_carries_the_offset_that_a_flag_decided(tmp_path: Path, tag: str) -> None:
    """Whatever the tags of the input said, nobody is to be misled by them again."""
    newer = cloudy_scene(96, 96)[0] + np.uint16(1000)
    path = write_raster(tmp_path / "a.tif", newer, OPTICAL_BANDS)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(1, **{tag: "0"})
    with pytest.raises(InputError, match=rf"0 by band tag {tag} in a\.tif .*-1000, for the black"):
        OpticalScene(path)
    with OpticalScene(path, -1000.0) as scene:
        profile = scene.profile({}, {})
    assert [tags.get(tag, "-1000") for tags in profile.band_tags] == ["-1000"] * 13
    assert all(tags["RADIO_ADD_OFFSET"] == "-1000" for tags in profile.band_tags)
    assert profile.tags["CLOUDFREE_OFFSET_DN"] == "-1000"
    assert profile.tags["CLOUDFREE_OFFSET_REASON"] == "-1000 as given with --s2-offset"
