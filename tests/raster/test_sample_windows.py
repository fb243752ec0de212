"""Windows from all over a raster."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudfree.raster.sample_windows import WINDOW_PX, WINDOWS_PER_SIDE, even_windows

sides = st.integers(1, 30_000)


@given(sides, sides)
def test_windows_lie_inside_and_their_number_is_bounded(height: int, width: int) -> None:
    windows = even_windows(height, width)
    assert 1 <= len(windows) <= WINDOWS_PER_SIDE**2
    for window in windows:
        assert 0 <= window.row < window.row_stop <= height
        assert 0 <= window.col < window.col_stop <= width


@given(sides, sides)
def test_no_part_of_a_raster_is_far_from_a_window(height: int, width: int) -> None:
    """Between two windows lies at most a quarter of the raster, beside the last half as much."""
    windows = even_windows(height, width)
    for length, parts in (
        (height, sorted({(window.row, window.row_stop) for window in windows})),
        (width, sorted({(window.col, window.col_stop) for window in windows})),
    ):
        ends = [0, *(stop for _, stop in parts)]
        starts = [*(start for start, _ in parts), length]
        gaps = [start - end for start, end in zip(starts, ends, strict=True)]
        assert max(gaps) <= length / WINDOWS_PER_SIDE + 1
        assert max(gaps[0], gaps[-1]) <= length / WINDOWS_PER_SIDE / 2 + 1


@given(st.integers(1, WINDOW_PX * WINDOWS_PER_SIDE), st.integers(1, WINDOW_PX * WINDOWS_PER_SIDE))
def test_a_small_raster_is_one_window(height: int, width: int) -> None:
    (window,) = even_windows(height, width)
    assert (window.height, window.width) == (height, width)
