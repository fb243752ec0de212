"""Shares of classes have the words and colours of their pictures."""

from __future__ import annotations

from cloudfree.core.mask_classes import FILL_COLOURS, MASK_COLOURS, FillClass, MaskClass
from cloudfree.report.class_shares import ClassShare, filled_by, mask_shares


def test_a_mask_has_its_classes_in_their_order() -> None:
    assert mask_shares({"clear": 0.75, "cloud": 0.25}) == (
        ClassShare("clear", MASK_COLOURS[MaskClass.CLEAR], 0.75),
        ClassShare("cloud", MASK_COLOURS[MaskClass.CLOUD], 0.25),
    )


def test_what_filled_most_comes_first() -> None:
    shares = {FillClass.FILLED: 0.1, FillClass.REFERENCE_1: 0.2, FillClass.REFERENCE_2: 0.7}
    assert filled_by(shares) == (
        ClassShare("reference 2", FILL_COLOURS[FillClass.REFERENCE_2], 0.7),
        ClassShare("reference 1", FILL_COLOURS[FillClass.REFERENCE_1], 0.2),
        ClassShare("filled by the network", FILL_COLOURS[FillClass.FILLED], 0.1),
    )
