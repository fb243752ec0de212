from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cloudfree.core.radiometry import MIN_POWER, Radiometry, decibel, default_nodata, linear_power

DIGITAL_NUMBERS = Radiometry("uint16", 1e-4, 0.0, 0.0)
BASELINE_04 = Radiometry("uint16", 1e-4, -0.1, 0.0)


@pytest.mark.parametrize("radiometry", [DIGITAL_NUMBERS, BASELINE_04], ids=["old", "offset"])
@given(numbers=arrays.arrays(np.uint16, (2, 3, 4)))
def test_numbers_survive_the_way_to_reflectance_and_back(
    radiometry: Radiometry, numbers: np.ndarray
) -> None:
    numbers = np.maximum(numbers, 1)  # 0 is nodata, and one of two bands may not become it
    assert np.array_equal(radiometry.encode(radiometry.decode(numbers)), numbers)


def test_the_offset_of_baseline_04_is_taken_off() -> None:
    assert BASELINE_04.decode(np.full((1, 1, 1), 2000, np.uint16)).item() == pytest.approx(0.1)


def test_a_pixel_is_missing_where_every_band_is_nodata() -> None:
    numbers = np.array([[[0, 0]], [[0, 7]]], dtype=np.uint16)  # (band, y, x)
    reflectance = DIGITAL_NUMBERS.decode(numbers)
    assert np.isnan(reflectance[:, 0, 0]).all()
    assert reflectance[:, 0, 1] == pytest.approx([0.0, 7e-4])


@pytest.mark.parametrize("mark", [-9999.0, -32768.0, -1.79e308])
@pytest.mark.parametrize("nodata", [float("nan"), 0.0, 65535.0, -9999.0])
def test_numbers_that_no_reflectance_has_are_missing_whatever_is_declared(
    mark: float, nodata: float
) -> None:
    """In one band or all, as digital numbers with or without an offset, and as reflectance."""
    for scale, offset in ((1e-4, 0.0), (1e-4, -0.1), (1.0, 0.0), (1.0, -0.1)):
        pixels = np.full((2, 1, 3), 0.3 / scale)
        pixels[0, 0, 1], pixels[:, 0, 2] = mark, mark
        valid = Radiometry("float64", scale, offset, nodata).valid(pixels)
        assert valid.tolist() == [[True, False, False]]


@pytest.mark.parametrize("mark", [-9999, -32768])
@pytest.mark.parametrize("offset", [0.0, -0.1])
def test_whole_numbers_may_stand_for_nodata_too(mark: int, offset: float) -> None:
    pixels = np.array([[[3000, mark, mark, -200]], [[3000, 3000, mark, 3000]]], dtype=np.int16)
    valid = Radiometry("int16", 1e-4, offset, 0.0).valid(pixels)
    assert valid.tolist() == [[True, False, False, True]]


def test_zeros_in_all_bands_are_missing_where_no_other_number_is_declared() -> None:
    """In one band alone they are black; slightly negative reflectance is data."""
    pixels = np.array([[[0.0, 0.0, -0.05, np.inf]], [[0.0, 0.2, 0.2, 0.2]]], dtype=np.float32)
    undeclared = Radiometry("float32", 1.0, 0.0, float("nan"))
    assert undeclared.valid(pixels).tolist() == [[False, True, True, False]]
    declared = Radiometry("float32", 1.0, 0.0, -1.0)
    assert declared.valid(pixels).tolist() == [[True, True, True, False]]


