"""The whole landscape, put together from relief, fields, woods, settlements, water and roads."""

from __future__ import annotations

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.cropland import paint_fields
from cloudfree.simulation.land_cover import LandCover, Landscape, Where, relief
from cloudfree.simulation.noise import Shape, fractal_noise
from cloudfree.simulation.river import distance_to, meander, road
from cloudfree.simulation.settlements import Place, centrality, paint_town

_WOODED_SHARE = 0.20
_VILLAGES = 3
_ROADS = 5


def draw_landscape(shape: Shape, margin: int, rng: np.random.Generator) -> Landscape:
    """A landscape of fields, (y, x), with a river, a town and woods inside its margin."""
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
    """Centre and radius in pixels of the town, near the river, and of the villages, anywhere."""
    radius = 0.13 * reach
    spots = margin + rng.uniform(0.2, 0.8, (200, 2)) * (np.array(from_river.shape) - 2 * margin)
    dry = np.array([from_river[int(row), int(col)] for row, col in spots])
    town = spots[int(np.argmin(np.abs(dry - 0.8 * radius)))]
    apart = np.hypot(*(spots - town).T) > 2.4 * radius
    villages = spots[apart & (dry > 0.3 * radius)][:_VILLAGES]
    return [(town, radius)] + [(v, radius * rng.uniform(0.2, 0.34)) for v in villages]


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
    loud = (0.5 * crowns + 0.4 * stands).astype(np.float32)
    land.paint(wood, "broadleaf", texture, loud)
    land.paint(wood & (stands > 0.6), "conifer", texture, loud)
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
    """Roads out of the town and one that passes it by."""
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
