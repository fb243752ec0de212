"""The figures of the field: golden numbers, known answers, laws."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloudfree.core.grid import strips
from cloudfree.metrics.image_metrics import (
    C1,
    HALO_PX,
    OFF_CENTRE,
    Metrics,
    Scores,
    compare,
    score,
    spectral_angle_deg,
    structural_similarity,
)

PAIRS = ("pair0_64", "pair1_128")


def noise(seed: int, *shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(0.02, 0.6, shape).astype(np.float32)


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest, golden: Path):
    arrays = np.load(golden / "metrics" / f"{request.param}.npz")
    expected = json.loads((golden / "metrics" / "golden_metrics.json").read_text())
    return arrays["target"], arrays["pred"], expected[request.param]


def near(expected: float | dict[str, float]) -> object:
    return pytest.approx(expected, rel=1e-6, abs=1e-6)


def known(figures: Metrics) -> dict[str, float]:
    return {name: value for name, value in vars(figures).items() if value is not None}


def test_the_figures_are_those_of_uncrtaints(pair):
    truth, image, expected = pair
    figures = score(truth, image)
    found = {name: getattr(figures, name.lower()) for name in expected["uncrtaints"]}
    assert found == {name: near(value) for name, value in expected["uncrtaints"].items()}


def test_psnr_and_the_off_centre_similarity_are_those_of_glf_cr(pair):
    truth, image, expected = pair
    similarity = structural_similarity(truth, image, OFF_CENTRE).mean(dtype=np.float64)
    assert similarity == near(expected["glfcr"]["SSIM"])
    assert score(truth, image).psnr == near(expected["glfcr"]["PSNR"])


def test_equal_images_score_as_published(pair):
    truth, _, expected = pair
    figures = score(truth, truth)
    assert (figures.mae, figures.rmse, figures.psnr, figures.ssim) == (0, 0, math.inf, near(1.0))
    # The angle of equal spectra is rounding alone, and rounding depends on the order of a sum.
    assert figures.sam == pytest.approx(expected["identity"]["SAM"], abs=2e-4)


def test_a_constant_error_has_known_figures():
    truth = np.full((4, 40, 40), 0.3, np.float32)
    figures = score(truth, truth + np.float32(0.1))
    assert figures.psnr == near(20.0)
    assert (figures.mae, figures.rmse) == (near(0.1), near(0.1))
    assert figures.pixels == 1600


def test_the_similarity_of_two_flat_images_is_their_brightness_term():
    dark, bright = np.full((1, 21, 21), 0.2, np.float32), np.full((1, 21, 21), 0.4, np.float32)
    middle = structural_similarity(dark, bright)[0, 10, 10]
    assert middle == near((2 * 0.2 * 0.4 + C1) / (0.2**2 + 0.4**2 + C1))


def test_the_angle_is_that_of_the_spectra_and_brightness_does_not_matter():
    one, other = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    angle = spectral_angle_deg(*(np.float32(v).reshape(2, 1, 1) for v in (one, 3 * other)))
    assert angle == near(45.0)


def test_a_pixel_of_zeros_has_no_angle_and_leaves_the_others_theirs():
    truth, image = noise(0, 3, 8, 8), noise(1, 3, 8, 8)
    truth[:, 2, 3] = 0
    angles = spectral_angle_deg(truth, image)
    assert np.isnan(angles[2, 3])
    assert score(truth, image).sam == near(float(np.nanmean(angles.astype(float))))


@given(height=st.integers(1, 70), width=st.integers(1, 40), rows=st.integers(1, 30))
def test_strips_with_a_halo_give_the_figures_of_the_whole_scene(height, width, rows):
    truth, image = noise(2, 2, height, width), noise(3, 2, height, width)
    where = noise(4, height, width) > 0.2
    truth[:, height // 2, : width // 2] = np.nan
    scores = Scores(2)
    for strip in strips(height, width, rows):
        outer = strip.buffered(HALO_PX, height, width)
        differences = compare(truth[:, *outer.slices], image[:, *outer.slices])
        scores.add(differences.inside(strip.relative_to(outer)), where[strip.slices])
    assert known(scores.figures()) == near(known(score(truth, image, where)))


@given(edge=st.integers(12, 30))
def test_only_chosen_pixels_count(edge):
    truth, image = noise(5, 2, edge, edge), noise(6, 2, edge, edge)
    where = np.zeros((edge, edge), bool)
    where[:5, :5] = True
    spoilt = image.copy()
    spoilt[:, 5 + HALO_PX :] += 1
    assert score(truth, image, where) == score(truth, spoilt, where)
    assert score(truth, image, where).pixels == 25


def test_the_masked_similarity_is_the_mean_of_the_map_over_the_mask():
    truth, image = noise(7, 3, 20, 24), noise(8, 3, 20, 24)
    where = noise(9, 20, 24) > 0.3
    expected = structural_similarity(truth, image)[:, where].mean(dtype=np.float64)
    assert score(truth, image, where).ssim == near(expected)


def test_pixels_without_data_in_either_image_take_no_part():
    truth, image = noise(10, 2, 16, 16), noise(11, 2, 16, 16)
    truth[0, 3, 3], image[1, 9, 9] = np.nan, np.nan
    valid = np.ones((16, 16), bool)
    valid[3, 3] = valid[9, 9] = False
    figures = score(truth, image)
    assert figures.pixels == 254
    assert figures.mae == near(np.abs(image - truth)[:, valid].mean(dtype=np.float64))


def test_no_pixel_gives_no_figures():
    figures = score(noise(12, 2, 8, 8), noise(13, 2, 8, 8), np.zeros((8, 8), bool))
    assert vars(figures) == dict.fromkeys(vars(figures)) | {"pixels": 0}


def test_a_band_by_itself_scores_as_an_image_of_one_band():
    truth, image = noise(14, 3, 16, 16), noise(15, 3, 16, 16)
    scores = Scores(3)
    scores.add(compare(truth, image))
    alone = score(truth[1:2], image[1:2])
    second = scores.of_bands()[1]
    assert known(second) | {"sam": alone.sam} == near(known(alone))
    assert second.sam is None


def test_the_similarity_is_symmetric_and_at_most_one():
    truth, image = noise(16, 2, 30, 20), noise(17, 2, 30, 20)
    similarity = structural_similarity(truth, image)
    np.testing.assert_array_equal(similarity, structural_similarity(image, truth))
    assert similarity.max() <= 1
