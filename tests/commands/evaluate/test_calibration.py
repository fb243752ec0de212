"""Whether variances tell the size of errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.evaluate.calibration import BINS, calibration


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
