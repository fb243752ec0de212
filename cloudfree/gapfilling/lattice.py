"""A scene and its sources as means of cells: small enough for memory, and read once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cloudfree.core.grid import strips
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.gapfilling.sources import Source, sources_of
from cloudfree.gapfilling.stack import Stack

# Cells of a scene at most: a full tile has cells of 16 x 16 pixels, a small scene its pixels.
MOST_CELLS = 500_000
# Share of the pixels of a cell that must be known for its mean to be.
KNOWN_SHARE = 0.9
STRIP_ROWS = 128


@dataclass(frozen=True)
class Lattice:
    """Means of cells of `cell_px` x `cell_px` pixels, (band or feature, y, x), NaN if unknown."""

    cell_px: int
    today: Float32
    sources: tuple[Source, ...]
    features: tuple[Float32, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        rows, cols = self.today.shape[1:]
        return rows, cols


def cell_side(height: int, width: int) -> int:
    """Side of the cells of a scene, in pixels."""
    return max(1, math.ceil(math.sqrt(height * width / MOST_CELLS)))


def collect(stack: Stack, progress: Progress) -> Lattice:
    """The lattice of a stack, read strip by strip from top to bottom."""
    side, sources = cell_side(stack.height, stack.width), sources_of(stack)
    rows = max(STRIP_ROWS // side, 1) * side
    today, features = [], [[] for _ in sources]  # type: list[Float32], list[list[Float32]]
    plan = list(strips(stack.height, stack.width, rows))
    for strip in progress(plan, len(plan), "other dates", "strip"):
        today.append(cell_means(stack.today(strip), side))
        for source, found in zip(sources, features, strict=True):
            found.append(cell_means(source.features(stack, strip), side))
    whole = tuple(np.concatenate(found, axis=1) for found in features)
    return Lattice(side, np.concatenate(today, axis=1), sources, whole)


def cell_means(planes: Float32, side: int) -> Float32:
    """Means over cells, (band, y, x); NaN where too few pixels of any band are known."""
    if side == 1:
        return np.where(np.isnan(planes).any(axis=0), np.float32(np.nan), planes)
    bands, height, width = planes.shape
    rows, cols = -(-height // side), -(-width // side)
    padded = np.zeros((bands + 2, rows * side, cols * side), np.float32)
    known = ~np.isnan(planes).any(axis=0)
    padded[:bands, :height, :width] = np.where(known, planes, 0.0)
    padded[bands, :height, :width] = known
    padded[bands + 1, :height, :width] = 1.0
    sums = padded.reshape(bands + 2, rows, side, cols, side).sum(axis=(2, 4))
    enough = sums[bands] >= KNOWN_SHARE * sums[bands + 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(enough, sums[:bands] / sums[bands], np.float32(np.nan)).astype(np.float32)
