from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.rolling_rows import RollingRows
from cloudfree.core.tile_plan import TilePlan
from cloudfree.core.window import Window


class Raster:
    """Counts how often each of its rows is read."""

    def __init__(self, height: int, width: int) -> None:
        self.pixels = np.arange(2 * height * width).reshape(2, height, width)
        self.reads = np.zeros(height, int)

    def read(self, window: Window) -> np.ndarray:
        self.reads[slice(window.row, window.row_stop)] += 1
        assert window.width == self.pixels.shape[2], "whole rows"
        return self.pixels[:, *window.slices].copy()


@given(
    height=st.integers(1, 60), width=st.integers(1, 40),
    tile=st.integers(1, 24), overlap=st.integers(0, 12),
)  # fmt: skip
def test_tiles_and_their_rows_are_right_and_each_row_is_read_once(
    height: int, width: int, tile: int, overlap: int
) -> None:
    plan = TilePlan(height, width, tile, min(overlap, tile - 1))
    raster = Raster(height, width)
    rows = RollingRows(raster.read, height, width, tile)
    for row in plan.rows:
        for window in plan.row_of_tiles(row):
            assert np.array_equal(rows.read(window), raster.pixels[:, *window.slices])
    assert (raster.reads == 1).all()


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(1, 9)), min_size=1, max_size=6))
def test_any_order_of_windows_is_right(asked: list[tuple[int, int]]) -> None:
    raster = Raster(30, 3)
    rows = RollingRows(raster.read, 30, 3, 5)
    for row, height in asked:
        window = Window(row, 1, min(height, 30 - row), 2)
        assert np.array_equal(rows.read(window), raster.pixels[:, *window.slices])


def test_nobody_writes_into_what_others_will_see() -> None:
    raster = Raster(4, 4)
    pixels = RollingRows(raster.read, 4, 4, 2).read(Window(0, 0, 2, 2))
    with pytest.raises(ValueError, match="read-only"):
        pixels[:] = 0
