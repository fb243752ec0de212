from __future__ import annotations

import dataclasses
import logging
import math
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from scipy.ndimage import map_coordinates

from cloudfree.core.grid import Grid
from cloudfree.core.progress import silent
from cloudfree.core.shift import NO_SHIFT, Shift
from cloudfree.core.units import linear_power
from cloudfree.core.window import Window
from cloudfree.coregister.correlate import CrossPower
from cloudfree.coregister.estimate import NOTHING_MEASURED, Estimate, estimate_shift
from cloudfree.coregister.features import optical_features, sar_features
from cloudfree.errors import InputError, OutputError
from cloudfree.io.mask_file import MaskFile
from cloudfree.io.optical import OpticalScene
from cloudfree.io.sar import SarScene
from cloudfree.pipelines.coregister import CoregisterOptions, CoregisterResult, run
from cloudfree.pipelines.registration import BANDS, measure, refusal
from tests.coregister.pairs import field_pair
from tests.rasters import TEN_METRES, UTM31, write_cloudy_scene, write_radar, write_raster

SIDE = 192
SHIFT = Shift(3.4, -2.7)


def _write_optical(path: Path, reflectance: np.ndarray, crs: str | None = UTM31) -> Path:
    numbers = np.rint(reflectance * 10_000).astype(np.uint16)
    return write_raster(path, numbers, BANDS, crs=crs)


def _pair(folder: Path, shift: Shift = SHIFT, crs: str | None = UTM31) -> tuple[Path, Path]:
    optical, decibels = field_pair(SIDE, shift)
    s1 = write_raster(folder / "s1.tif", decibels, ["VV", "VH"], crs=crs)
    return s1, _write_optical(folder / "s2.tif", optical, crs)


def _run(s1: Path, s2: Path, **options: object) -> CoregisterResult:
    return run(CoregisterOptions(s1=s1, s2=s2, **options), silent)


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


def test_the_output_lies_on_the_optical_grid_and_tells_what_was_done(tmp_path: Path) -> None:
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


def test_another_projection_and_power_come_to_the_same(tmp_path: Path) -> None:
    s1, s2 = _pair(tmp_path)
    power = linear_power(field_pair(SIDE, SHIFT)[1])
    zone32 = Grid(CRS.from_epsg(32632).to_wkt(), Affine(10, 0, -7_700, 0, -10, 4_517_600), 300, 320)
    rows, cols = np.mgrid[:300, :320] + 0.5
    to_utm31 = Transformer.from_crs(zone32.crs, UTM31, always_xy=True)
    x, y = to_utm31.transform(*(zone32.transform @ np.stack([cols, rows])))
    col, row = ~TEN_METRES @ np.stack([x, y])
    moved = np.stack([map_coordinates(b, [row - 0.5, col - 0.5], order=1, cval=0) for b in power])
    other = write_raster(
        tmp_path / "32.tif",
        moved.astype(np.float32),
        ["VV", "VH"],
        crs="EPSG:32632",
        transform=zone32.transform,
    )
    result = _run(other, s2, output=tmp_path / "out.tif")
    assert result.s1_units == "linear"
    assert result.applied
    assert result.shift_px == pytest.approx(_run(s1, s2).shift_px, abs=0.1)
    assert result.overlap == pytest.approx(1.0)


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
def test_a_shift_that_is_not_wanted_is_left(
    tmp_path: Path, options: dict[str, object], reason: str
) -> None:
    s1, s2 = _pair(tmp_path)
    result = _run(s1, s2, **options)
    assert not result.applied
    assert re.search(reason, result.reason)
    assert np.array_equal(_read(result.output), _read(s1))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (NOTHING_MEASURED, "no clear ground with structure to measure on"),
        (Estimate(Shift(9, 1), 0.2, 0.1), r"other shifts fit nearly as well as \+9\.00 rows, \+1"),
        (Estimate(Shift(1, 1), 0.8, 4.0), r"halves of the scene differ by 4\.0 px around \+1\.00"),
        (Estimate(Shift(6, 0), 0.8, 0.1), r"6\.0 px is more than --max-shift 5"),
        (Estimate(Shift(3, 4), 0.8, 0.1), None),
    ],
)
def test_every_refusal_of_a_shift_says_why(found: Estimate, reason: str | None) -> None:
    told = refusal(found, 5.0)
    assert told is None if reason is None else re.search(reason, told or "")


def test_water_gives_no_wild_shift(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    water = np.clip(0.04 + rng.normal(0, 0.002, (4, SIDE, SIDE)), 0, 1)
    s2 = _write_optical(tmp_path / "s2.tif", water)
    result = _run(write_radar(tmp_path / "s1.tif", SIDE, SIDE), s2)
    assert (result.reliable, result.applied) == (False, False)
    assert result.shift_px == {"row": 0.0, "col": 0.0}
    assert result.reason.startswith("left as it is: ")


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
            measured = measure(sar, scene, given, "auto", 8.0)
            assert measured.applied
            assert measured.applied_shift == measured.shift
            found = {"row": measured.shift.row, "col": measured.shift.col}
            assert found == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.15)


