from __future__ import annotations

import logging
import math
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.errors import NotGeoreferencedWarning
from scipy.ndimage import map_coordinates

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.coregister.options import CoregisterOptions, CoregisterResult
from cloudfree.commands.coregister.quicklook import LEGEND_PX, USED
from cloudfree.commands.coregister.run import run
from cloudfree.core.displacement import NO_SHIFT, Displacement, PolynomialDisplacement, Shift
from cloudfree.core.grid import Grid
from cloudfree.core.radiometry import linear_power
from cloudfree.core.terminal import silent
from cloudfree.coregistration.clear_windows import BANDS
from cloudfree.coregistration.displacement_model import DisplacementFit
from cloudfree.coregistration.global_shift import NOTHING_MEASURED, ShiftEstimate
from cloudfree.coregistration.measure import assess, measure, rejection_reason
from cloudfree.coregistration.tie_points import TiePoints
from cloudfree.errors import InputError, OutputError
from cloudfree.raster.gdal import ignored_warning
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.displaced_scenes import (
    RealPair,
    error_px,
    measured,
    rotation,
    scaling,
    shifts,
    spain,
    triplet,
    triplet_names,
    turned_and_scaled,
)
from tests.factories.large_scenes import aligned, displaced_date, turned_date, two_dates
from tests.factories.rasters import (
    TEN_METRES,
    UTM31,
    write_cloudy_scene,
    write_one_band,
    write_radar,
    write_raster,
)
from tests.factories.scene_pairs import field_pair

SIDE = 192
SHIFT = Shift(3.4, -2.7)

UTM31_WKT, UTM32_WKT = (CRS.from_epsg(code).to_wkt() for code in (32631, 32632))
# The same projection as zone 31, written without its name: no register knows it.
NAMELESS = CRS.from_proj4(
    "+proj=tmerc +lat_0=0 +lon_0=3 +k=0.9996 +x_0=500000 +y_0=0 +datum=WGS84 +units=m"
).to_wkt()


def _write_optical(path: Path, reflectance: np.ndarray, crs: str | None = UTM31) -> Path:
    numbers = np.rint(reflectance * 10_000).astype(np.uint16)
    return write_raster(path, numbers, BANDS, crs=crs)


def _pair(folder: Path, shift: Shift = SHIFT, crs: str | None = UTM31) -> tuple[Path, Path]:
    optical, decibels = field_pair(SIDE, shift)
    s1 = write_raster(folder / "s1.tif", decibels, ["VV", "VH"], crs=crs)
    return s1, _write_optical(folder / "s2.tif", optical, crs)


def _run(s1: Path, s2: Path, **options: object) -> CoregisterResult:
    return run(CoregisterOptions(s1=(s1,), s2=s2, **options), silent)


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


@pytest.mark.parametrize("crs", [UTM31, None], ids=["utm", "no coordinates"])
def test_a_displaced_scene_is_measured_and_sampled_where_it_lies(
    tmp_path: Path, crs: str | None
) -> None:
    s1, s2 = _pair(tmp_path, crs=crs)
    result = _run(s1, s2)
    assert result.applied
    assert result.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.1)
    assert result.output == tmp_path / "s1_coregistered.tif"
    applied = Shift(**result.shift_px)
    with SarScene(s1) as sar, OpticalScene(s2) as optical:
        expected = sar.on_grid(optical.grid, optical.grid.window, applied)
    assert np.allclose(_read(result.output), expected, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("band", ["VV", "VH"])
def test_one_polarisation_is_aligned_and_written_alone(tmp_path: Path, band: str) -> None:
    both, s2 = _pair(tmp_path)
    result = _run(write_one_band(tmp_path / "one.tif", both, band), s2)
    assert result.applied
    assert result.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.15)
    applied = Shift(**result.shift_px)
    with SarScene(both) as sar, OpticalScene(s2) as optical:
        expected = sar.on_grid(optical.grid, optical.grid.window, applied)
    assert np.allclose(
        _read(result.output)[0], expected[sar.bands.index(band)], atol=1e-4, equal_nan=True
    )
    with rasterio.open(result.output) as dataset:
        assert (dataset.descriptions, dataset.units) == ((band,), ("dB",))


