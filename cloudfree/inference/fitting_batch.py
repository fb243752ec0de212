"""Batches that adapt to the memory there is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from cloudfree.errors import ModelError

logger = logging.getLogger("cloudfree")

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
