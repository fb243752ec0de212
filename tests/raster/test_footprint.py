from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.grid import Window
from cloudfree.raster.footprint import Footprint

SCENE = Window(0, 0, 100, 200)


def _box(left: float, top: float, right: float, bottom: float) -> Footprint:
    return Footprint.within(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))


def test_a_footprint_covers_a_share_of_a_window() -> None:
    half = _box(100, -50, 400, 300)
    assert half.share(SCENE) == pytest.approx(0.5)
    assert half.share(Window(10, 90, 10, 20)) == pytest.approx(0.5)
    assert half.share(Window(0, 0, 10, 10)) == 0


def test_the_covered_part_is_whole_pixels_within_the_window() -> None:
    assert _box(100.2, -50, 400, 79.5).part(SCENE) == Window(0, 100, 80, 100)
    assert _box(-5, -5, 205, 105).part(SCENE) == SCENE
    assert _box(20 - 1e-9, 30 + 1e-9, 50 + 1e-9, 60).part(SCENE) == Window(30, 20, 30, 30)
    assert _box(300, 0, 400, 10).part(SCENE) is None


@given(st.floats(0, 199), st.floats(0, 0.9))
def test_overlapping_footprints_count_once(start: float, overlap: float) -> None:
    middle = start + overlap * (200 - start)
    both = Footprint.union([_box(0, 0, middle, 100), _box(start, 0, 200, 100)])
    assert both.share(SCENE) == pytest.approx(1.0)


@pytest.mark.parametrize("outline", [np.zeros((0, 2)), np.full((5, 2), np.inf)])
def test_what_lies_nowhere_covers_nothing(outline: np.ndarray) -> None:
    nothing = Footprint.within(outline)
    assert (nothing.share(SCENE), nothing.part(SCENE)) == (0, None)
    assert Footprint.union([nothing]).share(SCENE) == 0
