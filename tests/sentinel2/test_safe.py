from __future__ import annotations

import dataclasses
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import InputError
from cloudfree.raster.area import SceneArea
from cloudfree.raster.cog import CogWriter
from cloudfree.raster.dataset import open_raster
from cloudfree.raster.resample import bilinear
from cloudfree.sentinel2.detect_product import find_product
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import FIELD
from tests.factories.sentinel2_products import (
    CORNER,
    OFFSETS,
    SUN_AZIMUTH_DEG,
    Safe,
    bands_of,
    ground,
    write_band,
    write_safe,
    write_zip,
)

SIDE = 48
ALL = Window(0, 0, SIDE, SIDE)


def fine(pixels: np.ndarray, side: int = SIDE) -> Float32:
    """What bilinear resampling makes of coarse pixels, by another way than GDAL's."""
    factor = side // len(pixels)
    place = np.clip((np.arange(side) + 0.5) / factor - 0.5, 0, len(pixels) - 1)
    rows, cols = np.meshgrid(place, place, indexing="ij")
    return bilinear(pixels[None].astype(np.float32), rows, cols)[0]


@pytest.mark.parametrize("baseline", OFFSETS)
@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_a_product_of_any_baseline_shows_the_reflectance_of_the_ground(
    tmp_path: Path, level: str, baseline: str
) -> None:
    safe = Safe(level, baseline)
    with OpticalScene(write_safe(tmp_path, safe)) as scene:
        assert scene.bands == bands_of(level)
        assert (scene.grid.height, scene.grid.width) == (SIDE, SIDE)
        assert (scene.grid.transform.a, scene.grid.transform.c) == (10, CORNER[0])
        for band in scene.bands:
            seen = scene.reflectance([band], ALL)[0]
            # Resampled numbers are whole again.
            np.testing.assert_allclose(seen, fine(safe.numbers[band]) / 10_000, atol=0.51e-4)
        assert scene.offset.offset_dn == OFFSETS[baseline]
        assert scene.offset.source == "metadata"


@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_bands_of_the_finest_grid_keep_every_number(tmp_path: Path, level: str) -> None:
    safe = Safe(level, "05.11")
    with OpticalScene(write_safe(tmp_path, safe)) as scene:
        native = dict(zip(scene.bands, scene.native(ALL), strict=True))
    for band in ("B02", "B03", "B04", "B08"):
        np.testing.assert_array_equal(native[band], safe.stored[band])


def test_the_metadata_is_read(tmp_path: Path) -> None:
    with OpticalScene(write_safe(tmp_path, Safe("L2A", "04.00"))) as scene:
        assert scene.level == "L2A"
        assert scene.sun_azimuth_deg == SUN_AZIMUTH_DEG
        seen = scene.acquisition
        assert seen.acquired == datetime(2022, 6, 5, 10, 50, 31, 24_000, tzinfo=UTC)
        assert (seen.platform, seen.orbit_direction) == ("Sentinel-2B", "descending")
        assert seen.relative_orbit == 51
        assert seen.product is not None
        assert seen.product.startswith("S2B_MSIL2A_20220605T105031_N0400")
        assert (scene.product.nodata, scene.product.saturated) == (0, 65535)
        assert scene.product.kind == "Sentinel-2 L2A SAFE folder"
        assert scene.tags["PROCESSING_BASELINE"] == "04.00"
        assert scene.tags["CLOUDFREE_RESAMPLING"] == "bilinear"


