"""A scene out of arrays, with a cloud and a shadow."""

from __future__ import annotations

import numpy as np
from affine import Affine

from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import Float32

TEN_METRES = Affine(10, 0, 0, 0, -10, 0)
BANDS = ("B02", "B03", "B04", "B08", "B11")


class ArrayScene:
    """Reflectance, (band, y, x), as a scene."""

    bands = BANDS

    def __init__(self, pixels: Float32) -> None:
        self.pixels = pixels
        self.grid = Grid(None, TEN_METRES, *pixels.shape[1:])

    def reflectance(self, bands: tuple[str, ...], window: Window) -> Float32:
        """Pixels of a window."""
        return self.pixels[[BANDS.index(band) for band in bands]][:, *window.slices]


def scene_with(cloud: tuple[slice, slice], shadow: tuple[slice, slice]) -> ArrayScene:
    """Ground of 0.2 with a bright cloud and a dark shadow."""
    pixels = np.full((5, 200, 96), 0.2, np.float32)
    pixels[:, *cloud] = 0.8
    pixels[:, *shadow] = 0.05
    return ArrayScene(pixels)
