"""Sliding a network over a scene: tiles in, blended rows out. Knows neither files nor networks."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import cv2
import numpy as np

from cloudfree.core.grid import Window, strips
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, silent
from cloudfree.errors import InputError, ModelError
from cloudfree.parallel.malloc import trim_malloc
from cloudfree.parallel.threads import prefetch

logger = logging.getLogger("cloudfree")


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


def tile_weight(height: int, width: int, overlap: int) -> Float32:
    """Weight of a tile's pixels, (y, x), in (0, 1]: one inside, falling smoothly over the overlap.

    The ramp is a raised cosine; it never reaches zero, so a pixel seen by one tile only keeps that
    tile's value after division by the sum of weights.
    """
    return np.outer(_ramp(height, overlap), _ramp(width, overlap)).astype(np.float32)


def _ramp(length: int, overlap: int) -> Float32:
    # Half of a tile at most may be ramp: beyond its middle the other side begins.
    reach = max(min(overlap, length // 2), 1)
    distance = np.minimum(np.arange(length), np.arange(length)[::-1])
    position = np.minimum((distance + 0.5) / reach, 1.0)
    return (0.5 - 0.5 * np.cos(np.pi * position)).astype(np.float32)


class StripAccumulator:
    """Weighted mean of tiles over a strip as wide as the scene and one tile high.

    Tiles may be added as long as they begin at or below the first row not yet released.
    """

    def __init__(self, bands: int, height: int, width: int) -> None:
        self.top = 0
        self._sum = np.zeros((bands, height, width), dtype=np.float32)
        self._weight = np.zeros((height, width), dtype=np.float32)

    def add(self, tile: Window, prediction: Float32, weight: Float32) -> None:
        """Add a tile's prediction, (band, y, x), with its weight, (y, x)."""
        rows = slice(tile.row - self.top, tile.row_stop - self.top)
        cols = slice(tile.col, tile.col_stop)
        for total, band in zip(self._sum[:, rows, cols], prediction, strict=True):
            cv2.accumulateProduct(band, weight, total)
        self._weight[rows, cols] += weight

    def release(self, parts: Sequence[Window]) -> Iterator[Float32]:
        """The mean of each part of the finished rows, NaN where no tile was added.

        The parts are as wide as the scene and come from the top down without gaps. What is given
        holds until the next is asked for: it lies where the sum was, as new memory of that size
        takes longer than dividing.
        """
        for part in parts:
            rows = slice(part.row - self.top, part.row_stop - self.top)
            mean = self._sum[:, rows]
            with np.errstate(invalid="ignore"):
                np.divide(mean, self._weight[rows], out=mean)
            yield mean
        self._scroll(parts[-1].row_stop - self.top)

    def _scroll(self, count: int) -> None:
        """Move the rows below the released ones to the top and clear what follows them."""
        for plane in (*self._sum, self._weight):  # one by one: numpy would copy what may overlap
            kept = len(plane) - count
            plane[:kept] = plane[count:]
            plane[kept:] = 0.0
        self.top += count


Inputs = TypeVar("Inputs")
Output = TypeVar("Output")


def halve_on_oom(
    run: Callable[[Sequence[Inputs]], Sequence[Output]],
) -> Callable[[Sequence[Inputs]], Sequence[Output]]:
    """`run`, in batches of half the size from where memory was out, in the same order.

    Raises
    ------
    ModelError
        There is no memory for a single tile.
    """
    largest = sys.maxsize

    def run_in_parts(tiles: Sequence[Inputs]) -> Sequence[Output]:
        nonlocal largest
        found: list[Output] = []
        while len(found) < len(tiles):
            part = tiles[len(found) : len(found) + largest]
            try:
                found += [one for _, one in zip(part, run(part), strict=True)]
            except MemoryError as error:
                largest = _half(len(part), error)
        return found

    return run_in_parts


