"""The default detector: a small network for any bands from the four of 10 m on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cloudfree.cloudmask.detector import Probabilities
from cloudfree.cloudmask.score import Planes
from cloudfree.core.grid import Window
from cloudfree.core.model_folders import model_folders
from cloudfree.core.onnx_session import open_session
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ErrorCode, InputError, ModelError

WEIGHTS = Path("cloudmask-s") / "detector.onnx"

# The bands that the network knows, in its order, and those that it cannot do without.
DETECTOR_BANDS = ("B01", "B02", "B03", "B04", "B05", "B08", "B09", "B10", "B11", "B12")
NEEDED_BANDS = ("B02", "B03", "B04", "B08")

# It sees and tells cells of 2 x 2 pixels; in cells, sides of its input are multiples of a stride.
CELL_PX, STRIDE = 2, 32
# Columns of cells that it sees at a time at most: the features of a full tile take gigabytes.
MOST_CELLS = 58 * STRIDE
# Order of its outputs.
CLEAR, CLOUD, SHADOW, SNOW, THIN_CLOUD = range(5)


def default_weights() -> Path:
    """The weights that come with the package.

    Raises
    ------
    ModelError
        They are not there.
    """
    for folder in model_folders():
        if (folder / WEIGHTS).is_file():
            return folder / WEIGHTS
    raise ModelError(
        f"no {WEIGHTS} in the folders of models",
        wanted="the weights of the default cloud detector, which come with the package",
        hint="install cloudfree anew, or choose another with --detector",
    )


class NetworkDetector:
    """Runs the network on the processor; `weights` is an ONNX file, None for the shipped one."""

    name = "default"
    threshold = 0.4
    cell_px = CELL_PX
    halo_px = 2 * CELL_PX * STRIDE  # with half of it, masks of bright ground showed a seam

    def __init__(self, weights: Path | None = None) -> None:
        self._weights = weights or default_weights()
        self._memory = np.empty(0, dtype=np.float32)

    def bands(self, available: Sequence[str]) -> tuple[str, ...]:
        """The bands that the network knows, among those available."""
        if missing := [band for band in NEEDED_BANDS if band not in available]:
            raise InputError(
                f"no band {', '.join(missing)} (found {', '.join(available)})",
                wanted=f"at least {', '.join(NEEDED_BANDS)} for the cloud mask",
                hint="give these bands or name them; `remove` also takes a --mask, or "
                "fills every pixel with --replace all",
                code=ErrorCode.MISSING_BAND,
            )
        return tuple(band for band in DETECTOR_BANDS if band in available)

    def probabilities(self, planes: Planes) -> Probabilities:
        """Probabilities of the cells, a part of the columns at a time."""
        height, width = planes["B02"].shape
        found = np.empty((5, height, width), dtype=np.float32)
        for window in column_parts(height, width):
            outer = window.buffered(self.halo_px // CELL_PX, height, width)
            part = self._run({band: plane[outer.slices] for band, plane in planes.items()})
            found[:, *window.slices] = part[:, *window.relative_to(outer)]
        return Probabilities(found[CLOUD], found[THIN_CLOUD], found[SHADOW], found[SNOW])

    def _run(self, planes: Planes) -> Float32:
        """Probabilities, (class, y, x)."""
        present = np.array([[band in planes for band in DETECTOR_BANDS]], dtype=np.float32)
        optical = self._optical(planes)
        (found,) = self._session.run(None, {"optical": optical, "present": present})
        return np.asarray(found[0], dtype=np.float32)

    def _optical(self, planes: Planes) -> Float32:
        """Cells, (1, band, y, x): mirrored to whole strides, 0 for missing bands.

        Cells without data get the mean of their band, which looks like ground.
        """
        height, width = planes["B02"].shape
        rows, cols = -height % STRIDE, -width % STRIDE
        given = self._array((1, len(DETECTOR_BANDS), height + rows, width + cols))
        for target, band in zip(given[0], DETECTOR_BANDS, strict=True):
            if band in planes:
                cells = _without_gaps(planes[band])
                cv2.copyMakeBorder(cells, 0, rows, 0, cols, cv2.BORDER_REFLECT, dst=target)
            else:
                target[:] = 0.0
        return given

    def _array(self, shape: tuple[int, ...]) -> Float32:
        """An array in memory that is kept: fresh memory takes longer than what is written there."""
        size = math.prod(shape)
        if self._memory.size < size:
            self._memory = np.empty(size, dtype=np.float32)
        return self._memory[:size].reshape(shape)

    @cached_property
    def _session(self) -> Any:
        return open_session(self._weights, hint="install cloudfree anew")


def column_parts(height: int, width: int) -> Iterator[Window]:
    """Parts of nearly as many columns each, whole strides but for the last, in cells."""
    number = -(-width // MOST_CELLS)
    each = -(-width // (number * STRIDE)) * STRIDE
    for col in range(0, width, each):
        yield Window(0, col, height, min(each, width - col))


def _without_gaps(plane: Float32) -> Float32:
    if not np.isnan(plane.sum()):
        return plane
    missing = np.isnan(plane)
    seen = plane[~missing]
    return np.where(missing, seen.mean() if seen.size else np.float32(0.0), plane)
