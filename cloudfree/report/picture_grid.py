"""Pictures of patches in a grid: a row for each patch, a column for each image of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudfree.report.canvas import Canvas, text_width
from cloudfree.report.pictures import UInt8Image

SIDE_PX, GAP_PX = 224, 8
HEAD_PX, ROW_HEAD_PX = 28, 22
TEXT_PX = 9.0


@dataclass(frozen=True)
class GridRow:
    """The pictures of one patch, (y, x, 4), in the order of the columns."""

    title: str
    pictures: tuple[UInt8Image, ...]


def draw_grid(columns: Sequence[str], rows: Sequence[GridRow]) -> UInt8Image:
    """The grid, (y, x, 4), with the names of the columns above and that of a patch over its row."""
    each = SIDE_PX + GAP_PX
    below = ROW_HEAD_PX + SIDE_PX + GAP_PX
    canvas = Canvas(GAP_PX + each * len(columns), HEAD_PX + below * len(rows))
    for number, name in enumerate(columns):
        middle = GAP_PX + each * number + SIDE_PX / 2
        canvas.text(_shortened(name), (middle, HEAD_PX - 8), TEXT_PX, align=0.5)
    for number, row in enumerate(rows):
        top = HEAD_PX + below * number
        canvas.text(row.title, (GAP_PX, top + ROW_HEAD_PX - 8), TEXT_PX)
        for column, pixels in enumerate(row.pictures):
            canvas.picture(pixels, (GAP_PX + each * column, top + ROW_HEAD_PX), SIDE_PX)
    return canvas.finished()


def _shortened(name: str) -> str:
    """The name as far as it fits above a picture."""
    short = name
    while text_width(short, TEXT_PX) > SIDE_PX and len(short) > 4:
        short = f"{short[:-4]}..."
    return short
