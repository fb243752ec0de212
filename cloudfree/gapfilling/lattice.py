"""Every n-th pixel of a scene: enough to fit on, and small enough for memory."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.grid import Window, strips
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.gapfilling.observation import Observation, Where, observe
from cloudfree.gapfilling.stack import Stack

# Nodes of a lattice at most: of a full tile every 29th pixel, of a small scene all.
MAX_NODES = 150_000
STRIP_ROWS = 128


@dataclass(frozen=True)
class Nodes:
    """What is known of the nodes of a lattice: today's bands, (band, y, x), and other sources."""

    today: Float32
    observation: Observation

    @property
    def known(self) -> Where:
        """Where the ground is clear today, (y, x)."""
        return np.asarray(~np.isnan(self.today).any(axis=0))

    @property
    def without_references(self) -> Nodes:
        """The same of a scene of which there are no other dates."""
        return Nodes(self.today, replace(self.observation, references=(), changes=()))


@dataclass(frozen=True)
class Position:
    """Where pixels lie among nodes: rows and columns in nodes, (pixel,)."""

    rows: Float32
    cols: Float32

    def __getitem__(self, places: NDArray[np.intp]) -> Position:
        return Position(self.rows[places], self.cols[places])

    def of(self, field: Float32) -> Float32:
        """A field of nodes, (plane, y, x), between them, (pixel, plane)."""
        return np.stack([_bilinear(plane, self.cols, self.rows) for plane in field], axis=1)


def _bilinear(plane: Float32, x: Float32, y: Float32) -> Float32:
    """Values between nodes; beyond the last node that of the nearest."""
    # OpenCV takes maps of less than 32768 rows and columns.
    side = 16384
    padding = -len(x) % side
    columns, rows = (np.pad(part, (0, padding)).reshape(-1, side) for part in (x, y))
    values = cv2.remap(plane, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).ravel()[: len(x)]


@dataclass(frozen=True)
class Lattice:
    """Where the nodes of a lattice lie in a scene: every `step` pixels, from `first` on."""

    step: int

    @classmethod
    def of_scene(cls, height: int, width: int) -> Lattice:
        """The densest lattice that fits in memory."""
        return cls(max(1, math.ceil(math.sqrt(height * width / MAX_NODES))))

    @property
    def first(self) -> int:
        """Row and column of the first node."""
        return (self.step - 1) // 2

    def nodes(self, planes: Float32, window: Window) -> Float32:
        """The nodes of planes, (plane, y, x), of a window as wide as the scene, as a copy."""
        first = (self.first - window.row) % self.step
        return planes[:, first :: self.step, self.first :: self.step].copy()

    def below(self, gaps: Iterable[tuple[Window, Where]], shape: tuple[int, int]) -> Where:
        """The nodes, (y, x), that lie in gaps, (y, x) of a window each."""
        found = np.zeros(shape, np.bool_)
        for window, gap in gaps:
            rows, cols = ((self.first - start) % self.step for start in (window.row, window.col))
            inside = gap[rows :: self.step, cols :: self.step]
            row, col = (
                (start + offset) // self.step
                for start, offset in ((window.row, rows), (window.col, cols))
            )
            found[row : row + inside.shape[0], col : col + inside.shape[1]] |= inside
        return found

    def around(self, window: Window) -> tuple[slice, slice]:
        """The nodes in a window, and the next ones around it."""
        spans = ((window.row, window.row_stop), (window.col, window.col_stop))
        first, second = (
            slice(max((start - self.first) // self.step, 0), (stop - self.first) // self.step + 2)
            for start, stop in spans
        )
        return first, second

    def position(self, rows: NDArray[np.intp], cols: NDArray[np.intp]) -> Position:
        """Where pixels of the scene lie among the nodes."""
        return Position(*(
            ((part - self.first) / self.step).astype(np.float32) for part in (rows, cols)
        ))  # fmt: skip


def collect(stack: Stack, lattice: Lattice, progress: Progress) -> Nodes:
    """What a stack knows of the nodes of a lattice, read strip by strip from top to bottom."""
    plan = list(strips(stack.height, stack.width, max(STRIP_ROWS, lattice.step)))
    found = []
    for strip in progress(plan, len(plan), "other dates", "strip"):

        def nodes(planes: Float32, strip: Window = strip) -> Float32:
            return lattice.nodes(planes, strip)

        found.append(Nodes(nodes(stack.today(strip)), observe(stack, strip, nodes)))
    today = np.concatenate([one.today for one in found], axis=1)
    return Nodes(today, _joined([one.observation for one in found], today.shape[1:]))


def _joined(parts: list[Observation], shape: tuple[int, ...]) -> Observation:
    def whole(planes: list[Float32 | None]) -> Float32 | None:
        known = [one for one in planes if one is not None]
        return np.concatenate(known, axis=1) if len(known) == len(planes) else None

    numbers = range(len(parts[0].references))
    return Observation(
        tuple(np.concatenate([part.references[n] for part in parts], axis=1) for n in numbers),
        tuple(whole([part.changes[n] for part in parts]) for n in numbers),
        whole([part.radar for part in parts]),
        shape,
    )
