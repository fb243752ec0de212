"""Rows that two windows share are read once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.commands.remove.references.held_rows import HeldRows
from cloudfree.core.grid import Window, strips

HEIGHT, WIDTH = 40, 12
PIXELS = np.random.default_rng(0).normal(0, 1, (2, HEIGHT, WIDTH)).astype(np.float32)


class Source:
    """Pixels that remember which windows were read."""

    def __init__(self) -> None:
        self.reads: list[Window] = []

    def read(self, window: Window) -> np.ndarray:
        self.reads.append(window)
        return PIXELS[:, *window.slices].copy()


@st.composite
def windows(draw: st.DrawFn) -> Window:
    row, col = draw(st.integers(0, HEIGHT - 1)), draw(st.sampled_from([0, 0, 0, 5]))
    return Window(row, col, draw(st.integers(1, HEIGHT - row)), WIDTH - col)


@given(st.lists(windows(), max_size=8), st.integers(1, 20))
def test_windows_in_any_order_are_those_of_the_source(order: list[Window], kept: int) -> None:
    held = HeldRows(Source().read, kept)
    for window in order:
        np.testing.assert_array_equal(held.read(window), PIXELS[:, *window.slices])


def test_strips_with_a_halo_read_each_row_once() -> None:
    source = Source()
    held = HeldRows(source.read, kept=6)
    for strip in strips(HEIGHT, WIDTH, 10):
        held.read(strip.buffered(3, HEIGHT, WIDTH))
    assert sum(window.height for window in source.reads) == HEIGHT


def test_what_was_read_belongs_to_the_caller() -> None:
    held = HeldRows(Source().read, kept=6)
    held.read(Window(0, 0, 10, WIDTH))[:] = 0
    held.read(Window(4, 0, 6, WIDTH))[:] = 0
    again = held.read(Window(4, 0, 12, WIDTH))
    np.testing.assert_array_equal(again, PIXELS[:, 4:16])


def test_a_window_that_is_kept_whole_is_read_once() -> None:
    source = Source()
    held = HeldRows(source.read, kept=20)
    for _ in range(3):
        held.read(Window(5, 0, 20, WIDTH))
    assert source.reads == [Window(5, 0, 20, WIDTH)]
