"""Hidden pixels give nothing to their neighbours and take as little as can be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.commands.remove.references.at_positions import AtPositions
from cloudfree.commands.remove.references.at_translation import AtTranslation
from cloudfree.commands.remove.references.clear_sampling import Sampler, sample_clear

SIDE = 40


def _positions(row: float, col: float) -> Sampler:
    rows, cols = np.mgrid[:SIDE, :SIDE].astype(float)
    return AtPositions(rows + row, cols + col)


def _translation(row: float, col: float) -> Sampler:
    return AtTranslation(row, col, SIDE, SIDE)


Places = Callable[[float, float], Sampler]
both_ways = pytest.mark.parametrize("places", [_positions, _translation])


def _image(value: float = 0.2) -> np.ndarray:
    return np.full((2, SIDE, SIDE), value, np.float32)


def _waves() -> np.ndarray:
    rows, cols = np.mgrid[:SIDE, :SIDE]
    return np.stack([np.sin(rows / 5), np.cos(cols / 4)]).astype(np.float32)


@both_ways
def test_a_position_on_a_pixel_takes_its_value_alone(places: Places) -> None:
    image = np.random.default_rng(0).uniform(0, 1, (2, SIDE, SIDE)).astype(np.float32)
    image[:, 10:20, 5:9] = np.nan
    np.testing.assert_array_equal(sample_clear(image, places(0, 0)), image)
    moved = sample_clear(image, places(3, -2))
    np.testing.assert_array_equal(moved[:, :-3, 2:], image[:, 3:, :-2])
    assert np.isnan(moved[:, -3:]).all() and np.isnan(moved[..., :2]).all()


@both_ways
def test_between_pixels_smooth_ground_stays_what_it_is(places: Places) -> None:
    rows, cols = np.mgrid[:SIDE, :SIDE]
    sampled = sample_clear(_waves(), places(0.37, 0.61))[:, 3:-3, 3:-3]
    expected = np.stack([np.sin((rows + 0.37) / 5), np.cos((cols + 0.61) / 4)])
    np.testing.assert_allclose(sampled, expected[:, 3:-3, 3:-3], atol=0.02)


@both_ways
@settings(max_examples=30)
@given(
    row=st.floats(-3, 3), col=st.floats(-3, 3), top=st.integers(0, 30), left=st.integers(0, 30),
    side=st.integers(1, 9),
)  # fmt: skip
def test_nothing_of_what_is_hidden_shows(
    places: Places, row: float, col: float, top: int, left: int, side: int
) -> None:
    level, waves = _image(), _waves()
    for image in (level, waves):
        image[:, top : top + side, left : left + side] = np.nan
    sampled = sample_clear(level, places(row, col))
    np.testing.assert_allclose(sampled[np.isfinite(sampled)], 0.2, rtol=1e-5)
    seen = sample_clear(waves, places(row, col))
    np.testing.assert_array_equal(np.isfinite(seen), np.isfinite(sampled))
    assert np.nanmax(np.abs(seen)) < 1.05


@both_ways
@settings(max_examples=30)
@given(row=st.floats(-2, 2), col=st.floats(-2, 2))
def test_a_hidden_pixel_takes_one_pixel_of_ground(places: Places, row: float, col: float) -> None:
    image = _image()
    image[:, 20, 20] = np.nan
    inner = sample_clear(image, places(row, col))[0, 4:-4, 4:-4]
    # Halfway between two pixels the hidden one may be the nearest of both.
    halfway = sum(abs(shift % 1 - 0.5) < 1 / 32 for shift in (row, col))
    assert 1 <= int(np.isnan(inner).sum()) <= 2**halfway


@both_ways
def test_half_a_pixel_beside_a_cloud_is_not_lost(places: Places) -> None:
    image = _image()
    image[:, :20] = np.nan
    sampled = sample_clear(image, places(0.45, 0))
    assert np.isnan(sampled[:, :20]).all()
    np.testing.assert_allclose(sampled[:, 20:], 0.2, rtol=1e-6)


@both_ways
def test_a_band_that_is_missing_hides_the_pixel(places: Places) -> None:
    image = _image()
    image[1, 5, 5] = np.nan
    assert np.isnan(sample_clear(image, places(0, 0))[:, 5, 5]).all()
