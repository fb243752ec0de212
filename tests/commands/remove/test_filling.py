"""Rows of a scene and what fills them become rows of the result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.remove.cloudy_scene import CloudyScene, OriginalRows
from cloudfree.commands.remove.filling import Fill, OutputRows, finish
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import FillClass
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import write_raster

BANDS = ("B02", "B03", "B04", "B08")
SIDE = 6


@pytest.fixture
def before() -> np.ndarray:
    """Numbers of ground, without data in the last column."""
    numbers = np.arange(1000, 1000 + 4 * SIDE * SIDE, dtype=np.uint16).reshape(4, SIDE, SIDE)
    numbers[:, :, -1] = 0
    return numbers


def _finish(folder: Path, before: np.ndarray, fill: Fill, filled_bands: tuple[str, ...]):
    opacity = np.zeros((SIDE, SIDE), np.float32)
    opacity[:3] = 1.0
    opacity[3] = 0.5
    path = write_raster(folder / "s2.tif", before, BANDS, nodata=0)
    with OpticalScene(path, 0.0) as optical:
        window = Window(0, 0, SIDE, SIDE)
        scene = CloudyScene(optical, None)
        return finish(scene, filled_bands, window, fill, OriginalRows(before.copy(), opacity))


def _fill(**more: object) -> Fill:
    return Fill(np.full((4, SIDE, SIDE), 0.3, np.float32), **more)  # type: ignore[arg-type]


def test_clear_pixels_keep_their_bits(tmp_path: Path, before: np.ndarray) -> None:
    rows: OutputRows = _finish(tmp_path, before, _fill(), BANDS)
    assert np.array_equal(rows.pixels[:, 4:], before[:, 4:])
    assert (rows.pixels[:, :3, :-1] == 3000).all(), "and pixels under cloud are filled"
    mixed = (before[:, 3, :-1] + 3000) / 2
    assert np.abs(rows.pixels[:, 3, :-1] - mixed).max() <= 0.5, "with an edge between"


def test_bands_that_are_not_filled_keep_their_bits(tmp_path: Path, before: np.ndarray) -> None:
    fill = Fill(np.full((2, SIDE, SIDE), 0.3, np.float32))
    rows = _finish(tmp_path, before, fill, ("B08", "B03"))
    assert np.array_equal(rows.pixels[[0, 2]], before[[0, 2]])
    assert (rows.pixels[[1, 3], :3, :-1] == 3000).all()


def test_classes_say_what_filled_a_pixel(tmp_path: Path, before: np.ndarray) -> None:
    by = np.full((SIDE, SIDE), FillClass.REFERENCE_2, np.uint8)
    by[0] = FillClass.FILLED_BY_SCENE
    fill = _fill(by=by)
    fill.mean[:, 1] = np.nan
    classes = _finish(tmp_path, before, fill, BANDS).classes
    assert (classes[0, :-1] == FillClass.FILLED_BY_SCENE).all()
    assert (classes[1, :-1] == FillClass.UNFILLED).all(), "nothing is known of its ground"
    assert (classes[2:4, :-1] == FillClass.REFERENCE_2).all()
    assert (classes[4:, :-1] == FillClass.ORIGINAL).all()
    assert (classes[:, -1] == FillClass.NODATA).all()


def test_only_filled_pixels_have_a_deviation(tmp_path: Path, before: np.ndarray) -> None:
    fill = _fill(deviation=np.full((4, SIDE, SIDE), 0.02, np.float32))
    rows = _finish(tmp_path, before, fill, BANDS)
    assert np.array_equal(np.isfinite(rows.deviation).all(axis=0), rows.filled)
