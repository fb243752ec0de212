"""Distances to the pixels outside a mask are exact, and the same each time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from cloudfree.core.pixel_distance import distance_to_outside

sides = st.integers(1, 200)


@given(st.integers(0, 10_000), sides, sides)
def test_distances_are_those_of_the_exact_transform_to_the_bit(
    seed: int, height: int, width: int
) -> None:
    inside = np.random.default_rng(seed).random((height, width)) < 0.99
    inside[0, 0] = False
    exact = distance_transform_edt(inside).astype(np.float32)
    # Buffers lie elsewhere at each call; distances do not follow them.
    for _ in range(3):
        assert np.array_equal(distance_to_outside(inside), exact)


def test_without_a_pixel_outside_all_distances_are_infinite() -> None:
    assert np.isposinf(distance_to_outside(np.ones((3, 5), dtype=np.bool_))).all()
