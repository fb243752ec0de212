"""Eight ways to lay a square on itself, each of which can be inverse."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfree.core.dihedral import DIHEDRAL_TRANSFORMS, IDENTITY


@settings(max_examples=40)
@given(st.sampled_from(DIHEDRAL_TRANSFORMS), st.integers(1, 9), st.integers(1, 9))
def test_a_transform_and_its_inverse_are_the_identity(turn, height, width):
    array = np.random.default_rng(0).random((2, height, width), dtype=np.float32)
    assert np.array_equal(turn.inverse(turn.apply(array)), array)


def test_there_are_eight_and_the_first_changes_nothing():
    square = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    assert len({turn.apply(square).tobytes() for turn in DIHEDRAL_TRANSFORMS}) == 8
    assert np.array_equal(IDENTITY.apply(square), square)
    assert IDENTITY in DIHEDRAL_TRANSFORMS
