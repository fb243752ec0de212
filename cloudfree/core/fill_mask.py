"""Which pixels of a result were restored."""

from __future__ import annotations

from enum import IntEnum


class FillClass(IntEnum):
    """What a pixel of the marks says about the pixel of the result."""

    ORIGINAL = 0
    RECONSTRUCTED = 1
    NODATA = 255


FILL_COLOURS = {
    FillClass.ORIGINAL: (34, 94, 60),
    FillClass.RECONSTRUCTED: (232, 160, 48),
    FillClass.NODATA: (0, 0, 0),
}
