from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.window import strips
from cloudfree.inference.feathering import feather


def _blobs(seed: int, height: int = 60, width: int = 40) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height // 5, width // 5))
    return np.kron(noise > 0.5, np.ones((5, 5), dtype=bool))


@given(st.integers(0, 10_000), st.integers(0, 8))
def test_opacity_is_zero_outside_and_positive_inside(seed: int, width_px: int) -> None:
    replaced = _blobs(seed)
    opacity = feather(replaced, width_px)
    assert (opacity[~replaced] == 0).all()
    assert (opacity[replaced] > 0).all()
    assert opacity.max() <= 1


def test_the_ramp_rises_from_the_edge_and_ends_after_its_width() -> None:
    replaced = np.zeros((1, 20), dtype=bool)
    replaced[:, 5:] = True
    ramp = feather(replaced, 4)[0, 5:]
    assert (np.diff(ramp[:5]) > 0).all()
    assert (ramp[4:] == 1).all()


def test_borders_of_the_scene_are_no_edges() -> None:
    assert (feather(np.ones((7, 9), dtype=bool), 4) == 1).all()


@given(st.integers(0, 10_000), st.integers(1, 13))
def test_strips_with_a_halo_equal_the_whole(seed: int, rows: int) -> None:
    replaced = _blobs(seed)
    whole = feather(replaced, 4)
    for strip in strips(*replaced.shape, rows):
        outer = strip.grown(5, *replaced.shape)
        part = feather(replaced[outer.slices], 4)[strip.within(outer)]
        assert np.allclose(part, whole[strip.slices], atol=1e-6)
