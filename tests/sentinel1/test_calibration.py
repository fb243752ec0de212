from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window
from cloudfree.sentinel1.calibration import AzimuthNoise, Lut, Noise, sigma_nought

LINES = np.array([0.0, 100.0, 250.0])
PIXELS = (
    np.array([0.0, 40.0, 300.0]),
    np.array([0.0, 199.0, 200.0, 300.0]),
    np.array([0.0, 300.0]),
)

WINDOWS = st.builds(
    Window, st.integers(0, 280), st.integers(0, 280), st.integers(1, 60), st.integers(1, 60)
)


def _plane(line: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    return 500 + 0.5 * line + 0.25 * pixel


LUT = Lut(LINES, PIXELS, tuple(_plane(line, p) for line, p in zip(LINES, PIXELS, strict=True)))


@given(WINDOWS)
def test_a_table_is_read_bilinearly_whatever_pixels_its_vectors_have(window: Window) -> None:
    line, pixel = np.mgrid[window.row : window.row_stop, window.col : window.col_stop]
    expected = _plane(np.minimum(line, 250), np.minimum(pixel, 300))
    assert np.allclose(LUT.on(window), expected, rtol=1e-6)


def test_beyond_its_ends_a_table_keeps_its_last_value() -> None:
    table = Lut(np.array([10.0]), (np.array([5.0, 9.0]),), (np.array([2.0, 4.0]),))
    read = table.on(Window(0, 0, 3, 20))
    assert np.array_equal(read[0], read[2])
    assert read[0, [0, 5, 7, 9, 19]].tolist() == [2, 2, 3, 4, 4]


@given(WINDOWS)
def test_noise_varies_along_azimuth_in_each_part_of_the_swath(window: Window) -> None:
    left = AzimuthNoise(Window(0, 0, 400, 150), np.array([0.0, 400.0]), np.array([1.0, 5.0]))
    right = AzimuthNoise(Window(0, 150, 400, 250), np.array([0.0]), np.array([2.0]))
    line, pixel = np.mgrid[window.row : window.row_stop, window.col : window.col_stop]
    factor = np.where(pixel < 150, 1 + line / 100, 2)
    expected = LUT.on(window) * factor
    assert np.allclose(Noise(LUT, (left, right)).on(window), expected, rtol=1e-6)


def test_without_azimuth_vectors_the_noise_is_that_along_range() -> None:
    window = Window(3, 4, 5, 6)
    assert np.array_equal(Noise(LUT).on(window), LUT.on(window))


def test_sigma_nought_is_what_the_product_specification_says() -> None:
    numbers = np.uint16([[0, 30, 31, 500, 65535]])
    gain, noise = np.full((1, 5), 400, np.float32), np.full((1, 5), 930, np.float32)
    sigma = sigma_nought(numbers, gain, noise)
    expected = [np.nan, 0.0, 31 / 160_000, 249_070 / 160_000, (65535**2 - 930) / 160_000]
    assert sigma[0] == pytest.approx(expected, rel=1e-6, nan_ok=True)
