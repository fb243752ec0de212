"""A simulated scene: what both satellites would deliver, and the truth below the clouds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.atmosphere import apply_atmosphere
from cloudfree.simulation.cloud_fields import CloudParameters, Sun, draw_atmosphere
from cloudfree.simulation.landscape import draw_landscape
from cloudfree.simulation.noise import Shape
from cloudfree.simulation.sensors import clear_reflectance, coarsened, mean_backscatter, observed

# Sentinel-1 reaches this far beyond the optical scene, in pixels, and its pixels lie between the
# optical ones, so that using it takes a real resampling.
SAR_MARGIN_PX = 32
SAR_OFFSET_PX = 0.5
MAX_MISREGISTRATION_PX = 16.0

# The ground is drawn so much larger than the optical scene that the radar never runs out of it.
GROUND_MARGIN_PX = SAR_MARGIN_PX + int(MAX_MISREGISTRATION_PX) + 4


@dataclass(frozen=True)
class SimulatedScene:
    """Pixels of one scene, arrays (band, y, x) or (y, x).

    `clear` and `cloudy` are reflectance 0-1 in the order of the L1C bands; `cloudy` equals `clear`
    where `mask` is clear. `sar` is sigma-nought in dB; the corner of its first pixel lies
    `SAR_MARGIN_PX + SAR_OFFSET_PX` rows above and columns left of the optical corner. `cover` is
    the group of materials on the ground, a `LandCover`.
    """

    clear: Float32
    cloudy: Float32
    mask: Mask
    sar: Float32
    cover: Mask
    sun: Sun
    cloud_height_m: float


def simulate_scene(
    shape: Shape, seed: int, cloud_cover: float, misregistration: tuple[float, float]
) -> SimulatedScene:
    """Draw a scene; the same arguments give the same pixels.

    Ground, noise and clouds are drawn independently: another `cloud_cover` moves no field. What
    belongs at optical pixel (r, c) appears in Sentinel-1 at (r + row, c + col) for a
    `misregistration` (row, col) in pixels.
    """
    ground, light, clouds, radar = (np.random.default_rng([seed, part]) for part in range(4))
    margin = GROUND_MARGIN_PX
    land = draw_landscape((shape[0] + 2 * margin, shape[1] + 2 * margin), margin, ground)
    sun = Sun(light.uniform(140.0, 165.0), light.uniform(32.0, 42.0))
    inside = (slice(margin, -margin), slice(margin, -margin))
    seen = clear_reflectance(land, (sun.azimuth_deg, sun.zenith_deg), light)[:, *inside]
    clear = np.stack([coarsened(p, b) for p, b in zip(seen, OPTICAL_BANDS, strict=True)])
    height_m = clouds.uniform(800.0, 1300.0)
    atmosphere = draw_atmosphere(shape, CloudParameters(cloud_cover, sun, height_m), clouds)
    power = on_radar_grid(mean_backscatter(land), shape, misregistration)
    return SimulatedScene(
        clear=clear,
        cloudy=apply_atmosphere(clear, atmosphere),
        mask=atmosphere.mask,
        sar=observed(power, radar),
        cover=land.cover[inside],
        sun=sun,
        cloud_height_m=height_m,
    )


def on_radar_grid(power: Float32, shape: Shape, misregistration: tuple[float, float]) -> Float32:
    """Mean power of the whole ground, (band, y, x), resampled to the pixels of Sentinel-1.

    `shape` is that of the optical scene, in the middle of the ground.
    """
    first = GROUND_MARGIN_PX - SAR_MARGIN_PX - SAR_OFFSET_PX
    row, col = (first - shift for shift in misregistration)
    matrix = np.array([[1.0, 0.0, col], [0.0, 1.0, row]])
    rows, cols = (int(side + 2 * SAR_MARGIN_PX + 2 * SAR_OFFSET_PX) for side in shape)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([cv2.warpAffine(plane, matrix, (cols, rows), flags=flags) for plane in power])
