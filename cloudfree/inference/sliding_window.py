"""A sliding window over a scene: tiles in, blended rows out, without files or networks."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Generic, Protocol, Self, TypeVar

import cv2
import numpy as np

from cloudfree.core.grid import Window, strips
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, silent
from cloudfree.errors import ErrorCode, InputError, ModelError
from cloudfree.inference.model import Prediction
from cloudfree.parallel.environment import trim_malloc
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
                code=ErrorCode.BAD_OPTION,
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

    Tiles may be added as long as they begin at or below the first row not yet released. Means and
    variances are blended with the same weights; all tiles have a variance, or none has.
    """

    def __init__(self, bands: int, height: int, width: int) -> None:
        self.top = 0
        self._weight = np.zeros((height, width), dtype=np.float32)
        self._mean = np.zeros((bands, height, width), dtype=np.float32)
        self._variance: Float32 | None = None  # allocated with the first tile that has one
        self._is_empty = True

    @classmethod
    def for_plan(cls, plan: TilePlan, bands: int) -> Self:
        """The accumulator of a strip of the plan's tiles."""
        return cls(bands, min(plan.tile, plan.height), plan.width)

    def add(self, tile: Window, prediction: Prediction, weight: Float32) -> None:
        """Add a tile's prediction with its weight, (y, x).

        Raises
        ------
        ValueError
            Only some of the tiles have a variance.
        """
        rows = slice(tile.row - self.top, tile.row_stop - self.top)
        cols = slice(tile.col, tile.col_stop)
        _add_product(self._mean[:, rows, cols], prediction.mean, weight)
        if prediction.variance is not None and self._is_empty:
            self._variance = np.zeros(self._mean.shape, dtype=np.float32)
        if (prediction.variance is None) != (self._variance is None):
            raise ValueError("some tiles have a variance and others have none")
        if prediction.variance is not None and self._variance is not None:
            _add_product(self._variance[:, rows, cols], prediction.variance, weight)
        self._weight[rows, cols] += weight
        self._is_empty = False

    def release(self, parts: Sequence[Window]) -> Iterator[Prediction]:
        """The mean of each part of the finished rows, NaN where no tile was added.

        The parts are as wide as the scene and come from the top down without gaps. A yielded
        prediction is valid until the next is requested: it is a view of the sum, since allocating
        new memory of that size takes longer than dividing.
        """
        for part in parts:
            rows = slice(part.row - self.top, part.row_stop - self.top)
            mean = self._divided(self._mean, rows)
            variance = None if self._variance is None else self._divided(self._variance, rows)
            yield Prediction(mean, variance)
        self._scroll(parts[-1].row_stop - self.top)

    def _divided(self, total: Float32, rows: slice) -> Float32:
        """Rows of a sum, divided in place by their weight."""
        quotient = total[:, rows]
        with np.errstate(invalid="ignore"):
            np.divide(quotient, self._weight[rows], out=quotient)
        return quotient

    def _scroll(self, count: int) -> None:
        """Move the rows below the released ones to the top and clear the rows after them."""
        variances = () if self._variance is None else self._variance
        # Plane by plane: numpy copies operands that may overlap.
        for plane in (*self._mean, *variances, self._weight):
            kept = len(plane) - count
            plane[:kept] = plane[count:]
            plane[kept:] = 0.0
        self.top += count


def _add_product(total: Float32, pixels: Float32, weight: Float32) -> None:
    """Add pixels, (band, y, x), times their weight, (y, x), to a sum in place."""
    for plane, band in zip(total, pixels, strict=True):
        cv2.accumulateProduct(band, weight, plane)


Inputs = TypeVar("Inputs")
Output = TypeVar("Output")
Rows = TypeVar("Rows")
Inputs_co = TypeVar("Inputs_co", covariant=True)
Inputs_contra = TypeVar("Inputs_contra", contravariant=True)
Rows_co = TypeVar("Rows_co", covariant=True)


class Tiler(Protocol[Inputs_co, Rows_co]):
    """The scene that is predicted: its tiles, and its own rows."""

    def needed(self, tile: Window) -> bool:
        """Whether a tile is predicted at all."""
        ...

    def load(self, tile: Window) -> Inputs_co:
        """Inputs of the network for a tile."""
        ...

    def load_rows(self, window: Window) -> Rows_co:
        """The scene's own rows, to go with the predicted ones; the window is as wide as it."""
        ...


class Predictor(Protocol[Inputs_contra]):
    """A network that predicts batches of tiles."""

    @property
    def batch_size(self) -> int:
        """Tiles in a batch."""
        ...

    @property
    def parallel_batches(self) -> int:
        """Batches that are predicted at once, each on its own thread."""
        ...

    @property
    def predict(self) -> Callable[[Sequence[Inputs_contra]], Sequence[Prediction]]:
        """Predicts each tile of a batch, in order; MemoryError if the batch is too large."""
        ...