def test_the_output_lies_on_the_optical_grid_with_tags_of_what_was_done(tmp_path: Path) -> None:
    s1, s2 = _pair(tmp_path)
    result = _run(s1, s2)
    with rasterio.open(result.output) as dataset, rasterio.open(s2) as optical:
        assert (dataset.crs, dataset.transform) == (optical.crs, optical.transform)
        assert dataset.descriptions == ("VV", "VH")
        assert dataset.units == ("dB", "dB")
        assert math.isnan(dataset.nodata)
        assert dataset.dtypes == ("float32", "float32")
        tags = dataset.tags()
    applied = [float(part) for part in tags["CLOUDFREE_SHIFT_PX"].split(",")]
    assert applied == pytest.approx([3.4, -2.7], abs=0.1)
    assert tags["CLOUDFREE_SHIFT_APPLIED"] == "yes"
    assert tags["CLOUDFREE_S1_UNITS"].startswith("db (negative numbers")
    assert tags["CLOUDFREE_SHIFT_REASON"] == result.reason


def test_a_second_run_finds_nothing_left_to_correct(tmp_path: Path) -> None:
    s1, s2 = _pair(tmp_path)
    first = _run(s1, s2)
    second = _run(first.output, s2, output=tmp_path / "again.tif")
    assert math.hypot(*second.shift_px.values()) < 0.1


def test_a_dry_run_measures_and_writes_nothing(tmp_path: Path) -> None:
    result = _run(*_pair(tmp_path), dry_run=True)
    assert result.applied
    assert not result.output.exists()
    assert "nothing written (dry run)" in result.summary()
    assert "Sentinel-1 (db) covers 100.0% of the scene" in result.summary()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"shift": "none"}, r"not measured \(--shift none\)"),
        ({"max_shift": 2.0}, r"4\.\d px is more than --max-shift 2"),
    ],
)
def test_a_shift_that_is_switched_off_is_left(
    tmp_path: Path, options: dict[str, object], reason: str
) -> None:
    s1, s2 = _pair(tmp_path)
    result = _run(s1, s2, **options)
    assert not result.applied
    assert re.search(reason, result.reason)
    assert np.array_equal(_read(result.output), _read(s1))


def _fit(displacement: Displacement, doubt_px: float = 0.0) -> DisplacementFit:
    nothing = np.zeros((0, 2))
    matches = TiePoints(
        nothing[:, 0], nothing[:, 0], nothing, nothing, nothing[:, 0], nothing[:, 0]
    )
    return DisplacementFit(displacement, matches, doubt_px=doubt_px)


WIDE = scaling(SIDE, 0.05, 0.0, Shift(3, 4))


@pytest.mark.parametrize(
    ("found", "fit", "reason"),
    [
        (NOTHING_MEASURED, None, "not reliable, left alone: no clear ground with structure"),
        (ShiftEstimate(Shift(9, 1), 0.2, 0.1), None, r"other shifts fit nearly as well as \+9\.00"),
        (
            ShiftEstimate(Shift(1, 1), 0.8, 4.0),
            None,
            r"halves of the scene differ by 4\.0 px around \+1",
        ),
        (
            ShiftEstimate(Shift(6, 0), 0.8, 0.1),
            None,
            r"^left alone: 6\.0 px is more than --max-shift 5\.5",
        ),
        (ShiftEstimate(Shift(3, 4), 0.8, 0.1), None, None),
        (ShiftEstimate(Shift(3, 4), 0.8, 0.1), _fit(Shift(3, 4)), None),
        (
            ShiftEstimate(Shift(3, 4), 0.8, 0.1),
            _fit(WIDE),
            r"^left alone: 8\.\d px is more than --max-sh",
        ),
        (
            ShiftEstimate(Shift(3, 4), 0.8, 0.1),
            _fit(Shift(3, 4), 1.3),
            r"around \+3\.00 .* seems to change over the scene, by 1\.3 px more",
        ),
    ],
)
def test_every_refusal_of_a_shift_says_why(
    found: ShiftEstimate, fit: DisplacementFit | None, reason: str | None
) -> None:
    rejected = rejection_reason(found, fit, 5.5)
    assert rejected is None if reason is None else re.search(reason, rejected or "")
    assert assess(found, fit, 5.5, 1.0).applied == (reason is None)


