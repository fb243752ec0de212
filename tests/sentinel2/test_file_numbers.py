"""The number format by type and magnitude, and evidence of the offset in the darkest pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.raster.gdal import ignored_warning
from cloudfree.sentinel2.file_numbers import dark_pixel_evidence
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import (
    TEN_METRES,
    UTM31,
    cloudy_scene,
    write_raster,
)

ALL = Window(0, 0, 96, 96)


def test_floats_are_reflectance_unless_they_are_too_large(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0].astype(np.float32)
    big = write_raster(tmp_path / "big.tif", numbers, OPTICAL_BANDS)
    small = write_raster(tmp_path / "small.tif", numbers / 10_000, OPTICAL_BANDS)
    with OpticalScene(big) as one, OpticalScene(small) as other:
        assert np.allclose(one.reflectance(["B02"], ALL), other.reflectance(["B02"], ALL))


def test_per_cent_is_refused(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0].astype(np.float32)
    path = write_raster(tmp_path / "a.tif", numbers / 100, OPTICAL_BANDS)
    with pytest.raises(
        InputError, match=r"floats of median .* of a\.tif, as of per cent; .*by 100"
    ):
        OpticalScene(path)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.ones((13, 8, 8), np.complex64), OPTICAL_BANDS)
    with pytest.raises(InputError, match=r"complex64 numbers in a\.tif; wanted digital numbers"):
        OpticalScene(path)


def test_a_black_band_in_front_does_not_make_digital_numbers_reflectance(tmp_path: Path) -> None:
    order = [10, *range(10), 11, 12]
    numbers = cloudy_scene(96, 96)[0][order].astype(np.float32)
    numbers[0] = 10
    path = write_raster(tmp_path / "a.tif", numbers, [OPTICAL_BANDS[index] for index in order])
    with OpticalScene(path) as scene:
        assert scene.radiometry.scale == pytest.approx(1e-4)


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


def _clear(dark: float = 10.0) -> dict[str, np.ndarray]:
    """Clear ground: half of it green, half water."""
    rng = np.random.default_rng(0)
    green = dict.fromkeys(OPTICAL_BANDS, 2000.0) | {"B10": dark}
    water = dict.fromkeys(OPTICAL_BANDS, 300.0) | {"B10": dark, "B11": dark, "B12": dark}
    return {
        band: np.concatenate([rng.normal(level, 2, 500) for level in (green[band], water[band])])
        for band in OPTICAL_BANDS
    }


@pytest.mark.parametrize("bands", [OPTICAL_BANDS, ("B10",), ("B08", "B11", "B12"), ("B8A", "B12")])
def test_dark_numbers_exclude_an_offset(bands: tuple[str, ...]) -> None:
    seen = dark_pixel_evidence({band: _clear()[band] for band in bands})
    assert (seen.offset_dn, seen.source) == (0, "statistics")
    assert seen.reason.startswith("0, as 1 % of B")
    assert seen.reason.endswith("with an offset")


@pytest.mark.parametrize("bands", [OPTICAL_BANDS, ("B10",), ("B08", "B11", "B12")])
def test_black_at_1000_is_evidence_of_the_offset(bands: tuple[str, ...]) -> None:
    numbers = {band: pixels + 1000 for band, pixels in _clear().items()}
    assert dark_pixel_evidence({band: numbers[band] for band in bands}).offset_dn == -1000


def test_bright_scenes_are_inconclusive() -> None:
    snow = {band: np.random.default_rng(0).normal(6000, 800, 1000) for band in OPTICAL_BANDS}
    assert dark_pixel_evidence(snow).offset_dn is None
    veiled = {"B10": np.random.default_rng(0).uniform(1000, 2000, 1000)}
    assert dark_pixel_evidence(veiled).offset_dn is None
    assert dark_pixel_evidence({}).offset_dn is None


def test_a_hazy_desert_without_an_offset_is_not_taken_for_water() -> None:
    """As dark as 0.1 in both short-wave bands, but bright in the near infrared."""
    rng = np.random.default_rng(0)
    numbers = {band: rng.normal(1020, 8, 1000) for band in ("B11", "B12")}
    assert dark_pixel_evidence({**numbers, "B8A": rng.normal(2500, 50, 1000)}).offset_dn is None


def test_pixels_without_data_are_no_dark_ground() -> None:
    numbers = {band: pixels + 1000 for band, pixels in _clear().items()}
    for pixels in numbers.values():
        pixels[:100] = 0
    assert dark_pixel_evidence(numbers).offset_dn == -1000


@pytest.mark.parametrize("added", [0, 1000])
@pytest.mark.parametrize("without", [(), ("B10",)])
def test_real_scenes_are_never_taken_for_the_other_kind(
    data, added: int, without: tuple[str, ...]
) -> None:
    """All of the 13-band scenes are without an offset; some are clouds all over."""
    paths = [*(data / "triplets").glob("*s2*.tif"), *(data / "scenes").glob("*s2*.tif"),
             *(data / "timeseries").rglob("*.tif")]  # fmt: skip
    answers = []
    for path in paths:
        with ignored_warning(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path) as file:
            pixels = file.read().reshape(13, -1).astype(np.int32)
        numbers = dict(zip(OPTICAL_BANDS, np.where(pixels > 0, pixels + added, 0), strict=True))
        kept = {band: sample for band, sample in numbers.items() if band not in without}
        answers.append(dark_pixel_evidence(kept).offset_dn)
    assert len(answers) > 60
    assert set(answers) <= {-added, None}
    # Without an offset nearly all are decided; with it most of those with the cirrus band.
    decided = np.mean([answer is not None for answer in answers])
    assert (
        decided > {(0, 0): 0.95, (0, 1): 0.85, (1000, 0): 0.6, (1000, 1): 0.0}[added, len(without)]
    )


def _scene(folder: Path, numbers: np.ndarray, **more: object) -> Path:
    return write_raster(folder / "a.tif", numbers, OPTICAL_BANDS, **more)  # type: ignore[arg-type]


def test_a_band_without_data_is_named_and_does_not_make_digital_numbers_reflectance(
    tmp_path: Path,
) -> None:
    numbers = cloudy_scene(96, 96)[0].astype(np.float32)
    numbers[OPTICAL_BANDS.index("B09")] = np.nan
    with pytest.raises(InputError, match=r"no data in band B09 of a\.tif, though others have"):
        OpticalScene(_scene(tmp_path, numbers))


@pytest.mark.parametrize("fill", [1e30, 65535.0, 9999.0])
def test_fill_that_is_not_declared_does_not_decide_the_format(tmp_path: Path, fill: float) -> None:
    numbers = cloudy_scene(96, 96)[0] / np.float32(10_000)
    numbers[:, :70] = fill
    with OpticalScene(_scene(tmp_path, numbers)) as scene:
        assert scene.radiometry.scale == 1.0
        seen = scene.reflectance(["B02", "B03"], ALL)
    assert np.isnan(seen[:, :70]).all()
    assert np.isfinite(seen[:, 70:]).all()


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (np.full((13, 8, 8), 30, np.int8), r"int8 numbers in a\.tif; wanted digital numbers"),
        (
            -cloudy_scene(96, 96)[0].astype(np.int16),
            r"digital numbers of median -\d+ in the brightest band of a\.tif",
        ),
    ],
    ids=["int8", "negative"],
)
def test_numbers_with_a_sign_that_no_product_has_are_refused(
    tmp_path: Path, numbers: np.ndarray, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        OpticalScene(_scene(tmp_path, numbers), 0.0)


@pytest.mark.parametrize("text", ["-10000", "1e-300", "1", "0"])
def test_a_quantification_that_no_reflectance_has_is_refused(tmp_path: Path, text: str) -> None:
    path = _scene(tmp_path, cloudy_scene(96, 96)[0])
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(QUANTIFICATION_VALUE=text)
    with pytest.raises(InputError, match=r"QUANTIFICATION_VALUE \(.* of a\.tif; .* 10000"):
        OpticalScene(path)


@pytest.mark.parametrize("scale", [-1e-4, 1e-300, 2.0])
def test_a_scale_that_no_reflectance_has_is_refused(tmp_path: Path, scale: float) -> None:
    path = _scene(tmp_path, cloudy_scene(96, 96)[0])
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (scale,) * 13
    with pytest.raises(InputError, match=r"scale .* for a reflectance of 1\) of a\.tif"):
        OpticalScene(path)


def test_the_scale_of_the_bands_counts(tmp_path: Path) -> None:
    numbers = cloudy_scene(96, 96)[0] // 2 * 2
    path = _scene(tmp_path, numbers // 2)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (2e-4,) * 13
    with OpticalScene(path) as scene:
        assert np.allclose(scene.reflectance(["B02"], ALL)[0], numbers[1] / 10_000, atol=1e-6)


def test_a_scale_of_few_digits_is_the_whole_number_that_is_meant(tmp_path: Path) -> None:
    path = _scene(tmp_path, cloudy_scene(96, 96)[0])
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (float(np.float32(1e-4)),) * 13
        dataset.update_tags(QUANTIFICATION_VALUE="10000")
    with OpticalScene(path) as scene:
        assert scene.radiometry.scale == 1e-4


def test_a_scale_that_contradicts_the_metadata_is_refused(tmp_path: Path) -> None:
    path = _scene(tmp_path, cloudy_scene(96, 96)[0])
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (2e-4,) * 13
        dataset.update_tags(QUANTIFICATION_VALUE="10000")
    with pytest.raises(InputError, match=r"contradicting scales .*\(10000\).*\(5000\)"):
        OpticalScene(path)
