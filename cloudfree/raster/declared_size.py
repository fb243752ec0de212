"""What a raster says of its size, before memory is taken for it: a file may say anything."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader

from cloudfree.core.grid import Grid
from cloudfree.errors import InputError

# Of pixels that are all the same some formats keep a hundred-thousandth, and of those that are not
# there nothing: a scene without data is small, whatever its size. No scene has more than this,
# a hundred times as much as a tile of Sentinel-2 has.
_MAX_RATIO, _SMALL_BYTES = 100_000, 1 << 38

# Rows that are processed at once, with those around them, as numbers of 32 bits.
_ROWS, _BYTES = 512, 4
# The part of the memory that one block of a file, or one strip of a scene, may take.
_PART = 0.5


def check_declared_size(dataset: DatasetReader, name: str, file: Path | None) -> None:
    """Check that a raster can be as large as it says: by its file, if known, and by its blocks.

    Raises
    ------
    InputError
        It has too few bytes for its pixels, or blocks that do not fit into memory.
    """
    of_pixel = sum(np.dtype(dtype).itemsize for dtype in dataset.dtypes)
    declared = of_pixel * dataset.height * dataset.width
    stored = file.stat().st_size if file and file.is_file() else declared
    if declared > max(_SMALL_BYTES, _MAX_RATIO * stored):
        raise _too_large(
            f"{name} has {dataset.height} x {dataset.width} pixels, {declared / 1e12:.1f} TB, in "
            f"{stored / 1e6:.1f} MB",
            "a raster with the pixels that it says it has",
        )
    block = of_pixel * max((rows * cols for rows, cols in dataset.block_shapes), default=0)
    _check_memory(block, f"a block of {name}")


def check_strip(grid: Grid, bands: int, name: str) -> None:
    """Check that a strip of a scene that is processed whole fits into memory.

    Raises
    ------
    InputError
        It does not.
    """
    strip = grid.width * min(grid.height, _ROWS) * bands * _BYTES
    _check_memory(strip, f"a strip of {name}, {grid.width} pixels wide,")


def _check_memory(size: int, what: str) -> None:
    memory = memory_bytes()
    if memory and size > _PART * memory:
        raise _too_large(
            f"{what} takes {size / 1e9:.1f} GB, and this machine has {memory / 1e9:.1f} GB",
            f"at most {_PART * memory / 1e9:.1f} GB",
        )


def _too_large(found: str, wanted: str) -> InputError:
    return InputError(
        found,
        wanted=wanted,
        hint="cut out a part first, for example with `gdal_translate -projwin`",
    )


def memory_bytes() -> int | None:
    """The memory that this process may use at most; None if the system does not say."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, ValueError, OSError, AttributeError):  # Windows
        return None
    return whole if limit == resource.RLIM_INFINITY else min(whole, limit)
