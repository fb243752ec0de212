"""Filled pixels meet the original with a feathered edge; every other pixel stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import strips
from cloudfree.core.radiometry import Radiometry
from cloudfree.inference import compositing as laying
from cloudfree.inference.compositing import feather


def _blobs(seed: int, height: int = 60, width: int = 40) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height // 5, width // 5))
    return np.kron(noise > 0.5, np.ones((5, 5), dtype=bool))


@given(st.integers(0, 10_000), st.integers(0, 8))
def test_opacity_is_zero_outside_and_positive_inside(seed: int, width_px: int) -> None:
    replaced = _blobs(seed)
    opacity = feather(replaced, width_px)
    assert (opacity[~replaced] == 0).all()
    assert (opacity[replaced] > 0).all()
    assert opacity.max() <= 1


def test_the_ramp_rises_from_the_edge_and_ends_after_its_width() -> None:
    replaced = np.zeros((1, 20), dtype=bool)
    replaced[:, 5:] = True
    ramp = feather(replaced, 4)[0, 5:]
    assert (np.diff(ramp[:5]) > 0).all()
    assert (ramp[4:] == 1).all()


def test_borders_of_the_scene_are_no_edges() -> None:
    assert (feather(np.ones((7, 9), dtype=bool), 4) == 1).all()


@given(st.integers(0, 10_000), st.integers(1, 13))
def test_strips_with_a_halo_equal_the_whole(seed: int, rows: int) -> None:
    replaced = _blobs(seed)
    whole = feather(replaced, 4)
    for strip in strips(*replaced.shape, rows):
        outer = strip.buffered(5, *replaced.shape)
        part = feather(replaced[outer.slices], 4)[strip.relative_to(outer)]
        assert np.allclose(part, whole[strip.slices], atol=1e-6)


DIGITAL_NUMBERS = Radiometry("uint16", 1e-4, 0.0, 0.0)


def compose(native: np.ndarray, *rest: Any) -> tuple[np.ndarray, np.ndarray]:
    """The numbers with the prediction laid over a copy of them, and the pixels that changed."""
    result = native.copy()
    return result, laying.compose(result, *rest)


def _scene(seed: int, bands: int = 3, size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 65535, (bands, size, size), dtype=np.uint16)


@given(st.integers(0, 2**32 - 1))
def test_pixels_of_no_opacity_stay_bit_identical(seed: int) -> None:
    rng = np.random.default_rng(seed)
    native = _scene(seed)
    opacity = rng.choice(np.float32([0.0, 0.0, 0.3, 1.0]), native.shape[1:])
    prediction = rng.random(native.shape, dtype=np.float32)
    result, filled = compose(native, prediction, opacity, DIGITAL_NUMBERS, [0, 1, 2])
    assert np.array_equal(filled, opacity > 0)
    assert np.array_equal(result[:, ~filled], native[:, ~filled])


def test_full_opacity_takes_the_prediction_and_half_takes_the_middle() -> None:
    native = np.full((1, 1, 2), 2000, np.uint16)
    prediction = np.full((1, 1, 2), 0.4, np.float32)
    result, _ = compose(native, prediction, np.float32([[1.0, 0.5]]), DIGITAL_NUMBERS, [0])
    assert result.tolist() == [[[4000, 3000]]]


def test_missing_pixels_stay_missing() -> None:
    native = np.zeros((2, 1, 1), np.uint16)
    result, filled = compose(
        native, np.ones((2, 1, 1), np.float32), np.ones((1, 1), np.float32), DIGITAL_NUMBERS, [0, 1]
    )
    assert not filled.any()
    assert (result == 0).all()


def test_pixels_without_a_prediction_stay() -> None:
    native = _scene(0)
    nothing = np.full(native.shape, np.nan, np.float32)
    result, filled = compose(
        native, nothing, np.ones((6, 6), np.float32), DIGITAL_NUMBERS, [0, 1, 2]
    )
    assert not filled.any()
    assert np.array_equal(result, native)


@pytest.mark.parametrize("band", [0, 1, 2])
def test_a_pixel_that_lacks_one_band_stays(band: int) -> None:
    native = _scene(0)
    prediction = np.full(native.shape, 0.4, np.float32)
    prediction[band, 2, 3] = np.nan
    opacity = np.ones((6, 6), np.float32)
    result, filled = compose(native, prediction, opacity, DIGITAL_NUMBERS, [0, 1, 2])
    assert np.argwhere(~filled).tolist() == [[2, 3]]
    assert np.array_equal(result[:, 2, 3], native[:, 2, 3])
    assert (result[:, filled] == 4000).all()


def test_bands_are_put_where_the_file_has_them_and_others_stay() -> None:
    native = np.full((3, 1, 1), 100, np.uint16)
    prediction = np.float32([[[0.1]], [[0.2]]])
    result, _ = compose(native, prediction, np.ones((1, 1), np.float32), DIGITAL_NUMBERS, [2, 0])
    assert result[:, 0, 0].tolist() == [2000, 100, 1000]


def test_a_filled_pixel_is_never_nodata() -> None:
    result, _ = compose(
        np.full((1, 1, 1), 50, np.uint16),
        np.full((1, 1, 1), -0.2, np.float32),
        np.ones((1, 1), np.float32),
        DIGITAL_NUMBERS,
        [0],
    )
    assert result.item() == 1


def test_numbers_that_cannot_be_written_in_place_are_refused() -> None:
    native = np.full((1, 4, 4), 50, np.uint16)[:, :, :2]
    prediction, opacity = np.full((1, 4, 2), 0.3, np.float32), np.ones((4, 2), np.float32)
    with pytest.raises(ValueError, match="copy"):
        laying.compose(native, prediction, opacity, DIGITAL_NUMBERS, [0])
