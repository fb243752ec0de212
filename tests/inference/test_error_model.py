"""Three kinds of errors add up."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.inference.error_model import ErrorModel, uncalibrated


def test_variances_add_up_band_by_band():
    model = ErrorModel(floor=(0.03, 0.0), share=(0.2, 0.0), scale=(0.0, 4.0))
    image, spread = np.full((2, 1, 1), 0.2, np.float32), np.full((2, 1, 1), 1e-4, np.float32)
    deviations = np.sqrt(model.variance(image, spread))[:, 0, 0]
    assert deviations == pytest.approx([0.05, 0.04])


def test_a_dark_pixel_that_is_predicted_below_zero_has_a_deviation_too():
    model = ErrorModel((0.0,), (0.5,), (0.0,))
    assert np.sqrt(model.variance(np.float32([[-0.1]]), np.zeros((1, 1), np.float32))) == (
        pytest.approx(0.05)
    )


def test_uncalibrated_means_the_bare_spread():
    spread = np.random.default_rng(0).random((3, 4, 5), dtype=np.float32)
    assert np.array_equal(uncalibrated(3).variance(spread + 1, spread), spread)


def test_what_a_card_says_is_read_back():
    model = ErrorModel((0.1, 0.2), (0.0, 0.3), (1.5, 2.0))
    assert ErrorModel.of(model.entries) == model
