"""How much a pixel looks like cloud, and how much hazier it is than clear ground."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import grey_closing, uniform_filter

from cloudfree.cloudmask.class_rules import ClassRules, add_haze
from cloudfree.cloudmask.classifier import Classifier, Shadows
from cloudfree.cloudmask.scene_statistics import collect_statistics
from cloudfree.cloudmask.score import (
    HAZE_BANDS,
    MAX_SCORE,
    MIN_SCORE,
    SCORE_HALO_PX,
    cloud_score,
    haze_threshold,
    ndsi,
    pixel_score,
)
from cloudfree.cloudmask.shadow import SHADOW_BANDS, ShadowProjection
from cloudfree.core.grid import strips
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import silent
from tests.factories.cloudy_scenes import (
    CLOUD,
    TEN_METRE_AXES,
    VEGETATION,
    WATER,
    ArraySource,
    cloudy_scene,
    planes_of,
    spectrum,
)

GOLDEN = ("cloudy0_128x128", "shadow_96x96", "snow_96x96", "uniform_64x64", "zeros_32x32")
BOX_HALF_PX = 3


def _noise(seed: int, height: int, width: int) -> np.ndarray:
    """Bright and dark blotches with every kind of score between them."""
    random = np.random.default_rng(seed)
    share = random.random((height, width)) ** 2
    return (spectrum(VEGETATION) * (1 - share) + spectrum(CLOUD) * share).astype(np.float32)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_score_equals_the_published_detector_inside_its_zero_padded_border(
    golden: Path, name: str
) -> None:
    published = np.load(golden / "cloud_mask" / f"{name}.npz")
    score = cloud_score(planes_of(published["s2_dn"] / np.float32(10_000)))
    inside = np.s_[BOX_HALF_PX:-BOX_HALF_PX, BOX_HALF_PX:-BOX_HALF_PX]
    expected = published["dsen2cr_score"]
    assert np.abs(score - expected)[inside].max() < 1e-5
    undecided = np.abs(expected - 0.2) < 1e-6
    same = (score >= 0.2) == (published["dsen2cr_binary_t0.2"] == 1)
    assert (same | undecided)[inside].all()


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 20))
def test_borders_are_reflected(seed: int, height: int, width: int) -> None:
    planes = planes_of(_noise(seed, height, width))
    closed = grey_closing(pixel_score(planes).astype(float), (5, 5), mode="reflect")
    mean = uniform_filter(closed, 7, mode="reflect")
    np.testing.assert_allclose(
        cloud_score(planes), np.clip(mean, MIN_SCORE, MAX_SCORE), rtol=0, atol=1e-5
    )


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 20))
def test_with_small_clouds_no_pixel_scores_less(seed: int, height: int, width: int) -> None:
    planes = planes_of(_noise(seed, height, width))
    assert (cloud_score(planes, small_clouds=True) >= cloud_score(planes) - 1e-5).all()


@pytest.mark.parametrize(("side", "published"), [(2, 0.0), (4, 0.0), (20, 1.0)])
def test_dark_ground_hides_small_clouds_from_the_published_score(
    side: int, published: float
) -> None:
    """Water scores far below zero: sixteen pixels of cloud do not make up for 33."""
    rows, cols = np.mgrid[:40, :40] - 20
    cloud = np.maximum(np.abs(2 * rows + 1), np.abs(2 * cols + 1)) <= side + side % 2
    planes = planes_of(np.where(cloud, spectrum(CLOUD), spectrum(WATER)).astype(np.float32))
    assert cloud_score(planes)[20, 20] == pytest.approx(published, abs=1e-4)
    expected = min(cloud.sum() / 49, 1.0)
    assert cloud_score(planes, small_clouds=True)[20, 20] == pytest.approx(expected, abs=1e-4)


def test_a_uniform_cloud_scores_one_up_to_the_border() -> None:
    pixels = np.broadcast_to(spectrum(CLOUD), (13, 9, 9)).astype(np.float32)
    assert (cloud_score(planes_of(pixels)) == 1.0).all()


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 15), st.booleans())
def test_strips_with_their_halo_score_like_the_whole(
    seed: int, height: int, rows: int, holes: bool
) -> None:
    pixels = _noise(seed, height, 13)
    if holes:
        pixels[:, np.random.default_rng(seed).random((height, 13)) < 0.2] = np.nan
    whole = cloud_score(planes_of(pixels))
    for window in strips(height, 13, rows):
        outer = window.buffered(SCORE_HALO_PX, height, 13)
        part = cloud_score(planes_of(pixels[:, *outer.slices]))[window.relative_to(outer)]
        np.testing.assert_array_equal(part, whole[window.slices])


@given(st.integers(0, 10_000))
def test_a_pixel_without_data_takes_nothing_from_its_neighbours(seed: int) -> None:
    pixels = np.broadcast_to(spectrum(CLOUD), (13, 12, 12)).astype(np.float32)
    missing = np.random.default_rng(seed).random((12, 12)) < 0.5
    pixels[:, missing] = np.nan
    score = cloud_score(planes_of(pixels))
    assert np.isnan(score[missing]).all()
    np.testing.assert_allclose(score[~missing], 1.0, rtol=1e-6)


def test_without_the_cirrus_band_its_term_is_left_out() -> None:
    # The cirrus term alone holds this pixel down: (0.14 + 0.0 - 0.15) / 0.05 = -0.2.
    values = dict.fromkeys(("B01", "B02", "B03", "B04"), 0.14) | {"B10": 0.0, "B11": 0.2}
    planes = {band: np.full((1, 1), value, np.float32) for band, value in values.items()}
    assert pixel_score(planes)[0, 0] == pytest.approx(-0.2)
    del planes["B10"]
    assert pixel_score(planes)[0, 0] == pytest.approx(0.1)


def test_the_snow_index_of_black_and_of_negative_reflectance_is_finite() -> None:
    planes = {
        "B03": np.array([[0.0, -0.01, 0.3]], np.float32),
        "B11": np.array([[0.0, 0.01, -0.02]], np.float32),
    }
    np.testing.assert_array_equal(ndsi(planes), [[0.0, -1.0, 1.0]])


RULES = ClassRules(threshold=0.2, max_ndsi=0.6, sensitive=True)


def _ground(side: int = 20) -> np.ndarray:
    """Ground from dark to bright whose blue rises by half as much as its red, (13, y, x)."""
    pixels = np.repeat(np.repeat(spectrum(VEGETATION), side, axis=1), side, axis=2)
    pixels[3] = np.linspace(0.03, 0.3, side, dtype=np.float32)
    pixels[1] = 0.065 + 0.5 * pixels[3]
    return pixels


def _hazy(pixels: np.ndarray, ground: np.ndarray) -> np.ndarray:
    clear = np.ones(ground.shape[1:], np.bool_)
    threshold = haze_threshold(planes_of(ground), clear)
    assert threshold is not None
    return threshold.hazy(planes_of(pixels))


@given(st.floats(0.0, 0.2))
def test_the_light_that_haze_adds_is_found_over_ground_of_any_brightness(added: float) -> None:
    ground = _ground()
    found = _hazy(ground + np.float32(added), ground)[2:-2, 2:-2]
    if abs(added - 0.02) > 1e-3:
        assert (found == (added > 0.02)).all()


def test_a_scene_is_measured_by_its_own_clear_ground() -> None:
    """A long way through the air makes all of it blue: that is no haze of a cloud."""
    blue = _ground()
    blue[1] += 0.05
    assert not _hazy(blue, blue).any()
    assert _hazy(blue, _ground())[2:-2, 2:-2].all()


def test_ground_of_many_colours_is_not_taken_for_haze() -> None:
    """Fields in a desert are bluer than sand: haze must stand out of both."""
    colourful = _ground()
    colourful[1, :, :7] += 0.03
    colourful[1, :, 14:] -= 0.03
    assert not _hazy(colourful, colourful).any()
    assert _hazy(colourful + np.float32(0.3), colourful)[2:-2, 2:-2].all()


def test_water_and_what_is_missing_are_never_hazy() -> None:
    pixels = np.broadcast_to(spectrum(WATER), (13, 20, 20)).copy()
    pixels[1] += 0.05
    pixels[:, :, 10:] = np.nan
    assert not _hazy(pixels, _ground()).any()


def test_single_pixels_are_not_hazy() -> None:
    pixels = _ground()
    pixels[1, ::3, ::3] += 0.1
    assert not _hazy(pixels, _ground()).any()


def test_where_too_little_is_clear_nothing_is_known_of_haze() -> None:
    ground = _ground()
    clear = np.zeros((20, 20), np.bool_)
    clear[0, :3] = True
    assert haze_threshold(planes_of(ground), clear) is None
    assert haze_threshold(planes_of(np.full_like(ground, np.nan)), ~clear) is None


@pytest.mark.parametrize("value", [MaskClass.CLOUD, MaskClass.SNOW, MaskClass.NODATA])
def test_haze_changes_clear_pixels_only(value: MaskClass) -> None:
    mask = np.array([[value, MaskClass.CLEAR, MaskClass.CLEAR]], dtype=np.uint8)
    add_haze(mask, np.array([[True, True, False]]))
    np.testing.assert_array_equal(mask, [[value, MaskClass.THIN_CLOUD, MaskClass.CLEAR]])


def _veiled_scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A round cloud in a ring of haze, and as much haze far away: pixels, ring, far haze."""
    pixels, _, _ = cloudy_scene(clouds=0)
    rows, cols = np.mgrid[:200, :200]
    distance, away = np.hypot(rows - 60, cols - 60), np.hypot(rows - 160, cols - 160)
    cloud, ring, far = distance < 20, (distance >= 20) & (distance < 32), away < 12
    cirrus_band = pixels[10].copy()
    pixels[:, ring | far] += np.float32(0.04)
    pixels[:, cloud] += np.float32(0.45)
    pixels[10] = cirrus_band  # low clouds and haze do not show there
    return pixels, ring, far


