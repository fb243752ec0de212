from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import grey_closing, uniform_filter

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import MaskClass
from cloudfree.raster.gdal import ignored_warning
from cloudfree.simulation.land_cover import LandCover
from cloudfree.simulation.scene import (
    GROUND_MARGIN_PX,
    SAR_MARGIN_PX,
    Generators,
    SimulatedScene,
    acquire,
    on_radar_grid,
    simulate_scene,
)
from tests.factories.cloud_edges import specks, steepness

SHIFT = (1.3, -0.8)
INDEX = {band: index for index, band in enumerate(OPTICAL_BANDS)}
Where = NDArray[np.bool_]


@pytest.fixture(scope="module")
def scene() -> SimulatedScene:
    return simulate_scene((320, 320), 0, 0.4, (0.0, 0.0))


def _inner(scene: SimulatedScene, cover: LandCover) -> Where:
    """Pixels of a cover away from its border, where resolution mixes nothing in."""
    return cv2.erode((scene.cover == cover).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def _index(pixels: NDArray[np.float32], one: str, other: str) -> NDArray[np.float32]:
    first, second = pixels[INDEX[one]], pixels[INDEX[other]]
    return (first - second) / (first + second)


def _sigma_nought(scene: SimulatedScene, cover: LandCover) -> tuple[float, float]:
    """Mean VV and VH of a cover in dB; averaged in power."""
    height, width = scene.cover.shape
    window = (
        slice(SAR_MARGIN_PX, SAR_MARGIN_PX + height),
        slice(SAR_MARGIN_PX, SAR_MARGIN_PX + width),
    )
    power = 10 ** (scene.sar[:, *window][:, _inner(scene, cover)] / 10)
    vv, vh = 10 * np.log10(power.mean(axis=1))
    return float(vv), float(vh)


# ------------------------------------------------------------------------------ the same, or not


@settings(max_examples=6)
@given(rows=st.integers(64, 90), cols=st.integers(64, 90), seed=st.integers(0, 2**31))
def test_a_seed_gives_the_same_pixels_at_any_size(rows: int, cols: int, seed: int) -> None:
    one, same = (simulate_scene((rows, cols), seed, 0.4, SHIFT) for _ in range(2))
    for name in ("clear", "cloudy", "mask", "sar", "cover"):
        assert np.array_equal(getattr(one, name), getattr(same, name)), name
    assert one.clear.shape == (13, rows, cols)
    assert one.sar.shape == (2, rows + 65, cols + 65)
    assert np.isfinite(one.cloudy).all()
    assert np.isfinite(one.sar).all()


def test_another_seed_gives_another_scene() -> None:
    one, other = (simulate_scene((64, 64), seed, 0.4, SHIFT) for seed in (0, 1))
    assert np.abs(one.clear - other.clear).mean() > 0.01
    assert (one.mask != other.mask).mean() > 0.2
    assert np.abs(one.sar - other.sar).mean() > 1.0


def test_weather_and_misregistration_do_not_move_the_ground() -> None:
    one = simulate_scene((64, 64), 0, 0.4, SHIFT)
    other = simulate_scene((64, 64), 0, 0.9, (-6.0, 5.0))
    assert np.array_equal(one.clear, other.clear)
    assert np.array_equal(simulate_scene((64, 64), 0, 0.9, SHIFT).sar, one.sar)


def test_the_same_land_under_the_same_sun_is_another_acquisition_for_other_generators() -> None:
    scene = simulate_scene((64, 64), 0, 0.4, SHIFT)
    one, same, other = (
        acquire(
            scene.land, scene.sun, 0.4, SHIFT, Generators(*np.random.default_rng(seed).spawn(3))
        )
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.cloudy, same.cloudy)
    assert np.array_equal(one.cover, scene.cover)
    assert (one.mask != other.mask).any()
    assert 0 < np.abs(one.clear - other.clear).max() < 0.02
    assert np.abs(one.sar - other.sar).mean() > 1.0


# ------------------------------------------------------------------------------------ the truth


def test_truth_equals_the_cloudy_scene_where_the_mask_is_clear(scene: SimulatedScene) -> None:
    clear = scene.mask == MaskClass.CLEAR
    assert 0.2 < clear.mean() < 0.6
    assert np.array_equal(scene.cloudy[:, clear], scene.clear[:, clear])


def test_cloud_brightens_and_shadow_darkens(scene: SimulatedScene) -> None:
    change = scene.cloudy - scene.clear
    assert (change[INDEX["B02"]][scene.mask == MaskClass.CLOUD] > -0.01).mean() > 0.98
    assert (change[INDEX["B08"]][scene.mask == MaskClass.SHADOW] <= 0).all()
    assert change[INDEX["B08"]][scene.mask == MaskClass.SHADOW].mean() < -0.03


# ----------------------------------------------------------------------------------- the ground


@pytest.mark.parametrize("size", [64, 101, 200])
def test_every_scene_holds_water_fields_woods_and_a_town(size: int) -> None:
    for seed in range(3):
        shares = np.bincount(
            simulate_scene((size, size), seed, 0, SHIFT).cover.ravel(), minlength=5
        )
        assert (
            shares[[LandCover.WATER, LandCover.FIELD, LandCover.WOOD, LandCover.SETTLEMENT]]
            > 0.02 * size**2
        ).all()


def test_woods_are_greener_than_towns_and_rivers_are_wet(scene: SimulatedScene) -> None:
    ndvi, ndwi = _index(scene.clear, "B08", "B04"), _index(scene.clear, "B03", "B08")
    wood, town, water = (
        _inner(scene, c) for c in (LandCover.WOOD, LandCover.SETTLEMENT, LandCover.WATER)
    )
    assert np.median(ndvi[wood]) > 0.5
    assert np.median(ndvi[town]) < 0.3
    assert np.median(ndwi[town]) < 0
    assert (ndwi[water] > 0).mean() > 0.98


def test_water_is_quiet_fields_are_louder_and_towns_loudest(scene: SimulatedScene) -> None:
    water, field, wood, town = (
        _sigma_nought(scene, c)
        for c in (LandCover.WATER, LandCover.FIELD, LandCover.WOOD, LandCover.SETTLEMENT)
    )
    assert water[0] < -15 < -13 < field[0] < wood[0] < town[0] < -2
    assert water[1] < field[1] < wood[1] < town[1]


@pytest.mark.parametrize(
    ("cover", "low", "high"),
    [
        (LandCover.FIELD, 5.8, 8.0),
        (LandCover.WOOD, 5.0, 6.2),
        (LandCover.SETTLEMENT, 6.0, 9.0),
        (LandCover.WATER, 4.0, 8.0),
    ],
)
def test_cross_polarisation_is_weaker(
    scene: SimulatedScene, cover: LandCover, low: float, high: float
) -> None:
    vv, vh = _sigma_nought(scene, cover)
    assert low < vv - vh < high


def test_radar_and_optics_belong_together(scene: SimulatedScene) -> None:
    """Crops that look green scatter more in VH: what a network can learn from."""
    ndvi = _index(scene.clear, "B08", "B04")
    window = slice(SAR_MARGIN_PX, SAR_MARGIN_PX + 320)
    vh = uniform_filter(scene.sar[1, window, window], 7)
    field = _inner(scene, LandCover.FIELD)
    assert np.corrcoef(uniform_filter(ndvi, 7)[field], vh[field])[0, 1] > 0.3


# ------------------------------------------------------------------------- the radar's own grid


@settings(max_examples=20)
@given(row=st.floats(-16, 16), col=st.floats(-16, 16))
def test_what_belongs_at_a_pixel_appears_displaced(row: float, col: float) -> None:
    """On ground whose power is its own optical coordinate the right pixel is known."""
    side = 64
    ground = np.indices((side + 2 * GROUND_MARGIN_PX,) * 2, dtype=np.float32) - GROUND_MARGIN_PX
    rows, cols = on_radar_grid(ground, (side, side), (row, col))
    # Pixel (r, c) of Sentinel-1 has its middle at (r - 32.5, c - 32.5) of the optical grid.
    assert rows[40, 50] == pytest.approx(40 - 32.5 - row, abs=0.02)
    assert cols[40, 50] == pytest.approx(50 - 32.5 - col, abs=0.02)
    assert rows.shape == (side + 65, side + 65)
    # The far corners still lie on ground that was drawn.
    assert rows[0, 0] == pytest.approx(-32.5 - row, abs=0.02)
    assert cols[-1, -1] == pytest.approx(side + 31.5 - col, abs=0.02)


# ---------------------------------------------------------------------------- the cloud detector


def _published_score(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The detector of DSen2-CR, as published but for reflected borders."""
    b1, b2, b3, b4, b10 = (pixels[INDEX[b]] for b in ("B01", "B02", "B03", "B04", "B10"))
    terms = (
        np.ones_like(b1),
        (b2 - 0.1) / 0.4,
        (b1 - 0.1) / 0.2,
        (b1 + b10 - 0.15) / 0.05,
        (b2 + b3 + b4 - 0.2) / 0.6,
        (_index(pixels, "B03", "B11") - 0.8) / -0.2,
    )
    return np.clip(uniform_filter(grey_closing(np.minimum.reduce(terms), (5, 5)), 7), 1e-5, 1.0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_published_detector_finds_thick_cloud_and_spares_clear_ground(seed: int) -> None:
    scene = simulate_scene((256, 256), seed, 0.5, SHIFT)
    found = _published_score(scene.cloudy) >= 0.2
    thick = (scene.mask == MaskClass.CLOUD) & (scene.cloudy[INDEX["B02"]] > 0.4)
    assert thick.mean() > 0.1
    assert found[thick].mean() > 0.97
    assert found[scene.mask == MaskClass.CLEAR].mean() < 0.02
    assert (_published_score(scene.clear) >= 0.2).mean() < 0.01


def test_clouds_of_a_few_pixels_are_rare() -> None:
    """Of 17 real patches of this size ten have none, the others up to 24 with bright roofs."""
    scenes = [simulate_scene((256, 256), seed, 0.5, SHIFT) for seed in range(3)]
    counts = [specks(s.cloudy[INDEX["B02"]]) - specks(s.clear[INDEX["B02"]]) for s in scenes]
    assert max(counts) < 15


# ------------------------------------------------------------------------------ the real world

# Places of the real triplets that show the cover, and the rule that finds it there.
REAL = {
    LandCover.WATER: (("4287", "4433", "4438", "2266"), lambda ndvi, ndwi: ndwi > 0.15),
    LandCover.WOOD: (("2729", "6553"), lambda ndvi, ndwi: ndvi > 0.5),
    LandCover.FIELD: (("4287", "4438", "2266"), lambda ndvi, ndwi: (ndvi > 0.3) & (ndvi < 0.55)),
}


def _real(data: Path, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return _read(data, f"{name}_s2_clear") / 10_000, _read(data, f"{name}_s1")


def _read(data: Path, name: str) -> NDArray[np.float32]:
    path = data / "triplets" / f"{name}.tif"
    with ignored_warning(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path) as dataset:
        pixels: NDArray[np.float32] = dataset.read().astype(np.float32)
    return pixels


def test_clouds_have_edges_about_as_soft_as_real_ones(data: Path) -> None:
    """Real ones are of places with many low clouds; those that are drawn are somewhat brighter."""
    names = ("4065", "4287", "4294", "4433", "4438", "5254", "5278")
    real = [steepness(_read(data, f"{name}_s2_cloudy")[INDEX["B02"]] / 10_000) for name in names]
    scenes = [simulate_scene((256, 256), seed, 0.5, SHIFT) for seed in range(3)]
    drawn = [steepness(scene.cloudy[INDEX["B02"]]) for scene in scenes]
    assert 0.8 * min(real) < np.mean(drawn) < 1.6 * max(real)


@pytest.mark.parametrize("cover", REAL)
def test_the_ground_measures_like_real_ground(
    scene: SimulatedScene, data: Path, cover: LandCover
) -> None:
    names, rule = REAL[cover]
    spectra, radar = [], []
    for name in names:
        optical, sar = _real(data, name)
        where = rule(_index(optical, "B08", "B04"), _index(optical, "B03", "B08"))
        spectra.append(np.median(optical[:, where], axis=1))
        radar.append(10 * np.log10((10 ** (sar[:, where] / 10)).mean(axis=1)))
    bands = [INDEX[b] for b in ("B01", "B02", "B03", "B04", "B08", "B11", "B12")]
    ours = np.median(scene.clear[:, _inner(scene, cover)], axis=1)[bands]
    assert (ours > 0.8 * np.min(spectra, axis=0)[bands]).all()
    assert (ours < 1.2 * np.max(spectra, axis=0)[bands]).all()
    sigma = np.array(_sigma_nought(scene, cover))
    assert (sigma > np.min(radar, axis=0) - 2).all()
    assert (sigma < np.max(radar, axis=0) + 2).all()
