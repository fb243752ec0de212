from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.commands.mask.options import MaskOptions, MaskResult
from cloudfree.commands.mask.run import run
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import PUBLISHED_MASK
from cloudfree.core.mask_classes import FILE_CLASSES, MASK_COLOURS, MaskClass
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, OutputError
from cloudfree.raster.gdal import ignored_warning
from tests.factories.cloudy_scenes import cloudy_scene, degrees_apart
from tests.factories.rasters import cloudy_scene as round_cloud
from tests.factories.rasters import write_raster

SIZE = 160
PIXELS, CLOUD, SHADOW = cloudy_scene(size=SIZE, distance_m=400.0, clouds=8, seed=3)
NUMBERS = np.clip(np.rint(PIXELS * 10_000), 1, 65535).astype(np.uint16)


def _scene(path: Path, numbers: np.ndarray = NUMBERS, **kind: object) -> Path:
    return write_raster(path / "l1c.tif", numbers, OPTICAL_BANDS, **kind)


def _read(path: Path) -> np.ndarray:
    with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as dataset:
        pixels: np.ndarray = dataset.read(1)
    return pixels


def _run(scene: Path, **options: object) -> tuple[MaskResult, np.ndarray]:
    """Mask by the published detector, where the options say nothing else."""
    given: dict[str, Any] = {**asdict(PUBLISHED_MASK), **options}
    result = run(MaskOptions(scene=scene, **given), silent)
    return result, _read(result.output)


def test_the_mask_is_written_beside_the_scene(tmp_path: Path) -> None:
    result, mask = _run(_scene(tmp_path))
    assert result.output == tmp_path / "l1c_mask.tif"
    assert (mask[CLOUD] == MaskClass.CLOUD).mean() > 0.9
    assert (mask[SHADOW] == MaskClass.SHADOW).mean() > 0.6
    assert result.pixels == SIZE * SIZE
    assert result.fractions["cloud"] == pytest.approx((mask == MaskClass.CLOUD).mean())
    assert sum(result.fractions.values()) == pytest.approx(1.0)
    assert "cloud" in result.summary()
    assert str(result.output) in result.summary()


def test_a_style_lies_beside_the_mask_if_asked_for_and_not_beside_the_score(
    tmp_path: Path,
) -> None:
    scene = _scene(tmp_path)
    _run(scene, score=tmp_path / "score.tif", qml=True)
    assert 'label="shadow"' in (tmp_path / "l1c_mask.qml").read_text()
    assert not (tmp_path / "score.qml").exists()
    with pytest.raises(OutputError, match=r"l1c_mask\.tif exists already"):
        _run(scene, qml=True)
    _run(scene, overwrite=True)
    assert not (tmp_path / "l1c_mask.qml").exists(), "it belonged to the old mask"


