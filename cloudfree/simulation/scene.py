"""A simulated scene: its landscape, what both satellites deliver, and the truth below clouds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import Mask
from cloudfree.core.pixel_distance import distance_to_outside
from cloudfree.core.radiometry import Float32
from cloudfree.simulation.atmosphere import apply_atmosphere
from cloudfree.simulation.cloud_fields import CloudParameters, Sun, draw_atmosphere
from cloudfree.simulation.land_cover import LandCover, Landscape, Where, relief
from cloudfree.simulation.land_use import Place, centrality, paint_fields, paint_town
from cloudfree.simulation.noise import Shape, fractal_noise
from cloudfree.simulation.sensors import clear_reflectance, coarsened, mean_backscatter, observed

# Sentinel-1 reaches this far beyond the optical scene, in pixels, and its pixels lie between the
# optical ones, so that using it takes a real resampling.
SAR_MARGIN_PX = 32
SAR_OFFSET_PX = 0.5
MAX_MISREGISTRATION_PX = 16.0

# The ground is drawn so much larger than the optical scene that the radar never runs out of it.
GROUND_MARGIN_PX = SAR_MARGIN_PX + int(MAX_MISREGISTRATION_PX) + 4
# The optical scene on the ground, rows and columns.
INSIDE = (slice(GROUND_MARGIN_PX, -GROUND_MARGIN_PX),) * 2


@dataclass(frozen=True)
class SimulatedScene:
    """Pixels of one scene, arrays (band, y, x) or (y, x).

    `clear` and `cloudy` are reflectance 0-1 in the order of the L1C bands; `cloudy` equals `clear`
    where `mask` is clear. `sar` is sigma-nought in dB; the corner of its first pixel lies
    `SAR_MARGIN_PX + SAR_OFFSET_PX` rows above and columns left of the optical corner. `land` is the
    ground, `GROUND_MARGIN_PX` larger on each side.
    """

    clear: Float32
    cloudy: Float32
    mask: Mask
    sar: Float32
    land: Landscape
    sun: Sun
    cloud_height_m: float

    @property
    def cover(self) -> Mask:
        """Group of materials on the ground, a `LandCover`."""
        return self.land.cover[*INSIDE]


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
    return acquire(land, sun, cloud_cover, misregistration, Generators(light, clouds, radar))


@dataclass(frozen=True)
class Generators:
    """Random numbers of the optical sensor's noise, the clouds and the speckle."""

    light: np.random.Generator
    clouds: np.random.Generator
    radar: np.random.Generator


