from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.gapfilling.combination import PixelEstimate, combine

deviations = st.floats(0.001, 0.3)


def _estimate(mean: float, deviation: float) -> PixelEstimate:
    return PixelEstimate(np.full((1, 2), mean, np.float32), np.full((1, 2), deviation, np.float32))


UNKNOWN = _estimate(np.nan, np.nan)


def test_weights_are_cubes_of_inverse_variances() -> None:
    both, shares = combine([_estimate(0.1, 0.1), _estimate(0.3, 0.2)])
    assert shares[:, 0] == pytest.approx([64 / 65, 1 / 65])
    assert both.mean == pytest.approx(np.full((1, 2), (64 * 0.1 + 0.3) / 65))


def test_the_variance_is_that_of_the_mixture() -> None:
    both, _ = combine([_estimate(0.1, 0.1), _estimate(0.3, 0.2)])
    mean = (64 * 0.1 + 0.3) / 65
    wanted = (64 * (0.01 + (0.1 - mean) ** 2) + (0.04 + (0.3 - mean) ** 2)) / 65
    assert both.deviation**2 == pytest.approx(np.full((1, 2), wanted))


@given(first=deviations, second=deviations)
def test_shares_sum_to_one_and_the_surer_has_the_larger(first: float, second: float) -> None:
    both, shares = combine([_estimate(0.1, first), _estimate(0.3, second)])
    assert shares.sum() == pytest.approx(1)
    assert (shares[0, 0] >= shares[1, 0]) == (first <= second) or first == pytest.approx(second)
    # Of two estimates that lie 0.2 apart, each is at most 0.2 from their mean.
    largest = np.hypot(max(first, second), 0.2)
    assert min(first, second) * 0.999 <= both.deviation[0, 0] <= largest * 1.001


def test_what_is_known_once_is_kept_and_what_never_is_stays_unknown() -> None:
    once, shares = combine([UNKNOWN, _estimate(0.3, 0.2)])
    assert shares[:, 0].tolist() == [0, 1]
    assert once.mean == pytest.approx(np.full((1, 2), 0.3))
    never, shares = combine([UNKNOWN, UNKNOWN])
    assert shares.sum() == 0
    assert not never.known.any()
    assert np.isnan(never.deviation).all()