def test_water_gives_no_wild_shift(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(3)
    water = np.clip(0.04 + rng.normal(0, 0.002, (4, SIDE, SIDE)), 0, 1)
    s2 = _write_optical(tmp_path / "s2.tif", water)
    result = _run(write_radar(tmp_path / "s1.tif", SIDE, SIDE), s2)
    assert (result.reliable, result.applied) == (False, False)
    assert result.gate == "not reliable, left alone"
    assert result.shift_px == {"row": 0.0, "col": 0.0}
    assert result.reason.startswith("not reliable, left alone: ")
    assert f"shift of Sentinel-1: {result.reason}" in caplog.messages


@pytest.mark.parametrize("shape", [(1, 97), (40, 1), (7, 300)])
def test_narrow_scenes_pass_unmeasured(tmp_path: Path, shape: tuple[int, int]) -> None:
    s1 = write_radar(tmp_path / "s1.tif", *shape)
    s2 = _write_optical(tmp_path / "s2.tif", np.full((4, *shape), 0.05))
    result = _run(s1, s2)
    assert not result.applied
    assert np.array_equal(_read(result.output), _read(s1))


def test_clouds_take_no_part_with_a_mask_and_without(tmp_path: Path) -> None:
    optical, decibels = field_pair(SIDE, SHIFT)
    cloud = np.zeros((SIDE, SIDE), bool)
    cloud[30:120, 40:130] = True
    optical[:, cloud] = 0.6
    s1 = write_raster(tmp_path / "s1.tif", decibels, ["VV", "VH"])
    green, red, nir, swir = optical
    bands = {"B01": green, "B02": green, "B03": green, "B04": red, "B08": nir, "B11": swir}
    numbers = np.rint(np.stack(list(bands.values())) * 10_000).astype(np.uint16)
    s2 = write_raster(tmp_path / "s2.tif", numbers, list(bands))
    mask_path = write_raster(tmp_path / "mask.tif", cloud[None].astype(np.uint8), ["mask"])
    with SarScene(s1) as sar, OpticalScene(s2) as scene, MaskFile(mask_path, scene.grid) as mask:
        for given in (mask, None):
            found = measure(sar, scene, given, "auto", 8.0)
            assert found.applied
            assert found.applied_shift == found.shift
            assert found.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.15)


