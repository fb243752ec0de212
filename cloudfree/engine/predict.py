"""Sliding a network over a scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar, cast

from cloudfree.core.blending import tile_weight
from cloudfree.core.freed_memory import give_back_freed_memory
from cloudfree.core.prefetch import prefetch
from cloudfree.core.progress import Progress, silent
from cloudfree.core.tile_plan import TilePlan
from cloudfree.core.units import Float32
from cloudfree.core.window import Window
from cloudfree.engine.accumulator import StripAccumulator

Inputs = TypeVar("Inputs")
Rows = TypeVar("Rows")


def predict_rows(
    plan: TilePlan,
    bands: int,
    needed: Callable[[Window], bool],
    load: Callable[[Window], Inputs],
    run: Callable[[Sequence[Inputs]], Sequence[Float32]],
    load_rows: Callable[[Window], Rows],
    batch: int = 4,
    progress: Progress = silent,
) -> Iterator[tuple[Window, Float32, Rows]]:
    """Predicted rows of a scene from top to bottom, and what `load_rows` makes of their window.

    Each is a window as wide as the scene, its pixels, (band, y, x), and the loaded rows. Only tiles
    for which `needed` is true are loaded and run, `batch` at a time; pixels that no such tile
    covers are NaN. Everything is loaded ahead on one thread: each further one would open the files,
    and their caches, anew. Memory is bounded by one row of tiles.
    """
    height, width = min(plan.tile, plan.height), min(plan.tile, plan.width)
    accumulator = StripAccumulator(bands, height, plan.width)
    weight = tile_weight(height, width, plan.overlap)

    def loaded(step: _Step) -> tuple[list[Inputs], Rows | None]:
        rows = load_rows(step.finishes) if step.finishes else None
        return [load(tile) for tile in step.tiles], rows

    for step, (inputs, rows) in prefetch(loaded, _steps(plan, needed, batch, progress)):
        predictions = run(inputs) if inputs else ()
        for tile, prediction in zip(step.tiles, predictions, strict=True):
            accumulator.add(tile, prediction, weight)
        if step.finishes:
            window, mean = accumulator.release(step.finishes.row_stop)
            give_back_freed_memory()
            yield window, mean, cast(Rows, rows)


@dataclass(frozen=True)
class _Step:
    """Tiles that the network sees at once, and the rows of the scene that are then finished."""

    tiles: Sequence[Window]
    finishes: Window | None


def _steps(
    plan: TilePlan, needed: Callable[[Window], bool], batch: int, progress: Progress
) -> Iterator[_Step]:
    """The steps from top to bottom; the last of a row of tiles finishes rows of the scene."""
    rows = [*plan.rows, plan.height]
    for row, next_row in progress(pairwise(rows), len(plan.rows), "rows of tiles"):
        tiles = [tile for tile in plan.row_of_tiles(row) if needed(tile)]
        groups = [tiles[start : start + batch] for start in range(0, len(tiles), batch)] or [[]]
        yield from (_Step(group, None) for group in groups[:-1])
        yield _Step(groups[-1], Window(row, 0, next_row - row, plan.width))
