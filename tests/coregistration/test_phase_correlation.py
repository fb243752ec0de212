"""Correlations by spectra are those that the definition gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.coregistration.phase_correlation import as_complex, correlations, side_for, spectra
from cloudfree.coregistration.tie_points import REACH_PX, WINDOW_PX, tie_point_windows


def _product(one: np.ndarray, other: np.ndarray, row: int, col: int) -> float:
    """Products of features, (gradient, y, x), with those that lie at a shift, summed."""
    height, width = one.shape[1:]
    return float((one * other[:, row : row + height, col : col + width]).sum())


@settings(max_examples=25)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 6), st.integers(0, 99))
def test_a_part_is_compared_with_all_that_lies_within_reach(
    height: int, width: int, reach: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    part = rng.normal(0, 1, (2, height, width)).astype(np.float32)
    around = rng.normal(0, 1, (2, height + 2 * reach, width + 2 * reach)).astype(np.float32)
    side = side_for(max(height, width), reach)
    here, there = (spectra(as_complex(image[:, None]), side) for image in (part, around))
    found = correlations(here.conj() * there, reach)[0]
    lags = range(2 * reach + 1)
    expected = [[_product(part, around, row, col) for col in lags] for row in lags]
    assert found == pytest.approx(np.array(expected), abs=1e-3)


@pytest.mark.parametrize("expected", [(0, 0), (3, -5), (-40, 2), (500, -500)])
def test_windows_are_compared_around_the_expected_shift(expected: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    optical = rng.normal(0, 1, (2, 3, 70, 100)).astype(np.float32)
    sar = rng.normal(0, 1, (2, 2, 70, 100)).astype(np.float32)
    mixture = rng.normal(0, 1, (3, 2)).astype(np.float32)
    found = tie_point_windows(optical, sar, mixture, expected, np.array([1000.0, 2000.0]))
    rim = 600
    seen = np.einsum("os,goyx->gsyx", mixture, optical).reshape(4, 70, 100)
    there = np.pad(sar.reshape(4, 70, 100), ((0, 0), (rim, rim), (rim, rim)))
    for window, (row, col) in enumerate((r, c) for r in (0, 32) for c in (0, 32, 64)):
        part = seen[:, row : row + WINDOW_PX, col : col + WINDOW_PX]
        for down, right in ((0, 0), (-REACH_PX, 4), (2, REACH_PX)):
            place = rim + row + expected[0] + down, rim + col + expected[1] + right
            direct = _product(part, there, *place)
            assert found.agreement[window, REACH_PX + down, REACH_PX + right] == pytest.approx(
                direct, abs=1e-2
            )
        assert (found.rows[window], found.cols[window]) == (1015.5 + row, 2015.5 + col)
    assert found.expected.tolist() == [list(expected)] * 6