def test_a_scene_under_clouds_is_left(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif")
    s2 = write_cloudy_scene(tmp_path / "s2.tif")
    everything = write_raster(tmp_path / "mask.tif", np.ones((1, 96, 96), np.uint8), ["mask"])
    with SarScene(s1) as sar, OpticalScene(s2) as scene, MaskFile(everything, scene.grid) as mask:
        found = measure(sar, scene, mask, "auto", 8.0)
    assert found.reason.startswith("not reliable, left alone: no clear ground with structure")
    assert found.applied_shift == NO_SHIFT


def test_scenes_that_do_not_meet_are_refused_with_both_extents(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif", transform=Affine(10, 0, 600_000, 0, -10, 4_500_000))
    s2 = write_cloudy_scene(tmp_path / "s2.tif")
    found = r"Sentinel-1 at x 600000 to 600960, .* does not meet Sentinel-2 at x 500000 to 500960"
    with pytest.raises(InputError, match=found):
        _run(s1, s2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s1.tif", "s2.tif"]


def test_missing_folders_of_outputs_are_made_and_go_again_after_a_failure(tmp_path: Path) -> None:
    s1, s2 = _pair(tmp_path)
    output, picture = tmp_path / "new" / "newer" / "s1.tif", tmp_path / "pictures" / "a.png"
    with pytest.raises(OutputError, match="COMPRESS=JPEG"):
        _run(s1, s2, output=output, creation_options={"COMPRESS": "JPEG"})
    assert sorted(tmp_path.iterdir()) == [s1, s2]
    _run(s1, s2, output=output, quicklook=picture, dry_run=True)
    assert picture.exists()
    assert not output.parent.exists()
    assert _run(s1, s2, output=output).output.exists()


def test_stated_dates_count_and_stand_in_the_tags(tmp_path: Path) -> None:
    s1, s2 = _pair(tmp_path)
    seen = {"s1_date": datetime(2021, 5, 1, 12, tzinfo=UTC),
            "s2_date": datetime(2021, 4, 24, 12, tzinfo=UTC)}  # fmt: skip
    with pytest.raises(InputError, match=r"7\.0 days between Sentinel-1 \(2021-05-01\) and Sent"):
        _run(s1, s2, max_gap=6, **seen)
    with rasterio.open(_run(s1, s2, **seen).output) as dataset:
        tags = dataset.tags()
    assert tags["CLOUDFREE_GAP_DAYS"] == "7.00"
    assert tags["CLOUDFREE_S1_SENSED"] == "2021-05-01T12:00:00+00:00"


def test_outputs_in_the_way_are_refused(tmp_path: Path) -> None:
    s1, s2 = _pair(tmp_path)
    with pytest.raises(OutputError, match=r"s2\.tif is an input or another output"):
        _run(s1, s2, output=s2, overwrite=True)
    (tmp_path / "s1_coregistered.tif").touch()
    with pytest.raises(OutputError, match="exists already"):
        _run(s1, s2)


@pytest.mark.parametrize("option", ["output", "quicklook"])
def test_the_other_polarisation_is_no_output(tmp_path: Path, option: str) -> None:
    s1, s2 = _pair(tmp_path)
    vv, vh = (write_one_band(tmp_path / f"x_{band}.tif", s1, band) for band in ("VV", "VH"))
    before = vh.read_bytes()
    with pytest.raises(OutputError, match=r"x_VH\.tif is an input or another output"):
        _run(vv, s2, overwrite=True, **{option: vh})
    assert vh.read_bytes() == before


def test_part_of_the_scene_without_radar_is_missing(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif", transform=TEN_METRES @ Affine.translation(48, 0))
    result = _run(s1, write_cloudy_scene(tmp_path / "s2.tif"), shift="none")
    assert result.overlap == pytest.approx(0.5)
    assert np.isnan(_read(result.output)[:, :, :48]).all()
    assert np.isfinite(_read(result.output)[:, :, 48:]).all()


# Shifts that change over the scene --------------------------------------------------------------


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, PolynomialDisplacement]:
    """Two scenes of 320 x 320 pixels, the radar turned by a fifth of a degree and shifted."""
    folder = tmp_path_factory.mktemp("turned")
    by = rotation(320, 0.2, Shift(1.4, -2.3))
    optical, decibels = field_pair(320, by)
    s1 = write_raster(folder / "s1.tif", decibels, ["VV", "VH"])
    return s1, _write_optical(folder / "s2.tif", optical), by


def test_a_turned_scene_is_put_straight_in_one_resampling(
    turned: tuple[Path, Path, PolynomialDisplacement], tmp_path: Path
) -> None:
    s1, s2, by = turned
    result = _run(s1, s2, output=tmp_path / "out.tif")
    assert (result.model, result.gate, result.applied) == ("affine", "reliable", True)
    assert result.length_px == pytest.approx(by.length, abs=0.15)
    with SarScene(s1) as sar, OpticalScene(s2) as optical:
        found = measure(sar, optical, None, "auto", 8.0).shift
        expected = sar.on_grid(optical.grid, optical.grid.window, found)
    assert error_px(found, Shift(), by, 320)[0] < 0.1
    assert np.allclose(_read(result.output), expected, atol=1e-4, equal_nan=True)


def test_the_report_has_tie_points_and_residuals(
    turned: tuple[Path, Path, PolynomialDisplacement], tmp_path: Path
) -> None:
    result = _run(*turned[:2], output=tmp_path / "out.tif")
    before, after = (result.residual_px[name] for name in ("before", "after"))
    assert 50 < result.matches_used <= result.matches == 100
    assert before["median"] == pytest.approx(2.7, abs=0.4)
    assert after["median"] < after["p95"] < 0.5
    summary = result.summary()
    lie = f"{result.matches_used} of 100 tie points used; they lie off by {before['median']:.2f} px"
    assert lie in summary
    assert re.search(
        r"-2\.3\d columns in the mean, \d\.\d\d px at most \(affine\): correc", summary
    )
    with rasterio.open(result.output) as dataset:
        tags = dataset.tags()
    assert tags["CLOUDFREE_SHIFT_MODEL"] == "affine"
    assert len(tags["CLOUDFREE_SHIFT_COEFFICIENTS"].split()) == 3


def test_nothing_is_left_after_a_turned_scene_was_corrected(
    turned: tuple[Path, Path, PolynomialDisplacement], tmp_path: Path
) -> None:
    first = _run(*turned[:2], output=tmp_path / "out.tif")
    second = _run(first.output, turned[1], output=tmp_path / "again.tif")
    assert second.length_px < 0.2


def test_the_quicklook_shows_matches_on_the_scene(
    turned: tuple[Path, Path, PolynomialDisplacement], tmp_path: Path
) -> None:
    picture = tmp_path / "arrows.png"
    result = _run(*turned[:2], dry_run=True, quicklook=picture)
    assert result.quicklook == picture
    with ignored_warning(NotGeoreferencedWarning):
        pixels = _read(picture)
    assert pixels.shape == (4, 960 + LEGEND_PX, 960)
    drawn = (pixels[:3] == np.reshape(USED[:3], (3, 1, 1))).all(axis=0)
    assert drawn[:960].sum() > 2000
    with pytest.raises(OutputError, match=r"arrows\.png exists already"):
        _run(*turned[:2], dry_run=True, quicklook=picture)
    with pytest.raises(OutputError, match=r"s1\.tif is an input or another output"):
        _run(*turned[:2], dry_run=True, quicklook=turned[0])


# Grids of every kind -----------------------------------------------------------------------------

TO_UTM31 = {
    "a neighbouring zone": Grid(UTM32_WKT, Affine(10, 0, -7_700, 0, -10, 4_517_600), 300, 320),
    "no EPSG code": Grid(NAMELESS, Affine(10, 0, 499_700, 0, -10, 4_500_300), 260, 260),
    "south up": Grid(UTM31_WKT, Affine(10, 0, 499_800, 0, 10, 4_497_900), 240, 240),
    "rotated": Grid(UTM31_WKT, Affine(9, 4, 498_900, 4, -9, 4_499_700), 330, 330),
}


def _moved_to(grid: Grid, decibels: np.ndarray) -> np.ndarray:
    """Power on another grid of radar on the optical one."""
    rows, cols = np.mgrid[: grid.height, : grid.width] + 0.5
    to_utm31 = Transformer.from_crs(CRS.from_wkt(grid.crs), UTM31, always_xy=True)
    place = to_utm31.transform(*(grid.transform @ np.stack([cols, rows])))
    col, row = ~TEN_METRES @ np.stack(place)
    power = linear_power(decibels)
    moved = [map_coordinates(band, [row - 0.5, col - 0.5], order=1, cval=0) for band in power]
    return np.stack(moved).astype(np.float32)


@pytest.mark.parametrize("name", TO_UTM31)
def test_the_shift_is_the_same_whatever_grid_the_radar_comes_on(tmp_path: Path, name: str) -> None:
    s1, s2 = _pair(tmp_path)
    grid = TO_UTM31[name]
    power = _moved_to(grid, field_pair(SIDE, SHIFT)[1])
    other = write_raster(
        tmp_path / "other.tif", power, ["VV", "VH"], crs=grid.crs, transform=grid.transform
    )
    result = _run(other, s2, output=tmp_path / "out.tif")
    assert (result.applied, result.s1_units) == (True, "linear")
    assert result.shift_px == pytest.approx(_run(s1, s2).shift_px, abs=0.1)
    assert result.overlap == pytest.approx(1.0)
    seen, plain = _read(tmp_path / "out.tif"), _read(tmp_path / "s1_coregistered.tif")
    inside = np.isfinite(seen) & np.isfinite(plain)
    assert inside.mean() > 0.9
    # Two bilinear resamplings instead of one smooth the speckle; the fields stay.
    assert np.corrcoef(seen[inside], plain[inside])[0, 1] > 0.9


@pytest.mark.parametrize("flip", ["south up", "rotated"])
def test_an_optical_scene_of_any_orientation_measures_in_its_own_pixels(
    tmp_path: Path, flip: str
) -> None:
    optical, decibels = field_pair(SIDE, SHIFT)
    turned = Affine(7, 7, 500_000, 7, -7, 4_500_000)
    transform = Affine(10, 0, 500_000, 0, 10, 4_498_080) if flip == "south up" else turned
    s1 = write_raster(tmp_path / "s1.tif", decibels, ["VV", "VH"], transform=transform)
    numbers = np.rint(optical * 10_000).astype(np.uint16)
    s2 = write_raster(tmp_path / "s2.tif", numbers, BANDS, transform=transform)
    result = _run(s1, s2)
    assert result.applied
    assert result.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.1)


@pytest.mark.parametrize("left", [179.9905, -180.0095], ids=["beyond +180", "beyond -180"])
def test_the_date_line_is_no_border(tmp_path: Path, left: float) -> None:
    optical, decibels = field_pair(SIDE, SHIFT)
    over = Affine(1e-4, 0, left, 0, -1e-4, 10.0)
    s1 = write_raster(tmp_path / "s1.tif", decibels, ["VV", "VH"], crs="EPSG:4326", transform=over)
    numbers = np.rint(optical * 10_000).astype(np.uint16)
    other_side = Affine(1e-4, 0, left - math.copysign(360, left), 0, -1e-4, 10.0)
    s2 = write_raster(tmp_path / "s2.tif", numbers, BANDS, crs="EPSG:4326", transform=other_side)
    result = _run(s1, s2)
    assert (result.applied, result.overlap) == (True, pytest.approx(1.0))
    assert result.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.1)


def test_radar_over_half_of_the_scene_is_enough(tmp_path: Path) -> None:
    optical, decibels = field_pair(256, SHIFT)
    half = TEN_METRES @ Affine.translation(128, 0)
    s1 = write_raster(
        tmp_path / "s1.tif", decibels[:, :, 128:].copy(), ["VV", "VH"], transform=half
    )
    result = _run(s1, _write_optical(tmp_path / "s2.tif", optical))
    assert result.applied
    assert result.overlap == pytest.approx(0.5)
    assert result.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.15)
    seen = _read(result.output)
    assert np.isnan(seen[:, :, :124]).all()
    assert np.isfinite(seen[:, 4:250, 134:]).all()


