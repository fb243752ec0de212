"""What people make of the land: parcels, fields and hedges, towns and villages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.land_cover import Landscape, Where, number
from cloudfree.simulation.noise import Shape, UInt32, chance, fractal_noise, scatter

# Land is divided among owners: districts of one orientation, strips in them, parcels in those.

# How far a boundary may lie from its regular place, as a share of the pitch.
_IRREGULARITY = 0.7


@dataclass(frozen=True)
class Parcels:
    """A partition of the ground; every array is (y, x), every length in pixels.

    `parcel` is a number that the pixels of a parcel share; `edge` the distance to its border;
    `lane` the distance to the border of the district; `strip` the distance to the next long border
    and `strip_number` names that border; `along` and `across` are coordinates in the district's
    directions.
    """

    parcel: UInt32
    edge: Float32
    district: NDArray[np.int32]
    lane: Float32
    strip: Float32
    strip_number: UInt32
    along: Float32
    across: Float32


@dataclass(frozen=True)
class ParcelSizes:
    """Mean sizes in pixels: of districts, of the two sides of parcels (short, long), of bends."""

    district: float
    width: float
    length: float
    bend: float


def divide_into_parcels(shape: Shape, rng: np.random.Generator, sizes: ParcelSizes) -> Parcels:
    """Divide the ground into parcels of several orientations."""
    rows, cols = _bent_coordinates(shape, rng, sizes)
    district, lane, angles = _districts(rows, cols, rng, sizes.district)
    angle = angles[district]
    across = cols * np.cos(angle) + rows * np.sin(angle)
    along = rows * np.cos(angle) - cols * np.sin(angle)
    width = (sizes.width * (0.6 + 0.9 * rng.random(angles.size, dtype=np.float32)))[district]
    number, strip, border = _cells(across, width, district)
    length = sizes.length * (0.5 + chance(1, number, district))
    place, end, _ = _cells(along, length, scatter(2, number, district))
    parcel = scatter(3, district, number, place)
    edge = np.minimum(np.minimum(strip, end), lane)
    return Parcels(parcel, edge, district, lane, strip, scatter(4, border, district), along, across)


def _bent_coordinates(
    shape: Shape, rng: np.random.Generator, sizes: ParcelSizes
) -> tuple[Float32, Float32]:
    """Row and column of each pixel, bent a little: borders that people draw are never straight."""
    rows, cols = np.indices(shape, dtype=np.float32)
    coarsest = 0.8 * sizes.district
    rows += sizes.bend * fractal_noise(shape, rng, 3.2, coarsest)
    cols += sizes.bend * fractal_noise(shape, rng, 3.2, coarsest)
    return rows, cols


def _districts(
    rows: Float32, cols: Float32, rng: np.random.Generator, size: float
) -> tuple[NDArray[np.int32], Float32, Float32]:
    """Number of each pixel's district, distance to its border, and the angle of every district."""
    places, row_cell, col_cell = _places(rows, cols, rng, size)
    district, other = _two_nearest(rows, cols, places, row_cell, col_cell)
    # Neighbours follow the lie of the land: one main direction and some that leave it.
    angles = rng.uniform(0, np.pi) + rng.normal(0, 0.45, places[..., 0].size)
    here, there = places.reshape(-1, 2)[district], places.reshape(-1, 2)[other]
    # The border is the perpendicular bisector of two places.
    between, middle = there - here, (there + here) / 2
    lane = (middle[..., 0] - rows) * between[..., 0] + (middle[..., 1] - cols) * between[..., 1]
    return district, np.abs(lane / np.hypot(*np.moveaxis(between, -1, 0))), _float32(angles)


def _places(
    rows: Float32, cols: Float32, rng: np.random.Generator, size: float
) -> tuple[Float32, NDArray[np.int32], NDArray[np.int32]]:
    """Middles of districts, one anywhere in each cell of a coarse grid, and each pixel's cell."""
    # One cell more on each side, for the neighbours of the outermost.
    first = [float(coordinate.min()) - size for coordinate in (rows, cols)]
    row_cell = ((rows - first[0]) / size).astype(np.int32)
    col_cell = ((cols - first[1]) / size).astype(np.int32)
    shape = (int(row_cell.max()) + 2, int(col_cell.max()) + 2)
    corners = np.moveaxis(np.indices(shape), 0, -1) * size + first
    return _float32(corners + rng.uniform(0, size, (*shape, 2))), row_cell, col_cell


def _two_nearest(
    rows: Float32,
    cols: Float32,
    places: Float32,
    row_cell: NDArray[np.int32],
    col_cell: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Index of the nearest and the second nearest place among those of the cells around a pixel."""
    nearest = np.full(rows.shape, np.inf, dtype=np.float32)
    second = nearest.copy()
    first_index = np.zeros(rows.shape, dtype=np.int32)
    second_index = first_index.copy()
    for down, right in product((-1, 0, 1), repeat=2):
        index = (row_cell + down) * places.shape[1] + col_cell + right
        distance = (rows - places[..., 0].ravel()[index]) ** 2
        distance += (cols - places[..., 1].ravel()[index]) ** 2
        closest, closer = distance < nearest, distance < second
        second_index = np.where(closest, first_index, np.where(closer, index, second_index))
        first_index = np.where(closest, index, first_index)
        second = np.minimum(second, np.maximum(distance, nearest))
        nearest = np.minimum(nearest, distance)
    return first_index, second_index


def _float32(values: NDArray[np.floating]) -> Float32:
    return values.astype(np.float32)


def _cells(
    position: Float32, pitch: Float32, key: NDArray[np.integer]
) -> tuple[NDArray[np.int32], Float32, NDArray[np.int32]]:
    """Cell that each position falls in, distance to the next border, and that border's number."""
    scaled = position / pitch
    cell = np.floor(scaled).astype(np.int32)

    def border(number: NDArray[np.int32]) -> Float32:
        shift = _IRREGULARITY * (chance(5, number, key) - np.float32(0.5))
        return number.astype(np.float32) + shift

    cell = cell - (scaled < border(cell)).astype(np.int32)
    cell = cell + (scaled >= border(cell + 1)).astype(np.int32)
    before, after = scaled - border(cell), border(cell + 1) - scaled
    nearest = np.where(before < after, cell, cell + 1)
    return cell, np.minimum(before, after) * pitch, nearest


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
    # Moist soil scatters more.
    land.backscatter_offset_db[:] = roughness_db(chance(12, parcels.parcel)) + 0.5 * moist
    land.parcel[:] = parcels.parcel
    _paint_borders(land, parcels, fine)
    return parcels


def roughness_db(draw: Float32) -> Float32:
    """Backscatter in dB that tillage leaves fields for numbers in [0, 1): less than 0 for most."""
    return 7.5 * (draw**0.8 - 0.55)


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
    land.parcel[verge] = 0
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
