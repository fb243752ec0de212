"""Bins of cloud cover."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.metrics.cover_bins import bin_name, cover_bin


@given(cover=st.floats(0, 1), bins=st.integers(1, 10))
def test_a_cover_lies_in_its_bin(cover: float, bins: int) -> None:
    index = cover_bin(cover, bins)
    assert index in range(bins)
    assert index / bins <= cover + 1e-9
    assert cover < (index + 1) / bins or index == bins - 1


@pytest.mark.parametrize(("cover", "index"), [(0, 0), (0.1999, 0), (0.2, 1), (0.8, 4), (1, 4)])
def test_an_edge_belongs_to_the_bin_above_but_for_the_last(cover: float, index: int) -> None:
    assert cover_bin(cover) == index


def test_bins_are_named_by_their_edges() -> None:
    assert [bin_name(index) for index in (0, 4)] == ["0-20 %", "80-100 %"]
    assert bin_name(1, 3) == "33.3-66.7 %"
