"""Looking at parts of a scene for its darkest numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cloudfree.core.window import Window
from cloudfree.errors import InputError
from cloudfree.io.dataset import Dataset
from cloudfree.io.sentinel2.offset import NO_OFFSET, OffsetEvidence
from cloudfree.io.sentinel2.statistics import Numbers, statistics_evidence

# So many windows of this size, evenly spread; scenes up to 512 pixels are read whole.
WINDOW_PX = 128
WINDOWS_PER_SIDE = 4

# What is looked at, until something is found: the cirrus band is the smallest and the blackest.
WITNESSES = (
    ("B10",),
    ("B8A", "B08", "B11", "B12"),
    ("B05", "B06", "B07", "B09"),
    ("B01", "B02", "B03", "B04"),
)
# Where the metadata has told, two looks are enough for a contradiction.
CHECKS = 2


def probe(dataset: Dataset, positions: Mapping[str, int], told: bool) -> OffsetEvidence:
    """What the numbers of an open dataset say of its offset; `told` that others have spoken."""
    height, width = dataset.handle.height, dataset.handle.width
    windows = _windows(height, width)
    numbers: dict[str, Numbers] = {}
    evidence = OffsetEvidence("statistics", None, "no band to look at")
    for group in WITNESSES[: CHECKS if told else None]:
        bands = [band for band in group if band in positions]
        if not bands:
            continue
        try:
            numbers.update(zip(bands, _sample(dataset, positions, bands, windows), strict=True))
        except InputError as error:
            # Whoever needs these pixels is told again; whoever does not need not care.
            return OffsetEvidence("statistics", None, error.found)
        evidence = statistics_evidence(numbers)
        if evidence.offset_dn is not None:
            return evidence
    if len(windows) == 1 and not any(sample.any() for sample in numbers.values()):
        return OffsetEvidence("statistics", NO_OFFSET, "0, for no pixel has data")
    return evidence


def _sample(
    dataset: Dataset, positions: Mapping[str, int], bands: list[str], windows: list[Window]
) -> Numbers:
    """The numbers of all windows, (band, pixel)."""
    indexes = [positions[band] for band in bands]
    parts = [dataset.read(indexes, window).reshape(len(bands), -1) for window in windows]
    pixels = np.concatenate(parts, axis=1)
    return np.where(np.isfinite(pixels), pixels, 0)


def _windows(height: int, width: int) -> list[Window]:
    """The whole scene, or windows all over it."""
    if max(height, width) <= WINDOW_PX * WINDOWS_PER_SIDE:
        return [Window(0, 0, height, width)]
    rows, cols = _starts(height), _starts(width)
    return [
        Window(row, col, min(WINDOW_PX, height), min(WINDOW_PX, width))
        for row in rows
        for col in cols
    ]


def _starts(length: int) -> list[int]:
    last = max(length - WINDOW_PX, 0)
    return sorted({round(last * (i + 0.5) / WINDOWS_PER_SIDE) for i in range(WINDOWS_PER_SIDE)})