@pytest.mark.parametrize("first", [0, 300])
@pytest.mark.parametrize(("columns", "share"), [(171, "33.4%"), (40, "7.8%")])
def test_the_shift_is_measured_where_the_radar_lies(
    tmp_path: Path, first: int, columns: int, share: str
) -> None:
    """Over a third of a scene, and in a strip that is less than a tenth of a window."""
    optical, decibels = field_pair(512, SHIFT)
    part = decibels[:, :, first : first + columns].copy()
    corner = TEN_METRES @ Affine.translation(first, 0)
    s1 = write_raster(tmp_path / "s1.tif", part, ["VV", "VH"], transform=corner)
    result = _run(s1, _write_optical(tmp_path / "s2.tif", optical))
    assert result.applied
    assert result.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.15)
    assert f"Sentinel-1 (db) covers {share} of the scene" in result.summary()
    seen = _read(result.output)
    assert np.isfinite(seen[:, 10:500, first + 10 : first + columns - 10]).all()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_slices_are_measured_and_written_as_one_scene(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    optical, decibels = field_pair(256, SHIFT)
    s2 = _write_optical(tmp_path / "s2.tif", optical)
    slices = []
    for name, rows in (("north", slice(0, 150)), ("south", slice(130, 256))):
        corner = TEN_METRES @ Affine.translation(0, rows.start)
        part = decibels[:, rows].copy()
        slices.append(write_raster(tmp_path / f"{name}.tif", part, ["VV", "VH"], transform=corner))
    given = tuple(slices[one] for one in order)
    result = run(CoregisterOptions(s1=given, s2=s2, output=tmp_path / "both.tif"), silent)
    whole = write_raster(tmp_path / "whole.tif", decibels, ["VV", "VH"])
    alone = _run(whole, s2, output=tmp_path / "alone.tif")
    assert (result.applied, result.overlap) == (True, pytest.approx(1.0))
    assert result.shift_px == pytest.approx(alone.shift_px, abs=0.05)
    seen, expected = _read(result.output), _read(alone.output)
    inside = slice(5, 245)
    assert np.isfinite(seen[:, inside, 5:245]).all()
    assert np.nanmedian(np.abs(seen - expected)) < 0.3
    with rasterio.open(result.output) as dataset:
        tags = dataset.tags()
    assert (tags["CLOUDFREE_S1"], tags["CLOUDFREE_S1_2"]) == tuple(one.name for one in given)


# Real scenes -----------------------------------------------------------------------------------

SHORT = ("0746", "4294", "5349", "6780")


def _recovery(pairs: list[RealPair], straight: int, bent: bool) -> tuple[list[float], int]:
    """Errors in pixels of accepted displacements, and scenes accepted whatever the displacement."""
    rng = np.random.default_rng(0)
    errors, accepted = [], 0
    for pair in pairs:
        plain = measured(pair)
        by = [*shifts(straight, rng), *(turned_and_scaled(pair.side, rng) if bent else [])]
        found = [measured(pair, one) for one in by]
        errors += [
            error_px(one.shift, plain.shift, truth, pair.side)[0]
            for one, truth in zip(found, by, strict=True)
            if one.reliable and plain.reliable
        ]
        accepted += all(one.reliable for one in [plain, *found])
    return errors, accepted


def test_displaced_real_scenes_are_put_back(data: Path) -> None:
    errors, accepted = _recovery([triplet(data, name) for name in SHORT], 1, bent=False)
    assert accepted == len(SHORT)
    assert max(errors) < 0.35


def test_a_real_scene_of_five_kilometres_is_turned_back(data: Path) -> None:
    pair = spain(data)
    rng = np.random.default_rng(0)
    plain = measured(pair)
    for by in turned_and_scaled(pair.side, rng):
        found = measured(pair, by)
        assert found.model == "affine"
        assert error_px(found.shift, plain.shift, by, pair.side)[0] < 0.15


@pytest.mark.slow
def test_displacements_of_all_triplets_are_recovered(data: Path) -> None:
    pairs = [*(triplet(data, name) for name in triplet_names(data)), spain(data)]
    errors, accepted = _recovery(pairs, 4, bent=False)
    assert accepted == 17
    assert np.median(errors) <= 0.10
    assert np.percentile(errors, 95) <= 0.35
    assert max(errors) < 1.0


@pytest.mark.slow
def test_rotations_and_scales_of_all_triplets_are_recovered(data: Path) -> None:
    pairs = [*(triplet(data, name) for name in triplet_names(data)), spain(data)]
    errors, accepted = _recovery(pairs, 4, bent=True)
    assert accepted >= 14
    assert np.median(errors) <= 0.10
    assert np.percentile(errors, 95) <= 0.35
    assert max(errors) < 1.0


@pytest.mark.slow
def test_behind_clouds_the_gate_refuses_rather_than_errs(data: Path) -> None:
    pairs = [triplet(data, name, "cloudy") for name in triplet_names(data)]
    errors, accepted = _recovery(pairs, 4, bent=False)
    assert accepted >= 10
    assert np.median(errors) <= 0.10
    assert np.percentile(errors, 95) <= 0.35
    assert max(errors) < 1.0


@pytest.mark.slow
def test_two_dates_of_a_large_scene_are_laid_on_each_other(data: Path) -> None:
    one, other = two_dates(data)
    plain, by = aligned(one, other), Shift(2.3, -4.6)
    moved = aligned(one, displaced_date(other, by))
    assert (plain.applied, moved.applied) == (True, True)
    # What two orbits of Sentinel-2 differ by before 2021.
    assert plain.shift.length < 2.8
    assert error_px(moved.shift, plain.shift, by, 1856)[1] < 0.05
    assert plain.residual_px["after"]["median"] < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [0.05, 0.3])
