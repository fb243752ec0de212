"""Sliding a network over a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from cloudfree.core.progress import Progress, silent
from cloudfree.core.radiometry import Float32
from cloudfree.core.window import Window, strips
from cloudfree.inference.accumulator import StripAccumulator
from cloudfree.inference.fitting_batch import halve_on_oom
from cloudfree.inference.tile_plan import TilePlan
from cloudfree.inference.tile_weight import tile_weight
from cloudfree.parallel.malloc import trim_malloc
from cloudfree.parallel.prefetch import prefetch

# Finished rows that are passed on at once.
PART_ROWS = 64

# Rows of tiles after which freed memory goes back to the system. Its pages have to be got anew: if
# after each row, that is a fifth of the system's work for a cheap network (tests/bench/NOTES.md).
ROWS_OF_TILES_HELD = 2

Inputs = TypeVar("Inputs")
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
    for a batch, that batch and those after it are of half the size. Whoever leaves the block waits for
    what is being loaded and run, and no thread is left.

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