class Merger(Protocol):
    """What merges overlapping tiles into rows of the scene."""

    def add(self, tile: Window, prediction: Prediction, weight: Float32) -> None:
        """Add a tile's prediction with its weight, (y, x)."""
        ...

    def release(self, parts: Sequence[Window]) -> Iterator[Prediction]:
        """Merged rows of each part, from the top down; later tiles lie below the last part."""
        ...


@dataclass(frozen=True)
class BatchPredictor(Generic[Inputs]):
    """A function that predicts a batch of tiles, with the sizes that suit its device."""

    predict: Callable[[Sequence[Inputs]], Sequence[Prediction]]
    batch_size: int = 4
    parallel_batches: int = 1


def halve_on_oom(
    run: Callable[[Sequence[Inputs]], Sequence[Output]],
) -> Callable[[Sequence[Inputs]], Sequence[Output]]:
    """`run` with batches that are halved for good once they exceed memory; the order is kept.

    Raises
    ------
    ModelError
        There is not enough memory for a single tile.
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
            code=ErrorCode.OUT_OF_MEMORY,
        ) from error
    logger.warning("not enough memory for %d tiles at once: going on with %d", count, count // 2)
    return count // 2


# Finished rows that are passed on at once.
PART_ROWS = 64

# Rows of tiles after which freed memory is returned to the system. Its pages are then allocated
# anew: after each row of tiles that takes a fifth of the system time of a cheap network
# (docs/experiments.md).
ROWS_OF_TILES_HELD = 2


@contextmanager
def predict_rows(
    plan: TilePlan,
    tiler: Tiler[Inputs, Rows],
    predictor: Predictor[Inputs],
    merger: Merger,
    progress: Progress = silent,
) -> Iterator[Iterator[tuple[Window, Prediction, Rows]]]:
    """Predicted rows of a scene from top to bottom, each with the scene's own rows.

    Yields windows as wide as the scene, their prediction, which is valid until the next is
    requested, and the rows that the tiler loads for them. Pixels that no needed tile covers are
    NaN. One thread loads ahead: each further thread would open the files, and their caches, anew.
    Batches are predicted ahead while finished rows are merged and passed on, so that a GPU need not
    wait. Memory is bounded by one row of tiles; a batch that does not fit into memory is halved,
    and so are the batches after it. Exiting the context waits for running loads and predictions; no
    thread remains.

    Raises
    ------
    ModelError
        There is not enough memory for a single tile.
    """
    predict = halve_on_oom(predictor.predict)

    def load(batch: _TileBatch) -> tuple[list[Inputs], list[Rows]]:
        return (
            [tiler.load(tile) for tile in batch.tiles],
            [tiler.load_rows(part) for part in batch.finishes],
        )

    def predict_loaded(
        loaded: tuple[_TileBatch, tuple[list[Inputs], list[Rows]]],
    ) -> Sequence[Prediction]:
        _, (inputs, _) = loaded
        return predict(inputs) if inputs else ()

    batches = _batches(plan, tiler, predictor.batch_size, progress)
    ahead = predictor.parallel_batches
    with (
        prefetch(load, batches) as loaded,
        prefetch(predict_loaded, loaded, ahead=ahead, threads=ahead) as predicted,
    ):
        yield _finished_rows(plan, merger, predicted)


def _finished_rows(
    plan: TilePlan,
    merger: Merger,
    predicted: Iterator[tuple[tuple[_TileBatch, tuple[object, list[Rows]]], Sequence[Prediction]]],
) -> Iterator[tuple[Window, Prediction, Rows]]:
    """Merge the predictions of each batch and yield the rows that it finishes."""
    weight = tile_weight(min(plan.tile, plan.height), min(plan.tile, plan.width), plan.overlap)
    rows_done = 0
    for (batch, (_, rows)), predictions in predicted:
        for tile, prediction in zip(batch.tiles, predictions, strict=True):
            merger.add(tile, prediction, weight)
        if batch.finishes:
            # Strict, so that the release is exhausted and the merger can scroll on.
            yield from zip(batch.finishes, merger.release(batch.finishes), rows, strict=True)
            rows_done += 1
            if rows_done % ROWS_OF_TILES_HELD == 0:
                trim_malloc()


@dataclass(frozen=True)
class _TileBatch:
    """Tiles that are predicted at once, and the rows of the scene that are finished after them.

    The rows come in parts: processing them takes several times their memory.
    """

    tiles: Sequence[Window]
    finishes: Sequence[Window] = ()


def _batches(
    plan: TilePlan, tiler: Tiler[Inputs, Rows], size: int, progress: Progress
) -> Iterator[_TileBatch]:
    """The batches from top to bottom; the last of a row of tiles finishes rows of the scene."""
    rows = [*plan.rows, plan.height]
    for row, next_row in progress(pairwise(rows), len(plan.rows), "rows of tiles", "row"):
        tiles = [tile for tile in plan.row_of_tiles(row) if tiler.needed(tile)]
        groups = [tiles[start : start + size] for start in range(0, len(tiles), size)] or [[]]
        yield from (_TileBatch(group) for group in groups[:-1])
        finished = strips(next_row - row, plan.width, PART_ROWS)
        yield _TileBatch(groups[-1], [replace(part, row=row + part.row) for part in finished])
