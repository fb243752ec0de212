"""How far Sentinel-1 lies from an optical scene: which parts are looked at, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.clouds.score import CIRRUS_BAND, SCORE_BANDS, cloud_score
from cloudfree.core.bands import SAR_BANDS
from cloudfree.core.cloud_mask import MaskClass, obscured
from cloudfree.core.shift import NO_SHIFT, Shift
from cloudfree.core.tile_plan import TilePlan
from cloudfree.core.units import Float32
from cloudfree.core.window import Window
from cloudfree.coregister.correlate import CrossPower
from cloudfree.coregister.estimate import (
    MAX_SPREAD_PX,
    MIN_RELIABILITY,
    NOTHING_MEASURED,
    PEAK_PX,
    Estimate,
    estimate_shift,
)
from cloudfree.coregister.features import optical_features, sar_features
from cloudfree.errors import InputError
from cloudfree.io.mask_file import MaskFile
from cloudfree.io.optical import OpticalScene
from cloudfree.io.radar import Radar
from cloudfree.io.warp import extent

# The shift is measured on so many blocks of this size, spread over the scene; at most four times
# as many are looked at to find enough with clear ground.
BLOCK_PX = 512
MAX_BLOCKS = 16
MAX_EXAMINED = 4 * MAX_BLOCKS
MIN_CLEAR = 0.1

# Green, red, near and short-wave infrared: water, soil, leaves and moisture each show in one.
BANDS = ("B03", "B04", "B08", "B11")

# Score from which a pixel counts as cloud, as in the published mask.
CLOUD_SCORE = 0.2


@dataclass(frozen=True)
class Measurement:
    """How far Sentinel-1 lies from the optical grid, what is done about it, and why.

    `shift` is zero where nothing reliable was found; `reason` then tells the best guess.
    `overlap` is the share of the optical grid inside the radar footprint.
    """

    shift: Shift
    reliability: float
    reliable: bool
    applied: bool
    reason: str
    overlap: float

    @property
    def applied_shift(self) -> Shift:
        """The shift to sample Sentinel-1 with."""
        return self.shift if self.applied else NO_SHIFT


NOT_USED = Measurement(NO_SHIFT, 0.0, False, False, "the model does not use Sentinel-1", 0.0)


def measure(
    sar: Radar, optical: OpticalScene, mask: MaskFile | None, shift: str, max_shift: float
) -> Measurement:
    """Measure the shift of Sentinel-1, in optical pixels, and decide whether to correct it.

    Clouds of `mask` take no part; without a mask a quick look tells the clouds. `shift` is auto or
    none; a shift longer than `max_shift` pixels is left.

    Raises
    ------
    InputError
        The scenes do not meet, or cannot be brought together.
    """
    overlap = sar.overlap(optical.grid)
    if overlap == 0:
        raise InputError(
            f"Sentinel-1 at {extent(sar.grid)} does not meet Sentinel-2 at {extent(optical.grid)}",
            wanted="two scenes of the same place",
            hint="give the Sentinel-1 scene of this place, or check its coordinates",
        )
    if shift == "none":
        return Measurement(NO_SHIFT, 0.0, False, False, "not measured (--shift none)", overlap)
    found = _estimate(sar, optical, mask)
    reason = refusal(found, max_shift)
    return Measurement(
        shift=found.shift if found.reliable else NO_SHIFT,
        reliability=found.reliability,
        reliable=found.reliable,
        applied=reason is None,
        reason=reason or f"corrected (reliability {found.reliability:.2f})",
        overlap=overlap,
    )


def refusal(found: Estimate, max_shift: float) -> str | None:
    """Why an estimate is not applied; None if it is."""
    guess = f"{found.shift.row:+.2f} rows, {found.shift.col:+.2f} columns"
    if found == NOTHING_MEASURED:
        return "left as it is: no clear ground with structure to measure on"
    if found.reliability < MIN_RELIABILITY:
        return (
            f"left as it is: other shifts fit nearly as well as {guess} "
            f"(reliability {found.reliability:.2f}, wanted {MIN_RELIABILITY:.2f})"
        )
    if not found.reliable:
        return (
            f"left as it is: halves of the scene differ by {found.spread_px:.1f} px around {guess} "
            f"(wanted at most {MAX_SPREAD_PX:.1f})"
        )
    if found.shift.length > max_shift:
        return f"left as it is: {found.shift.length:.1f} px is more than --max-shift {max_shift:g}"
    return None


def _estimate(sar: Radar, optical: OpticalScene, mask: MaskFile | None) -> Estimate:
    """The shift by all blocks that have clear ground under Sentinel-1."""
    bands = [band for band in BANDS if band in optical.bands] or list(optical.bands[: len(BANDS)])
    plan = TilePlan(optical.grid.height, optical.grid.width, BLOCK_PX, 0)
    power = CrossPower(
        min(BLOCK_PX, plan.height), min(BLOCK_PX, plan.width), len(bands), len(SAR_BANDS)
    )
    # Too small a scene has no background to tell a peak from; one row has no gradient either.
    if power.reach <= PEAK_PX:
        return NOTHING_MEASURED
    used = 0
    for window, usable, decibels in _blocks(sar, optical, mask, plan):
        reflectance = optical.reflectance(bands, window)
        power.add(optical_features(reflectance, usable), sar_features(decibels))
        used += 1
    return estimate_shift(power) if used else NOTHING_MEASURED


def _blocks(
    sar: Radar, optical: OpticalScene, mask: MaskFile | None, plan: TilePlan
) -> Iterator[tuple[Window, NDArray[np.bool_], Float32]]:
    """Blocks of the scene with enough clear ground: window, what is clear, and VV and VH in dB."""
    found = 0
    for window in _spread(list(plan))[:MAX_EXAMINED]:
        usable = _clear_by_score(optical, window) if mask is None else _clear(mask, window)
        if usable.mean() < MIN_CLEAR:
            continue
        decibels = sar.on_grid(optical.grid, window)
        if (usable & np.isfinite(decibels).all(axis=0)).mean() < MIN_CLEAR:
            continue
        yield window, usable, decibels
        found += 1
        if found == MAX_BLOCKS:
            return


def _spread(windows: list[Window]) -> list[Window]:
    """The same windows in an order whose every beginning lies all over the scene.

    Multiples of the golden ratio fill the interval evenly whenever one stops.
    """
    turn = (5**0.5 - 1) / 2
    ranks = sorted(range(len(windows)), key=lambda index: (index * turn) % 1.0)
    return [windows[rank] for rank in ranks]


def _clear(mask: MaskFile, window: Window) -> NDArray[np.bool_]:
    classes = mask.classes(window)
    clear: NDArray[np.bool_] = ~obscured(classes) & (classes != MaskClass.NODATA)
    return clear


def _clear_by_score(optical: OpticalScene, window: Window) -> NDArray[np.bool_]:
    """What the cloud score calls clear; all of it where a band of the score is missing."""
    if not set(SCORE_BANDS) <= set(optical.bands):
        return np.ones((window.height, window.width), dtype=bool)
    bands = [*SCORE_BANDS, *([CIRRUS_BAND] if CIRRUS_BAND in optical.bands else [])]
    planes = dict(zip(bands, optical.reflectance(bands, window), strict=True))
    # NaN, where there is no data, is not below the bound.
    return np.asarray(cloud_score(planes) < CLOUD_SCORE, dtype=np.bool_)
