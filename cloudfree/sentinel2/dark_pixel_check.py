"""What the darkest pixels of a scene say of its radiometric offset.

Reflectance is hardly ever negative, so with an offset of -1000 hardly any number lies below 1000;
and some grounds are black in some bands, so without one numbers near 0 are the rule. A scene that
is bright everywhere says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cloudfree.errors import InputError
from cloudfree.raster.dataset import Dataset, even_windows, sample_windows
from cloudfree.sentinel2.offset import NO_OFFSET, OFFSET, OffsetEvidence

Numbers = NDArray[np.integer | np.floating]

# The part of a band, in per cent, that may lie lower than anything an offset would leave: pixels
# at the edge of a scene are mixtures with no data.
LOW_PERCENT = 1.0

# Numbers below which that part cannot lie with an offset in. Atmospheric correction may leave it
# below 1000: at 888 in B01, 948 in B02, 1016 to 1045 in the others (seen in a L2A product of
# baseline 04.00, half of it dark).
LOWEST_WITH_OFFSET = {"B01": 600.0, "B02": 700.0, "B03": 850.0}
LOWEST_OF_OTHERS = 900.0

# The cirrus band is black but for its clouds: reflectance 0.001 to 0.003 (seen in L1C products),
# so with an offset the darker quarter of it lies here, close together. Clouds differ by more.
CIRRUS_BLACK = (1000.0, 1040.0)
CIRRUS_QUARTER, CIRRUS_SPREAD = 25.0, 30.0

# Water is black in the short-wave infrared and nearly so in the near infrared.
WATER_BLACK = (985.0, 1060.0)
WATER_NEAR_INFRARED = 1300.0
MIN_WATER_SHARE = 0.002
MIN_PIXELS = 64


def statistics_evidence(numbers: Mapping[str, Numbers]) -> OffsetEvidence:
    """What samples of some bands say; each holds the digital numbers of the same pixels, 0 none."""
    values = {band: sample[sample > 0] for band, sample in numbers.items()}
    lows = {band: float(np.percentile(v, LOW_PERCENT)) for band, v in values.items() if v.size}
    for band, low in lows.items():
        least = LOWEST_WITH_OFFSET.get(band, LOWEST_OF_OTHERS)
        if low < least:
            return OffsetEvidence(
                "statistics",
                NO_OFFSET,
                f"0, for 1 % of {band} lies below {low:.0f} and would not lie below {least:.0f} "
                "with an offset",
            )
    if _is_black_cirrus(values.get("B10")):
        return OffsetEvidence(
            "statistics", OFFSET, f"-1000, for the black of B10 lies at {lows['B10']:.0f}"
        )
    if _has_black_water(numbers):
        return OffsetEvidence(
            "statistics", OFFSET, "-1000, for the black of water lies at 1000 in B11 and B12"
        )
    darkest = min(lows, key=lows.__getitem__, default=None)
    seen = f"down to {lows[darkest]:.0f} in {darkest}" if darkest else "no valid pixel"
    return OffsetEvidence("statistics", None, f"the darkest numbers fit both: {seen}")


def _is_black_cirrus(cirrus: Numbers | None) -> bool:
    if cirrus is None or cirrus.size < MIN_PIXELS:
        return False
    low, quarter = np.percentile(cirrus, [LOW_PERCENT, CIRRUS_QUARTER])
    return bool(CIRRUS_BLACK[0] <= low <= CIRRUS_BLACK[1] and quarter - low <= CIRRUS_SPREAD)


def _has_black_water(numbers: Mapping[str, Numbers]) -> bool:
    """Whether the darkest pixels of both short-wave bands are the same, near 1000, and water."""
    near = numbers.get("B8A", numbers.get("B08"))
    if near is None or "B11" not in numbers or "B12" not in numbers:
        return False
    swir = np.stack([numbers["B11"], numbers["B12"]])
    valid = (swir > 0).all(axis=0) & (near > 0)
    if valid.sum() < MIN_PIXELS:
        return False
    swir, near = swir[:, valid], near[valid]
    black = ((swir >= WATER_BLACK[0]) & (swir <= WATER_BLACK[1])).all(axis=0)
    below = (swir < WATER_BLACK[0]).any(axis=0)
    if black.mean() < MIN_WATER_SHARE or below.mean() > LOW_PERCENT / 100:
        return False
    return bool(np.median(near[black].astype(np.float64)) <= WATER_NEAR_INFRARED)


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
