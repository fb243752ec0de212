"""A file that lost blocks, or whose pixels differ, does not pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from cloudfree.commands.remove.audit.samples import SampleWindow, sample_windows
from cloudfree.commands.remove.audit.written_file import check_file
from cloudfree.core.grid import Grid
from cloudfree.errors import BrokenResultError
from cloudfree.raster.cog import missing_blocks
from tests.factories.rasters import TEN_METRES, UTM31

GRID = Grid(UTM31, TEN_METRES, 600, 600)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 9999, (2, 600, 600), np.uint16)


def _write(path: Path, pixels: np.ndarray, rows: int = 600) -> Path:
    """A tiled file of which only the first rows are written."""
    with rasterio.open(
        path, "w", driver="GTiff", count=2, height=600, width=600, dtype="uint16", nodata=0,
        tiled=True, blockxsize=256, blockysize=256, interleave="pixel", crs=GRID.crs,
        transform=GRID.transform, sparse_ok=True,
    ) as dataset:  # fmt: skip
        dataset.write(pixels[:, :rows], window=rasterio.windows.Window(0, 0, 600, rows))
    return path


def _kept(pixels: np.ndarray) -> tuple[SampleWindow, ...]:
    windows, none = sample_windows(GRID, 2, "uint16"), np.zeros((600, 600), bool)
    for one in windows:
        one.add(GRID.window, pixels, none, none)
    return windows


def test_a_whole_file_passes(tmp_path: Path, pixels: np.ndarray) -> None:
    path = _write(tmp_path / "a.tif", pixels)
    check_file(path, _kept(pixels), sparse=False)
    assert missing_blocks(path) == 0


def test_blocks_that_were_not_written_are_missing(tmp_path: Path, pixels: np.ndarray) -> None:
    path = _write(tmp_path / "a.tif", pixels, rows=512)
    assert missing_blocks(path) == 3
    with pytest.raises(BrokenResultError, match="3 blocks of the result were not written"):
        check_file(path, _kept(pixels), sparse=False)


def test_pixels_that_are_not_as_written_are_found(tmp_path: Path, pixels: np.ndarray) -> None:
    path = _write(tmp_path / "a.tif", np.roll(pixels, 1, axis=2))
    with pytest.raises(BrokenResultError, match=r"pixels from row .* are not as they were written"):
        check_file(path, _kept(pixels), sparse=True)
