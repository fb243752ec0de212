"""Real scenes whose radar is displaced by a known amount, and how well that is recovered."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates

from cloudfree.cloudmask.score import CIRRUS_BAND, SCORE_BANDS, cloud_score
from cloudfree.core.displacement import Displacement, PolynomialDisplacement, Shift
from cloudfree.core.radiometry import Float32, linear_power
from cloudfree.coregistration.clear_windows import (
    BANDS,
    CLOUD_SCORE,
    optical_features,
    sar_features,
)
from cloudfree.coregistration.displacement_model import DisplacementFit, fit_displacement
from cloudfree.coregistration.global_shift import ShiftEstimate, estimate_shift
from cloudfree.coregistration.measure import ShiftMeasurement, assess
from cloudfree.coregistration.phase_correlation import CrossPower
from cloudfree.coregistration.tie_points import tie_point_windows
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.scene_pairs import origin

# Points along each side of a scene at which two displacements are compared.
SAMPLES_PER_SIDE = 9
MAX_SHIFT = 12.0


@dataclass(frozen=True)
class RealPair:
    """Reflectance, (4, y, x), dB, (2, y, x), and what is clear, (y, x), of one scene."""

    name: str
    reflectance: Float32
    decibels: Float32
    usable: np.ndarray

    @property
    def side(self) -> int:
        return self.decibels.shape[1]

    def displaced(self, by: Displacement | None) -> RealPair:
        """The same scene with its radar displaced."""
        return dataclasses.replace(self, decibels=displaced(self.decibels, by)) if by else self


def triplet_names(data: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name[:-7] for path in (data / "triplets").glob("*_s1.tif")))


def triplet(data: Path, name: str, kind: str = "clear") -> RealPair:
    """A triplet with its clear or its cloudy optical image."""
    folder = data / "triplets"
    return _pair(name, folder / f"{name}_s1.tif", folder / f"{name}_s2_{kind}.tif")


def spain(data: Path) -> RealPair:
    folder = data / "scenes"
    return _pair("spain", folder / "spain_s1_512.tif", folder / "spain_s2_l1c_512.tif")


def _pair(name: str, s1: Path, s2: Path) -> RealPair:
    with OpticalScene(s2) as optical, SarScene(s1) as sar:
        window = optical.grid.window
        bands = [*SCORE_BANDS, CIRRUS_BAND]
        planes = dict(zip(bands, optical.reflectance(bands, window), strict=True))
        usable = cloud_score(planes) < CLOUD_SCORE
        if s2.stem.endswith("clear"):
            usable = np.ones_like(usable)
        decibels = sar.on_grid(optical.grid, window)
        return RealPair(name, optical.reflectance(BANDS, window), decibels, usable)


def rotation(side: int, degrees: float, shift: Shift) -> PolynomialDisplacement:
    """A rotation about the middle of a scene, and a shift."""
    half, angle = (side - 1) / 2, math.radians(degrees)
    along, across = (math.cos(angle) - 1) * half, math.sin(angle) * half
    return PolynomialDisplacement(
        1, ((shift.row, shift.col), (along, across), (-across, along)), side, side
    )


def scaling(side: int, rows: float, cols: float, shift: Shift) -> PolynomialDisplacement:
    """Rows and columns longer by a share, about the middle of a scene, and a shift."""
    half = (side - 1) / 2
    return PolynomialDisplacement(
        1, ((shift.row, shift.col), (rows * half, 0.0), (0.0, cols * half)), side, side
    )


def shifts(count: int, rng: np.random.Generator, most: float = 8.0) -> Iterator[Shift]:
    for _ in range(count):
        row, col = rng.uniform(-most, most, 2)
        yield Shift(float(row), float(col))


def turned_and_scaled(side: int, rng: np.random.Generator) -> list[Displacement]:
    """Two rotations and two scalings up to 0.2 degrees and 1 %."""
    one, two, three, four = shifts(4, rng, most=4.0)
    return [
        rotation(side, 0.1, one),
        rotation(side, -0.2, two),
        scaling(side, 0.002, 0.002, three),
        scaling(side, 0.01, -0.005, four),
    ]


def displaced(decibels: Float32, by: Displacement) -> Float32:
    """Radar content moved; what comes from outside is missing."""
    rows, cols = np.mgrid[: decibels.shape[1], : decibels.shape[2]].astype(float)
    at = origin(by, rows, cols)
    power = [map_coordinates(band, at, order=3, mode="mirror") for band in linear_power(decibels)]
    moved = 10 * np.log10(np.maximum(np.stack(power), 1e-5))
    outside = (at[0] < 0) | (at[0] > rows.max()) | (at[1] < 0) | (at[1] > cols.max())
    moved[:, outside] = np.nan
    return moved.astype(np.float32)


def estimate(
    reflectance: Float32, decibels: Float32, usable: np.ndarray
) -> tuple[ShiftEstimate, DisplacementFit | None]:
    """What the pipeline measures on a scene of one block."""
    height, width = usable.shape
    optical, sar = optical_features(reflectance, usable), sar_features(decibels)
    power = CrossPower(height, width, len(reflectance), len(decibels))
    power.add(optical, sar)
    found = estimate_shift(power)
    if not found.reliable:
        return found, None
    expected = round(found.shift.row), round(found.shift.col)
    windows = tie_point_windows(optical, sar, power.mixture(*expected), expected, np.zeros(2))
    return found, fit_displacement(windows, found.shift, height, width)


def measured(pair: RealPair, by: Displacement | None = None) -> ShiftMeasurement:
    pair = pair.displaced(by)
    return assess(*estimate(pair.reflectance, pair.decibels, pair.usable), MAX_SHIFT, 1.0)


def error_px(
    found: Displacement, plain: Displacement, by: Displacement, side: int
) -> tuple[float, float]:
    """How far an estimate lies from the one without displacement, displaced.

    Mean and largest distance over the scene.
    """
    steps = np.linspace(0, side - 1, SAMPLES_PER_SIDE)
    rows, cols = np.meshgrid(steps, steps, indexing="ij")
    expected, seen = by.locate(*plain.locate(rows, cols)), found.locate(rows, cols)
    apart = np.hypot(seen[0] - expected[0], seen[1] - expected[1])
    return float(apart.mean()), float(apart.max())
