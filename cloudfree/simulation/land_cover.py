"""A map of the ground, and what its covers look like to Sentinel-2 and Sentinel-1.

Source: typical top-of-atmosphere spectra of Sentinel-2 L1C scenes and typical C-band sigma-nought
of Sentinel-1 IW GRD scenes at about 38 degrees incidence, in spring and autumn at mid latitudes;
rounded medians over fields, woods, towns and inland water, none of them of one certain place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32, linear_power
from cloudfree.simulation.noise import Shape, UInt32, fractal_noise


class LandCover(IntEnum):
    """Groups of materials."""

    WATER = 0
    FIELD = 1
    WOOD = 2
    SETTLEMENT = 3
    ROAD = 4


@dataclass(frozen=True)
class Material:
    """Mean sigma-nought in dB, and reflectance x 1000 in the order of the L1C bands."""

    cover: LandCover
    vv_db: float
    vh_db: float
    spectrum: tuple[float, ...]


# fmt: off
MATERIALS = {
    #   B01  B02  B03  B04  B05  B06  B07  B08  B8A  B09  B10  B11  B12
    "water": Material(LandCover.WATER, -20.5, -26.5, (
        122,  98,  86,  58,  54,  41,  41,  35,  33,  12, 0.6,  15,  10)),
    "sand": Material(LandCover.FIELD, -14.0, -22.0, (
        160, 148, 152, 176, 186, 204, 218, 213, 232,  78,   1, 300, 252)),
    "dark soil": Material(LandCover.FIELD, -11.5, -18.8, (
        132, 110, 101, 101, 115, 136, 150, 146, 163,  56,   1, 195, 152)),
    "brown soil": Material(LandCover.FIELD, -12.0, -19.4, (
        139, 120, 114, 125, 139, 162, 179, 173, 194,  65,   1, 238, 186)),
    "light soil": Material(LandCover.FIELD, -12.8, -20.4, (
        148, 134, 135, 158, 172, 192, 210, 204, 226,  74,   1, 285, 226)),
    "red soil": Material(LandCover.FIELD, -11.8, -19.0, (
        134, 117, 117, 150, 166, 199, 225, 224, 252,  84,   1, 300, 198)),
    "stubble": Material(LandCover.FIELD, -12.4, -19.2, (
        142, 127, 127, 145, 164, 196, 217, 211, 238,  78,   1, 292, 206)),
    "canopy": Material(LandCover.FIELD, -10.2, -16.4, (
        120,  92,  87,  53,  96, 256, 330, 325, 358,  98,   1, 172,  88)),
    "broadleaf": Material(LandCover.WOOD, -8.2, -13.7, (
        112,  83,  71,  44,  74, 184, 229, 220, 258,  70,   1, 146,  62)),
    "conifer": Material(LandCover.WOOD, -9.2, -14.9, (
        113,  82,  65,  43,  60, 138, 168, 168, 184,  62,   1,  92,  44)),
    "asphalt": Material(LandCover.ROAD, -14.0, -21.0, (
        146, 127, 122, 125, 132, 146, 156, 150, 165,  60,   1, 180, 160)),
    "track": Material(LandCover.ROAD, -12.6, -19.6, (
        146, 132, 132, 148, 160, 180, 195, 190, 210,  72,   1, 262, 212)),
    "pavement": Material(LandCover.SETTLEMENT, -8.5, -15.6, (
        158, 141, 136, 143, 151, 171, 185, 179, 198,  66,   1, 222, 190)),
    "garden": Material(LandCover.SETTLEMENT, -8.6, -15.0, (
        136, 112, 106,  97, 120, 192, 226, 220, 244,  76,   1, 195, 138)),
    "tiles": Material(LandCover.SETTLEMENT, -4.2, -11.6, (
        152, 132, 128, 162, 174, 196, 212, 210, 228,  72,   1, 262, 222)),
    "concrete": Material(LandCover.SETTLEMENT, -3.6, -11.2, (
        168, 153, 149, 156, 163, 178, 192, 186, 204,  68,   1, 234, 208)),
    "metal": Material(LandCover.SETTLEMENT, -2.4, -10.6, (
        205, 210, 212, 222, 228, 243, 254, 249, 266,  86,   1, 285, 248)),
    "blue roof": Material(LandCover.SETTLEMENT, -2.8, -10.8, (
        192, 200, 180, 152, 158, 182, 194, 188, 206,  70,   1, 268, 240)),
}
# fmt: on

NAMES = tuple(MATERIALS)

# (material, band) in reflectance; (material, polarisation) in linear power.
SPECTRA = np.array([m.spectrum for m in MATERIALS.values()], dtype=np.float32) / np.float32(1000)
SIGMA_NOUGHT = linear_power(
    np.array([(m.vv_db, m.vh_db) for m in MATERIALS.values()], dtype=np.float32)
)
COVERS = np.array([m.cover for m in MATERIALS.values()], dtype=np.uint8)


def number(name: str) -> np.uint8:
    """The number by which maps name a material."""
    return np.uint8(NAMES.index(name))


Where = NDArray[np.bool_]

PIXEL_M = 10.0


@dataclass(frozen=True)
class Landscape:
    """The ground, every array (y, x).

    `material` numbers entries of `MATERIALS`; `green` is the share, 0 to 1, that a crop's
    canopy hides of it; `brightness` a factor on what the ground reflects; `backscatter_offset_db`
    what is added to its backscatter in dB; `height` is in metres. `parcel` is a number that the
    pixels of a field share, 0 where there is no field.
    """

    material: NDArray[np.uint8]
    green: Float32
    brightness: Float32
    backscatter_offset_db: Float32
    height: Float32
    parcel: UInt32

    @classmethod
    def bare(cls, height: Float32) -> Landscape:
        """Ground of brown soil with a relief."""
        flat = np.zeros_like(height)
        material = np.full(height.shape, number("brown soil"), dtype=np.uint8)
        parcel = np.zeros(height.shape, dtype=np.uint32)
        return cls(material, flat, flat + 1, flat.copy(), height, parcel)

    @property
    def shape(self) -> Shape:
        """Rows and columns."""
        rows, cols = self.material.shape
        return rows, cols

    @property
    def cover(self) -> NDArray[np.uint8]:
        """Group of each pixel's material, a `LandCover`."""
        return COVERS[self.material]

    def paint(
        self,
        where: Where,
        material: str,
        brightness: Float32 | float = 1.0,
        backscatter_offset_db: Float32 | float = 0.0,
    ) -> None:
        """Cover pixels with a material, hiding what was there."""
        self.material[where] = number(material)
        self.green[where] = 0.0
        self.parcel[where] = 0
        for layer, value in (
            (self.brightness, brightness),
            (self.backscatter_offset_db, backscatter_offset_db),
        ):
            layer[where] = value[where] if isinstance(value, np.ndarray) else value


def relief(shape: Shape, rng: np.random.Generator, from_river: Float32) -> Float32:
    """Height of the ground in metres, (y, x): hills beside a valley floor."""
    reach = float(min(shape))
    hills = fractal_noise(shape, rng, 2.9, 0.3 * reach)
    valley = 1.0 - np.exp(-((from_river / (0.16 * reach)) ** 2))
    # Slopes stay gentle in small scenes too: the height of hills goes with their extent.
    return np.asarray(0.045 * PIXEL_M * reach * valley * np.maximum(hills + 0.3, 0.0) * 0.35,
                      dtype=np.float32)  # fmt: skip