def test_a_valid_pixel_never_becomes_nodata() -> None:
    dark = np.array([[[-0.3, 0.0, 9.0, np.nan]]], dtype=np.float32)
    assert DIGITAL_NUMBERS.encode(dark).tolist() == [[[1, 1, 65535, 0]]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("nodata", [-9999.0, 0.0, 1.0, 3.4028234663852886e38])
def test_floats_with_a_nodata_value_keep_it_for_missing_pixels(dtype: str, nodata: float) -> None:
    floats = Radiometry(dtype, 1.0, 0.0, nodata)
    numbers = floats.encode(np.float32([[[0.25, 0.0, 1.0, np.nan]]]))
    assert numbers.dtype == dtype
    assert (numbers == nodata).ravel().tolist() == [False, False, False, True]
    assert floats.valid(numbers).tolist() == [[True, True, True, False]]
    assert numbers.ravel()[:3] == pytest.approx([0.25, 0.0, 1.0])


def test_nodata_at_the_maximum_moves_numbers_below_it() -> None:
    last = Radiometry("uint16", 1e-4, 0.0, 65535.0)
    assert last.encode(np.float32([[[9.0, np.nan]]])).tolist() == [[[65534, 65535]]]


def test_floats_are_reflectance_as_they_are() -> None:
    floats = Radiometry("float32", 1.0, 0.0, float("nan"))
    pixels = np.array([[[0.25, np.nan]]], dtype=np.float32)
    assert np.array_equal(floats.encode(floats.decode(pixels)), pixels, equal_nan=True)


def test_nodata_is_zero_among_whole_numbers_and_nan_among_floats() -> None:
    assert default_nodata("uint16") == 0
    assert np.isnan(default_nodata("float32"))


@given(st.floats(-49.0, 40.0))
def test_decibel_and_power_are_inverse(level: float) -> None:
    assert decibel(linear_power(np.float32([level]))).item() == pytest.approx(level, abs=1e-4)


def test_no_power_is_the_floor_and_missing_stays_missing() -> None:
    assert decibel(np.float32([0.0])).item() == pytest.approx(10 * np.log10(MIN_POWER))
    assert np.isnan(decibel(np.float32([np.nan]))).all()


@pytest.mark.parametrize("fill", [1e30, 3.4e38, 65535.0 * 2])
@pytest.mark.parametrize("nodata", [float("nan"), 0.0, -9999.0])
def test_floats_beyond_all_reflectance_are_missing_whatever_is_declared(
    fill: float, nodata: float
) -> None:
    """In one band or all: one such number would be the mean of a whole scene."""
    pixels = np.full((2, 1, 3), 3000.0)
    pixels[0, 0, 1], pixels[:, 0, 2] = fill, fill
    for scale, offset in ((1e-4, 0.0), (1e-4, -0.1)):
        valid = Radiometry("float64", scale, offset, nodata).valid(pixels)
        assert valid.tolist() == [[True, False, False]]


def test_the_largest_number_of_16_bits_is_reflectance_as_a_float_too() -> None:
    pixels = np.full((2, 1, 1), 65535, np.float32)
    assert Radiometry("float32", 1e-4, 0.0, float("nan")).valid(pixels).all()
    assert Radiometry("float32", 1.0, 0.0, float("nan")).valid(pixels / np.float32(1e4)).all()


@pytest.mark.parametrize(("dtype", "most"), [("uint16", 65535), ("int16", 32767)])
@pytest.mark.parametrize("nodata", [0.0, -9999.0])
def test_pixels_saturated_in_every_band_are_missing_and_in_one_band_are_not(
    dtype: str, most: int, nodata: float
) -> None:
    pixels = np.full((3, 1, 3), 3000, dtype)
    pixels[0, 0, 1], pixels[:, 0, 2] = most, most
    assert Radiometry(dtype, 1e-4, 0.0, nodata).valid(pixels).tolist() == [[True, True, False]]


@pytest.mark.parametrize("dtype", ["uint32", "int32"])
def test_whole_numbers_of_more_bits_end_where_16_bits_do(dtype: str) -> None:
    pixels = np.array([[[3000, 65535, 65536, np.iinfo(dtype).max]]] * 2, dtype)
    valid = Radiometry(dtype, 1e-4, 0.0, 0.0).valid(pixels)
    assert valid.tolist() == [[True, True, False, False]]
