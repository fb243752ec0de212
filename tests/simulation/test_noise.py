from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.simulation.noise import chance, fractal_noise, scatter

SIDES = st.integers(8, 90)


@given(rows=SIDES, cols=SIDES, slope=st.floats(0.3, 3.0))
def test_noise_of_any_shape_has_mean_0_and_deviation_1(rows: int, cols: int, slope: float) -> None:
    field = fractal_noise((rows, cols), np.random.default_rng(1), slope, 30.0)
    assert field.shape == (rows, cols)
    assert field.dtype == np.float32
    assert (field.mean(), field.std()) == pytest.approx((0.0, 1.0), abs=1e-4)


def test_noise_of_one_pixel_is_its_mean() -> None:
    assert fractal_noise((1, 1), np.random.default_rng(1), 1.0, 30.0).tolist() == [[0.0]]


def test_a_steeper_slope_is_smoother() -> None:
    steps = [
        float(
            np.abs(np.diff(fractal_noise((200, 200), np.random.default_rng(2), slope, 50.0))).mean()
        )
        for slope in (0.5, 1.5, 2.5)
    ]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 5 * steps[2]


def test_a_number_depends_on_its_keys_alone() -> None:
    keys = np.arange(1000).reshape(20, 50)
    assert np.array_equal(scatter(7, keys)[::-1], scatter(7, keys[::-1]))
    assert np.array_equal(
        scatter(7, keys, keys * 0 + 3)[4, 5:7], scatter(7, keys[4, 5:7], keys[4, 5:7] * 0 + 3)
    )
    assert not np.array_equal(scatter(7, keys), scatter(8, keys))


def test_chances_are_spread_evenly() -> None:
    drawn = chance(3, np.arange(40_000))
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    shares = np.histogram(drawn, bins=10, range=(0, 1))[0] / drawn.size
    assert shares == pytest.approx(0.1, abs=0.01)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.02
