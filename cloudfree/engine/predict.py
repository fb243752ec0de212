"""Sliding a network over a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from cloudfree.core.blending import tile_weight
from cloudfree.core.progress import Progress, silent
from cloudfree.core.tile_plan import TilePlan
from cloudfree.core.units import Float32
from cloudfree.core.window import Window
from cloudfree.engine.accumulator import StripAccumulator
from cloudfree.engine.prefetch import prefetch

Inputs = TypeVar("Inputs")


def predict_rows(
    plan: TilePlan,
    bands: int,
    needed: Callable[[Window], bool],
    load: Callable[[Window], Inputs],
    run: Callable[[Sequence[Inputs]], Sequence[Float32]],
    batch: int = 4,
    progress: Progress = silent,
) -> Iterator[tuple[Window, Float32]]:
    """Predicted rows of a scene from top to bottom: their window and pixels, (band, y, x).

    Only tiles for which `needed` is true are loaded and run, `batch` at a time; pixels that no
    such tile covers are NaN. Memory is bounded by one row of tiles.
    """
    accumulator = StripAccumulator(bands, min(plan.tile, plan.height), plan.width)
    weight = tile_weight(min(plan.tile, plan.height), min(plan.tile, plan.width), plan.overlap)
    rows = [*plan.rows, plan.height]
    for row, next_row in progress(pairwise(rows), len(plan.rows), "rows of tiles"):
        tiles = [tile for tile in plan.row_of_tiles(row) if needed(tile)]
        for group, inputs in prefetch(lambda g: [load(t) for t in g], _groups(tiles, batch)):
            for tile, prediction in zip(group, run(inputs), strict=True):
                accumulator.add(tile, prediction, weight)
        yield accumulator.release(next_row)


def _groups(tiles: Sequence[Window], size: int) -> Iterator[Sequence[Window]]:
    for start in range(0, len(tiles), size):
        yield tiles[start : start + size]
