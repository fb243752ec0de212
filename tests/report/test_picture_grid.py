"""Pictures of patches side by side."""

from __future__ import annotations

import numpy as np

from cloudfree.report.picture_grid import GAP_PX, HEAD_PX, ROW_HEAD_PX, SIDE_PX, GridRow, draw_grid


def _plain(red: int, side: int) -> np.ndarray:
    return np.full((side, side, 4), (red, 0, 0, 255), dtype=np.uint8)


def test_every_picture_has_its_place_whatever_its_size() -> None:
    rows = [
        GridRow("one", (_plain(50, 8), _plain(100, 256))),
        GridRow("two", (_plain(150, 64),) * 2),
    ]
    grid = draw_grid(["cloudy", "a name that is much longer than a picture is wide, truly"], rows)
    each, below = SIDE_PX + GAP_PX, ROW_HEAD_PX + SIDE_PX + GAP_PX
    assert grid.shape == (HEAD_PX + 2 * below, GAP_PX + 2 * each, 4)
    middle = ROW_HEAD_PX + SIDE_PX // 2
    reds = [
        int(grid[HEAD_PX + below * row + middle, GAP_PX + each * column + SIDE_PX // 2, 0])
        for row in (0, 1)
        for column in (0, 1)
    ]
    assert reds == [50, 100, 150, 150]
    assert (grid[HEAD_PX + ROW_HEAD_PX + 5, : GAP_PX - 1] == 255).all()
