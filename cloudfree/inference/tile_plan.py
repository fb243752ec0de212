"""Which windows a network sees so that it sees every pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cloudfree.core.window import Window
from cloudfree.errors import InputError


@dataclass(frozen=True)
class TilePlan:
    """Square tiles that cover a scene with at least `overlap` pixels in common.

    The last tile of a row or column is moved inwards rather than cut, so every tile has the full
    size; a scene smaller than a tile is one tile of the scene's own size.
    """

    height: int
    width: int
    tile: int
    overlap: int

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.tile:
            raise InputError(
                f"an overlap of {self.overlap} pixels for tiles of {self.tile}",
                wanted="an overlap from 0 to one less than the tile",
                hint="choose a smaller --overlap or a larger --tile",
            )

    @property
    def rows(self) -> list[int]:
        """First row of each row of tiles, from top to bottom."""
        return _starts(self.height, self.tile, self.overlap)

    @property
    def cols(self) -> list[int]:
        """First column of each column of tiles, from left to right."""
        return _starts(self.width, self.tile, self.overlap)

    def row_of_tiles(self, row: int) -> Iterator[Window]:
        """The tiles that begin at `row`, from left to right."""
        height, width = min(self.tile, self.height), min(self.tile, self.width)
        for col in self.cols:
            yield Window(row, col, height, width)

    def __iter__(self) -> Iterator[Window]:
        for row in self.rows:
            yield from self.row_of_tiles(row)

    def __len__(self) -> int:
        return len(self.rows) * len(self.cols)


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """First pixels of tiles along one side; the last tile ends with the side."""
    last = max(length - tile, 0)
    return [*range(0, last, tile - overlap), last]
