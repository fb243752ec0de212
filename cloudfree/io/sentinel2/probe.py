"""Looking at parts of a scene for its darkest numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

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


def probe(
    dataset: Dataset, positions: Mapping[str, int], told: bool, unit: float = 1.0
) -> OffsetEvidence:
    """What the numbers of an open dataset say of its offset; `told` that others have spoken.

    `unit` times a number is a digital number.

    Raises
    ------
    InputError
        A band cannot be read, and nobody else has spoken.
    """
    numbers: dict[str, Numbers] = {}
    evidence = OffsetEvidence("statistics", None, "no band to look at")
    for group in WITNESSES[: CHECKS if told else None]:
        bands = [band for band in group if band in positions]
        if not bands:
            continue
        try:
            seen = _digital_numbers(dataset, [positions[band] for band in bands], unit)
        except InputError as error:
            if not told:
                raise
            # Whoever needs these pixels is told again; whoever does not need not care.
            return OffsetEvidence("statistics", None, error.found)
        numbers.update(zip(bands, seen, strict=True))
        evidence = statistics_evidence(numbers)
        if evidence.offset_dn is not None:
            return evidence
    whole = len(_windows(dataset.handle.height, dataset.handle.width)) == 1
    if whole and not told and not any(seen.any() for seen in numbers.values()):
        return OffsetEvidence("statistics", NO_OFFSET, "0, for no pixel has data")
    return evidence


def sample(dataset: Dataset, bands: Sequence[int]) -> NDArray[np.generic]:
    """Numbers of some bands, counted from 0, in windows from all over: (band, pixel)."""
    windows = _windows(dataset.handle.height, dataset.handle.width)
    parts = [dataset.read(list(bands), window).reshape(len(bands), -1) for window in windows]
    return np.concatenate(parts, axis=1)


def _digital_numbers(dataset: Dataset, bands: Sequence[int], unit: float) -> Numbers:
    """Digital numbers of a sample, (band, pixel); 0 where there are none."""
    pixels = sample(dataset, bands)
    with np.errstate(over="ignore"):  # marks such as the least float become infinite
        numbers = np.multiply(pixels, unit)
    return np.where(np.isfinite(numbers), numbers, 0)


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
