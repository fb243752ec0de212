"""Windows are kept whole, however the rows come."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from cloudfree.commands.remove.audit.samples import sample_windows
from cloudfree.core.grid import Grid, strips


@pytest.mark.parametrize("size", [(30, 20), (200, 331)])
@pytest.mark.parametrize("rows", [1, 13, 400])
def test_windows_have_the_pixels_of_the_rows(size: tuple[int, int], rows: int) -> None:
    pixels = np.arange(2 * size[0] * size[1], dtype=np.uint16).reshape(2, *size)
    filled = pixels[0] % 3 == 0
    windows = sample_windows(Grid(None, Affine.identity(), *size), 2, "uint16")
    for window in strips(*size, rows):
        part = pixels[:, *window.slices]
        own = filled[window.slices]
        for one in windows:
            one.add(window, part, own, ~own)
    assert windows
    for one in windows:
        assert np.array_equal(one.pixels, pixels[:, *one.window.slices])
        assert np.array_equal(one.filled, filled[one.window.slices])
        assert np.array_equal(one.clear, ~one.filled)