def test_the_mask_has_colours_names_and_the_scene_s_grid(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    result, _ = _run(scene, dilate="20m", creation_options={"COMPRESS": "LZW"})
    with rasterio.open(scene) as asked, rasterio.open(result.output) as written:
        assert written.profile["dtype"] == "uint8"
        assert written.profile["compress"] == "lzw"
        assert (written.crs, written.transform) == (asked.crs, asked.transform)
        assert written.nodata == MaskClass.NODATA
        assert written.colormap(1)[1][:3] == MASK_COLOURS[MaskClass.CLOUD]
        assert written.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        tags = written.tags()
    assert {tags[f"CLASS_{value.value}"] for value in FILE_CLASSES} == {
        "clear", "cloud", "shadow", "snow", "nodata"
    }  # fmt: skip
    assert tags["MASK_DILATE"] == "20m"
    assert tags["MASK_SUN_AZIMUTH_ORIGIN"] == "fitted"
    near, far = result.shadow_distance_m or (0, 0)
    assert tags["MASK_SHADOW_DISTANCE_M"] == f"{near:.0f} to {far:.0f}"


@pytest.mark.parametrize(("azimuth", "found"), [(150.0, True), (330.0, False)])
def test_the_sun_of_the_metadata_wins(tmp_path: Path, azimuth: float, found: bool) -> None:
    pixels, cloud, shadow = cloudy_scene(size=SIZE, distance_m=400.0, clouds=1, seed=1)
    numbers = np.rint(pixels * 10_000).astype(np.uint16)
    result, mask = _run(_scene(tmp_path, numbers, **{SUN_AZIMUTH_TAG: str(azimuth)}))
    assert (result.sun_azimuth_deg, result.sun_azimuth_origin) == (azimuth, "metadata")
    assert cloud.any()
    assert shadow.any()
    assert (mask == MaskClass.SHADOW).any() == found


def test_the_sun_that_is_stated_wins_over_the_metadata(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = _scene(tmp_path, **{SUN_AZIMUTH_TAG: "20"})
    with caplog.at_level(logging.INFO, "cloudfree"):
        result, mask = _run(scene, sun_azimuth=150.0)
    assert (result.sun_azimuth_deg, result.sun_azimuth_origin) == (150.0, "stated")
    assert "--sun-azimuth 150 replaces 20 degrees in the metadata" in caplog.text
    with rasterio.open(result.output) as dataset:
        assert dataset.tags()["MASK_SUN_AZIMUTH_DEG"] == "150.0"
    tagged = write_raster(
        tmp_path / "tagged.tif", NUMBERS, OPTICAL_BANDS, **{SUN_AZIMUTH_TAG: "150"}
    )
    np.testing.assert_array_equal(mask, _run(tagged)[1])


def test_without_metadata_the_sun_is_fitted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cloudfree"):
        result, _ = _run(_scene(tmp_path))
    assert result.sun_azimuth_deg is not None
    # Grid north and geographic north differ by less than a degree here.
    assert degrees_apart(result.sun_azimuth_deg, 150.0) <= 10
    assert result.sun_azimuth_origin == "fitted"
    assert "degrees clockwise from north (fitted)" in caplog.text
    assert result.shadow_distance_m is not None
    near, far = result.shadow_distance_m
    assert 300 <= near <= 400 <= far <= 500
    assert f"shadows lie {near:.0f} to {far:.0f} m from their clouds" in caplog.text


def test_shadows_are_displaced_clouds_and_no_stripes(tmp_path: Path) -> None:
    """Every other pixel is dark too, as in a scene whose clouds lift the mean."""
    pixels, cloud, shadow = cloudy_scene(size=SIZE, distance_m=400.0, clouds=8, seed=3)
    dark = np.random.default_rng(0).permutation(SIZE)[: SIZE // 3]
    ground = ~(cloud | shadow)
    ground[:, np.setdiff1d(np.arange(SIZE), dark)] = False
    pixels[:, ground] = pixels[:, shadow].mean(axis=1, keepdims=True)
    numbers = np.rint(pixels * 10_000).astype(np.uint16)
    _, mask = _run(_scene(tmp_path, numbers, **{SUN_AZIMUTH_TAG: "150"}))
    found = mask == MaskClass.SHADOW
    assert (found & shadow).sum() > 0.75 * found.sum()


def test_without_a_distance_that_stands_out_shadows_are_looked_for_up_to_two_kilometres(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = NUMBERS.copy()
    numbers[:, ~CLOUD] = np.random.default_rng(0).integers(300, 3000, (~CLOUD).sum())
    numbers[:, 20:60] = np.where(CLOUD, numbers, 200)[:, 20:60]
    with caplog.at_level(logging.INFO, "cloudfree"):
        result, mask = _run(_scene(tmp_path, numbers, **{SUN_AZIMUTH_TAG: "150"}))
    assert result.shadow_distance_m is None
    assert "no distance of the shadows stands out: up to 2000 m is cast" in caplog.text
    assert (mask[20:60] == MaskClass.SHADOW).any()


def test_a_cloudless_scene_has_no_shadow_though_a_third_of_it_is_dark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = np.where(CLOUD, NUMBERS[:, :1, :1], NUMBERS)
    with caplog.at_level(logging.INFO, "cloudfree"):
        result, mask = _run(_scene(tmp_path, numbers))
    assert (mask == MaskClass.CLEAR).all()
    assert (result.sun_azimuth_origin, result.shadow_distance_m) == ("none", None)
    assert "no cloud throws a shadow" in caplog.text
    with rasterio.open(result.output) as written:
        tags = written.tags()
    assert tags["MASK_SUN_AZIMUTH_ORIGIN"] == "none"
    assert not {"MASK_SUN_AZIMUTH_DEG", "MASK_SHADOW_DISTANCE_M"} & set(tags)


def test_a_guessed_sun_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    speckle = np.random.default_rng(0).random((SIZE // 8, SIZE // 8)) < 0.7
    cloud = np.kron(speckle, np.ones((8, 8), dtype=bool))
    numbers = np.where(cloud, NUMBERS[:, *np.argwhere(CLOUD)[0]][:, None, None], 500)
    result, _ = _run(_scene(tmp_path, numbers.astype(np.uint16)))
    assert result.sun_azimuth_origin == "fitted"
    assert "no direction of the sun fits clearly" in caplog.text
    assert SUN_AZIMUTH_TAG in caplog.text


def test_shadows_can_be_left_out(tmp_path: Path) -> None:
    result, mask = _run(_scene(tmp_path), shadow=False)
    assert not (mask == MaskClass.SHADOW).any()
    assert (mask == MaskClass.CLOUD).any()
    assert result.sun_azimuth_origin == "none"


def test_growth_in_metres_is_growth_in_pixels_of_the_scene(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    _, plain = _run(scene, output=tmp_path / "0.tif")
    _, metres = _run(scene, output=tmp_path / "40m.tif", dilate="40m")
    _, pixels = _run(scene, output=tmp_path / "4px.tif", dilate="4px")
    np.testing.assert_array_equal(metres, pixels)
    assert ((metres == MaskClass.CLOUD) >= (plain == MaskClass.CLOUD)).all()
    assert (metres == MaskClass.CLOUD).sum() > (plain == MaskClass.CLOUD).sum()


@pytest.mark.parametrize(("threshold", "ndsi"), [(0.05, 0.6), (0.2, -1.0)])
def test_thresholds_change_the_mask(tmp_path: Path, threshold: float, ndsi: float) -> None:
    scene = _scene(tmp_path)
    _, usual = _run(scene, output=tmp_path / "usual.tif")
    _, mask = _run(scene, output=tmp_path / "other.tif", threshold=threshold, ndsi=ndsi)
    assert ((mask == MaskClass.CLOUD).sum() > (usual == MaskClass.CLOUD).sum()) == (ndsi > 0)


def test_with_sensitive_the_mask_finds_more_of_them_and_says_so(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    _, usual = _run(scene, output=tmp_path / "usual.tif")
    more, mask = _run(scene, output=tmp_path / "more.tif", sensitive=True)
    assert ((mask == MaskClass.CLOUD) >= (usual == MaskClass.CLOUD)).all()
    assert (mask == MaskClass.CLOUD).sum() > (usual == MaskClass.CLOUD).sum()
    with rasterio.open(more.output) as dataset:
        assert dataset.tags()["MASK_THOROUGH"] == "yes"


def test_with_sensitive_haze_around_a_cloud_is_cloud(tmp_path: Path) -> None:
    """Far from the cloud as much haze is none of it, and without shadows nothing is known of it."""
    numbers, cloud = round_cloud(160, 160)
    rows, cols = np.mgrid[:160, :160]
    distance = np.hypot(rows - 80, cols - 80)
    rim, far = ~cloud & (distance < 48), distance > 92
    low = np.arange(13)[:, None, None] != 10  # low clouds do not show in the cirrus band
    numbers += (400 * low * (rim | far)).astype(np.uint16)
    scene = _scene(tmp_path, numbers)
    found = {}
    for name, options in {"usual": {}, "all": {"sensitive": True}}.items():
        _, found[name] = _run(scene, output=tmp_path / f"{name}.tif", **options)
    _, blind = _run(scene, output=tmp_path / "blind.tif", sensitive=True, shadow=False)
    assert (found["all"][rim] == MaskClass.CLOUD).mean() > 0.95
    assert (found["usual"][rim] == MaskClass.CLOUD).mean() < 0.5
    assert (blind[rim] == MaskClass.CLOUD).mean() < 0.5
    assert not (found["all"][far] == MaskClass.CLOUD).any()


def test_nodata_stays_nodata_and_clouds_do_not_grow_over_it(tmp_path: Path) -> None:
    numbers = NUMBERS.copy()
    numbers[:, :, :70] = 0
    _, mask = _run(_scene(tmp_path, numbers, nodata=0), dilate="5px")
    np.testing.assert_array_equal(mask[:, :70], MaskClass.NODATA)
    assert not (mask[:, 70:] == MaskClass.NODATA).any()


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_the_score_is_written_where_asked(tmp_path: Path, dtype: str) -> None:
    numbers = NUMBERS.copy()
    numbers[:, :5] = 0
    path = tmp_path / "score.tif"
    result, mask = _run(_scene(tmp_path, numbers), score=path, score_dtype=dtype, shadow=False)
    assert result.score == path
    with rasterio.open(path) as dataset:
        assert dataset.dtypes == (dtype,)
        assert dataset.descriptions == ("cloud score",)
        score = dataset.read(1, masked=True) * dataset.scales[0]
    np.testing.assert_array_equal(np.ma.getmaskarray(score), mask == MaskClass.NODATA)
    far = np.abs(score - 0.2) > 0.005
    cloud = mask == MaskClass.CLOUD
    assert (cloud == (score >= 0.2))[far].all()
    assert 0 <= score.min() <= score.max() <= 1


def test_a_scene_without_the_cirrus_band_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [band for band in OPTICAL_BANDS if band != "B10"]
    kept = [OPTICAL_BANDS.index(band) for band in names]
    scene = write_raster(tmp_path / "l2a.tif", NUMBERS[kept], names)
    with caplog.at_level(logging.INFO, "cloudfree"):
        result, mask = _run(scene)
    assert not result.cirrus_test
    assert "no band B10 in l2a.tif: the cirrus test is left out" in caplog.text
    assert (mask[CLOUD] == MaskClass.CLOUD).mean() > 0.9


def test_the_offset_is_added_to_the_digital_numbers(tmp_path: Path) -> None:
    _, expected = _run(_scene(tmp_path))
    newer = write_raster(tmp_path / "newer.tif", NUMBERS + np.uint16(1000), OPTICAL_BANDS)
    _, mask = _run(newer, s2_offset=-1000.0)
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("shadow", [True, False])
def test_a_scene_without_a_valid_pixel_is_refused_and_leaves_no_file(
    tmp_path: Path, shadow: bool
) -> None:
    scene = _scene(tmp_path, np.zeros_like(NUMBERS))
    with pytest.raises(InputError, match=r"no valid pixel in l1c\.tif; wanted a scene with data"):
        run(MaskOptions(scene=scene, shadow=shadow, score=tmp_path / "score.tif"), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["l1c.tif"]


def test_too_few_bands_are_refused(tmp_path: Path) -> None:
    named = write_raster(tmp_path / "rgb.tif", NUMBERS[1:4], ["B02", "B03", "B04"])
    with pytest.raises(InputError, match=r"no band B08 .*for the cloud mask"):
        run(MaskOptions(scene=named), silent)
    with pytest.raises(InputError, match=r"no band B01, B08, B11 in rgb.tif"):
        run(MaskOptions(scene=named, detector="published"), silent)
    nameless = write_raster(tmp_path / "three.tif", NUMBERS[1:4], [None] * 3)
    with pytest.raises(InputError, match="3 bands without names"):
        run(MaskOptions(scene=nameless), silent)


def test_a_wrong_distance_is_refused_before_any_reading(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a distance of '4'"):
        run(MaskOptions(scene=_scene(tmp_path), dilate="4"), silent)


def test_outputs_are_not_overwritten_unasked(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    taken = tmp_path / "taken.tif"
    taken.write_text("mine")
    for options in ({"output": taken}, {"score": taken}):
        with pytest.raises(OutputError, match=r"taken\.tif exists already"):
            run(MaskOptions(scene=scene, **options), silent)
    assert taken.read_text() == "mine"
    run(MaskOptions(scene=scene, output=taken, overwrite=True), silent)
    assert _read(taken).shape == (SIZE, SIZE)


def test_missing_folders_of_outputs_are_made_and_go_again_after_a_failure(tmp_path: Path) -> None:
    scene, outputs = _scene(tmp_path), {"output": tmp_path / "new" / "newer" / "mask.tif"}
    with pytest.raises(InputError, match="a distance of 'far'"):
        _run(scene, **outputs, dilate="far")
    assert list(tmp_path.iterdir()) == [scene]
    _run(scene, **outputs, score=tmp_path / "scores" / "score.tif")
    assert outputs["output"].exists()
    assert (tmp_path / "scores" / "score.tif").exists()


def test_the_scene_is_never_its_own_output(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    before = scene.read_bytes()
    for output, score in ((scene, None), (tmp_path / "m.tif", scene), (tmp_path / "m.tif",) * 2):
        with pytest.raises(OutputError, match="is an input or another output"):
            run(MaskOptions(scene=scene, output=output, score=score, overwrite=True), silent)
    assert scene.read_bytes() == before


@pytest.mark.parametrize("size", [(1, 31), (31, 1), (1, 1), (13, 17)])
def test_small_and_prime_sized_scenes_are_masked(tmp_path: Path, size: tuple[int, int]) -> None:
    row, col = np.argwhere(CLOUD)[0]
    numbers = np.broadcast_to(NUMBERS[:, row, col][:, None, None], (13, *size)).copy()
    _, mask = _run(_scene(tmp_path, numbers), dilate="3px")
    np.testing.assert_array_equal(mask, np.full(size, MaskClass.CLOUD))


def test_the_shadows_of_a_real_scene_show_where_the_sun_stood(data: Path, tmp_path: Path) -> None:
    """July 29th at 48.5 degrees north, 10:30 to 11:10 solar time: 141 to 153 degrees."""
    scene = data / "scenes" / "S2_L1C_T19UDP_20170729_160m_13band.tif"
    result, mask = _run(scene, output=tmp_path / "mask.tif")
    assert result.sun_azimuth_origin == "fitted"
    assert result.sun_azimuth_deg is not None
    assert degrees_apart(result.sun_azimuth_deg, 147.0) <= 11
    assert 0.25 < result.fractions["cloud"] < 0.4
    assert 0.02 < result.fractions["shadow"] < 0.04
    # Cumulus of about 1.5 km below a sun 30 degrees from the zenith.
    assert result.shadow_distance_m is not None
    assert 600 < result.shadow_distance_m[0] < 1000 < result.shadow_distance_m[1] < 1300
    assert result.fractions["snow"] < 0.01
    with rasterio.open(scene) as dataset:
        wedge = (dataset.read() == 0).all(axis=0)
    np.testing.assert_array_equal(mask[wedge], MaskClass.NODATA)
    assert (mask == MaskClass.NODATA).sum() - wedge.sum() < 0.005 * mask.size


def test_a_real_mosaic_is_cloud_where_it_is_cloudy_and_clear_where_it_is_clear(
    data: Path, tmp_path: Path
) -> None:
    mosaic = "ROIs1970_fall_136_mosaic_s2"
    cloudy, _ = _run(data / "scenes" / f"{mosaic}_cloudy.tif", output=tmp_path / "cloudy.tif")
    assert cloudy.fractions["cloud"] > 0.9
    assert cloudy.fractions["nodata"] == pytest.approx(1 / 9, abs=0.01)
    clear, _ = _run(data / "scenes" / f"{mosaic}.tif", output=tmp_path / "clear.tif")
    assert clear.fractions["clear"] > 0.999


@pytest.mark.parametrize("name", ["winter112p797_s2_clear", "winter112p797_s2_cloudy"])
def test_a_real_cloudless_patch_has_no_shadow(data: Path, tmp_path: Path, name: str) -> None:
    """The published rule alone calls a tenth of it shadow."""
    result, _ = _run(data / "triplets" / f"{name}.tif", output=tmp_path / "mask.tif")
    assert result.fractions["shadow"] < 0.001


def test_real_patches_of_one_place_and_day_agree_on_the_sun(data: Path, tmp_path: Path) -> None:
    for names, expected in ((("4287", "4433"), 140.0), (("5254", "5349"), 40.0)):
        for name in names:
            scene = data / "triplets" / f"{name}_s2_cloudy.tif"
            result, _ = _run(scene, output=tmp_path / f"{name}.tif")
            assert result.sun_azimuth_deg is not None
            assert degrees_apart(result.sun_azimuth_deg, expected) <= 15
