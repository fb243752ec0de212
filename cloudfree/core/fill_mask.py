"""Which pixels of a result were restored."""

from __future__ import annotations

from enum import IntEnum


class Mark(IntEnum):
    """What a pixel of the marks says about the pixel of the result."""

    ORIGINAL = 0
    RECONSTRUCTED = 1
    NODATA = 255


MARK_COLOURS = {
    Mark.ORIGINAL: (34, 94, 60),
    Mark.RECONSTRUCTED: (232, 160, 48),
    Mark.NODATA: (0, 0, 0),
}
