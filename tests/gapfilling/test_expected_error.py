from __future__ import annotations

import numpy as np
import pytest

from cloudfree.gapfilling.expected_error import (
    PRIOR,
    SPECKLE_DB,
    ExpectedError,
    Trial,
    calibration,
    learn_error,
)
from cloudfree.gapfilling.harmonisation import Harmonised

PIXELS = 40_000


def _trial(law: ExpectedError, seed: int = 0, pixels: int = PIXELS) -> tuple[Trial, np.ndarray]:
    """Errors drawn by a law, and its deviations."""
    rng = np.random.default_rng(seed)
    scatter = np.exp(rng.uniform(-5, -2, (pixels, 2))).astype(np.float32)
    distance, changed = rng.uniform(0, (40, 6), (pixels, 2)).astype(np.float32).T
    harmonised = Harmonised(np.zeros_like(scatter), scatter, distance, changed)
    deviation = law.deviation(harmonised)
    truth = rng.normal(0, deviation).astype(np.float32)
    return Trial(harmonised, truth), deviation


LAW = ExpectedError((0.3, 0.8, 0.2, 0.1))


def test_the_law_of_errors_is_learned_from_them() -> None:
    trial, _ = _trial(LAW)
    learned = learn_error([trial])
    assert learned.coefficients[1:] == pytest.approx(LAW.coefficients[1:], abs=0.05)
    fresh, deviation = _trial(LAW, seed=1)
    found = learned.deviation(fresh.harmonised)
    assert np.median(found / deviation) == pytest.approx(1, abs=0.08)
    assert (np.abs(fresh.errors) < found).mean() == pytest.approx(0.683, abs=0.03)
    assert (np.abs(fresh.errors) < 2 * found).mean() == pytest.approx(0.954, abs=0.02)


def test_without_trials_it_is_the_prior() -> None:
    assert learn_error([]).coefficients == pytest.approx(PRIOR)


def test_ground_that_is_far_or_changed_is_never_surer() -> None:
    against, _ = _trial(ExpectedError((0.0, 1.0, -0.4, -0.2)))
    assert min(learn_error([against]).coefficients[1:]) >= 0


def test_of_what_nothing_is_said_there_is_no_deviation_and_nothing_learned() -> None:
    nothing = Harmonised.nothing(5, 2)
    assert np.isnan(ExpectedError().deviation(nothing)).all()
    assert learn_error([Trial(nothing, np.zeros((5, 2), np.float32))]).coefficients == (
        pytest.approx(PRIOR)
    )


def test_calibration_is_how_much_larger_errors_are_than_expected() -> None:
    errors = np.random.default_rng(0).normal(0, 0.06, 50_000).astype(np.float32)
    expected = np.full_like(errors, 0.02)
    assert calibration(errors, expected) == pytest.approx(3, rel=0.02)
    expected[::2] = np.nan
    assert calibration(errors, expected) == pytest.approx(3, rel=0.02)
    assert calibration(errors[:0], expected[:0]) == 1


def test_changed_ground_is_less_certain_by_the_prior_too() -> None:
    one = np.ones(2, np.float32)
    harmonised = Harmonised(
        one[:, None], 0.02 * one[:, None], 3 * one, np.array([0, 6], np.float32)
    )
    calm, changed = ExpectedError().deviation(harmonised)[:, 0]
    assert changed == pytest.approx(calm * np.exp(PRIOR[3] * (6 - SPECKLE_DB)), rel=1e-5)
    assert changed > calm
