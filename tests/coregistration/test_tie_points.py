from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cloudfree.coregistration.tie_points import OUTLIER, huber_weights

lengths = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 10))


def test_usual_residuals_count_fully_long_ones_less_and_outliers_nothing() -> None:
    weight = huber_weights(np.array([1.0, 1.0, 1.0, 3.0, 5.0]), np.ones(5, bool))
    assert np.allclose(weight, [1, 1, 1, 2 / 3, 0])


@given(lengths)
def test_no_longer_residual_is_trusted_more(residuals: np.ndarray) -> None:
    weight = huber_weights(residuals, np.ones(len(residuals), bool))
    order = np.argsort(residuals, kind="stable")
    assert (np.diff(weight[order]) <= 1e-12).all()
    assert weight.max() == 1.0
    assert (residuals[weight == 0] > OUTLIER * np.median(residuals)).all()


def test_what_is_no_match_is_not_trusted_and_does_not_count() -> None:
    found = np.array([True, True, False, False])
    assert huber_weights(np.array([1.0, 1.5, 90.0, 0.0]), found).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert not huber_weights(np.ones(3), np.zeros(3, bool)).any()
