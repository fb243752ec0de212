"""Which masks are doubted: those of roofs and sand, and none of clouds."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

import cloudfree
from cloudfree.cloudmask.patch_check import (
    LEAST_HA,
    PART_ROWS,
    SMALL_HA,
    PatchCheck,
    built_up_or_bare,
    ground_patches_px,
)
from cloudfree.commands.mask import run as mask
from cloudfree.commands.mask.options import MaskOptions
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import PUBLISHED_MASK
from cloudfree.core.grid import Grid, strips
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import silent
from tests.factories.cloudy_scenes import cloudy_scene
from tests.factories.rasters import CLOUD, FIELD, TEN_METRES, UTM31, write_raster

# Reflectance of B01..B12 over bright roofs, as the sensitive mask takes them for clouds.
ROOF = (0.30, 0.32, 0.34, 0.36, 0.37, 0.38, 0.39, 0.40, 0.41, 0.15, 0.003, 0.45, 0.42)
SIZE = 256


def _scene(bright: np.ndarray, spectrum: tuple[float, ...]) -> np.ndarray:
    """Digital numbers, (13, y, x), of a field that has `spectrum` where `bright`."""
    noise = np.random.default_rng(0).normal(0, 0.003, (13, *bright.shape))
    spectra = np.where(bright, np.reshape(spectrum, (13, 1, 1)), np.reshape(FIELD, (13, 1, 1)))
    return np.clip(np.rint(10_000 * (spectra + noise)), 1, 65535).astype(np.uint16)


def _squares(side: int, every: int) -> np.ndarray:
    there = np.zeros((SIZE, SIZE), dtype=bool)
    for row in range(8, SIZE - side, every):
        for col in range(8, SIZE - side, every):
            there[row : row + side, col : col + side] = True
    return there


def _warnings(folder: Path, numbers: np.ndarray, **options: object) -> tuple[str, ...]:
    scene = write_raster(folder / "l1c.tif", numbers, OPTICAL_BANDS)
    given: dict[str, Any] = {"detector": "published", **options}
    return mask.run(MaskOptions(scene=scene, **given), silent).warnings


ROOFS = _scene(_squares(8, 32), ROOF)


@pytest.mark.parametrize("options", [{}, asdict(PUBLISHED_MASK), {"shadow": False}])
def test_a_mask_of_roofs_is_doubted_however_it_is_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, options: dict[str, object]
) -> None:
    (warning,) = _warnings(tmp_path, ROOFS, **options)
    assert warning.startswith("100% of the clouds in the mask are small patches over built-up or")
    for way_out in ("--threshold", "--detector", "--mask"):
        assert way_out in warning
    assert caplog.messages.count(warning) == 1
    with rasterio.open(tmp_path / "l1c_mask.tif") as file:
        assert file.tags()["CLOUDFREE_WARNINGS"] == warning


def test_a_field_of_cumulus_is_not_doubted(tmp_path: Path) -> None:
    assert _warnings(tmp_path, _scene(_squares(8, 32), CLOUD)) == ()


def test_clouds_with_shadows_are_not_doubted(tmp_path: Path) -> None:
    pixels, *_ = cloudy_scene(size=SIZE, distance_m=400.0, clouds=12, seed=3)
    numbers = np.clip(np.rint(pixels * 10_000), 1, 65535).astype(np.uint16)
    assert _warnings(tmp_path, numbers) == ()


def test_a_large_cloud_is_not_doubted_though_roofs_lie_beside_it(tmp_path: Path) -> None:
    numbers = ROOFS.copy()
    numbers[:, 90:220, 90:220] = np.reshape(CLOUD, (13, 1, 1)) * np.float32(10_000)
    assert _warnings(tmp_path, numbers) == ()


def test_a_scene_without_clouds_is_not_doubted(tmp_path: Path) -> None:
    assert _warnings(tmp_path, _scene(np.zeros((SIZE, SIZE), bool), ROOF)) == ()


def test_one_small_roof_is_not_worth_a_word(tmp_path: Path) -> None:
    one = np.zeros((SIZE, SIZE), dtype=bool)
    one[100:105, 100:105] = True
    assert (one.sum() / 100) < LEAST_HA
    assert _warnings(tmp_path, _scene(one, ROOF), **asdict(PUBLISHED_MASK)) == ()


def test_a_mask_of_arrays_is_doubted_as_well(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "cloudfree"):
        cloudfree.cloud_mask(ROOFS / np.float32(10_000), OPTICAL_BANDS, detector="published")
    assert any("small patches over built-up or bare ground" in text for text in caplog.messages)


@pytest.mark.parametrize(
    ("b02", "b08", "b11", "expected"),
    [
        (0.32, 0.40, 0.45, True),  # a roof
        (0.18, 0.25, 0.29, True),  # dry soil
        (0.58, 0.62, 0.45, False),  # a cloud
        (0.25, 0.40, 0.34, False),  # thin cloud over a field
        (0.20, 0.10, 0.15, False),  # haze over water
        (np.nan, 0.1, 0.3, False),
    ],
)
def test_ground_is_brightest_in_the_short_wave_infrared(
    b02: float, b08: float, b11: float, expected: bool
) -> None:
    planes = {
        band: np.full((1, 1), value, np.float32)
        for band, value in (("B02", b02), ("B08", b08), ("B11", b11))
    }
    assert built_up_or_bare(planes)[0, 0] == expected


def test_without_the_short_wave_infrared_ground_is_redder_than_blue() -> None:
    planes = {"B02": np.array([[0.2, 0.5]], np.float32), "B04": np.array([[0.3, 0.5]], np.float32)}
    assert built_up_or_bare(planes).tolist() == [[True, False]]


def test_the_default_detector_leaves_roofs_alone(tmp_path: Path) -> None:
    assert _warnings(tmp_path, ROOFS, detector="default") == ()


def test_patches_are_counted_by_size_and_ground() -> None:
    cloud, ground = np.zeros((2, 20, 40), dtype=bool)
    cloud[1:4, 1:4] = ground[1:4, 1:4] = True  # 9 pixels on ground
    cloud[1:4, 10:13] = True  # 9 pixels, of which 4 are on ground
    ground[1:3, 10:12] = True
    cloud[10:16, 1:7] = ground[10:16, 1:7] = True  # 36 pixels on ground
    cloud[10, 20] = cloud[11, 21] = ground[11, 21] = True  # 2 that touch at a corner, half of them
    assert ground_patches_px(cloud, ground, 36) == 9 + 2
    assert ground_patches_px(cloud, ground, 37) == 9 + 2 + 36
    assert ground_patches_px(cloud, ground, 2) == 0
    assert ground_patches_px(cloud, np.ones_like(ground), 36) == 9 + 9 + 2


def _grid(side: int, pixel_m: float) -> Grid:
    return Grid(
        CRS.from_string(UTM31).to_wkt(), TEN_METRES @ Affine.scale(pixel_m / 10), side, side
    )


@pytest.mark.parametrize("rows", [7, 64, 200])
def test_the_strips_do_not_matter(rows: int) -> None:
    rng = np.random.default_rng(0)
    bright = np.kron(rng.random((25, 25)) < 0.2, np.ones((8, 8), bool))
    ground = np.kron(rng.random((25, 25)) < 0.5, np.ones((8, 8), bool))
    check, whole = PatchCheck.for_grid(_grid(200, 10.0)), PatchCheck.for_grid(_grid(200, 10.0))
    for one, height in ((check, rows), (whole, 200)):
        for window in strips(200, 200, height):
            part = ground[window.slices].astype(np.float32)
            planes = {"B02": 0.2 * part, "B08": 0.2 * part, "B11": 0.3 * part}
            one.add_planes(window, planes)
            one.add_classes(window, np.where(bright, MaskClass.CLOUD, 0)[window.slices])
        one.warnings()
    assert (check.cloud_px, check.patches_px) == (whole.cloud_px, whole.patches_px)
    assert check.cloud_px == bright[::2, ::2].sum()


@pytest.mark.parametrize(("pixel_m", "step"), [(10.0, 2), (20.0, 1), (60.0, 1)])
def test_pixels_are_looked_at_every_twenty_metres(pixel_m: float, step: int) -> None:
    check = PatchCheck.for_grid(_grid(8, pixel_m))
    assert check.step == step
    assert check.sample_ha == pytest.approx((step * pixel_m) ** 2 / 10_000, rel=0.01)


def test_a_tall_scene_is_counted_in_parts() -> None:
    height = 2 * PART_ROWS + 100
    check = PatchCheck(step=1, sample_ha=0.04)
    ones = np.ones((50, 8), np.float32)
    for window in strips(height, 8, 50):
        rows = slice(0, window.height)
        check.add_planes(window, {"B02": 0 * ones[rows], "B08": 0 * ones[rows], "B11": ones[rows]})
        check.add_classes(window, np.full((window.height, 8), MaskClass.CLEAR, np.uint8))
        assert sum(len(cloud) for cloud, _ in check._part) < PART_ROWS
    assert check.warnings() == ()
    assert check.cloud_px == 0


def test_a_small_patch_is_a_few_blocks_of_a_town() -> None:
    assert np.sqrt(SMALL_HA * 10_000) == 500


CLEAR_TOWNS = ("4287", "4438", "2266")
CLOUDY = ("2266", "4065", "4438", "0746", "2729", "5278", "6780")


@pytest.mark.parametrize(
    ("names", "kind", "doubted"),
    [(CLEAR_TOWNS, "clear", True), (CLOUDY, "cloudy", False)],
    ids=["clear", "cloudy"],
)
def test_real_masks_of_clear_ground_are_doubted_and_of_clouds_are_not(
    data: Path, tmp_path: Path, names: tuple[str, ...], kind: str, doubted: bool
) -> None:
    found = {}
    for name in names:
        scene = data / "triplets" / f"{name}_s2_{kind}.tif"
        output = tmp_path / f"{name}.tif"
        options = MaskOptions(scene=scene, output=output, detector="published")
        found[name] = bool(mask.run(options, silent).warnings)
    assert found == dict.fromkeys(names, doubted)


def test_bright_roofs_under_the_sky_of_spain_are_doubted(data: Path, tmp_path: Path) -> None:
    scene = data / "scenes" / "spain_s2_l1c_512.tif"
    options = MaskOptions(scene=scene, output=tmp_path / "mask.tif", detector="published")
    result = mask.run(options, silent)
    assert result.fractions["cloud"] > 0.03
    assert len(result.warnings) == 1
