"""What a network sees of a number, and the number again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.inference.scaling import Scaling

TWO = Scaling(((-25.0, 0.0), (0.0, 1.0)), (-1.0, 1.0))


def _bands(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1, 1)


def test_the_ends_of_the_interval_become_those_of_the_scale() -> None:
    assert TWO.forward(_bands(-25.0, 1.0)).ravel().tolist() == [-1.0, 1.0]
    assert TWO.forward(_bands(-99.0, 5.0)).ravel().tolist() == [-1.0, 1.0]


@given(st.floats(-25, 0, width=32), st.floats(0, 1, width=32))
def test_numbers_within_come_back(first: float, second: float) -> None:
    values = _bands(first, second)
    assert TWO.inverse(TWO.forward(values)).ravel() == pytest.approx(values.ravel(), abs=1e-5)


def test_a_variance_grows_with_the_square_of_the_interval() -> None:
    assert TWO.inverse_variance(_bands(1.0, 1.0)).ravel().tolist() == [12.5**2, 0.5**2]


def test_a_scale_that_is_the_interval_only_clips() -> None:
    plain = Scaling(((0.0, 1.0),), (0.0, 1.0))
    scaled = _bands(0.25)
    assert plain.inverse(scaled) is scaled
    assert plain.forward(_bands(1.5)).item() == 1.0


def test_some_bands_keep_their_intervals() -> None:
    assert TWO.select([1]).clip == ((0.0, 1.0),)
