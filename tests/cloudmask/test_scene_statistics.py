from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.scene_statistics import ClassCache
from cloudfree.core.grid import strips


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.integers(1, 50))
def test_classes_come_back_as_they_were_kept(
    height: int, width: int, rows: int, other_rows: int
) -> None:
    mask = np.random.default_rng(height).integers(0, 4, (height, width)).astype(np.uint8)
    kept = ClassCache()
    for window in strips(height, width, rows):
        kept.add(window, mask[window.slices])
    for _ in range(2):
        for window in strips(height, width, other_rows):
            strip = kept.read(window)
            np.testing.assert_array_equal(strip, mask[window.slices])
            strip[:] = 9  # the reader of a strip may change it