def acquire(
    land: Landscape,
    sun: Sun,
    cloud_cover: float,
    misregistration: tuple[float, float],
    generators: Generators,
) -> SimulatedScene:
    """What both satellites deliver of a landscape that is `GROUND_MARGIN_PX` larger on each side.

    `cloud_cover` and `misregistration` are those of `simulate_scene`.
    """
    seen = clear_reflectance(land, (sun.azimuth_deg, sun.zenith_deg), generators.light)[:, *INSIDE]
    clear = np.stack([coarsened(p, b) for p, b in zip(seen, OPTICAL_BANDS, strict=True)])
    height, width = clear.shape[1:]
    height_m = generators.clouds.uniform(800.0, 1300.0)
    parameters = CloudParameters(cloud_cover, sun, height_m)
    atmosphere = draw_atmosphere((height, width), parameters, generators.clouds)
    power = on_radar_grid(mean_backscatter(land), (height, width), misregistration)
    return SimulatedScene(
        clear=clear,
        cloudy=apply_atmosphere(clear, atmosphere),
        mask=atmosphere.mask,
        sar=observed(power, generators.radar),
        land=land,
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


Path = NDArray[np.float32]


def meander(shape: Shape, rng: np.random.Generator) -> Path:
    """Middle line of a river, (point, [col, row]), through the scene's middle and past its borders.

    Source: the sine-generated curve, Langbein and Leopold, "River meanders: theory of minimum
    variance", USGS Professional Paper 422-H (1966).
    """
    reach = float(min(shape))
    step = 2.0
    travelled = np.arange(0.0, 6.0 * reach, step)

    def wave(length: float) -> NDArray[np.float64]:
        return np.sin(2 * np.pi * travelled / (length * reach) + rng.uniform(0, 2 * np.pi))

    # Bends of changing length and strength: a river of one wave looks drawn with a template.
    bend = 0.36 * reach * (1.0 + 0.35 * wave(1.3) + 0.25 * wave(0.57))
    phase = np.cumsum(2 * np.pi * step / bend)
    swing = 0.75 + 0.40 * wave(0.83) + 0.25 * wave(0.46)
    direction = rng.uniform(0, np.pi) + swing * np.sin(phase) + 0.35 * wave(1.7) + 0.15 * wave(0.21)
    line = np.stack([np.cumsum(np.cos(direction)), np.cumsum(np.sin(direction))], axis=1) * step
    aim = np.array(shape[::-1]) * rng.uniform(0.42, 0.58, 2)
    return np.asarray(line - line[len(line) // 2] + aim, dtype=np.float32)


def road(start: NDArray[np.floating], angle: float, reach: float, rng: np.random.Generator) -> Path:
    """Middle line of a road, (point, [col, row]), that leaves `start` towards `angle` and winds."""
    travelled = np.arange(0.0, 2.0 * reach, 3.0)
    turn = np.zeros_like(travelled)
    for wave in (0.9, 0.35, 0.13):
        turn += 0.5 * wave**0.7 * np.sin(travelled / (wave * reach) * 6.28 + rng.uniform(0, 6.28))
    # It leaves the settlement straight and bends further out.
    direction = angle + turn * np.minimum(travelled / (0.2 * reach), 1.0)
    line = np.stack([np.cumsum(np.cos(direction)), np.cumsum(np.sin(direction))], axis=1) * 3.0
    return np.asarray(line + start, dtype=np.float32)


def distance_to(path: Path, shape: Shape) -> Float32:
    """Distance of each pixel, (y, x), to a path, in pixels."""
    off_path = np.full(shape, 255, dtype=np.uint8)
    _draw(off_path, path, 0)
    return distance_to_outside(off_path.astype(np.bool_))


def _draw(image: NDArray[np.uint8], path: Path, value: int) -> None:
    points = np.rint(path).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(image, [points], isClosed=False, color=value, thickness=1)


_WOODED_SHARE = 0.20
_VILLAGES = 3
_ROADS = 5


def draw_landscape(shape: Shape, margin: int, rng: np.random.Generator) -> Landscape:
    """A landscape of fields, (y, x), with a river, a settlement and woods inside its margin."""
    reach = float(min(shape) - 2 * margin)
    from_river = distance_to(meander(shape, rng), shape)
    land = Landscape.bare(relief(shape, rng, from_river))
    paint_fields(land, rng)
    settlements = _settle(from_river, margin, reach, rng)
    inside = centrality(shape, settlements, rng)
    _paint_woods(land, inside, from_river, margin, rng)
    paint_town(land, inside, rng)
    _paint_water(land, from_river, reach, rng)
    _paint_roads(land, settlements[0][0], reach, rng)
    return land


def _settle(
    from_river: Float32, margin: int, reach: float, rng: np.random.Generator
) -> list[tuple[Place, float]]:
    """Centre and radius in pixels of the settlement, by the river, and of villages, anywhere."""
    radius = 0.13 * reach
    spots = margin + rng.uniform(0.2, 0.8, (200, 2)) * (np.array(from_river.shape) - 2 * margin)
    dry = np.array([from_river[int(row), int(col)] for row, col in spots])
    settlement = spots[int(np.argmin(np.abs(dry - 0.8 * radius)))]
    apart = np.hypot(*(spots - settlement).T) > 2.4 * radius
    villages = spots[apart & (dry > 0.3 * radius)][:_VILLAGES]
    return [(settlement, radius)] + [(v, radius * rng.uniform(0.2, 0.34)) for v in villages]


def _paint_woods(
    land: Landscape,
    inside: Float32,
    from_river: Float32,
    margin: int,
    rng: np.random.Generator,
) -> None:
    """Woods on the hills and in strips along the river, of two kinds, with crowns and clearings."""
    ragged = fractal_noise(land.shape, rng, 2.1, 0.15 * min(land.shape))
    crowns = fractal_noise(land.shape, rng, 0.35, 6.0)
    stands = fractal_noise(land.shape, rng, 1.6, 50.0)
    height = land.height / max(float(land.height.std()), 1e-6)
    likely = height + 1.1 * ragged - 2.5 * np.clip(inside + 0.25, 0, 1)
    within = likely[margin:-margin, margin:-margin]
    wood: Where = likely > np.quantile(within, 1.0 - _WOODED_SHARE)
    wood |= (from_river < 0.028 * (min(land.shape) - 2 * margin) + 4) & (
        ragged + 0.3 * crowns > 0.25
    )
    texture = (1.0 + 0.13 * crowns + 0.09 * stands).astype(np.float32)
    offset_db = (0.5 * crowns + 0.4 * stands).astype(np.float32)
    land.paint(wood, "broadleaf", texture, offset_db)
    land.paint(wood & (stands > 0.6), "conifer", texture, offset_db)
    land.paint(wood & (stands < -2.0), "stubble", texture)


def _paint_water(
    land: Landscape, from_river: Float32, reach: float, rng: np.random.Generator
) -> None:
    """The river with its sand bars, and ponds on low ground."""
    swell = fractal_noise(land.shape, rng, 1.8, 0.12 * reach)
    fine = fractal_noise(land.shape, rng, 1.2, 40.0)
    half_width = (2.0 + 0.0062 * reach) * (1.0 + 0.2 * swell)
    bar = (from_river < half_width + 0.9 * np.maximum(swell - 0.6, 0) * 3.0) & (swell > 0.6)
    land.paint(bar, "sand", 1.0 + 0.05 * fine)
    water = from_river < half_width
    pond: Where = (fine > 2.75) & (land.height < np.quantile(land.height, 0.6))
    # Silt and wind: water is not the same everywhere, neither to the eye nor to the radar.
    land.paint(water | pond, "water", (1.0 + 0.10 * fine).astype(np.float32), 0.7 * fine)


def _paint_roads(land: Landscape, centre: Place, reach: float, rng: np.random.Generator) -> None:
    """Roads out of the settlement and one that passes it by."""
    start = centre[::-1]
    turn = rng.uniform(0, 2 * np.pi)
    for number in range(_ROADS):
        angle = turn + 2 * np.pi * (number + rng.uniform(-0.25, 0.25)) / _ROADS
        away = distance_to(road(start, angle, reach, rng), land.shape)
        # Only the bypass has bridges: a small road that met the river at a slant would run in it.
        land.paint((away < 0.8) & (land.cover != LandCover.WATER), "asphalt")
    bypass = start + 0.17 * reach * np.array([np.cos(turn), np.sin(turn)])
    for direction in (turn + np.pi / 2, turn - np.pi / 2):
        away = distance_to(road(bypass, direction, reach, rng), land.shape)
        land.paint(away < 1.5, "asphalt")
