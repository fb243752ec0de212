from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import grey_closing, uniform_filter

from cloudfree.cloudmask.score import (
    MAX_SCORE,
    MIN_SCORE,
    SCORE_HALO_PX,
    cloud_score,
    ndsi,
    pixel_score,
)
from cloudfree.core.grid import strips
from tests.factories.cloudy_scenes import CLOUD, VEGETATION, WATER, planes_of, spectrum

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
        outer = window.grown(SCORE_HALO_PX, height, 13)
        part = cloud_score(planes_of(pixels[:, *outer.slices]))[window.within(outer)]
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
