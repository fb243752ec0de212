"""What is counted while a scene is written."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.commands.remove.filling import OutputRows
from cloudfree.commands.remove.written_scene import Counts
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import FillClass


def _rows(by: list[FillClass], filled: list[bool]) -> OutputRows:
    shape = (1, len(by))
    return OutputRows(
        Window(0, 0, *shape),
        np.zeros((1, *shape)),
        np.ones(shape, np.bool_),
        np.ones(shape, np.bool_),
        np.array([filled]),
        np.array([by], np.uint8),
    )


def test_pixels_are_counted_by_what_filled_them() -> None:
    counts = Counts()
    one, two = FillClass.REFERENCE_1, FillClass.REFERENCE_2
    counts.add(_rows([one, one, FillClass.UNFILLED], [True, True, False]))
    counts.add(_rows([two, one, FillClass.FILLED], [True, True, True]))
    assert (counts.valid, counts.to_fill, counts.filled) == (6, 6, 5)
    assert counts.share(one) == pytest.approx(3 / 5)
    assert counts.share(two) == pytest.approx(1 / 5)
    assert counts.share(FillClass.REFERENCE_3) == 0


def test_nothing_counted_has_no_share() -> None:
    assert Counts().share(FillClass.REFERENCE_1) == 0
