"""Looking at parts of a scene for its darkest numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cloudfree.errors import InputError
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.sample_windows import even_windows, sample_windows
from cloudfree.sentinel2.dark_pixel_statistics import Numbers, statistics_evidence
from cloudfree.sentinel2.offset import NO_OFFSET, OffsetEvidence

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
    whole = len(even_windows(dataset.handle.height, dataset.handle.width)) == 1
    if whole and not told and not any(seen.any() for seen in numbers.values()):
        return OffsetEvidence("statistics", NO_OFFSET, "0, for no pixel has data")
    return evidence


def _digital_numbers(dataset: Dataset, bands: Sequence[int], unit: float) -> Numbers:
    """Digital numbers of a sample, (band, pixel); 0 where there are none."""
    pixels = sample_windows(dataset, bands)
    with np.errstate(over="ignore"):  # marks such as the least float become infinite
        numbers = np.multiply(pixels, unit)
    return np.where(np.isfinite(numbers), numbers, 0)
