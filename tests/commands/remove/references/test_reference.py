"""A reference says what the filling has to know of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cloudfree.cloudmask.mask_file import MaskFile
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.references.date_on_grid import DateOnGrid
from cloudfree.commands.remove.references.reference import ChosenReferences, Reference
from cloudfree.core.acquisition import UNKNOWN
from cloudfree.core.displacement import Shift
from cloudfree.gapfilling.stack import ReferenceInfo
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import write_raster


def test_it_is_named_after_its_file_and_keeps_its_mask_and_shift(tmp_path: Path) -> None:
    path = write_date(tmp_path / "s2_20220526.tif")
    mask = write_raster(tmp_path / "mask.tif", np.zeros((1, SIDE, SIDE), np.uint8), ["mask"])
    with OpticalScene(path, 0.0) as optical, MaskFile(mask, optical.grid) as file:
        scene, grid = CloudyScene(optical, file), optical.grid
        ground = DateOnGrid(scene, grid, grid, Shift(0.5, 1.0))
        one = Reference(1, path, ground, ("B02",), UNKNOWN, -10.0, "corrected", 1.0, 0.5)
        assert one.info == ReferenceInfo("s2_20220526.tif", ("B02",), -10.0)
        assert (one.scene, one.mask, one.shift) == (scene, file, Shift(0.5, 1.0))


def test_there_may_be_none() -> None:
    assert ChosenReferences() == ChosenReferences((), ())