def _classifier(source: ArraySource, rows: int = 64) -> Classifier:
    found = collect_statistics(source, RULES, TEN_METRE_AXES, 150.0, silent, rows)
    cast = ShadowProjection.away_from_sun(150.0, TEN_METRE_AXES, (150.0, 600.0))
    shadows = Shadows(found.thresholds, cast, found.lit)
    return Classifier(RULES, shadows, thin_cloud_reach_px=20.0, haze=found.haze)


def _mask(classifier: Classifier, source: ArraySource, rows: int = 64, **options) -> np.ndarray:
    return np.concatenate(
        [mask for _, mask in classifier.strips(source, strip_rows=rows, **options)]
    )


def test_haze_is_cloud_beside_clouds_and_clear_elsewhere() -> None:
    pixels, ring, far = _veiled_scene()
    source = ArraySource(pixels)
    classifier = _classifier(source)
    mask = _mask(classifier, source)
    assert (mask[ring] == MaskClass.CLOUD).mean() > 0.95
    assert (mask[far] == MaskClass.CLEAR).all()
    blind = _mask(replace(classifier, haze=None), source)
    assert (blind[ring] == MaskClass.CLOUD).mean() < 0.4
    assert (blind[~ring] == mask[~ring]).mean() > 0.98


@pytest.mark.parametrize("rows", [1, 7, 33])
def test_it_is_so_whatever_the_strips_and_with_scores_requested(rows: int) -> None:
    source, scores = ArraySource(_veiled_scene()[0]), {}
    whole = _mask(_classifier(source, 200), source, 200)
    np.testing.assert_array_equal(_mask(_classifier(source, rows), source, rows), whole)
    wanted = _mask(_classifier(source, rows), source, rows, on_score=scores.__setitem__)
    np.testing.assert_array_equal(wanted, whole)
    assert len(scores) == -(-200 // rows)


def test_the_second_pass_reads_the_bands_of_darkness_and_haze() -> None:
    source = ArraySource(_veiled_scene()[0])
    classifier = _classifier(source)
    source.bands_read.clear()
    _mask(classifier, source)
    assert {frozenset(bands) for bands in source.bands_read} == {
        frozenset(SHADOW_BANDS) | frozenset(HAZE_BANDS)
    }
