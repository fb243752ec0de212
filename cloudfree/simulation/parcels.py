"""Land divided among owners: districts of one orientation, strips in them, parcels in those."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.simulation.noise import Shape, UInt32, chance, fractal_noise, scatter

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
