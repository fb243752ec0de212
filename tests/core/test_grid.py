from __future__ import annotations

import pytest
from affine import Affine

from cloudfree.core.grid import Grid, Window

GRID = Grid(None, Affine(10, 0, 500_000, 0, -10, 4_000_000), 100, 200)


def test_a_window_of_a_grid_begins_at_its_own_corner() -> None:
    part = GRID.crop(Window(3, 5, 10, 20))
    assert part.transform @ (0, 0) == (500_050, 3_999_970)
    assert (part.height, part.width) == (10, 20)


def test_a_shifted_grid_looks_where_the_content_lies() -> None:
    assert GRID.shifted(1.5, -0.5).transform @ (0, 0) == pytest.approx((499_995, 3_999_985))


@pytest.mark.parametrize(
    ("window", "grown"),
    [
        (Window(10, 10, 5, 5), Window(7, 7, 11, 11)),
        (Window(0, 0, 5, 5), Window(0, 0, 8, 8)),
        (Window(97, 198, 3, 2), Window(94, 195, 6, 5)),
    ],
)
def test_a_halo_ends_at_the_border(window: Window, grown: Window) -> None:
    assert window.buffered(3, GRID.height, GRID.width) == grown
    rows, cols = window.relative_to(grown)
    assert (rows.stop - rows.start, cols.stop - cols.start) == (window.height, window.width)


def test_a_window_in_a_window_is_counted_from_the_outer_corner() -> None:
    inner, outer = Window(2, 3, 4, 5), Window(10, 20, 30, 40)
    assert inner.within(outer) == Window(12, 23, 4, 5)
    assert inner.within(outer).relative_to(outer) == inner.slices
