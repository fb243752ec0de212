"""Texture of filled ground: seams along rows, columns and gaps, and a weave of single pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32, Float64

Where = NDArray[np.bool_]

# Pairs of filled pixels that a row or column needs to be judged, its neighbours on both sides, and
# pixels that a gradient at all gaps and a weave need.
LEAST_PAIRS, AROUND, LEAST_PX = 96, 8, 500
# Added to gradients, in reflectance: below it nothing is seen.
UNSEEN = 5e-4


@dataclass
class Gradient:
    """Sum and number of the gradients of some pairs."""

    total: float = 0.0
    count: int = 0

    def add(self, size: Float32, where: Where) -> None:
        """Add those of the pairs that are `where`."""
        chosen = np.count_nonzero(where)
        if chosen:
            self.count += int(chosen)
            self.total += float(np.multiply(size, where).sum(dtype=np.float64))

    @property
    def mean(self) -> float:
        """The mean, infinite without any pair."""
        return self.total / self.count if self.count else float("inf")


@dataclass
class Texture:
    """Texture of one band of a result, whose rows come from top to bottom.

    `along_rows` and `along_columns` are sums of gradients and numbers of pairs of filled pixels
    across each border between two rows, and two columns; `alternating` the sums of second
    differences of columns, rows and both that change their sign from pixel to pixel.
    """

    along_rows: Float64
    along_columns: Float64
    gap: Gradient = field(default_factory=Gradient)
    ground: Gradient = field(default_factory=Gradient)
    alternating: Float64 = field(default_factory=lambda: np.zeros(3))
    bends: Float64 = field(default_factory=lambda: np.zeros(3))
    bent_px: int = 0
    _last: tuple[Float32, Where, Where] | None = None

    @classmethod
    def of_size(cls, height: int, width: int) -> Self:
        """Of a result of that size."""
        return cls(np.zeros((2, height)), np.zeros((2, width)))

    def add(self, row: int, plane: Float32, filled: Where, clear: Where) -> None:
        """Add rows of reflectance, (y, x), the first of which is `row`."""
        known = np.where(filled | clear, plane, np.float32(0))
        across = np.diff(known, axis=1)
        both = filled[:, 1:] & filled[:, :-1]
        size = np.abs(across)
        self.along_columns[0, 1:] += np.multiply(size, both).sum(axis=0, dtype=np.float64)
        self.along_columns[1, 1:] += both.sum(axis=0)
        self._add_gap(size, filled[:, 1:], filled[:, :-1], clear[:, 1:], clear[:, :-1])
        self._add_bends(row, across, both)
        self._add_down(row, known, filled, clear)

    def _add_down(self, row: int, known: Float32, filled: Where, clear: Where) -> None:
        """Gradients from row to row, also from the last two of the rows before."""
        before = self._last
        held = len(before[0]) if before else 0
        if before:
            known, filled, clear = (
                np.concatenate([one, other])
                for one, other in zip(before, (known, filled, clear), strict=True)
            )
        self._last = (known[-2:].copy(), filled[-2:].copy(), clear[-2:].copy())
        # Of two rows before, the border between them is counted already.
        new = slice(max(held - 1, 0), None)
        size, both = np.abs(np.diff(known, axis=0)), filled[1:] & filled[:-1]
        below = slice(row - min(held, 1) + 1, row - held + len(known))
        self.along_rows[0, below] += np.multiply(size, both).sum(axis=1, dtype=np.float64)[new]
        self.along_rows[1, below] += both.sum(axis=1)[new]
        self._add_gap(size[new], filled[1:][new], filled[:-1][new], clear[1:][new], clear[:-1][new])
        both = both[1:] & both[:-1]
        bend = np.multiply(np.diff(known, 2, axis=0), both)
        signs = 1.0 - 2.0 * ((np.arange(len(bend)) + row - held) % 2)
        self.alternating[1] += float(signs @ bend.sum(axis=1, dtype=np.float64))
        self.bends[1] += float(np.abs(bend).sum(dtype=np.float64))

    def _add_gap(self, size: Float32, one: Where, other: Where, clear: Where, too: Where) -> None:
        self.gap.add(size, (one & too) | (other & clear))
        self.ground.add(size, clear & too)

    def _add_bends(self, row: int, across: Float32, both: Where) -> None:
        both = both[:, 1:] & both[:, :-1]
        bend = np.multiply(np.diff(across, axis=1), both)
        columns = 1.0 - 2.0 * (np.arange(bend.shape[1]) % 2)
        rows = 1.0 - 2.0 * ((np.arange(len(bend)) + row) % 2)
        signed = np.asarray(bend @ columns.astype(np.float32), np.float64)
        total = float(np.abs(bend).sum(dtype=np.float64))
        self.alternating[0] += float(signed.sum())
        self.alternating[2] += float(signed @ rows)
        self.bends[[0, 2]] += total
        self.bent_px += int(np.count_nonzero(both))

    @property
    def weave(self) -> float:
        """Share of the bends of filled ground that alternate from pixel to pixel, 0 to 1."""
        if self.bent_px < LEAST_PX:
            return 0.0
        noise = UNSEEN * self.bent_px
        return float(np.max(np.abs(self.alternating) / (self.bends + noise)))

    @property
    def gap_step(self) -> float:
        """Gradient at the edge of the gaps, by that of clear ground; 0 where too little is seen."""
        if min(self.gap.count, self.ground.count) < LEAST_PX:
            return 0.0
        return self.gap.mean / (self.ground.mean + UNSEEN)

    @property
    def line_step(self) -> float:
        """Largest gradient across a row or column, by that of its neighbours; 0 where unknown."""
        return max(_largest_step(*self.along_rows), _largest_step(*self.along_columns))


def _largest_step(total: Float64, count: Float64) -> float:
    judged = count >= LEAST_PAIRS
    mean = np.where(judged, total / np.maximum(count, 1), np.nan)
    largest = 0.0
    for place in np.flatnonzero(judged):
        around = mean[max(place - AROUND, 0) : place + AROUND + 1]
        if len(around) == 2 * AROUND + 1 and not np.isnan(around).any():
            largest = max(largest, float(mean[place] / (np.median(around) + UNSEEN)))
    return largest
