"""Whether variances tell the size of errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.commands.evaluate.calibration import (
    BINS,
    LEAST_VARIANCE,
    Residuals,
    calibration,
    calibration_under,
    fit_error_model,
    held_out,
)
from cloudfree.inference.uncertainty import ErrorModel


def _by_hand(variance: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """UCE and AUCE bin by bin, as the definition reads."""
    low, width = variance.min(), (variance.max() - variance.min()) / BINS
    gaps, shares = [], []
    for number in range(BINS):
        above = variance >= low + number * width
        below = variance < low + (number + 1) * width if number < BINS - 1 else True
        inside = above & below
        if inside.any():
            gap = np.sqrt(np.mean(error[inside] ** 2)) - np.sqrt(np.mean(variance[inside]))
            gaps.append(abs(gap))
            shares.append(inside.mean())
    return float(np.dot(gaps, shares)), float(np.mean(gaps))


@given(seed=st.integers(0, 200), count=st.integers(2, 300))
def test_it_is_the_definition(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    variance, error = random.uniform(0.01, 0.2, count), random.normal(0, 0.3, count)
    found = calibration(variance, error)
    assert found is not None
    assert (found.uce, found.auce) == pytest.approx(_by_hand(variance, error), rel=1e-9)


def test_errors_as_large_as_predicted_are_calibrated() -> None:
    random = np.random.default_rng(0)
    variance = random.uniform(0.01, 0.04, 100_000)
    found = calibration(variance, random.normal(0, np.sqrt(variance)))
    assert found is not None
    assert found.uce < 0.003
    assert (found.within_1, found.within_2) == pytest.approx((0.683, 0.954), abs=0.005)


def test_one_variance_for_all_has_one_bin() -> None:
    found = calibration(np.full(4, 0.04), np.array([0.1, -0.1, 0.1, 0.5]))
    expected = np.sqrt(0.07) - 0.2
    assert found is not None
    assert (found.uce, found.auce) == pytest.approx((expected, expected))
    assert (found.within_1, found.within_2, found.values) == (0.75, 0.75, 4)


def test_auce_counts_rare_variances_as_much_as_common_ones() -> None:
    variance = np.array([0.01] * 99 + [1.0])
    error = np.array([0.1] * 99 + [0.0])
    found = calibration(variance, error)
    assert found is not None
    assert (found.uce, found.auce) == pytest.approx((0.01, 0.5))


def test_nothing_predicted_is_nothing_calibrated() -> None:
    assert calibration(np.zeros(0), np.zeros(0)) is None


TRUE = ErrorModel(floor=(0.03, 0.0), share=(0.0, 0.2), scale=(8.0, 3.0))
WITHIN = [math.erf(sigmas / math.sqrt(2)) for sigmas in (1, 2)]


def normal_errors(model: ErrorModel, pixels: int = 20_000, seed: int = 0) -> Residuals:
    """Errors as an error model has them, over ground of any brightness and spread."""
    rng = np.random.default_rng(seed)
    shape = (len(model.floor), pixels)
    image = rng.uniform(0.0, 0.5, shape).astype(np.float32)
    spread = rng.exponential(3e-5, shape).astype(np.float32)
    error = rng.normal(0, np.sqrt(model.variance(image, spread))).astype(np.float32)
    return Residuals(image, spread, error)


def test_known_terms_are_found_again():
    found = fit_error_model(normal_errors(TRUE))
    assert found.floor == pytest.approx(TRUE.floor, abs=0.002)
    assert found.share == pytest.approx(TRUE.share, abs=0.02)
    assert found.scale == pytest.approx(TRUE.scale, rel=0.05, abs=0.3)


@settings(max_examples=8)
@given(st.floats(0.01, 100.0))
def test_a_spread_in_another_unit_is_scaled_back(unit):
    known = normal_errors(TRUE, 500)
    scaled = Residuals(known.image, known.spread * np.float32(unit), known.error)
    found = [fit_error_model(one).variance(one.image, one.spread) for one in (known, scaled)]
    assert np.allclose(found[0], found[1], rtol=0.01)


def test_normal_errors_are_covered_as_the_normal_distribution_says():
    found = calibration_under([(TRUE, normal_errors(TRUE, 50_000))])
    assert (found.within_1, found.within_2) == pytest.approx(WITHIN, abs=0.005)


def test_places_alike_are_covered_by_a_fit_to_the_others():
    groups = {str(seed): normal_errors(TRUE, 3000, seed) for seed in range(3)}
    found = calibration_under(list(held_out(groups)))
    assert (found.within_1, found.within_2) == pytest.approx(WITHIN, abs=0.015)


def test_a_place_is_not_fitted_to_itself():
    worse = ErrorModel((0.3, 0.3), (0.0, 0.0), (0.0, 0.0))
    groups = {"like": normal_errors(TRUE, 2000), "worse": normal_errors(worse, 2000)}
    models = [model for model, _ in held_out(groups)]
    assert min(models[0].floor) > 0.25
    assert models[1].floor == pytest.approx(TRUE.floor, abs=0.006)


def test_a_spread_of_nothing_leaves_the_other_terms():
    known = normal_errors(ErrorModel((0.05,), (0.0,), (0.0,)))
    found = fit_error_model(Residuals(known.image, np.zeros_like(known.spread), known.error))
    assert found.scale == (0.0,)
    assert found.floor == pytest.approx([0.05], rel=0.05)


def test_a_model_without_errors_has_no_deviation():
    known = normal_errors(TRUE, 100)
    found = fit_error_model(Residuals(known.image, known.spread, np.zeros_like(known.error)))
    assert found.variance(known.image, known.spread).max() < 10 * LEAST_VARIANCE


def test_thinning_keeps_pixels_from_end_to_end():
    known = normal_errors(TRUE, 1000)
    few = known.thinned(100)
    assert few.error.shape == (2, 100)
    assert np.array_equal(few.error, known.error[:, ::10])
    assert known.thinned(5000).error.shape == (2, 1000)