def test_a_large_scene_is_turned_back_though_no_one_shift_fits_it(
    data: Path, degrees: float
) -> None:
    one, other = (image[:, :1856] for image in two_dates(data))
    by = rotation(1856, degrees, Shift())
    plain, found = aligned(one, other), aligned(one, turned_date(other, by), max_shift=20.0)
    assert found.model == "affine"
    assert error_px(found.shift, plain.shift, by, 1856)[0] < 0.1


@pytest.mark.parametrize(
    ("s1", "s2"),
    [("spain_s1_512", "spain_s2_l1c_512"), ("summer19p30_s1", "summer19p30_s2_cloudy")],
)
def test_real_scenes_lie_within_a_pixel_or_so(data: Path, s1: str, s2: str) -> None:
    folder = data / "scenes"
    with SarScene(folder / f"{s1}.tif") as sar, OpticalScene(folder / f"{s2}.tif") as optical:
        found = measure(sar, optical, None, "auto", 8.0)
    assert found.applied
    assert found.shift.length < 2.0


def test_radar_of_another_real_place_is_not_trusted(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    folder = data / "triplets"
    with (
        SarScene(folder / "5278_s1.tif") as sar,
        OpticalScene(folder / "4287_s2_clear.tif") as optical,
    ):
        found = measure(sar, optical, None, "auto", 8.0)
    assert not found.reliable
    assert found.shift == NO_SHIFT
