"""A detector at work on a scene, strip by strip; every row is read once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.classifier import Strip, with_halo
from cloudfree.cloudmask.detector import Detector, cell_means, of_pixels
from cloudfree.cloudmask.patch_check import PatchCheck
from cloudfree.cloudmask.scene_statistics import OpticalSource, read_ahead, strips_of
from cloudfree.cloudmask.score import Planes
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress

# Rows that are read at a time, and strips of them that a detector sees at a time: the more, the
# less it sees twice. A full tile takes 0.4 GB of cells of 2 x 2 pixels.
READ_ROWS, STRIPS_AT_ONCE = 384, 3
OnScore = Callable[[Window, Float32], None]


@dataclass(frozen=True)
class _Rows:
    """Rows of a scene: mean reflectance of cells, (band, y, x), and pixels without data, (y, x).

    They were read in the `strips`, from top to bottom.
    """

    strips: tuple[Window, ...]
    cells: Float32
    missing: NDArray[np.bool_]

    @property
    def window(self) -> Window:
        """All strips as one."""
        first, last = self.strips[0], self.strips[-1]
        return Window(first.row, 0, last.row_stop - first.row, first.width)


def detect(
    source: OpticalSource,
    detector: Detector,
    threshold: float,
    progress: Progress,
    on_score: OnScore | None = None,
    check: PatchCheck | None = None,
) -> Generator[Strip, None, None]:
    """Windows and their classes by the detector alone, from top to bottom.

    `on_score` is given the probability of cloud in each window, `check` its planes and classes.
    """
    bands, cell_px = detector.bands(source.bands), detector.cell_px
    windows = strips_of(source, READ_ROWS, progress, f"cloud detector {detector.name}")
    with read_ahead(source, bands, windows, halo=0, ahead=1) as read:
        waiting = deque[_Rows]()
        rows = _kept(_joined(_read(read, cell_px, check)), waiting)
        halo = -(-detector.halo_px // cell_px)
        for inner, outer, cells in with_halo(rows, halo):
            own = waiting.popleft()
            planes = dict(zip(bands, cells, strict=True))
            found = detector.probabilities(planes).part(inner.relative_to(outer))
            height, width = own.missing.shape
            mask = of_pixels(found.classes(threshold), cell_px, height, width).copy()
            mask[own.missing] = MaskClass.NODATA
            if check:
                _count_patches(check, own, mask)
            if on_score is not None:
                score = of_pixels(found.covered, cell_px, height, width)
                on_score(own.window, np.where(own.missing, np.float32(np.nan), score))
            yield own.window, mask


def _count_patches(check: PatchCheck, rows: _Rows, mask: Mask) -> None:
    for strip in rows.strips:
        check.add_classes(strip, mask[strip.relative_to(rows.window)])


def _read(
    read: Iterable[tuple[Window, Planes]], cell_px: int, check: PatchCheck | None
) -> Iterator[_Rows]:
    for window, planes in read:
        if check:
            check.add_planes(window, planes)
        cells = np.stack([cell_means(plane, cell_px) for plane in planes.values()])
        yield _Rows((window,), cells, _missing(planes))


def _missing(planes: Planes) -> NDArray[np.bool_]:
    """Where any band has no data, (y, x)."""
    missing = np.zeros(next(iter(planes.values())).shape, dtype=np.bool_)
    for plane in planes.values():
        if np.isnan(plane.sum()):  # one pass without an array, as most strips have all data
            missing |= np.isnan(plane)
    return missing


def _joined(strips: Iterable[_Rows]) -> Iterator[_Rows]:
    remaining = iter(strips)
    while some := list(islice(remaining, STRIPS_AT_ONCE)):
        windows = tuple(strip.window for strip in some)
        cells = np.concatenate([strip.cells for strip in some], axis=1)
        yield _Rows(windows, cells, np.concatenate([strip.missing for strip in some]))


def _kept(strips: Iterable[_Rows], waiting: deque[_Rows]) -> Iterator[tuple[Window, Float32]]:
    """Windows in cells and their cells; the strips wait until the rows below them are there."""
    row = 0
    for strip in strips:
        waiting.append(strip)
        height, width = strip.cells.shape[1:]
        yield Window(row, 0, height, width), strip.cells
        row += height
