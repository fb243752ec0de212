"""Fields: many crops, rows, moist and dry spots, tracks and hedges between them."""

from __future__ import annotations

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.land_cover import Landscape, Where, number
from cloudfree.simulation.noise import chance, fractal_noise
from cloudfree.simulation.parcels import Parcels, ParcelSizes, divide_into_parcels

SIZES = ParcelSizes(district=150.0, width=15.0, length=38.0, bend=5.0)

# Which soil a lot shows, by the share of lots.
_SOILS = (
    ("brown soil", 0.40),
    ("dark soil", 0.25),
    ("stubble", 0.17),
    ("light soil", 0.12),
    ("red soil", 0.06),
)
# Share of canopy in a lot against the share of lots with less: bare, sprouting, grown.
_GREEN_SHARES = (0.0, 0.30, 0.45, 0.62, 1.0)
_GREEN = (0.0, 0.06, 0.32, 0.62, 0.95)


def paint_fields(land: Landscape, rng: np.random.Generator) -> Parcels:
    """Cover all the ground with fields."""
    lots = divide_into_parcels(land.shape, rng, SIZES)
    moist = fractal_noise(land.shape, rng, 1.3, 60.0)
    fine = fractal_noise(land.shape, rng, 0.7, 12.0)
    _choose_soils(land, lots, moist)
    rows = _rows(lots) + 0.05 * fine
    land.green[:] = np.clip(_greenness(lots) * (1.0 + 0.10 * moist + 0.9 * rows), 0.0, 1.0)
    own = 0.80 + 0.40 * chance(11, lots.lot)
    land.brightness[:] = own * (1.0 - 0.045 * moist + rows)
    # Tillage leaves each field its own roughness, smoother for most; moist soil scatters more.
    land.backscatter_offset_db[:] = 7.5 * (chance(12, lots.lot) ** 0.8 - 0.55) + 0.5 * moist
    _paint_borders(land, lots, fine)
    return lots


def _choose_soils(land: Landscape, lots: Parcels, moist: Float32) -> None:
    # Soil follows the land more than the owner.
    draw = np.clip(0.45 * chance(13, lots.lot) + 0.3 + 0.14 * moist, 0.0, 0.999)
    draw = np.where(chance(14, lots.lot) < 0.45, chance(15, lots.lot), draw)
    upper = 0.0
    for soil, share in _SOILS:
        land.material[(draw >= upper) & (draw < upper + share)] = number(soil)
        upper += share


def _greenness(lots: Parcels) -> Float32:
    """Share of canopy of each lot before its own variation."""
    draw = np.interp(chance(16, lots.lot), _GREEN_SHARES, _GREEN)
    # Neighbours of one district are sown alike.
    bias = 0.5 + chance(17, lots.district)
    return np.asarray(np.clip(draw**bias, 0.0, 1.0), dtype=np.float32)


def _rows(lots: Parcels) -> Float32:
    """Stripes along the lot, as sowing, mowing and spraying leave them; a factor less one."""
    period = 2.6 + 4.0 * chance(18, lots.lot)
    strength = 0.09 * chance(19, lots.lot) ** 2
    broad = np.sin(2 * np.pi * (lots.across / period + chance(20, lots.lot)))
    beds = chance(21, np.floor(lots.across / 3.0).astype(np.int32), lots.lot) - 0.5
    return np.asarray(strength * (broad + 1.4 * beds), dtype=np.float32)


def _paint_borders(land: Landscape, lots: Parcels, fine: Float32) -> None:
    """Lanes around districts, tracks and hedges along some long borders, verges elsewhere."""
    kind = chance(22, lots.strip_number)
    texture = 1.0 + 0.06 * fine
    verge: Where = (lots.edge < 0.55) & (chance(23, lots.lot) < 0.7)
    land.green[verge] = 0.45 + 0.05 * fine[verge]
    land.paint((lots.strip < 0.75) & (kind < 0.16), "track", texture)
    hedge = (lots.strip < 1.3) & (kind > 0.80) & (fine > -0.9)
    land.paint(hedge, "broadleaf", texture, 0.6)
    land.paint((lots.lane < 0.75) & (chance(25, lots.district) < 0.8), "track", texture)
    avenue = (lots.lane > 0.9) & (lots.lane < 2.3) & (chance(24, lots.district) < 0.3)
    land.paint(avenue & (fine > -0.4), "broadleaf", texture)
