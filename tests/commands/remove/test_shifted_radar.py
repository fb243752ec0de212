"""Radar on the grid of a scene: the edge that a shift uncovers is extrapolated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.remove.shifted_radar import fill_edge, shifted_radar
from cloudfree.core.displacement import Shift
from cloudfree.core.grid import Window, strips
from cloudfree.sentinel1.geocoded import SarScene
from tests.factories.rasters import write_radar


def test_a_shift_moves_the_radar_and_leaves_no_gap(tmp_path: Path) -> None:
    whole, part = Window(0, 0, 20, 30), Window(4, 0, 16, 30)
    with SarScene(write_radar(tmp_path / "s1.tif", 20, 30)) as sar:
        before = sar.on_grid(sar.grid, whole)
        moved = shifted_radar(sar, Shift(2.0, 0.0), sar.grid, whole)
        np.testing.assert_allclose(moved[:, :-2], before[:, 2:], atol=1e-4)
        assert np.isfinite(moved).all()
        again = shifted_radar(sar, Shift(2.0, 0.0), sar.grid, part)
        np.testing.assert_allclose(again, moved[:, *part.slices], atol=1e-4)


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
        outer = strip.buffered(3, 30, 20)
        part = fill_edge(bands[:, *outer.slices], 3)[:, *strip.relative_to(outer)]
        assert np.allclose(part, whole[:, *strip.slices], equal_nan=True)
