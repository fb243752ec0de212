from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.grid import Window
from cloudfree.gapfilling.stack import ArrayStack, WithoutReferences
from tests.factories.fields import BANDS, ground, stack_of

WINDOW = Window(3, 5, 7, 9)
RADAR = ground(3)[:2]


def test_arrays_are_read_by_windows() -> None:
    stack = stack_of(ground(0)[:, :40], (ground(1), ground(2)), radar=RADAR, radars=(None, -RADAR))
    part = (slice(None), slice(3, 10), slice(5, 14))
    assert (stack.height, stack.width, stack.bands) == (40, 64, BANDS)
    assert np.array_equal(stack.today(WINDOW), ground(0)[part])
    assert np.array_equal(stack.reference(1, WINDOW), ground(2)[part])
    radar, earlier = stack.radar(WINDOW), stack.reference_radar(1, WINDOW)
    assert radar is not None
    assert earlier is not None
    assert np.array_equal(radar, RADAR[part])
    assert np.array_equal(earlier, -RADAR[part])
    assert stack.reference_radar(0, WINDOW) is None


def test_a_scene_alone_has_no_references_and_no_radar() -> None:
    stack = ArrayStack(BANDS, ground())
    assert stack.references == ()
    assert stack.radar(WINDOW) is None
    assert stack_of(ground(), (ground(1),)).reference_radar(0, WINDOW) is None


def test_a_stack_without_references_keeps_all_else() -> None:
    radar = ground(2)[:2]
    stack = stack_of(ground(0), (ground(1),), radar=radar, radars=(radar,))
    alone = WithoutReferences(stack)
    window = Window(3, 4, 5, 6)
    assert alone.references == ()
    assert (alone.height, alone.width, alone.bands) == (stack.height, stack.width, stack.bands)
    assert np.array_equal(alone.today(window), stack.today(window))
    assert alone.radar(window) is not None
    for read in (alone.reference, alone.reference_radar):
        with pytest.raises(IndexError):
            read(0, window)
