"""What the sliding window gets of a scene, and how rows are kept in memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.remove.removal_scene import RollingRows
from cloudfree.core.grid import Window
from cloudfree.inference.sliding_window import TilePlan


class Raster:
    """Counts how often each of its rows is read."""

    def __init__(self, height: int, width: int) -> None:
        self.pixels = np.arange(2 * height * width).reshape(2, height, width)
        self.reads = np.zeros(height, int)

    def read(self, window: Window, out: np.ndarray) -> None:
        self.reads[slice(window.row, window.row_stop)] += 1
        assert window.width == self.pixels.shape[2], "whole rows"
        out[:] = self.pixels[:, *window.slices]

    def rolling(self, rows: int) -> RollingRows:
        _, height, width = self.pixels.shape
        return RollingRows(self.read, height, np.full((2, min(rows, height), width), -1))


@given(
    height=st.integers(1, 60), width=st.integers(1, 40),
    tile=st.integers(1, 24), overlap=st.integers(0, 12),
)  # fmt: skip
def test_tiles_and_their_rows_are_right_and_each_row_is_read_once(
    height: int, width: int, tile: int, overlap: int
) -> None:
    plan = TilePlan(height, width, tile, min(overlap, tile - 1))
    raster = Raster(height, width)
    rows = raster.rolling(tile)
    for row in plan.rows:
        for window in plan.row_of_tiles(row):
            assert np.array_equal(rows.read(window), raster.pixels[:, *window.slices])
    assert (raster.reads == 1).all()


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 5)), min_size=1, max_size=6))
def test_any_order_of_windows_is_right(asked: list[tuple[int, int]]) -> None:
    raster = Raster(30, 3)
    rows = raster.rolling(5)
    for row, height in asked:
        window = Window(row, 1, min(height, 30 - row), 2)
        assert np.array_equal(rows.read(window), raster.pixels[:, *window.slices])


def test_shared_arrays_are_read_only() -> None:
    raster = Raster(4, 4)
    pixels = raster.rolling(2).read(Window(0, 0, 2, 2))
    with pytest.raises(ValueError, match="read-only"):
        pixels[:] = 0


def test_rows_come_and_go_in_the_same_memory() -> None:
    rows = Raster(40, 4).rolling(8)
    first = rows.read(Window(0, 0, 8, 4))
    assert np.shares_memory(first, rows.read(Window(6, 0, 8, 4)))
