"""Layers are counted by the names of their tensors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudfree.networks import number_below

SHAPES = {
    "blocks.0.weight": (8, 8), "blocks.0.bias": (8,), "blocks.1.weight": (8, 8),
    "blocks.10.weight": (8, 8), "last.blocks.0.weight": (1,), "blocksize": (1,),
}  # fmt: skip


def test_a_layer_counts_once_however_many_tensors_it_has() -> None:
    assert number_below(SHAPES, "blocks.") == 3
    assert number_below(SHAPES, "blocks.0.") == 2
    assert number_below(SHAPES, "last.blocks.") == 1


def test_what_is_not_there_counts_nothing() -> None:
    assert number_below(SHAPES, "heads.") == 0
    assert number_below({}, "blocks.") == 0


@given(names=st.sets(st.integers(0, 30)), tensors=st.integers(1, 4))
def test_the_number_is_that_of_the_layers(names: set[int], tensors: int) -> None:
    shapes = {f"net.{name}.{tensor}": (1,) for name in names for tensor in range(tensors)}
    assert number_below({**shapes, "other.0.0": (1,)}, "net.") == len(names)
