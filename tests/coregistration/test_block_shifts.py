from __future__ import annotations

import numpy as np
import pytest

from cloudfree.core.displacement import Displacement
from cloudfree.core.shift import Shift
from cloudfree.coregistration.block_shifts import BlockShift, affine_from_blocks, most_reliable
from cloudfree.coregistration.global_shift import ShiftEstimate
from cloudfree.coregistration.phase_correlation import CrossPower
from tests.factories.displaced_scenes import error_px, rotation

SIDE = 4000
NOTHING = CrossPower(8, 8, 1, 1)


def _blocks(by: Displacement, reliability: float = 0.9) -> list[BlockShift]:
    places = np.arange(256, SIDE, 1000.0)
    blocks = []
    for row in places:
        for col in places:
            there = by.at(np.array(row), np.array(col))
            shift = Shift(float(there[0]) - row, float(there[1]) - col)
            blocks.append(BlockShift(row, col, NOTHING, ShiftEstimate(shift, reliability, 0.1)))
    return blocks


def test_an_affine_goes_through_blocks_that_differ() -> None:
    by = rotation(SIDE, 0.3, Shift(2, -1))
    found = affine_from_blocks(_blocks(by), SIDE, SIDE)
    assert found is not None
    assert error_px(found, Shift(), by, SIDE)[1] < 0.01


def test_blocks_that_went_astray_take_no_part() -> None:
    by = rotation(SIDE, 0.3, Shift(2, -1))
    blocks = _blocks(by)
    blocks[5] = BlockShift(256, 256, NOTHING, ShiftEstimate(Shift(-25, 30), 0.9, 0.1))
    found = affine_from_blocks(blocks, SIDE, SIDE)
    assert found is not None
    assert error_px(found, Shift(), by, SIDE)[1] < 0.2


@pytest.mark.parametrize(
    "blocks",
    [
        _blocks(Shift(3, 4)),
        _blocks(rotation(SIDE, 0.01, Shift(3, 4))),
        _blocks(rotation(SIDE, 0.3, Shift()), reliability=0.3),
        _blocks(rotation(SIDE, 0.3, Shift()))[:5],
        _blocks(rotation(SIDE, 0.3, Shift()))[::4],
    ],
    ids=["alike", "nearly alike", "not reliable", "too few", "in a line"],
)
def test_otherwise_one_shift_serves_all(blocks: list[BlockShift]) -> None:
    assert affine_from_blocks(blocks, SIDE, SIDE) is None


def test_blocks_that_contradict_each_other_give_nothing() -> None:
    rng = np.random.default_rng(0)
    blocks = [
        BlockShift(b.row, b.col, NOTHING, ShiftEstimate(Shift(*rng.uniform(-20, 20, 2)), 0.9, 0.1))
        for b in _blocks(Shift())
    ]
    assert affine_from_blocks(blocks, SIDE, SIDE) is None


def test_the_surest_block_is_the_most_reliable() -> None:
    blocks = _blocks(Shift())
    blocks[3] = BlockShift(1, 2, NOTHING, ShiftEstimate(Shift(), 0.99, 0.1))
    assert most_reliable(blocks) == blocks[3]
