"""A map of the ground: what lies where, how green, how bright, how steep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.simulation import land_cover_spectra as materials
from cloudfree.simulation.noise import Shape, fractal_noise

Where = NDArray[np.bool_]

PIXEL_M = 10.0


@dataclass(frozen=True)
class Landscape:
    """The ground, every array (y, x).

    `material` numbers entries of `materials.MATERIALS`; `green` is the share, 0 to 1, that a crop's
    canopy hides of it; `brightness` a factor on what the ground reflects; `backscatter_offset_db`
    what is added to its backscatter in dB; `height` is in metres.
    """

    material: NDArray[np.uint8]
    green: Float32
    brightness: Float32
    backscatter_offset_db: Float32
    height: Float32

    @classmethod
    def bare(cls, height: Float32) -> Landscape:
        """Ground of brown soil with a relief."""
        flat = np.zeros_like(height)
        material = np.full(height.shape, materials.number("brown soil"), dtype=np.uint8)
        return cls(material, flat, flat + 1, flat.copy(), height)

    @property
    def shape(self) -> Shape:
        """Rows and columns."""
        rows, cols = self.material.shape
        return rows, cols

    @property
    def cover(self) -> NDArray[np.uint8]:
        """Group of each pixel's material, a `materials.Cover`."""
        return materials.COVERS[self.material]

    def paint(
        self,
        where: Where,
        material: str,
        brightness: Float32 | float = 1.0,
        backscatter_offset_db: Float32 | float = 0.0,
    ) -> None:
        """Cover pixels with a material, hiding what was there."""
        self.material[where] = materials.number(material)
        self.green[where] = 0.0
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
