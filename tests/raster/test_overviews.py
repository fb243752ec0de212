from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cloudfree.raster.overviews import Resampling, halve

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
CLASSES = arrays.arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 1, 2, 255]))
KINDS: list[Resampling] = ["AVERAGE", "MODE", "NEAREST"]


@pytest.mark.parametrize("resampling", KINDS)
@given(pixels=CLASSES)
def test_half_the_size_rounded_up_and_the_same_numbers(
    resampling: Resampling, pixels: np.ndarray
) -> None:
    halved = halve(pixels, 255, resampling)
    bands, height, width = pixels.shape
    assert halved.shape == (bands, (height + 1) // 2, (width + 1) // 2)
    assert halved.dtype == pixels.dtype


@pytest.mark.parametrize("resampling", ["AVERAGE", "MODE"])
@given(pixels=CLASSES)
def test_nodata_only_where_there_is_nothing_else(
    resampling: Resampling, pixels: np.ndarray
) -> None:
    edges = ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2))
    whole = np.pad(pixels, edges, mode="edge")
    squares = whole.reshape(whole.shape[0], whole.shape[1] // 2, 2, whole.shape[2] // 2, 2)
    empty = (squares == 255).all(axis=(2, 4))
    assert np.array_equal(halve(pixels, 255, resampling) == 255, empty)


@pytest.mark.parametrize("resampling", KINDS)
@given(value=st.integers(0, 65535), shape=SHAPES)
def test_a_flat_image_stays_as_it_is(
    resampling: Resampling, value: int, shape: tuple[int, int, int]
) -> None:
    assert (halve(np.full(shape, value, np.uint16), 0, resampling) == value).all()


@pytest.mark.parametrize(
    ("resampling", "square", "halved"),
    [
        ("AVERAGE", [[1, 2], [4, 5]], 3),
        ("AVERAGE", [[0, 2], [0, 5]], 4),  # 3.5, the even one
        ("AVERAGE", [[65535, 65535], [65535, 65533]], 65534),  # no overflow
        ("MODE", [[7, 2], [2, 9]], 2),
        ("MODE", [[0, 0], [0, 9]], 9),
        ("MODE", [[8, 3], [3, 8]], 8),
        ("NEAREST", [[0, 3], [3, 8]], 0),
    ],
)
def test_known_squares_where_0_is_nodata(
    resampling: Resampling, square: list[list[int]], halved: int
) -> None:
    assert halve(np.array([square], np.uint16), 0, resampling).item() == halved


def test_nan_is_left_out_of_the_mean() -> None:
    pixels = np.array([[[np.nan, 1.0, np.nan, np.nan], [2.0, 3.0, np.nan, np.nan]]], np.float32)
    assert np.array_equal(halve(pixels, np.nan, "AVERAGE"), [[[2.0, np.nan]]], equal_nan=True)


def test_without_nodata_every_pixel_counts() -> None:
    assert halve(np.array([[[0, 0], [4, 8]]], np.uint8), None, "AVERAGE").item() == 3