def test_a_scene_under_clouds_is_left(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif")
    s2 = write_cloudy_scene(tmp_path / "s2.tif")
    everything = write_raster(tmp_path / "mask.tif", np.ones((1, 96, 96), np.uint8), ["mask"])
    with SarScene(s1) as sar, OpticalScene(s2) as scene, MaskFile(everything, scene.grid) as mask:
        measured = measure(sar, scene, mask, "auto", 8.0)
    assert measured.reason == "left as it is: no clear ground with structure to measure on"
    assert measured.applied_shift == NO_SHIFT


def test_scenes_that_do_not_meet_are_refused_with_both_extents(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif", transform=Affine(10, 0, 600_000, 0, -10, 4_500_000))
    s2 = write_cloudy_scene(tmp_path / "s2.tif")
    found = r"Sentinel-1 at x 600000 to 600960, .* does not meet Sentinel-2 at x 500000 to 500960"
    with pytest.raises(InputError, match=found):
        _run(s1, s2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s1.tif", "s2.tif"]


def test_outputs_in_the_way_are_refused(tmp_path: Path) -> None:
    s1, s2 = _pair(tmp_path)
    with pytest.raises(OutputError, match=r"s2\.tif is an input and the output"):
        _run(s1, s2, output=s2, overwrite=True)
    (tmp_path / "s1_coregistered.tif").touch()
    with pytest.raises(OutputError, match="exists already"):
        _run(s1, s2)


def test_part_of_the_scene_without_radar_is_missing(tmp_path: Path) -> None:
    s1 = write_radar(tmp_path / "s1.tif", transform=TEN_METRES @ Affine.translation(48, 0))
    result = _run(s1, write_cloudy_scene(tmp_path / "s2.tif"), shift="none")
    assert result.overlap == pytest.approx(0.5)
    assert np.isnan(_read(result.output)[:, :, :48]).all()
    assert np.isfinite(_read(result.output)[:, :, 48:]).all()


# Real scenes -----------------------------------------------------------------------------------

SHORT = ("0746", "4294", "5349", "6780")


def _displaced(decibels: np.ndarray, shift: Shift) -> np.ndarray:
    """Radar content moved by a shift; what comes from outside is missing."""
    rows, cols = np.mgrid[: decibels.shape[1], : decibels.shape[2]].astype(float)
    at = [rows - shift.row, cols - shift.col]
    power = [map_coordinates(band, at, order=3, mode="mirror") for band in linear_power(decibels)]
    moved = 10 * np.log10(np.maximum(np.stack(power), 1e-5))
    outside = (at[0] < 0) | (at[0] > rows.max()) | (at[1] < 0) | (at[1] > cols.max())
    moved[:, outside] = np.nan
    return moved.astype(np.float32)


def _estimate(reflectance: np.ndarray, decibels: np.ndarray) -> Estimate:
    power = CrossPower(*decibels.shape[1:], len(reflectance), 2)
    usable = np.ones(decibels.shape[1:], bool)
    power.add(optical_features(reflectance, usable), sar_features(decibels))
    return estimate_shift(power)


def _recovery(data: Path, names: tuple[str, ...], per_scene: int) -> tuple[list[float], int]:
    """Errors in pixels of accepted shifts, and scenes accepted whatever the displacement."""
    rng = np.random.default_rng(0)
    errors, accepted = [], 0
    for name in names:
        window = Window(0, 0, 256, 256)
        with (
            OpticalScene(data / "triplets" / f"{name}_s2_clear.tif") as optical,
            SarScene(data / "triplets" / f"{name}_s1.tif") as sar,
        ):
            reflectance = optical.reflectance(BANDS, window)
            decibels = sar.on_grid(optical.grid, window)
        plain = _estimate(reflectance, decibels)
        shifts = [Shift(*rng.uniform(-8, 8, 2)) for _ in range(per_scene)]
        found = [_estimate(reflectance, _displaced(decibels, shift)) for shift in shifts]
        errors += [
            math.hypot(
                one.shift.row - plain.shift.row - shift.row,
                one.shift.col - plain.shift.col - shift.col,
            )
            for one, shift in zip(found, shifts, strict=True)
            if one.reliable and plain.reliable
        ]
        accepted += all(one.reliable for one in [plain, *found])
    return errors, accepted


def test_displaced_real_scenes_are_put_back(data: Path) -> None:
    errors, accepted = _recovery(data, SHORT, 1)
    assert accepted == len(SHORT)
    assert max(errors) < 0.35


@pytest.mark.slow
def test_displacements_of_all_triplets_are_recovered(data: Path) -> None:
    names = tuple(sorted(p.name[:-7] for p in (data / "triplets").glob("*_s1.tif")))
    errors, accepted = _recovery(data, names, 4)
    assert accepted >= 13
    assert np.median(errors) <= 0.10
    assert np.percentile(errors, 95) <= 0.35
    assert max(errors) < 1.0


@pytest.mark.parametrize(
    ("s1", "s2"),
    [("spain_s1_512", "spain_s2_l1c_512"), ("summer19p30_s1", "summer19p30_s2_cloudy")],
)
def test_real_scenes_lie_within_a_pixel_or_so(data: Path, s1: str, s2: str) -> None:
    folder = data / "scenes"
    with SarScene(folder / f"{s1}.tif") as sar, OpticalScene(folder / f"{s2}.tif") as optical:
        measured = measure(sar, optical, None, "auto", 8.0)
    assert measured.applied
    assert measured.shift.length < 1.5


def test_radar_of_another_real_place_is_not_trusted(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    folder = data / "triplets"
    with (
        SarScene(folder / "5278_s1.tif") as sar,
        OpticalScene(folder / "4287_s2_clear.tif") as optical,
    ):
        measured = measure(sar, optical, None, "auto", 8.0)
    assert not measured.reliable
    assert dataclasses.astuple(measured.shift) == (0.0, 0.0)
