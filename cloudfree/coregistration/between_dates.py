"""How far another optical date lies from a scene: one translation, by ground clear in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.displacement import NO_SHIFT, Shift
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.coregistration.clear_windows import (
    CLEAR_WINDOW_PX,
    MAX_CLEAR_WINDOWS,
    MIN_CLEAR,
    compared_bands,
    examined_windows,
    optical_features,
)
from cloudfree.coregistration.global_shift import (
    NOTHING_MEASURED,
    PEAK_PX,
    ShiftEstimate,
    estimate_shift,
)
from cloudfree.coregistration.measure import rejection_reason
from cloudfree.coregistration.phase_correlation import CrossPower

# What is measured between dates that lie on each other: a shorter shift is none, and pixels that
# need no resampling keep their sharpness.
MIN_SHIFT_PX = 0.1


class ClearGround(Protocol):
    """A date of the place on the grid of the scene."""

    def clear(self, bands: Sequence[str], window: Window) -> Float32:
        """Reflectance, (band, y, x), NaN where the ground is hidden or there is no data."""
        ...


@dataclass(frozen=True)
class DateShift:
    """Where another date shows what the scene shows, why, and whether the date is out of reach.

    `shift` is what to sample the other date with: zero where nothing is `reliable`. `too_far` is
    true if the shift is reliable and longer than what may be corrected.
    """

    shift: Shift
    reason: str
    reliable: bool = True
    too_far: bool = False


def shift_between(
    today: ClearGround,
    other: ClearGround,
    bands: Sequence[str],
    size: tuple[int, int],
    max_shift: float,
) -> DateShift:
    """Measure the shift of another date, in pixels of the scene.

    `bands` are those of both dates, and `size` the rows and columns of the scene; a shift longer
    than `max_shift` pixels is left.
    """
    found = _estimate(today, other, compared_bands(bands), size)
    if reason := rejection_reason(found, None, max_shift):
        return DateShift(NO_SHIFT, reason, found.reliable, too_far=found.reliable)
    if found.shift.length < MIN_SHIFT_PX:
        return DateShift(NO_SHIFT, f"none: {found.shift.length:.2f} px is less than can be told")
    return DateShift(found.shift, f"corrected (reliability {found.reliability:.2f})")


def _estimate(
    today: ClearGround, other: ClearGround, bands: tuple[str, ...], size: tuple[int, int]
) -> ShiftEstimate:
    if not bands:
        return NOTHING_MEASURED
    height, width = (min(CLEAR_WINDOW_PX, side) for side in size)
    power = CrossPower(height, width, len(bands), len(bands))
    if power.reach > PEAK_PX:
        for one, another in islice(_clear_pairs(today, other, bands, size), MAX_CLEAR_WINDOWS):
            power.add(one, another)
    return estimate_shift(power)


def _clear_pairs(
    today: ClearGround, other: ClearGround, bands: tuple[str, ...], size: tuple[int, int]
) -> Iterator[tuple[Float32, Float32]]:
    """Features, (2, band, y, x), of both dates in windows with enough ground clear in both."""
    for window in examined_windows(*size):
        one = today.clear(bands, window)
        if _share(one) < MIN_CLEAR:
            continue
        another = other.clear(bands, window)
        if _share(one * another) >= MIN_CLEAR:
            yield _features(one), _features(another)


def _share(reflectance: Float32) -> float:
    """Share of a window that is clear."""
    return float(_clear(reflectance).mean())


def _features(reflectance: Float32) -> Float32:
    return optical_features(reflectance, _clear(reflectance))


def _clear(reflectance: Float32) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(reflectance).all(axis=0), dtype=np.bool_)
