"""Mask files as this program writes them, and scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS

from cloudfree.cloudmask.mask_file import MaskFile, encode_score
from cloudfree.core.grid import Grid, Window
from cloudfree.errors import InputError
from tests.factories.rasters import TEN_METRES, write_raster

GRID = Grid(CRS.from_epsg(32631).to_wkt(), TEN_METRES, 8, 6)


def _write(path: Path, values: list[int]) -> Path:
    """All the values, over and over."""
    return write_raster(path, np.resize(np.uint8(values), (1, 8, 6)), ["mask"])


def test_classes_are_read_in_windows_and_counted(tmp_path: Path) -> None:
    with MaskFile(_write(tmp_path / "m.tif", [0, 1, 2]), GRID) as mask:
        assert mask.classes(Window(2, 1, 1, 3)).tolist() == [[1, 2, 0]]
        assert mask.counts()[:3].tolist() == [16, 16, 16]
        assert mask.counts().sum() == 48
        assert (mask.sun, mask.origin) == (None, None)


def test_what_is_wrong_with_the_form_is_said(tmp_path: Path) -> None:
    floats = write_raster(tmp_path / "f.tif", np.ones((1, 8, 6), np.float32), ["mask"])
    with pytest.raises(InputError, match=r"f\.tif holds float32 numbers; wanted .* as uint8: 0 cl"):
        MaskFile(floats, GRID)
    two = write_raster(tmp_path / "t.tif", np.ones((2, 8, 6), np.uint8), ["a", "b"])
    with pytest.raises(InputError, match=r"t\.tif has 2 bands; wanted one band"):
        MaskFile(two, GRID)
    with pytest.raises(InputError, match=r"\(8 x 6 pixels\) does not lie on the scene's grid; "):
        MaskFile(_write(tmp_path / "m.tif", [0, 1]), Grid(GRID.crs, GRID.transform, 8, 7))


def test_a_score_in_bytes_has_255_for_no_data() -> None:
    score = np.float32([[0, 0.5, 1, np.nan]])
    assert encode_score(score, "uint8").tolist() == [[0, 100, 200, 255]]
