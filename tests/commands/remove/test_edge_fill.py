from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.remove.edge_fill import fill_edge
from cloudfree.core.window import strips


def _with_rim(top: int, left: int) -> np.ndarray:
    bands = np.random.default_rng(0).normal(-12, 1, (2, 30, 20)).astype(np.float32)
    bands[:, :top] = np.nan
    bands[0, :, :left] = np.nan
    return bands


@given(st.integers(0, 30), st.integers(0, 20), st.integers(0, 6))
def test_missing_pixels_near_data_are_filled_and_others_stay(
    top: int, left: int, width: int
) -> None:
    bands = _with_rim(top, left)
    filled = fill_edge(bands, width)
    data = np.isfinite(bands).all(axis=0)
    assert np.array_equal(filled[:, data], bands[:, data])
    if data.any():
        far = np.abs(np.arange(30)[:, None] - top).clip(0) * (np.arange(30)[:, None] < top)
        side = (left - np.arange(20)).clip(0)
        assert np.array_equal(np.isfinite(filled).all(axis=0), (far + side) <= width)


def test_a_filled_pixel_is_the_mean_of_its_neighbours() -> None:
    bands = np.array([[[1.0, np.nan, 3.0]]], dtype=np.float32)
    assert fill_edge(bands, 1).tolist() == [[[1.0, 2.0, 3.0]]]


@given(st.integers(1, 11))
def test_strips_with_a_halo_equal_the_whole(rows: int) -> None:
    bands = _with_rim(9, 4)
    whole = fill_edge(bands, 3)
    for strip in strips(30, 20, rows):
        outer = strip.grown(3, 30, 20)
        part = fill_edge(bands[:, *outer.slices], 3)[:, *strip.within(outer)]
        assert np.allclose(part, whole[:, *strip.slices], equal_nan=True)
