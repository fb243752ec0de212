"""Known shifts come back; what shows no ground shows no shift."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.core.displacement import NO_SHIFT, Displacement, Shift
from cloudfree.core.radiometry import Float32, decibel
from cloudfree.coregistration.clear_windows import optical_features, sar_features
from cloudfree.coregistration.global_shift import (
    MAX_DISAGREEMENT_PX,
    MIN_RELIABILITY,
    NOTHING_MEASURED,
    ShiftEstimate,
    WindowShift,
    affine_from_windows,
    estimate_shift,
    most_reliable,
)
from cloudfree.coregistration.phase_correlation import CrossPower
from tests.factories.displaced_scenes import error_px, rotation
from tests.factories.scene_pairs import field_pair

SIDE = 192
Bits = np.ndarray


def _estimate(optical: Float32, decibels: Float32, usable: Bits | None = None) -> ShiftEstimate:
    usable = np.ones(optical.shape[1:], bool) if usable is None else usable
    power = CrossPower(*optical.shape[1:], len(optical), len(decibels))
    power.add(optical_features(optical, usable), sar_features(decibels))
    return estimate_shift(power)


def _apart(one: Shift, other: Shift) -> float:
    return math.hypot(one.row - other.row, one.col - other.col)


parts = st.floats(-8, 8, allow_subnormal=False)


@settings(max_examples=12)
@given(parts, parts, st.integers(0, 50))
def test_a_known_shift_is_found_to_a_tenth_of_a_pixel(row: float, col: float, seed: int) -> None:
    found = _estimate(*field_pair(SIDE, Shift(row, col), seed))
    assert found.reliable
    assert _apart(found.shift, Shift(row, col)) < 0.1


def test_the_sign_of_the_relation_does_not_matter() -> None:
    optical, decibels = field_pair(SIDE, Shift(2.4, -3.1))
    decibels[0] = -30 - decibels[0]
    found = _estimate(0.6 - optical, decibels)
    assert found.reliable
    assert _apart(found.shift, Shift(2.4, -3.1)) < 0.1


@pytest.mark.parametrize("bands", [1, 3])
def test_one_band_is_enough(bands: int) -> None:
    optical, decibels = field_pair(SIDE, Shift(-1.7, 0.6))
    found = _estimate(optical[-bands:], decibels)
    assert found.reliable
    assert _apart(found.shift, Shift(-1.7, 0.6)) < 0.1


def test_blocks_add_up() -> None:
    shift = Shift(3.3, 1.2)
    power = CrossPower(96, 96, 4, 2)
    for seed in range(3):
        optical, decibels = field_pair(96, shift, seed)
        power.add(optical_features(optical, np.ones((96, 96), bool)), sar_features(decibels))
    found = estimate_shift(power)
    assert found.reliable
    assert _apart(found.shift, shift) < 0.1


def test_clouds_and_gaps_take_no_part() -> None:
    shift = Shift(-2.2, 4.7)
    optical, decibels = field_pair(SIDE, shift)
    cloud = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(cloud, (60, 50), 35, 1, cv2.FILLED)
    optical[:, cloud > 0] = 0.7
    optical[:, :20] = np.nan
    decibels[:, :, :30] = np.nan
    found = _estimate(optical, decibels, cloud == 0)
    assert found.reliable
    assert _apart(found.shift, shift) < 0.15


def _blurred(image: np.ndarray, sigma: float) -> Float32:
    return np.stack([cv2.GaussianBlur(band, (0, 0), sigma) for band in image]).astype(np.float32)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("smooth", [0.0, 3.0])
def test_noise_is_not_reliable(seed: int, smooth: float) -> None:
    rng = np.random.default_rng(seed)
    optical = (0.1 + rng.normal(0, 0.01, (4, SIDE, SIDE))).astype(np.float32)
    decibels = decibel(rng.gamma(4, 0.02, (2, SIDE, SIDE)).astype(np.float32))
    if smooth:
        optical, decibels = _blurred(optical, smooth), _blurred(decibels, smooth)
    assert not _estimate(optical, decibels).reliable


def test_two_places_that_differ_are_not_reliable() -> None:
    assert not _estimate(field_pair(SIDE, seed=1)[0], field_pair(SIDE, seed=2)[1]).reliable


@pytest.mark.parametrize("nothing", ["flat", "clouded", "missing", "small"])
def test_where_nothing_can_be_seen_nothing_is_measured(nothing: str) -> None:
    side = 32 if nothing == "small" else 96
    optical, decibels = field_pair(side)
    usable = np.full((side, side), nothing != "clouded")
    if nothing == "flat":
        optical[:] = 0.05
    if nothing == "missing":
        decibels[:] = np.nan
    assert _estimate(optical, decibels, usable) == NOTHING_MEASURED


def test_both_bounds_decide_about_reliability() -> None:
    assert ShiftEstimate(NO_SHIFT, MIN_RELIABILITY, MAX_DISAGREEMENT_PX).reliable
    assert not ShiftEstimate(NO_SHIFT, MIN_RELIABILITY - 0.01, 0.0).reliable
    assert not ShiftEstimate(NO_SHIFT, 1.0, MAX_DISAGREEMENT_PX + 0.01).reliable


def test_agreement_is_highest_at_the_shift_and_halves_make_the_whole() -> None:
    optical, decibels = field_pair(96, Shift(5, -3))
    power = CrossPower(96, 96, 4, 2)
    power.add(optical_features(optical, np.ones((96, 96), bool)), sar_features(decibels))
    for surface in power.agreement():
        row, col = np.unravel_index(surface.argmax(), surface.shape)
        assert (row - power.reach, col - power.reach) == (5, -3)
        assert surface.shape == (2 * power.reach + 1,) * 2
    assert 0 < power.agreement()[0].max() <= 2


BLOCK_SIDE = 4000
NOTHING = CrossPower(8, 8, 1, 1)


def _clear_windows(by: Displacement, reliability: float = 0.9) -> list[WindowShift]:
    places = np.arange(256, BLOCK_SIDE, 1000.0)
    clear_windows = []
    for row in places:
        for col in places:
            there = by.locate(np.array(row), np.array(col))
            shift = Shift(float(there[0]) - row, float(there[1]) - col)
            clear_windows.append(
                WindowShift(row, col, NOTHING, ShiftEstimate(shift, reliability, 0.1))
            )
    return clear_windows


def test_an_affine_goes_through_blocks_that_differ() -> None:
    by = rotation(BLOCK_SIDE, 0.3, Shift(2, -1))
    found = affine_from_windows(_clear_windows(by), BLOCK_SIDE, BLOCK_SIDE)
    assert found is not None
    assert error_px(found, Shift(), by, BLOCK_SIDE)[1] < 0.01


def test_blocks_that_went_astray_take_no_part() -> None:
    by = rotation(BLOCK_SIDE, 0.3, Shift(2, -1))
    clear_windows = _clear_windows(by)
    clear_windows[5] = WindowShift(256, 256, NOTHING, ShiftEstimate(Shift(-25, 30), 0.9, 0.1))
    found = affine_from_windows(clear_windows, BLOCK_SIDE, BLOCK_SIDE)
    assert found is not None
    assert error_px(found, Shift(), by, BLOCK_SIDE)[1] < 0.2


@pytest.mark.parametrize(
    "clear_windows",
    [
        _clear_windows(Shift(3, 4)),
        _clear_windows(rotation(BLOCK_SIDE, 0.01, Shift(3, 4))),
        _clear_windows(rotation(BLOCK_SIDE, 0.3, Shift()), reliability=0.3),
        _clear_windows(rotation(BLOCK_SIDE, 0.3, Shift()))[:5],
        _clear_windows(rotation(BLOCK_SIDE, 0.3, Shift()))[::4],
    ],
    ids=["alike", "nearly alike", "not reliable", "too few", "in a line"],
)
def test_otherwise_one_shift_serves_all(clear_windows: list[WindowShift]) -> None:
    assert affine_from_windows(clear_windows, BLOCK_SIDE, BLOCK_SIDE) is None


def test_blocks_that_contradict_each_other_give_nothing() -> None:
    rng = np.random.default_rng(0)
    clear_windows = [
        WindowShift(b.row, b.col, NOTHING, ShiftEstimate(Shift(*rng.uniform(-20, 20, 2)), 0.9, 0.1))
        for b in _clear_windows(Shift())
    ]
    assert affine_from_windows(clear_windows, BLOCK_SIDE, BLOCK_SIDE) is None


def test_the_surest_block_is_the_most_reliable() -> None:
    clear_windows = _clear_windows(Shift())
    clear_windows[3] = WindowShift(1, 2, NOTHING, ShiftEstimate(Shift(), 0.99, 0.1))
    assert most_reliable(clear_windows) == clear_windows[3]
