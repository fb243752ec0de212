"""How far Sentinel-1 lies from an optical scene, and what is done about it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.core.displacement import (
    NO_SHIFT,
    Displacement,
    Shift,
    describe_displacement,
    kind,
    mean_shift,
)
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.coregistration.clear_windows import ClearWindows, ClearWindowSource
from cloudfree.coregistration.displacement_model import (
    MAX_DOUBT_PX,
    DisplacementFit,
    fit_displacement,
)
from cloudfree.coregistration.global_shift import (
    MAX_DISAGREEMENT_PX,
    MIN_RELIABILITY,
    NOTHING_MEASURED,
    PEAK_PX,
    ShiftEstimate,
    WindowShift,
    affine_from_windows,
    estimate_shift,
    most_reliable,
)
from cloudfree.coregistration.phase_correlation import CrossPower
from cloudfree.coregistration.tie_points import TiePoints, TiePointWindows, tie_point_windows
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.warp import extent
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class ShiftMeasurement:
    """How far Sentinel-1 lies from the optical grid, what is done about it, and why.

    `shift` is zero where nothing reliable was found; `reason` then names the best guess.
    `overlap` is the share of the optical grid inside the radar footprint. `tie_points` is None
    unless a shift of the whole scene was found.
    """

    shift: Displacement
    reliability: float
    reliable: bool
    applied: bool
    reason: str
    overlap: float
    tie_points: TiePoints | None = None

    @property
    def applied_shift(self) -> Displacement:
        """The shift to sample Sentinel-1 with."""
        return self.shift if self.applied else NO_SHIFT

    @property
    def applied_model(self) -> str:
        """The kind of the applied shift: translation, affine or field; none if not applied."""
        return kind(self.shift) if self.applied else "none"

    @property
    def shift_px(self) -> Mapping[str, float]:
        """The mean shift over the scene for JSON."""
        shift = mean_shift(self.shift)
        return {"row": shift.row, "col": shift.col}

    @property
    def model(self) -> str:
        """What kind of shift it is: translation, affine or field."""
        return kind(self.shift)

    @property
    def tie_points_found(self) -> int:
        """Windows in which the sensors could be compared."""
        return int(self.tie_points.found.sum()) if self.tie_points else 0

    @property
    def tie_points_used(self) -> int:
        """Those that are no outliers."""
        return int(self.tie_points.used.sum()) if self.tie_points else 0

    @property
    def residual_px(self) -> Mapping[str, Mapping[str, float]]:
        """Median and 95th percentile of how far tie points lie off, before and after correction."""
        if self.tie_points is None or not self.tie_points_used:
            return {}
        used = self.tie_points.used
        parts = {"before": self.tie_points.offsets, "after": self.tie_points.residuals}
        lengths = {name: np.hypot(*part[used].T) for name, part in parts.items()}
        return {
            name: {"median": float(np.median(part)), "p95": float(np.percentile(part, 95))}
            for name, part in lengths.items()
        }

    @property
    def gate(self) -> str:
        """Whether the measurement may be trusted, for JSON."""
        return "reliable" if self.reliable else "not reliable, left alone"


NOT_USED = ShiftMeasurement(NO_SHIFT, 0.0, False, False, "no Sentinel-1 is used", 0.0)


def measure(
    sar: SarSource, optical: OpticalScene, mask: MaskFile | None, shift: str, max_shift: float
) -> ShiftMeasurement:
    """Measure the shift of Sentinel-1, in optical pixels, and decide whether to correct it.

    Clouds of `mask` are left out; without a mask the cloud score decides. `shift` is auto or
    none; a shift longer than `max_shift` pixels is left.

    Raises
    ------
    InputError
        The scenes do not meet, or cannot be brought together.
    """
    overlap = sar.overlap(optical.grid)
    if overlap == 0 and sar.footprint(optical.grid).part(optical.grid.window):
        raise InputError(
            f"no data in {sar.path.name} where it covers {optical.name}",
            wanted="VV and VH, or one of them, over the clouds",
            hint="check both bands of the Sentinel-1 scene and their nodata value",
            code=ErrorCode.NO_DATA,
        )
    if overlap == 0:
        raise InputError(
            f"Sentinel-1 at {extent(sar.grid)} does not meet Sentinel-2 at {extent(optical.grid)}",
            wanted="two scenes of the same place",
            hint="give the Sentinel-1 scene of this place, or check its coordinates",
            code=ErrorCode.NO_OVERLAP,
        )
    if shift == "none":
        return ShiftMeasurement(NO_SHIFT, 0.0, False, False, "not measured (--shift none)", overlap)
    found, fit = estimate_displacement(ClearWindows(sar, optical, mask))
    measured = assess(found, fit, max_shift, overlap)
    if not measured.applied:
        logger.warning("shift of Sentinel-1: %s", measured.reason)
    return measured


def assess(
    found: ShiftEstimate, fit: DisplacementFit | None, max_shift: float, overlap: float
) -> ShiftMeasurement:
    """Whether to apply the shift of an estimate and the model fitted to its tie points."""
    known = fit.displacement if fit else found.shift
    reason = rejection_reason(found, fit, max_shift)
    reliable = found.reliable and (fit is None or fit.reliable)
    return ShiftMeasurement(
        shift=known if reliable else NO_SHIFT,
        reliability=found.reliability,
        reliable=reliable,
        applied=reason is None,
        reason=reason or f"corrected (reliability {found.reliability:.2f})",
        overlap=overlap,
        tie_points=fit.tie_points if fit else None,
    )


def rejection_reason(
    found: ShiftEstimate, fit: DisplacementFit | None, max_shift: float
) -> str | None:
    """Why an estimate is not applied; None if it is."""
    guess = describe_displacement(found.shift)
    if found == NOTHING_MEASURED:
        return "not reliable, left alone: no clear ground with structure to measure on"
    if found.reliability < MIN_RELIABILITY:
        return (
            f"not reliable, left alone: other shifts fit nearly as well as {guess} "
            f"(reliability {found.reliability:.2f}, wanted {MIN_RELIABILITY:.2f})"
        )
    if not found.reliable:
        return (
            "not reliable, left alone: halves of the scene differ by "
            f"{found.disagreement_px:.1f} px around {guess} "
            f"(wanted at most {MAX_DISAGREEMENT_PX:.1f})"
        )
    if fit and not fit.reliable:
        return (
            f"not reliable, left alone: the shift around {guess} seems to change over the scene, "
            f"by {fit.doubt_px:.1f} px more than tie points show (wanted at most {MAX_DOUBT_PX:g})"
        )
    length = fit.displacement.length if fit else found.shift.length
    if length > max_shift:
        return f"left alone: {length:.1f} px is more than --max-shift {max_shift:g}"
    return None


def estimate_displacement(
    clear_windows: ClearWindowSource,
) -> tuple[ShiftEstimate, DisplacementFit | None]:
    """The shift by all clear windows of a scene, and what their windows make of it."""
    # Too small a scene has no background to compare a peak with; one row has no gradient either.
    if clear_windows.cross_power().reach <= PEAK_PX:
        return NOTHING_MEASURED, None
    whole, parts = _cross_powers(clear_windows)
    if not parts:
        return NOTHING_MEASURED, None
    size, found = clear_windows.size, estimate_shift(whole)
    start: Displacement | None = affine_from_windows(list(parts.values()), *size)
    if start:
        best = most_reliable(list(parts.values()))
        found = ShiftEstimate(
            mean_shift(start), best.estimate.reliability, best.estimate.disagreement_px
        )
        mixture = best.power.mixture(*_whole_px(best.estimate.shift))
    elif found.reliable:
        start, mixture = found.shift, whole.mixture(*_whole_px(found.shift))
    else:
        return found, None
    windows = _windows(clear_windows, parts, start, mixture)
    fit = fit_displacement(windows, start, *size)
    if fit is None and not isinstance(start, Shift):
        return dataclasses.replace(found, reliability=0.0), None
    return found, fit


def _cross_powers(clear_windows: ClearWindowSource) -> tuple[CrossPower, dict[Window, WindowShift]]:
    """The correlations of all clear windows together, and of each by itself."""
    whole, parts = clear_windows.cross_power(), {}
    for clear_window in clear_windows:
        power = clear_windows.cross_power()
        power.add(clear_window.optical, clear_window.sar)
        whole.join(power)
        window = clear_window.window
        row, col = window.row + (window.height - 1) / 2, window.col + (window.width - 1) / 2
        parts[window] = WindowShift(row, col, power, estimate_shift(power))
    return whole, parts


def _windows(
    clear_windows: ClearWindowSource,
    parts: dict[Window, WindowShift],
    start: Displacement,
    mixture: Float32,
) -> TiePointWindows:
    """Tie-point windows of all clear windows, each compared around the shift at its centre."""
    windows = []
    for window, part in parts.items():
        clear_window = clear_windows.reread(window)
        row, col = start.locate(np.array(part.row), np.array(part.col))
        expected = round(float(row) - part.row), round(float(col) - part.col)
        first = np.array([window.row, window.col], dtype=np.float64)
        windows.append(
            tie_point_windows(clear_window.optical, clear_window.sar, mixture, expected, first)
        )
    return TiePointWindows.join(windows)


def _whole_px(shift: Shift) -> tuple[int, int]:
    return round(shift.row), round(shift.col)
