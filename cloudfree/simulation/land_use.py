"""What people make of the land: fields and hedges, towns and villages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.land_cover import Landscape, Where, number
from cloudfree.simulation.noise import Shape, chance, fractal_noise, scatter
from cloudfree.simulation.parcels import Parcels, ParcelSizes, divide_into_parcels

SIZES = ParcelSizes(district=150.0, width=15.0, length=38.0, bend=5.0)

# Which soil a parcel shows, by the share of parcels.
_SOILS = (
    ("brown soil", 0.40),
    ("dark soil", 0.25),
    ("stubble", 0.17),
    ("light soil", 0.12),
    ("red soil", 0.06),
)
# Share of canopy in a parcel against the share of parcels with less: bare, sprouting, grown.
_GREEN_SHARES = (0.0, 0.30, 0.45, 0.62, 1.0)
_GREEN = (0.0, 0.06, 0.32, 0.62, 0.95)


def paint_fields(land: Landscape, rng: np.random.Generator) -> Parcels:
    """Cover all the ground with fields."""
    parcels = divide_into_parcels(land.shape, rng, SIZES)
    moist = fractal_noise(land.shape, rng, 1.3, 60.0)
    fine = fractal_noise(land.shape, rng, 0.7, 12.0)
    _choose_soils(land, parcels, moist)
    rows = _rows(parcels) + 0.05 * fine
    land.green[:] = np.clip(_greenness(parcels) * (1.0 + 0.10 * moist + 0.9 * rows), 0.0, 1.0)
    own = 0.80 + 0.40 * chance(11, parcels.parcel)
    land.brightness[:] = own * (1.0 - 0.045 * moist + rows)
    # Tillage leaves each field its own roughness, smoother for most; moist soil scatters more.
    land.backscatter_offset_db[:] = 7.5 * (chance(12, parcels.parcel) ** 0.8 - 0.55) + 0.5 * moist
    _paint_borders(land, parcels, fine)
    return parcels


def _choose_soils(land: Landscape, parcels: Parcels, moist: Float32) -> None:
    # Soil follows the land more than the owner.
    draw = np.clip(0.45 * chance(13, parcels.parcel) + 0.3 + 0.14 * moist, 0.0, 0.999)
    draw = np.where(chance(14, parcels.parcel) < 0.45, chance(15, parcels.parcel), draw)
    upper = 0.0
    for soil, share in _SOILS:
        land.material[(draw >= upper) & (draw < upper + share)] = number(soil)
        upper += share


def _greenness(parcels: Parcels) -> Float32:
    """Share of canopy of each parcel before its own variation."""
    draw = np.interp(chance(16, parcels.parcel), _GREEN_SHARES, _GREEN)
    # Neighbours of one district are sown alike.
    bias = 0.5 + chance(17, parcels.district)
    return np.asarray(np.clip(draw**bias, 0.0, 1.0), dtype=np.float32)


def _rows(parcels: Parcels) -> Float32:
    """Stripes along the parcel, as sowing, mowing and spraying leave them; a factor less one."""
    period = 2.6 + 4.0 * chance(18, parcels.parcel)
    strength = 0.09 * chance(19, parcels.parcel) ** 2
    broad = np.sin(2 * np.pi * (parcels.across / period + chance(20, parcels.parcel)))
    beds = chance(21, np.floor(parcels.across / 3.0).astype(np.int32), parcels.parcel) - 0.5
    return np.asarray(strength * (broad + 1.4 * beds), dtype=np.float32)


def _paint_borders(land: Landscape, parcels: Parcels, fine: Float32) -> None:
    """Lanes around districts, tracks and hedges along some long borders, verges elsewhere."""
    kind = chance(22, parcels.strip_number)
    texture = 1.0 + 0.06 * fine
    verge: Where = (parcels.edge < 0.55) & (chance(23, parcels.parcel) < 0.7)
    land.green[verge] = 0.45 + 0.05 * fine[verge]
    land.paint((parcels.strip < 0.75) & (kind < 0.16), "track", texture)
    hedge = (parcels.strip < 1.3) & (kind > 0.80) & (fine > -0.9)
    land.paint(hedge, "broadleaf", texture, 0.6)
    land.paint((parcels.lane < 0.75) & (chance(25, parcels.district) < 0.8), "track", texture)
    avenue = (parcels.lane > 0.9) & (parcels.lane < 2.3) & (chance(24, parcels.district) < 0.3)
    land.paint(avenue & (fine > -0.4), "broadleaf", texture)


BLOCKS = ParcelSizes(district=48.0, width=8.0, length=13.0, bend=2.5)
WORKS = ParcelSizes(district=90.0, width=13.0, length=19.0, bend=1.5)

Place = NDArray[np.float64]


def centrality(
    shape: Shape, places: list[tuple[Place, float]], rng: np.random.Generator
) -> Float32:
    """How far inside a settlement each pixel lies, (y, x): 1 in the middle, 0 at its edge.

    `places` holds a centre (row, col) and a radius in pixels for each settlement.
    """
    rows, cols = np.indices(shape, dtype=np.float32)
    ragged = fractal_noise(shape, rng, 1.6, max(places[0][1], 12.0))
    inside = np.full(shape, -9.0, dtype=np.float32)
    for (row, col), radius in places:
        distance = np.hypot(rows - row, cols - col) / radius
        inside = np.maximum(inside, 1.0 - distance + 0.30 * ragged)
    return inside


def paint_town(land: Landscape, inside: Float32, rng: np.random.Generator) -> None:
    """Build where `inside` is above 0."""
    fine = fractal_noise(land.shape, rng, 0.5, 10.0)
    quarter = fractal_noise(land.shape, rng, 2.0, 60.0)
    settlement: Where = inside > 0
    works: Where = settlement & (quarter > 0.75) & (inside < 0.75)
    _paint_blocks(land, divide_into_parcels(land.shape, rng, BLOCKS), settlement, inside, fine)
    _paint_works(land, divide_into_parcels(land.shape, rng, WORKS), works, fine)
    parks: Where = settlement & (quarter < -1.55)
    land.paint(parks, "garden", 0.95 + 0.1 * fine)
    land.paint(parks & (fine > 0.1), "broadleaf", 1.0 + 0.1 * fine)


def _paint_blocks(
    land: Landscape, parcels: Parcels, settlement: Where, inside: Float32, fine: Float32
) -> None:
    """Blocks of small houses: what a pixel shows is a house, a yard or a garden."""
    house = scatter(
        31,
        parcels.parcel,
        np.floor(parcels.across / 2.3).astype(np.int32),
        np.floor(parcels.along / 3.1).astype(np.int32),
    )
    texture = np.exp(0.09 * fine + 0.34 * (chance(32, house) - 0.5)).astype(np.float32)
    # Walls that face the radar scatter strongly: some houses, some whole blocks.
    block = chance(34, parcels.parcel)
    offset_db = 5.0 * (chance(33, house) - 0.6) + 7.0 * (block - 0.55) + 0.8 * fine
    offset_db = (offset_db + 9.0 * (chance(35, house) > 0.965)).astype(np.float32)
    built = chance(36, house) < 0.34 + 0.42 * np.clip(inside, 0, 0.7)
    land.paint(settlement, "garden", texture, 0.4 * offset_db - 0.5)
    land.paint(settlement & (chance(37, house) < 0.4), "pavement", texture, 0.6 * offset_db)
    tiled = chance(38, parcels.parcel, parcels.district * 0) < 0.25 + 0.6 * chance(
        39, parcels.district
    )
    land.paint(settlement & built & tiled, "tiles", texture, offset_db)
    land.paint(settlement & built & ~tiled, "concrete", texture, offset_db)
    land.paint(settlement & (parcels.edge < 0.7), "pavement", 0.92 + 0.06 * fine, -1.5)
    land.paint(settlement & (parcels.lane < 1.0), "asphalt", 1.0 + 0.05 * fine, 2.0)


def _paint_works(land: Landscape, parcels: Parcels, works: Where, fine: Float32) -> None:
    """Large halls with one roof each, on paved ground."""
    kind = chance(41, parcels.parcel)
    texture = (0.86 + 0.28 * chance(42, parcels.parcel) + 0.03 * fine).astype(np.float32)
    offset_db = (7.0 * (chance(43, parcels.parcel) - 0.65) + 1.5 * fine).astype(np.float32)
    land.paint(works, "pavement", texture, -2.0 + fine)
    hall = works & (parcels.edge > 1.6)
    for roof, low, high in (
        ("concrete", 0.0, 0.42),
        ("metal", 0.42, 0.56),
        ("blue roof", 0.56, 0.68),
        ("tiles", 0.68, 0.80),
    ):
        land.paint(hall & (kind >= low) & (kind < high), roof, texture, offset_db)
    land.paint(hall & (kind >= 0.93), "garden", texture, -1.0)