def test_the_quantification_of_the_metadata_counts(tmp_path: Path) -> None:
    """An early product had 1000."""
    numbers = {band: np.maximum(pixels // 10, 1) for band, pixels in ground().items()}
    with OpticalScene(write_safe(tmp_path, Safe(numbers=numbers, quantification=1000))) as scene:
        seen = scene.reflectance(["B02"], ALL)[0]
    np.testing.assert_allclose(seen, numbers["B02"] / 1000, rtol=1e-6)


def test_a_quantification_that_makes_ground_brighter_than_clouds_is_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe(quantification=1000))
    with pytest.raises(InputError, match=r"median reflectance of \d.* with 1000 .* has 10000"):
        OpticalScene(path)


@pytest.fixture(scope="module", params=["bilinear", "cubic", "nearest"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    numbers = ground()
    for band in numbers:
        side = len(numbers[band])
        numbers[band][: side // 4, : side // 2] = 0
    path = write_safe(tmp_path_factory.mktemp("safe"), Safe(numbers=numbers))
    with OpticalScene(path, resampling=request.param) as opened:
        yield opened


spans = st.tuples(st.integers(0, SIDE - 1), st.integers(1, SIDE)).map(
    lambda span: (span[0], min(span[1], SIDE - span[0]))
)


@given(rows=spans, cols=spans)
def test_a_window_is_the_same_part_of_the_whole(
    scene: OpticalScene, rows: tuple[int, int], cols: tuple[int, int]
) -> None:
    window = Window(rows[0], cols[0], rows[1], cols[1])
    whole = scene.native(ALL)
    np.testing.assert_array_equal(scene.native(window), whole[:, *window.slices])


def test_missing_pixels_take_no_part_in_their_neighbours(scene: OpticalScene) -> None:
    """Zeros mixed into the edge of a scene would give numbers that the ground does not have."""
    upper = scene.native(Window(0, 0, SIDE // 2, SIDE))
    for level, pixels in zip(FIELD, upper, strict=True):
        assert (pixels == 0).any()
        # The ground is at least 0.8 of the level there; a cubic kernel overshoots a little.
        assert pixels[pixels > 0].min() > 0.7 * 10_000 * level


def test_nodata_is_missing_and_saturated_is_not(tmp_path: Path) -> None:
    numbers = {band: pixels.copy() for band, pixels in ground().items()}
    for pixels in numbers.values():
        pixels[: len(pixels) // 2] = 0
    numbers["B02"][40:] = 65535
    path = write_safe(tmp_path, Safe(baseline="04.00", numbers=numbers))
    with OpticalScene(path, resampling="nearest") as scene:
        seen = scene.reflectance(OPTICAL_BANDS, ALL)
    assert np.isnan(seen[:, :24]).all()
    assert np.isfinite(seen[:, 24:]).all()
    np.testing.assert_allclose(seen[1, 40:], 6.4535, rtol=1e-5)


def test_a_band_that_is_not_there_is_absent(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe("L2A"))
    for file in path.rglob("*_B05_*"):
        file.unlink()
    with OpticalScene(path) as scene:
        assert "B05" not in scene.bands
        assert scene.level == "L2A"


def test_threads_read_the_same(tmp_path: Path) -> None:
    with (
        OpticalScene(write_safe(tmp_path, Safe())) as scene,
        ThreadPoolExecutor(4) as threads,
    ):
        read = list(threads.map(scene.native, [ALL] * 8))
    assert all(np.array_equal(read[0], other) for other in read)


@pytest.mark.parametrize("baseline", OFFSETS)
def test_what_is_written_reads_back_the_same(tmp_path: Path, baseline: str) -> None:
    """The output keeps the input's own convention."""
    path = tmp_path / "result.tif"
    with OpticalScene(write_safe(tmp_path, Safe("L2A", baseline))) as scene:
        native, expected = scene.native(ALL), scene.reflectance(scene.bands, ALL)
        with CogWriter(path, scene.grid, scene.profile({}, {})) as writer:
            writer.write(ALL, native)
        with OpticalScene(path) as back:
            np.testing.assert_array_equal(back.native(ALL), native)
            np.testing.assert_array_equal(back.reflectance(back.bands, ALL), expected)
            assert back.bands == scene.bands
            assert back.offset.offset_dn == scene.offset.offset_dn
            assert back.offset.source == "band tag"
            assert (back.level, back.sun_azimuth_deg) == (scene.level, scene.sun_azimuth_deg)
            assert back.acquisition == scene.acquisition
            assert back.tags["CLOUDFREE_OFFSET_DN"] == str(OFFSETS[baseline])
            assert (
                "in MTD_MSIL2A.xml" in back.tags["CLOUDFREE_OFFSET_REASON"]
                or "02.14" in (back.tags["CLOUDFREE_OFFSET_REASON"])
            )


def test_the_decision_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    safe = Safe("L2A", "04.00")
    with caplog.at_level(logging.INFO, "cloudfree"), OpticalScene(write_safe(tmp_path, safe)):
        pass
    assert f"offset of {safe.name}: -1000 by BOA_ADD_OFFSET in MTD_MSIL2A.xml" in caplog.text


def test_metadata_that_its_pixels_contradict_is_refused_unless_the_user_decides(
    tmp_path: Path,
) -> None:
    """Somebody took the offset out of the files and left the metadata."""
    safe = Safe(baseline="04.00")
    path = write_safe(tmp_path, safe)
    write_safe(tmp_path / "other", dataclasses.replace(safe, offset=0))
    for file in path.rglob("*.jp2"):
        file.write_bytes((tmp_path / "other" / file.relative_to(tmp_path)).read_bytes())
    with pytest.raises(
        InputError,
        match=r"contradicting .*: -1000 by RADIO_ADD_OFFSET in MTD_MSIL1C\.xml \(metadata\), but "
        r"0, as 1 % of B10 lies below .* \(statistics\); .* --s2-offset",
    ):
        OpticalScene(path)
    with OpticalScene(path, 0.0) as scene:
        assert (scene.offset.offset_dn, scene.offset.source) == (0, "flag")


def test_several_granules_are_refused_and_one_is_read(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe(), granules=2)
    with pytest.raises(InputError, match=r"2 granules in .*; wanted one tile; give one of its"):
        OpticalScene(path)
    with OpticalScene(path / "GRANULE" / "L1C_T31TCH_A027410_20220605T105031") as scene:
        assert scene.bands == OPTICAL_BANDS


def test_a_product_without_images_or_metadata_is_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe())
    for file in path.rglob("*.jp2"):
        file.unlink()
    with pytest.raises(InputError, match="no band file below GRANULE"):
        OpticalScene(path)
    metadata = path / "MTD_MSIL1C.xml"
    metadata.write_text("<?xml")
    with pytest.raises(InputError, match=r"MTD_MSIL1C.xml cannot be read .*download the product"):
        OpticalScene(path)


def test_entities_are_refused(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe())
    metadata = path / "MTD_MSIL1C.xml"
    text = metadata.read_text().replace("?>", '?><!DOCTYPE a [<!ENTITY x "y">]>', 1)
    metadata.write_text(text)
    with pytest.raises(InputError, match="document type declaration"):
        OpticalScene(path)


def test_a_real_l2a_product(data: Path) -> None:
    """Its 60 m bands are all there is; baseline 04.00."""
    [path] = (data / "products").glob("S2A_MSIL2A_*.SAFE")
    with OpticalScene(path) as scene:
        assert scene.bands == ("B01", "B02", "B03", "B04", "B11", "B12")
        assert (scene.grid.height, scene.grid.transform.a) == (1830, 60)
        assert (scene.level, scene.offset.offset_dn) == ("L2A", -1000)
        assert scene.sun_azimuth_deg == pytest.approx(172.84, abs=0.01)
        dark = np.nanpercentile(scene.reflectance(["B12"], Window(0, 0, 600, 600)), 1)
    assert -0.01 < dark < 0.02


def test_the_finest_scene_classification_is_found(tmp_path: Path) -> None:
    root = write_safe(tmp_path, Safe("L2A"))
    (images,) = root.glob("GRANULE/*/IMG_DATA")
    coarse = images / "R60m" / "T31TCG_20220605T105031_SCL_60m.jp2"
    write_band(coarse, np.full((8, 8), 9, np.uint8))
    finest = images / "R20m" / "T31TCG_20220605T105031_SCL_20m.jp2"
    assert find_product(root).scl == str(finest)
    assert find_product(root / "MTD_MSIL2A.xml").scl == str(finest)
    finest.unlink()
    assert find_product(root).scl == str(coarse)
    assert find_product(write_safe(tmp_path, Safe("L1C"))).scl is None


def test_the_scene_classification_of_a_zip_opens_in_it(tmp_path: Path) -> None:
    name = find_product(write_zip(tmp_path, Safe("L2A"))).scl
    assert name is not None
    with open_raster(name, name) as dataset:
        assert (dataset.shape, dataset.read().max()) == ((24, 24), 4)


def test_the_scene_classification_of_a_real_product_is_that_of_20_m(data: Path) -> None:
    (root,) = data.glob("products/S2A_MSIL2A*.SAFE")
    assert (find_product(root).scl or "").endswith("R20m/T29UNU_20221005T115411_SCL_20m.jp2")


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("part", [Window(7, 11, 20, 25), Window(31, 0, 17, 5)])
def test_a_part_has_the_pixels_of_the_whole_product_in_all_of_its_bands(
    tmp_path: Path, packed: bool, part: Window
) -> None:
    """Bands of 20 and 60 m too, wherever among their pixels the part begins."""
    safe = Safe("L1C", "04.00")
    path = write_zip(tmp_path, safe) if packed else write_safe(tmp_path, safe)
    with OpticalScene(path) as whole:
        area = SceneArea(whole.grid.crop(part))
        with OpticalScene(path, area=area) as cut:
            assert (cut.bands, cut.tags) == (whole.bands, whole.tags)
            assert (cut.offset.offset_dn, cut.offset.reason) == (-1000, whole.offset.reason)
            assert cut.grid == whole.grid.crop(part)
            np.testing.assert_array_equal(cut.native(cut.grid.window), whole.native(part))
