"""Cases of the cloud mask on a full scene, and the decoding that they include; without torch."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import rasterio
from rasterio.windows import Window as Rectangle

from cloudfree.cloudmask.class_rules import bands_to_read
from cloudfree.cloudmask.network_detector import DETECTOR_BANDS
from cloudfree.commands.mask import run as mask
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import PUBLISHED_MASK, MaskSettings
from cloudfree.core.grid import strips
from cloudfree.core.terminal import silent
from tests.bench.scene import COVERS, cover_mask, full_scene

STRIP_ROWS = 512


def make(size: int, folder: Path) -> None:
    """Make the scene and its masks, unless they exist."""
    del folder
    full_scene(size)
    for share in COVERS:
        cover_mask(size, share)


def decode(size: int, folder: Path) -> None:
    """Decode the bands of the cloud score once, with GDAL alone."""
    del folder
    os.environ["GDAL_NUM_THREADS"] = "1"
    decode_bands(
        full_scene(size)[0], [OPTICAL_BANDS.index(b) + 1 for b in bands_to_read(OPTICAL_BANDS)]
    )


def decode_for_detector(size: int, folder: Path) -> None:
    """Decode the bands of the default detector once, with GDAL alone."""
    del folder
    os.environ["GDAL_NUM_THREADS"] = "1"
    decode_bands(full_scene(size)[0], [OPTICAL_BANDS.index(band) + 1 for band in DETECTOR_BANDS])


def decode_bands(path: Path, indexes: list[int] | None = None) -> None:
    """Decode bands of a file, by default all, and discard the pixels."""
    with rasterio.open(path) as dataset:
        for strip in strips(dataset.height, dataset.width, STRIP_ROWS):
            dataset.read(indexes, window=Rectangle(0, strip.row, strip.width, strip.height))


def mask_without_shadow(size: int, folder: Path) -> None:
    """`cloudfree mask --no-sensitive --dilate 0 --no-shadow`."""
    _mask(size, folder, replace(PUBLISHED_MASK, shadow=False))


def mask_with_shadow(size: int, folder: Path) -> None:
    """`cloudfree mask --no-sensitive --dilate 0`."""
    _mask(size, folder, PUBLISHED_MASK)


def mask_as_removed(size: int, folder: Path) -> None:
    """`cloudfree mask` with its defaults, as `remove` masks."""
    _mask(size, folder, MaskSettings())


def _mask(size: int, folder: Path, settings: MaskSettings) -> None:
    output = folder / "mask.tif"
    options = mask.MaskOptions(scene=full_scene(size)[0], output=output, **asdict(settings))
    mask.run(options, silent)


_CASES = (
    make, decode, decode_for_detector, mask_without_shadow, mask_with_shadow, mask_as_removed
)  # fmt: skip
CASES = {case.__name__: case for case in _CASES}
