"""Pictures as the bytes of a file."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from cloudfree.raster.encoded_picture import jpeg, png
from cloudfree.raster.gdal import ignored_warning


def decode(encoded: bytes) -> np.ndarray:
    quiet = ignored_warning(NotGeoreferencedWarning)
    with quiet, MemoryFile(encoded) as memory, memory.open() as dataset:
        return np.moveaxis(dataset.read(), 0, -1)


@given(height=st.integers(1, 20), width=st.integers(1, 20), channels=st.sampled_from([3, 4]))
def test_png_keeps_every_pixel(height, width, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    np.testing.assert_array_equal(decode(png(pixels)), pixels)


def test_jpeg_keeps_the_look():
    rows = np.linspace(0, 255, 64, dtype=np.uint8)
    pixels = np.broadcast_to(rows[:, None, None], (64, 48, 3)).copy()
    decoded = decode(jpeg(pixels))
    assert decoded.shape == pixels.shape
    assert np.abs(decoded.astype(int) - pixels).max() < 8