def _half(count: int, error: MemoryError) -> int:
    if count == 1:
        raise ModelError(
            f"not enough memory for one tile ({error})",
            wanted="room for the network and a tile",
            hint="give a smaller --tile, or another --device",
        ) from error
    logger.warning("not enough memory for %d tiles at once: going on with %d", count, count // 2)
    return count // 2


# Finished rows that are passed on at once.
PART_ROWS = 64

# Rows of tiles after which freed memory goes back to the system. Its pages have to be got anew: if
# after each row, that is a fifth of the system's work for a cheap network (tests/bench/NOTES.md).
ROWS_OF_TILES_HELD = 2

Rows = TypeVar("Rows")


@contextmanager
def predict_rows(
    plan: TilePlan,
    bands: int,
    needed: Callable[[Window], bool],
    load: Callable[[Window], Inputs],
    run: Callable[[Sequence[Inputs]], Sequence[Float32]],
    load_rows: Callable[[Window], Rows],
    batch: int = 4,
    progress: Progress = silent,
    parallel_batches: int = 1,
) -> Iterator[Iterator[tuple[Window, Float32, Rows]]]:
    """Predicted rows of a scene from top to bottom, and what `load_rows` makes of their window.

    Each is a window as wide as the scene, its pixels, (band, y, x), which hold until the next are
    asked for, and the loaded rows. Only tiles for which `needed` is true are loaded and run,
    `batch` at a time; pixels that no such tile covers are NaN. Everything is loaded ahead on one
    thread: each further one would open the files, and their caches, anew. Of the batches
    `parallel_batches` are run ahead, each on a thread of its own, while the last is added up and
    passed on, so that a GPU need not wait. Memory is bounded by one row of tiles; where it is out
    for a batch, that batch and those after it are of half the size. Leaving the block waits for
    what is being loaded and run; no thread is left.

    Raises
    ------
    ModelError
        There is no memory for a single tile.
    """

    def loaded(step: _Step) -> tuple[list[Inputs], list[Rows]]:
        return [load(tile) for tile in step.tiles], [load_rows(part) for part in step.finishes]

    run = halve_on_oom(run)

    def predicted(seen: tuple[_Step, tuple[list[Inputs], list[Rows]]]) -> Sequence[Float32]:
        _, (inputs, _) = seen
        return run(inputs) if inputs else ()

    with (
        prefetch(loaded, _steps(plan, needed, batch, progress)) as ready,
        prefetch(predicted, ready, ahead=parallel_batches, threads=parallel_batches) as steps,
    ):
        yield _finished_rows(plan, bands, steps)


def _finished_rows(
    plan: TilePlan,
    bands: int,
    steps: Iterator[tuple[tuple[_Step, tuple[object, list[Rows]]], Sequence[Float32]]],
) -> Iterator[tuple[Window, Float32, Rows]]:
    """Adds up the predictions of each step and gives the rows that it finishes."""
    height, width = min(plan.tile, plan.height), min(plan.tile, plan.width)
    accumulator = StripAccumulator(bands, height, plan.width)
    weight = tile_weight(height, width, plan.overlap)
    rows_done = 0
    for (step, (_, rows)), predictions in steps:
        for tile, prediction in zip(step.tiles, predictions, strict=True):
            accumulator.add(tile, prediction, weight)
        if step.finishes:
            # Strict, so that the accumulator is asked once more than it has parts and scrolls on.
            yield from zip(step.finishes, accumulator.release(step.finishes), rows, strict=True)
            rows_done += 1
            if rows_done % ROWS_OF_TILES_HELD == 0:
                trim_malloc()


@dataclass(frozen=True)
class _Step:
    """Tiles that the network sees at once, and the rows of the scene that are then finished.

    The rows come in parts: what is made of them takes several times their memory.
    """

    tiles: Sequence[Window]
    finishes: Sequence[Window] = ()


def _steps(
    plan: TilePlan, needed: Callable[[Window], bool], batch: int, progress: Progress
) -> Iterator[_Step]:
    """The steps from top to bottom; the last of a row of tiles finishes rows of the scene."""
    rows = [*plan.rows, plan.height]
    for row, next_row in progress(pairwise(rows), len(plan.rows), "rows of tiles", "row"):
        tiles = [tile for tile in plan.row_of_tiles(row) if needed(tile)]
        groups = [tiles[start : start + batch] for start in range(0, len(tiles), batch)] or [[]]
        yield from (_Step(group) for group in groups[:-1])
        finished = strips(next_row - row, plan.width, PART_ROWS)
        yield _Step(groups[-1], [replace(part, row=row + part.row) for part in finished])
